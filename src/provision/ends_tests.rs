//! What SCIM takes away is gone at once: sessions end, roles change on the next request.

use serde_json::json;

use super::world::*;
use super::*;
use crate::identity::Group;

/// Roles by group and by attribute.
fn with_roles() -> Tenant {
    let mut own = tenant();
    own.roles.allowed = vec!["MEMBER".to_owned(), "ADMIN".to_owned()];
    own.roles.groups = vec![("ph-admin".to_owned(), "ADMIN".to_owned())];
    own
}

fn role(role: &str) -> serde_json::Map<String, serde_json::Value> {
    let roles = json!({ "roles": [{ "value": role, "primary": true }] });
    roles.as_object().unwrap().clone()
}

#[tokio::test]
async fn r25_r26_deactivation_deletion_and_the_last_role_end_sessions() {
    for (what, ends) in [
        ("deactivate", true),
        ("deactivate again", true),
        ("delete", true),
        ("last role", true),
        ("password", true),
        ("another role", false),
        ("first role", false),
        ("rename", false),
        ("nothing", false),
    ] {
        let world = World::new(vec![with_roles()]).await;
        let mut made = draft("ada");
        made.password = (what == "password").then(|| Secret::new("$2b$old"));
        if what != "first role" {
            made.attributes = role("MEMBER");
        }
        made.active = what != "deactivate again";
        let ada = world.post(made).await.unwrap();
        let bob = world.post(draft("bob")).await.unwrap();
        let (token, other) = (world.signed_in(&ada).await, world.signed_in(&bob).await);
        let stop = world.sessions.find(&token, "app.test", NOW).unwrap();
        let ticket = world.sessions.ticket(&ada.tenant, &ada.id);
        if what == "delete" {
            world.delete(&ada).await.unwrap();
        } else {
            let edited = world.edit(&ada, move |draft| match what {
                "deactivate" | "deactivate again" => draft.active = false,
                "last role" => drop(draft.attributes.remove("roles")),
                "password" => draft.password = Some(Secret::new("$2b$new")),
                "another role" | "first role" => draft.attributes = role("ADMIN"),
                "rename" => draft.user_name = "lovelace".to_owned(),
                _ => {}
            });
            edited.await.unwrap();
        }
        assert_eq!(world.is_live(&token), !ends, "{what}");
        assert_eq!(stop.stop().is_cancelled(), ends, "{what}");
        assert!(world.is_live(&other), "{what}");
        // A sign-in that was under way comes to nothing.
        let late = world.sessions.start(session(&ada), "late", &ticket).await;
        assert_eq!(late.is_err(), ends, "{what}");
    }
}

#[tokio::test]
async fn r27_roles_by_group_come_and_go_with_the_next_request() {
    let world = World::new(vec![with_roles()]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    let named = |name: &str| GroupDraft {
        display_name: name.to_owned(),
        ..GroupDraft::default()
    };
    let (provision, own) = (&world.provision, &ada.tenant);
    let token = world.signed_in(&ada).await;
    let live = world.sessions.find(&token, "app.test", NOW).unwrap();
    let made = provision.create_group(own, named("ph-admin"), vec![ada.id.clone()], &ACTOR);
    let group = made.await.unwrap();
    let mut stamp = 0;
    let mut is_refreshed = |what: &str| {
        assert!(live.stamp() > stamp, "{what}");
        stamp = live.stamp();
    };
    is_refreshed("made");
    assert_eq!(world.roles(&ada).await, ["ADMIN"]);
    // With another role besides, whoever leaves stays signed in.
    world
        .edit(&ada, |draft| draft.attributes = role("MEMBER"))
        .await
        .unwrap();
    is_refreshed("another role");
    assert_eq!(world.roles(&ada).await, ["MEMBER", "ADMIN"]);
    let ids = vec![ada.id.clone()];
    world
        .members(&group, vec![MemberChange::Remove(ids.clone())])
        .await
        .unwrap();
    is_refreshed("left");
    assert_eq!(world.roles(&ada).await, ["MEMBER"]);
    world
        .members(&group, vec![MemberChange::Add(ids)])
        .await
        .unwrap();
    is_refreshed("joined");
    let rename = |name: &'static str| {
        let edit = move |_: &Group| -> Result<_, Refused> { Ok((named(name), Vec::new())) };
        provision.edit_group(own, &group.id, None, &ACTOR, edit)
    };
    rename("others").await.unwrap();
    is_refreshed("renamed");
    assert_eq!(world.roles(&ada).await, ["MEMBER"]);
    rename("ph-admin").await.unwrap();
    is_refreshed("renamed back");
    provision
        .delete_group(own, &group.id, None, &ACTOR)
        .await
        .unwrap();
    is_refreshed("deleted");
    assert_eq!(world.roles(&ada).await, ["MEMBER"]);
    assert!(world.is_live(&token));
}

