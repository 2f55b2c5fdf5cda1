//! People as SCIM clients make, change and delete them.

use serde_json::json;

use super::world::*;
use super::*;
use crate::config::{Adopt, OnDelete};
use crate::directory::{Change, DirectoryError, PageFrom, UserKey};
use crate::identity::{Group, Link, ManagedBy, UserId};

fn is_taken(done: &Result<User, Refused>) -> bool {
    matches!(
        done,
        Err(Refused::Directory(DirectoryError::Taken("userName")))
    )
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn a_person_is_made_changed_and_deleted() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.post(draft(" Ada ")).await.unwrap();
    assert_eq!((ada.user_name.as_str(), ada.version), ("Ada", 1));
    assert_eq!(ada.managed_by, ManagedBy::Scim);
    assert!(is_taken(&world.post(draft("ADA")).await));
    // R52: the client's identifier is nobody's id, and need not be unique.
    for name in ["bob", "carol"] {
        let same = UserDraft {
            external_id: Some(ada.id.to_string()),
            ..draft(name)
        };
        assert_ne!(world.post(same).await.unwrap().id, ada.id);
    }
    let same = world.edit(&ada, |_| ()).await.unwrap();
    assert_eq!((same.version, same.modified), (1, ada.modified));
    world.clock.advance(std::time::Duration::from_secs(9));
    let changed = world.edit(&ada, |draft| {
        draft.external_id = Some("e".to_owned());
        draft
            .attributes
            .insert("title".to_owned(), json!("Countess"));
    });
    let changed = changed.await.unwrap();
    assert_eq!((changed.version, changed.created), (2, NOW));
    assert!(changed.modified > NOW);
    assert!(is_taken(
        &world
            .edit(&ada, |draft| draft.user_name = "BOB".to_owned())
            .await
    ));
    let edit = |expected| {
        let edit = |user: &User| -> Result<UserDraft, Refused> { Ok(UserDraft::of(user)) };
        world
            .provision
            .edit_user(&ada.tenant, &ada.id, expected, &ACTOR, edit)
    };
    assert!(matches!(edit(Some(1)).await, Err(Refused::Outdated)));
    assert_eq!(edit(Some(2)).await.unwrap().version, 2);
    let delete = |expected| {
        world
            .provision
            .delete_user(&ada.tenant, &ada.id, expected, &ACTOR)
    };
    assert!(matches!(delete(Some(1)).await, Err(Refused::Outdated)));
    delete(Some(2)).await.unwrap();
    let gone = |refused: Refused| matches!(refused, Refused::Directory(DirectoryError::Missing));
    assert!(gone(delete(None).await.unwrap_err()));
    assert!(gone(edit(None).await.unwrap_err()));
    world.post(draft("ada")).await.unwrap();
    let history = crate::audit::Filter {
        user: Some(ada.id.to_string()),
        ..Default::default()
    };
    let told = world.audit.find(history, 10).await.unwrap();
    let told: Vec<_> = told
        .into_iter()
        .map(|it| (it.event.action, it.event.changes))
        .collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told[2].0, "user.created");
    let want = json!({ "title": { "after": "Countess" }, "externalId": { "after": "e" } });
    assert_eq!(told[1], ("user.changed".to_owned(), Some(want)));
    assert_eq!(told[0].0, "user.deleted");
}

