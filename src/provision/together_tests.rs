//! A record and what the audit tells of it are one write.

use super::world::*;
use super::*;
use crate::directory::{Change, DirectoryError};
use crate::identity::{Link, UserId};

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
