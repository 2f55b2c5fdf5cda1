//! Changes of people, and the sessions that end with them.

use super::world::*;
use super::*;
use crate::directory::DirectoryError;
use crate::identity::{ClaimedGroups, ManagedBy, UserId};
use crate::session::StartError;

fn new(name: &str, sign_in: SignInMethod) -> NewUser {
    NewUser {
        user_name: name.to_owned(),
        email: Some(format!("{name}@corp.test")),
        display_name: Some("Ada".to_owned()),
        sign_in,
        password: Some(Secret::new("$2b$hash")),
        must_change_password: true,
        roles: vec!["ADMIN".to_owned(), "USER".to_owned()],
    }
}

async fn local(world: &World, name: &str) -> User {
    let user = new(name, SignInMethod::Local);
    world
        .provision
        .create(&TenantSlug::default(), user, &ACTOR)
        .await
        .unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn operators_make_people() {
    let mut own = tenant();
    own.domains = vec!["corp.test".to_owned()];
    let world = World::new(vec![own]).await;
    let create = |new: NewUser| {
        let provision = Arc::clone(&world.provision);
        async move { provision.create(&TenantSlug::default(), new, &ACTOR).await }
    };
    let ada = create(new("ada", SignInMethod::Local)).await.unwrap();
    assert_eq!(
        (ada.managed_by, ada.email()),
        (ManagedBy::Operator, Some("ada@corp.test"))
    );
    assert!(ada.must_change_password && ada.password.is_some());
    let external = create(new("bob", SignInMethod::External)).await.unwrap();
    assert!(
        external.password.is_none(),
        "a password that could not be used"
    );
    for (name, user, want) in [
        (
            "taken",
            new(" ADA", SignInMethod::Local),
            "userName is taken",
        ),
        (
            "empty",
            NewUser::default(),
            "claim cannot be used: user name",
        ),
        (
            "address",
            NewUser {
                email: Some("x".to_owned()),
                ..new("x", SignInMethod::Local)
            },
            "claim cannot be used: email",
        ),
        (
            "domain",
            NewUser {
                email: Some("x@evil.test".to_owned()),
                ..new("x", SignInMethod::Local)
            },
            "e-mail domain is not one of the tenant's",
        ),
    ] {
        assert_eq!(create(user).await.unwrap_err().to_string(), want, "{name}");
    }
    let elsewhere = TenantSlug::try_from("acme").unwrap();
    let refused = world
        .provision
        .create(&elsewhere, new("x", SignInMethod::Local), &ACTOR)
        .await;
    assert!(matches!(refused, Err(Refused::Tenant)), "{refused:?}");
    assert_eq!(world.actions().await, ["user.created", "user.created"]);
    let found = |text: &'static str| world.provision.person(&ada.tenant, text);
    assert_eq!(found("Ada").await.unwrap().unwrap().id, ada.id);
    let by_id = world
        .provision
        .person(&ada.tenant, ada.id.as_str())
        .await
        .unwrap();
    assert_eq!(by_id.unwrap().user_name, "ada");
    assert!(found("nobody").await.unwrap().is_none());
    let identity = world
        .provision
        .identity(&ada.tenant, &ada.id, &ClaimedGroups::Silent)
        .await;
    let roles: Vec<_> = identity
        .unwrap()
        .unwrap()
        .roles
        .into_iter()
        .map(|role| role.0)
        .collect();
    assert_eq!(roles, ["ADMIN"], "the primary one, as the setting says");
    // R41, R55: no hash in what is printed.
    let shown = format!("{ada:?}{}", serde_json::Value::from(ada.to_json()));
    assert!(!shown.contains("$2b$hash"), "{shown}");
}

#[tokio::test]
async fn local_accounts_sign_in_with_their_password_alone() {
    let world = World::new(vec![tenant()]).await;
    let ada = local(&world, "ada").await;
    world.scim(record("bob")).await;
    let account = |name: &'static str| world.provision.local_account("app.test", name);
    assert!(account("nobody").await.unwrap().is_none());
    assert!(
        account("bob").await.unwrap().is_none(),
        "signs in through the idp"
    );
    assert!(account("").await.unwrap().is_none());
    let checked = account(" ADA ").await.unwrap().unwrap();
    let admitted = world.provision.admit_local(checked.clone()).await.unwrap();
    let token = world.start(&admitted).await;
    assert!(world.sessions.find(&token, "app.test", NOW).is_some());

    // What changed while the password was being checked.
    let (provision, id) = (&world.provision, &ada.id);
    let set = |hash: &str| {
        provision.set_password(&ada.tenant, id, Secret::new(hash), false, None, &ACTOR)
    };
    let admit = || async {
        let admitted = provision.admit_local(checked.clone()).await;
        admitted.map(drop).map_err(|refused| refused.to_string())
    };
    set("$2b$other").await.unwrap();
    assert_eq!(admit().await, Err("record changed meanwhile".to_owned()));
    set("$2b$hash").await.unwrap();
    assert_eq!(admit().await, Ok(()));
    provision
        .set_active(&ada.tenant, id, false, &ACTOR)
        .await
        .unwrap();
    assert_eq!(admit().await, Err("person is not active".to_owned()));
    provision
        .set_active(&ada.tenant, id, true, &ACTOR)
        .await
        .unwrap();
    let external = SignInMethod::External;
    provision
        .set_sign_in(&ada.tenant, id, external, &ACTOR)
        .await
        .unwrap();
    assert_eq!(admit().await, Err("person signs in another way".to_owned()));
    let refused = set("$2b$hash").await.unwrap_err();
    assert!(matches!(refused, Refused::Method), "{refused:?}");
    provision
        .set_sign_in(&ada.tenant, id, SignInMethod::Local, &ACTOR)
        .await
        .unwrap();
    let now = world.read(&ada).await.unwrap();
    assert!(now.password.is_none(), "the old password is forgotten");
    assert_eq!(admit().await, Err("record changed meanwhile".to_owned()));
    provision.delete(&ada.tenant, id, &ACTOR).await.unwrap();
    assert_eq!(admit().await, Err("person was deleted".to_owned()));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn r25_changes_that_take_rights_away_end_sessions() {
    for change in [
        "deactivate",
        "delete",
        "password",
        "password but this",
        "method",
        "activate",
    ] {
        let world = World::new(vec![tenant()]).await;
        let ada = local(&world, "ada").await;
        let bob = local(&world, "bob").await;
        let mut tokens = Vec::new();
        for user in [&ada, &ada, &bob] {
            let admitted = world.provision.admit_local(user.clone()).await.unwrap();
            tokens.push(world.start(&admitted).await);
        }
        let live = |token: &String| world.sessions.find(token, "app.test", NOW);
        let this = live(&tokens[0]).unwrap().record.id.clone();
        let stop = live(&tokens[1]).unwrap().stop().clone();
        let (provision, tenant, id) = (&world.provision, &ada.tenant, &ada.id);
        let before_checked = provision.admit_local(ada.clone()).await.unwrap();
        let hash = Secret::new("$2b$new");
        match change {
            "deactivate" => provision.set_active(tenant, id, false, &ACTOR).await,
            "activate" => provision.set_active(tenant, id, true, &ACTOR).await,
            "delete" => provision.delete(tenant, id, &ACTOR).await,
            "password" => {
                provision
                    .set_password(tenant, id, hash, false, None, &ACTOR)
                    .await
            }
            "method" => {
                provision
                    .set_sign_in(tenant, id, SignInMethod::External, &ACTOR)
                    .await
            }
            _ => {
                provision
                    .set_password(tenant, id, hash, false, Some(&this), &ACTOR)
                    .await
            }
        }
        .unwrap();
        let want = match change {
            "activate" => [true, true, true],
            "password but this" => [true, false, true],
            _ => [false, false, true],
        };
        let left: Vec<_> = tokens.iter().map(|token| live(token).is_some()).collect();
        assert_eq!(left, want, "{change}");
        assert_eq!(stop.is_cancelled(), !want[1], "{change}");
        // R26: a sign-in that was admitted before is not let in behind it.
        let late = world
            .sessions
            .start(
                session(before_checked.user()),
                "late",
                before_checked.ticket(),
            )
            .await;
        assert_eq!(
            matches!(late, Err(StartError::Ended)),
            change != "activate",
            "{change}"
        );
    }
}

#[tokio::test]
async fn r26_no_session_survives_a_deactivation_however_they_meet() {
    for round in 0..40 {
        let world = Arc::new(World::new(vec![tenant()]).await);
        let ada = world.admit(&principal("1", "ada")).await.unwrap().user;
        let sign_in = |token: String| tokio::spawn(try_in(Arc::clone(&world), token));
        let tokens: Vec<_> = (0..6).map(|n| format!("token-{n}")).collect();
        let (first, rest) = tokens.split_at(round % 6);
        let mut sign_ins: Vec<_> = first.iter().cloned().map(sign_in).collect();
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        let (provision, tenant, id) = (
            Arc::clone(&world.provision),
            ada.tenant.clone(),
            ada.id.clone(),
        );
        let off =
            tokio::spawn(async move { provision.set_active(&tenant, &id, false, &ACTOR).await });
        sign_ins.extend(rest.iter().cloned().map(sign_in));
        off.await.unwrap().unwrap();
        for sign_in in sign_ins {
            sign_in.await.unwrap();
        }
        for token in &tokens {
            assert!(
                world.sessions.find(token, "app.test", NOW).is_none(),
                "round {round}"
            );
        }
    }
}

async fn try_in(world: Arc<World>, token: String) {
    if let Ok(admitted) = world.admit(&principal("1", "ada")).await {
        let started = session(admitted.user());
        let ticket = admitted.ticket();
        let _maybe = world.sessions.start(started, &token, ticket).await;
    }
}

#[tokio::test]
async fn a_change_goes_on_when_its_caller_has_gone() {
    let world = World::new(vec![tenant()]).await;
    let ada = local(&world, "ada").await;
    let admitted = world.provision.admit_local(ada.clone()).await.unwrap();
    let token = world.start(&admitted).await;
    {
        let mut change = Box::pin(
            world
                .provision
                .set_active(&ada.tenant, &ada.id, false, &ACTOR),
        );
        let gone = tokio::select! {
            biased;
            _ = &mut change => false,
            () = std::future::ready(()) => true,
        };
        assert!(gone);
    }
    while world.read(&ada).await.unwrap().active {
        tokio::task::yield_now().await;
    }
    while world.actions().await.len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(world.sessions.find(&token, "app.test", NOW).is_none());
    assert_eq!(world.actions().await, ["user.created", "user.deactivated"]);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed_and_no_change_is_none() {
    let world = World::new(vec![tenant()]).await;
    let (own, nobody) = (TenantSlug::default(), UserId::from("nobody"));
    let missing = world
        .provision
        .set_active(&own, &nobody, false, &ACTOR)
        .await;
    assert!(
        matches!(missing, Err(Refused::Directory(DirectoryError::Missing))),
        "{missing:?}"
    );
    let missing = world.provision.delete(&own, &nobody, &ACTOR).await;
    assert!(
        matches!(missing, Err(Refused::Directory(DirectoryError::Missing))),
        "{missing:?}"
    );
    let ada = local(&world, "ada").await;
    world
        .provision
        .set_active(&own, &ada.id, true, &ACTOR)
        .await
        .unwrap();
    world
        .provision
        .set_sign_in(&own, &ada.id, SignInMethod::Local, &ACTOR)
        .await
        .unwrap();
    let now = world.read(&ada).await.unwrap();
    assert_eq!(now.version, 1);
    assert!(now.password.is_some());
    // Many at once: each counts.
    let set = |n: usize| {
        let (provision, own, id) = (Arc::clone(&world.provision), own.clone(), ada.id.clone());
        let hash = Secret::new(format!("$2b${n}"));
        tokio::spawn(async move {
            provision
                .set_password(&own, &id, hash, false, None, &ACTOR)
                .await
                .unwrap();
        })
    };
    for done in (0..6).map(set).collect::<Vec<_>>() {
        done.await.unwrap();
    }
    assert_eq!(world.read(&ada).await.unwrap().version, 7);
}