#[tokio::test]
async fn r27_the_last_role_by_group_ends_sessions() {
    for (what, ends) in [
        ("leave", true),
        ("replaced", true),
        ("rename", true),
        ("delete", true),
        ("somebody else", false),
        ("default", false),
    ] {
        let mut own = with_roles();
        if what == "default" {
            own.roles.default = vec!["MEMBER".to_owned()];
        }
        let world = World::new(vec![own]).await;
        let ada = world.post(draft("ada")).await.unwrap();
        let bob = world.post(draft("bob")).await.unwrap();
        let group = world.group("ph-admin", &[&ada, &bob]).await;
        let token = world.signed_in(&ada).await;
        let (provision, tenant, id) = (&world.provision, &group.tenant, &group.id);
        let (ada_alone, bob_alone) = (vec![ada.id.clone()], vec![bob.id.clone()]);
        match what {
            "rename" => {
                let edit = |group: &Group| -> Result<_, Refused> {
                    let draft = GroupDraft {
                        display_name: "others".to_owned(),
                        ..GroupDraft::of(group)
                    };
                    Ok((draft, Vec::new()))
                };
                let done = provision.edit_group(tenant, id, None, &ACTOR, edit).await;
                drop(done.unwrap());
            }
            "delete" => {
                provision
                    .delete_group(tenant, id, None, &ACTOR)
                    .await
                    .unwrap();
            }
            _ => {
                let change = match what {
                    "replaced" => MemberChange::Replace(bob_alone),
                    "somebody else" => MemberChange::Remove(bob_alone),
                    _ => MemberChange::Remove(ada_alone),
                };
                world.members(&group, vec![change]).await.unwrap();
            }
        }
        assert_eq!(world.is_live(&token), !ends, "{what}");
    }
}