#[tokio::test]
async fn records_that_were_there_become_scims_as_configured() {
    for (adopt, kept_by, sees, posted) in [
        (Adopt::Filter, ManagedBy::SignIn, true, false),
        (Adopt::Filter, ManagedBy::Operator, true, false),
        (Adopt::Post, ManagedBy::SignIn, true, true),
        (Adopt::Post, ManagedBy::Operator, true, true),
        (Adopt::Post, ManagedBy::Scim, true, false),
        (Adopt::Never, ManagedBy::SignIn, false, false),
        (Adopt::Never, ManagedBy::Scim, true, false),
    ] {
        let name = format!("{adopt:?} {kept_by:?}");
        let mut own = tenant();
        own.provisioning.adopt = adopt;
        let world = World::new(vec![own]).await;
        let mut ada = record("ada");
        ada.managed_by = kept_by;
        let emails = json!([{ "value": "ada@corp.test", "type": "work" }]);
        ada.attributes.insert("emails".to_owned(), emails.clone());
        let ada = world.scim(ada).await;
        let link = Link {
            idp: crate::identity::IdpName::try_from("entra").unwrap(),
            subject: "1".to_owned(),
            tenant: ada.tenant.clone(),
        };
        let tie = Change::AddLink(link.clone(), ada.id.clone());
        world.directory.apply(vec![tie]).await.unwrap();
        // The same address is no reason: whoever says it may be anybody.
        let mut by_email = draft("other");
        by_email.attributes.insert("emails".to_owned(), emails);
        assert_ne!(world.post(by_email).await.unwrap().id, ada.id, "{name}");
        // Look-ups, lists and changes agree on whether the person is there.
        let provision = &world.provision;
        assert_eq!(provision.scim_sees(&ada.tenant, &ada), sees, "{name}");
        let found = provision.scim_user(&ada.tenant, &ada.id).await.unwrap();
        assert_eq!(found.is_some(), sees, "{name}");
        let key = UserKey::UserName("ada".to_owned());
        let found = provision.scim_find(&ada.tenant, &key).await.unwrap();
        assert_eq!(found.len(), usize::from(sees), "{name}");
        let page = provision
            .scim_page(&ada.tenant, PageFrom::Index(0), 9)
            .await
            .unwrap();
        assert_eq!(page.total, 1 + usize::from(sees), "{name}");
        let done = world.post(draft("ADA")).await;
        assert_eq!(is_taken(&done), !posted, "{name}");
        if posted {
            let adopted = done.unwrap();
            assert_eq!(
                (&adopted.id, adopted.managed_by),
                (&ada.id, ManagedBy::Scim)
            );
            assert_eq!(adopted.user_name, "ADA", "{name}");
            assert!(is_taken(&world.post(draft("ada")).await), "{name}");
        }
        // R54: the link stays where it is.
        let linked = world.directory.linked(&link).await.unwrap();
        assert_eq!(linked.as_ref(), Some(&ada.id), "{name}");
        let edited = world.edit(&ada, |draft| draft.active = false).await;
        assert_eq!(edited.is_ok(), sees, "{name}");
        let kept_by = world.read(&ada).await.unwrap().managed_by;
        assert_eq!(kept_by == ManagedBy::Scim, sees, "{name}");
    }
}

