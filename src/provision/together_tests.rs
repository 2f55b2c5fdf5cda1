//! A record and what the audit tells of it are one write.

use super::world::*;
use super::*;
use crate::directory::{Change, DirectoryError, Expected};
use crate::identity::{Link, Tombstone, UserId};
use crate::storage::StorageError;

fn named(name: &str) -> GroupDraft {
    GroupDraft {
        display_name: name.to_owned(),
        ..GroupDraft::default()
    }
}

#[tokio::test]
async fn each_write_waits_for_one_commit() {
    let world = World::new(vec![tenant()]).await;
    let own = TenantSlug::default();
    let commits = || world.metrics.store_commits.get();
    let mut before = commits();
    let mut one = |what: &str| {
        let now = commits();
        assert_eq!(now, before + 1, "{what}");
        before = now;
    };
    let ada = world.post(draft("ada")).await.unwrap();
    one("POST of a person");
    let inactive = world.edit(&ada, |draft| draft.active = false).await;
    one("PATCH of a person");
    let members = vec![ada.id.clone()];
    let group = world
        .provision
        .create_group(&own, named("staff"), members, &ACTOR);
    let group = group.await.unwrap();
    one("POST of a group");
    let leave = vec![MemberChange::Remove(vec![ada.id.clone()])];
    world.members(&group, leave).await.unwrap();
    one("PATCH of members");
    let id = &group.id;
    let deleted = world.provision.delete_group(&own, id, None, &ACTOR);
    deleted.await.unwrap();
    one("DELETE of a group");
    world.delete(&inactive.unwrap()).await.unwrap();
    one("DELETE of a person");
    world.admit(&principal("1", "bob")).await.unwrap();
    one("a first sign-in");
    let told = [
        "user.created",
        "user.deactivated",
        "group.created",
        "group.changed",
        "group.deleted",
        "user.deleted",
        "user.created",
        "link.created",
    ];
    assert_eq!(world.actions().await, told);
}

#[tokio::test]
async fn what_is_refused_in_the_write_is_told_nowhere() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    let event = |user: &User| vec![ACTOR.did("user.changed", user)];
    let link = Link {
        idp: principal("1", "ada").idp,
        subject: "1".to_owned(),
        tenant: TenantSlug::default(),
    };
    let nobody = Change::AddLink(link, UserId::from("nobody"));
    let people = &world.provision.people;
    let touch = touch::Touch::default();
    let refused = people.commit(vec![nobody], event(&ada), &touch).await;
    assert!(matches!(
        refused,
        Err(Refused::Directory(DirectoryError::Missing))
    ));
    assert_eq!(world.actions().await, ["user.created"]);
}

#[tokio::test]
async fn a_member_deleted_in_the_middle_is_named() {
    let world = World::new(vec![tenant()]).await;
    let own = TenantSlug::default();
    let ada = world.post(draft("ada")).await.unwrap();
    let staff = world
        .provision
        .create_group(&own, named("staff"), Vec::new(), &ACTOR);
    let staff = staff.await.unwrap();
    let why = format!("members: there is no user {:?}", ada.id.as_str());
    for (name, new) in [("a new group", true), ("a group", false)] {
        let bring_back = Change::PutUser(Box::new(ada.clone()), Expected::New);
        let _there_the_first_time = world.directory.apply(vec![bring_back]).await;
        // The deletion waits in front of the group, which reads the directory as it was before.
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let held = world.store.write(move |_| -> Result<(), StorageError> {
            let _gone = wait.recv();
            Ok(())
        });
        let tombstone = Tombstone {
            id: ada.id.clone(),
            user_name: "ada".to_owned(),
            external_id: None,
            deleted: NOW,
        };
        let deletion = Change::RemoveUser(own.clone(), ada.id.clone(), tombstone);
        let deleted = world.directory.apply(vec![deletion]);
        let grouped = async {
            let ids = vec![ada.id.clone()];
            if new {
                let made = world
                    .provision
                    .create_group(&own, named("new"), ids, &ACTOR);
                return made.await;
            }
            world.members(&staff, vec![MemberChange::Add(ids)]).await
        };
        let release = async {
            for _ in 0..50 {
                let _time_for_the_other_to_read = world.read(&ada).await;
            }
            drop(go);
        };
        let (held, deleted, grouped, ()) = tokio::join!(biased; held, deleted, grouped, release);
        held.unwrap();
        deleted.unwrap();
        assert_eq!(grouped.unwrap_err().to_string(), why, "{name}");
    }
}