#[tokio::test]
async fn memberships_stay_while_a_person_is_inactive() {
    let world = World::new(vec![with_roles()]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    world.group("ph-admin", &[&ada]).await;
    world
        .edit(&ada, |draft| draft.active = false)
        .await
        .unwrap();
    assert!(world.roles(&ada).await.is_empty());
    world.edit(&ada, |draft| draft.active = true).await.unwrap();
    assert_eq!(world.roles(&ada).await, ["ADMIN"]);
    let actions = world.actions().await;
    assert_eq!(
        actions,
        ["user.created", "user.deactivated", "user.activated"]
    );
}

#[tokio::test]
async fn what_happens_in_one_tenant_is_nothing_to_another() {
    let acme = Tenant {
        slug: TenantSlug::try_from("acme").unwrap(),
        ..tenant()
    };
    let world = World::new(vec![tenant(), acme.clone()]).await;
    let here = world.post(draft("ada")).await.unwrap();
    let there = world
        .provision
        .create_user(&acme.slug, draft("ada"), &ACTOR)
        .await
        .unwrap();
    let tokens = [world.signed_in(&here).await, world.signed_in(&there).await];
    world
        .edit(&here, |draft| draft.active = false)
        .await
        .unwrap();
    assert_eq!(tokens.map(|token| world.is_live(&token)), [false, true]);
    assert!(world.read(&there).await.unwrap().active);
    let elsewhere = world
        .provision
        .scim_user(&acme.slug, &here.id)
        .await
        .unwrap();
    assert!(elsewhere.is_none());
    let nowhere = TenantSlug::try_from("nowhere").unwrap();
    let refused = world
        .provision
        .create_user(&nowhere, draft("x"), &ACTOR)
        .await;
    assert!(matches!(refused, Err(Refused::Tenant)), "{refused:?}");
}

#[tokio::test]
async fn the_fuse_stops_a_flood_of_deactivations() {
    let mut own = tenant();
    own.provisioning.max_deactivations_per_hour = 2;
    let world = World::new(vec![own]).await;
    let mut people = Vec::new();
    for number in 0..6 {
        people.push(world.post(draft(&format!("p{number}"))).await.unwrap());
    }
    let mut people = people.iter();
    let off = async |user: &User| {
        world
            .edit(user, |draft| draft.active = false)
            .await
            .map(drop)
    };
    let blown = |done: Result<(), Refused>| match done {
        Ok(()) => false,
        Err(Refused::Rule(rule)) => matches!(*rule, Rule::Fuse(2)),
        Err(other) => panic!("{other}"),
    };
    let first = people.next().unwrap();
    assert!(!blown(off(first).await));
    assert!(!blown(off(first).await), "said again, counted once");
    assert!(!blown(world.delete(people.next().unwrap()).await));
    let third = people.next().unwrap();
    let token = world.signed_in(third).await;
    assert!(blown(off(third).await));
    assert!(blown(world.delete(third).await));
    assert!(world.is_live(&token), "nothing of it happened");
    let renamed = world
        .edit(third, |draft| draft.user_name = "carol".to_owned())
        .await;
    assert!(renamed.is_ok(), "all else goes on");
    // An operator is not held up, and is not counted.
    let (provision, tenant) = (&world.provision, &third.tenant);
    provision
        .set_active(tenant, &third.id, false, &ACTOR)
        .await
        .unwrap();
    provision.reset_fuse(tenant, &ACTOR).await.unwrap();
    assert!(!blown(off(people.next().unwrap()).await));
    assert!(!blown(off(people.next().unwrap()).await));
    let last = people.next().unwrap();
    assert!(blown(off(last).await));
    world.clock.advance(std::time::Duration::from_hours(1));
    assert!(!blown(off(last).await), "an hour later");
    let actions = world.actions().await;
    let told = actions.iter().filter(|it| *it == "fuse.blown").count();
    assert_eq!(told, 2, "once each time");
    assert_eq!(actions.iter().filter(|it| *it == "fuse.reset").count(), 1);
}

/// A process that is started again and again must not deactivate everybody, so many each time.
#[expect(clippy::too_many_lines, reason = "one story")]
#[tokio::test]
async fn the_fuse_outlives_a_restart() {
    let limited = |limit| {
        let mut own = tenant();
        own.provisioning.max_deactivations_per_hour = limit;
        vec![own]
    };
    let mut world = World::new(limited(2)).await;
    let mut people = Vec::new();
    for number in 0..8 {
        people.push(world.post(draft(&format!("p{number}"))).await.unwrap());
    }
    let restart = async |world: &mut World, limit| {
        let state = State::load(&world.store, Arc::clone(&world.metrics)).await;
        let provision = Provision::new(
            Arc::clone(&world.directory),
            Arc::clone(&world.sessions),
            Arc::clone(&world.audit),
            world.clock.clone(),
            limited(limit),
            Groups {
                mapped_only: false,
                ignore: Vec::new(),
            },
        );
        world.provision = Arc::new(provision.remembering(Arc::new(state.unwrap())));
    };
    let off = async |world: &World, user: &User| {
        let done = world.edit(user, |draft| draft.active = false).await;
        match done {
            Ok(_) => true,
            Err(Refused::Rule(rule)) if matches!(*rule, Rule::Fuse(_)) => false,
            Err(other) => panic!("{other}"),
        }
    };
    let reset = async |world: &World| {
        let own = TenantSlug::default();
        let done = world.provision.reset_fuse(&own, &ACTOR);
        done.await.unwrap();
    };
    // Both in one second.
    assert!(off(&world, &people[0]).await);
    restart(&mut world, 2).await;
    world.delete(&people[1]).await.unwrap();
    restart(&mut world, 2).await;
    assert!(!off(&world, &people[2]).await, "two are two");
    restart(&mut world, 3).await;
    assert!(off(&world, &people[2]).await, "more are allowed");
    restart(&mut world, 3).await;
    assert!(!off(&world, &people[3]).await, "a refusal is not counted");
    reset(&world).await;
    restart(&mut world, 1).await;
    assert!(off(&world, &people[3]).await, "reset");
    restart(&mut world, 1).await;
    assert!(!off(&world, &people[4]).await);
    world.clock.advance(std::time::Duration::from_hours(1));
    restart(&mut world, 1).await;
    assert!(off(&world, &people[4]).await, "an hour later");
    restart(&mut world, 0).await;
    assert!(off(&world, &people[5]).await, "no limit");
    restart(&mut world, 2).await;
    assert!(
        off(&world, &people[6]).await,
        "what had no limit was not counted"
    );
    assert!(!off(&world, &people[7]).await);
}

#[tokio::test]
async fn r25_roles_that_go_at_the_same_moment_end_the_session() {
    let mut own = with_roles();
    own.roles
        .groups
        .push(("ph-member".to_owned(), "MEMBER".to_owned()));
    for attribute in [false, true] {
        let world = World::new(vec![own.clone()]).await;
        let mut made = draft("ada");
        made.attributes = if attribute {
            role("MEMBER")
        } else {
            made.attributes
        };
        let ada = world.post(made).await.unwrap();
        let admins = world.group("ph-admin", &[&ada]).await;
        let members = world.group("ph-member", &[]).await;
        let join = vec![MemberChange::Add(vec![ada.id.clone()])];
        if !attribute {
            world.members(&members, join).await.unwrap();
        }
        let token = world.signed_in(&ada).await;
        let leave = || vec![MemberChange::Remove(vec![ada.id.clone()])];
        let other = async {
            if attribute {
                let strip = |draft: &mut UserDraft| drop(draft.attributes.remove("roles"));
                world.edit(&ada, strip).await.map(drop)
            } else {
                world.members(&members, leave()).await.map(drop)
            }
        };
        let (one, two) = tokio::join!(world.members(&admins, leave()), other);
        one.and(two.map(|()| admins)).unwrap();
        assert!(world.roles(&ada).await.is_empty());
        assert!(!world.is_live(&token), "attribute: {attribute}");
    }
}