#[tokio::test]
async fn the_deleted_are_gone_for_scim_whatever_stays_of_them() {
    for on_delete in [OnDelete::Remove, OnDelete::Deactivate] {
        let mut own = tenant();
        own.provisioning.on_delete = on_delete;
        let world = World::new(vec![own]).await;
        let admitted = world.admit(&principal("1", "ada")).await.unwrap();
        let ada = admitted.user().clone();
        let staff = world.group("staff", &[&ada]).await;
        let token = world.start(&admitted).await;
        world.delete(&ada).await.unwrap();
        assert!(!world.is_live(&token), "{on_delete:?}");
        let kept = world.read(&ada).await;
        assert_eq!(kept.is_some(), on_delete == OnDelete::Deactivate);
        assert!(kept.is_none_or(|it| !it.active && it.managed_by == ManagedBy::Retired));
        let provision = &world.provision;
        let key = UserKey::UserName("ada".to_owned());
        assert!(
            provision
                .scim_find(&ada.tenant, &key)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            provision
                .scim_user(&ada.tenant, &ada.id)
                .await
                .unwrap()
                .is_none()
        );
        let page = provision
            .scim_page(&ada.tenant, PageFrom::Index(0), 9)
            .await
            .unwrap();
        assert_eq!((page.total, page.found.len()), (0, 0), "{on_delete:?}");
        assert!(world.edit(&ada, |draft| draft.active = true).await.is_err());
        assert!(world.delete(&ada).await.is_err(), "{on_delete:?}");
        let add = MemberChange::Add(vec![ada.id.clone()]);
        assert!(
            world.members(&staff, vec![add]).await.is_err(),
            "{on_delete:?}"
        );
        // R26: a sign-in brings nobody back.
        let again = world.admit(&principal("1", "ada")).await;
        assert_eq!(outcome(&again), "person was deleted", "{on_delete:?}");
        if on_delete == OnDelete::Deactivate {
            provision
                .set_active(&ada.tenant, &ada.id, true, &ACTOR)
                .await
                .unwrap();
            let again = world.admit(&principal("1", "ada")).await.unwrap();
            assert_eq!(again.user().id, ada.id, "an operator does");
            world.delete(&ada).await.unwrap();
        }
        let back = world.post(draft("Ada")).await.unwrap();
        assert_ne!(back.id, ada.id, "{on_delete:?}");
        let again = world.admit(&principal("1", "ada")).await.unwrap();
        assert_eq!(again.user().id, back.id, "{on_delete:?}");
        assert_eq!(world.directory.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn a_dry_run_checks_everything_and_changes_nothing() {
    let mut own = tenant();
    own.roles.allowed = vec!["MEMBER".to_owned()];
    let world = World::new(vec![own]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    world.post(draft("bob")).await.unwrap();
    let group = world.group("staff", &[&ada]).await;
    let token = world.signed_in(&ada).await;
    let before = world.actions().await;
    let dry = Actor {
        dry_run: true,
        ..ACTOR.clone()
    };
    let (provision, own) = (&world.provision, &ada.tenant);
    let edit = |edit: fn(&mut UserDraft)| {
        let edit = move |user: &User| -> Result<UserDraft, Refused> {
            let mut draft = UserDraft::of(user);
            edit(&mut draft);
            Ok(draft)
        };
        provision.edit_user(own, &ada.id, None, &dry, edit)
    };
    assert_eq!(
        provision
            .create_user(own, draft("carol"), &dry)
            .await
            .unwrap()
            .version,
        1
    );
    assert!(is_taken(
        &provision.create_user(own, draft("ADA"), &dry).await
    ));
    let off = edit(|draft| draft.active = false).await.unwrap();
    assert_eq!((off.active, off.version), (false, 2));
    assert!(is_taken(
        &edit(|draft| draft.user_name = "bob".to_owned()).await
    ));
    let role = edit(|draft| {
        let roles = json!([{ "value": "ROOT", "primary": true }]);
        draft.attributes.insert("roles".to_owned(), roles);
    });
    assert!(matches!(role.await, Err(Refused::Rule(_))));
    provision
        .delete_user(own, &ada.id, None, &dry)
        .await
        .unwrap();
    let leave = |group: &Group| -> Result<_, Refused> {
        let all = MemberChange::Replace(Vec::new());
        Ok((GroupDraft::of(group), vec![all]))
    };
    let left = provision
        .edit_group(own, &group.id, None, &dry, leave)
        .await;
    assert_eq!(left.unwrap().version, 2);
    let named = GroupDraft {
        display_name: "STAFF".to_owned(),
        ..GroupDraft::default()
    };
    let again = provision.create_group(own, named, Vec::new(), &dry).await;
    assert!(matches!(
        again,
        Err(Refused::Directory(DirectoryError::Taken("displayName")))
    ));
    provision
        .delete_group(own, &group.id, None, &dry)
        .await
        .unwrap();
    assert!(world.is_live(&token));
    assert_eq!(world.actions().await, before);
    assert_eq!(world.read(&ada).await.unwrap().version, 1);
    let members = world
        .directory
        .members(own, &group.id, None, 9)
        .await
        .unwrap();
    assert_eq!(members, std::slice::from_ref(&ada.id));
    assert_eq!(world.count().await, 2);
}

/// What is remembered of sign-ins that fitted a record, for an operator to look at.
#[tokio::test]
async fn conflicts_are_remembered_until_they_are_settled() {
    let world = World::new(vec![tenant()]).await;
    let own = TenantSlug::default();
    let local = NewUser {
        user_name: "ada".to_owned(),
        sign_in: SignInMethod::Local,
        ..NewUser::default()
    };
    let ada = world.provision.create(&own, local, &ACTOR).await.unwrap();
    for times in 1..3 {
        assert!(world.admit(&principal("1", "ada")).await.is_err());
        let conflicts = world.provision.conflicts(&own);
        assert_eq!(conflicts.len(), 1);
        let conflict = &conflicts[0];
        assert_eq!((conflict.why, conflict.times), ("a local account", times));
        assert_eq!(
            (conflict.records.as_slice(), conflict.subject.as_str()),
            (["ada".to_owned()].as_slice(), "1")
        );
    }
    let acme = TenantSlug::try_from("acme").unwrap();
    assert!(world.provision.conflicts(&acme).is_empty());
    let (provision, id) = (&world.provision, &ada.id);
    provision
        .set_sign_in(&own, id, SignInMethod::External, &ACTOR)
        .await
        .unwrap();
    world.admit(&principal("1", "ada")).await.unwrap();
    assert!(world.provision.conflicts(&own).is_empty());
    // Many of them do not fill the memory.
    provision
        .set_sign_in(
            &own,
            &UserId::from(id.as_str()),
            SignInMethod::Local,
            &ACTOR,
        )
        .await
        .unwrap();
    for subject in 0..600 {
        assert!(
            world
                .admit(&principal(&format!("s{subject}"), "ada"))
                .await
                .is_err()
        );
    }
    let conflicts = world.provision.conflicts(&own);
    assert_eq!(
        (conflicts.len(), conflicts[0].subject.as_str()),
        (500, "s599")
    );
}
