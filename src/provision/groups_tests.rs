//! Groups as SCIM clients make, change and delete them.

use super::world::*;
use super::*;
use crate::config::Adopt;
use crate::directory::DirectoryError;
use crate::identity::{ClaimedGroups, Group, ManagedBy, UserId};

fn named(name: &str) -> GroupDraft {
    GroupDraft {
        display_name: name.to_owned(),
        ..GroupDraft::default()
    }
}

async fn members_of(world: &World, group: &Group) -> Vec<UserId> {
    let (tenant, id) = (&group.tenant, &group.id);
    world
        .directory
        .members(tenant, id, None, 1000)
        .await
        .unwrap()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn a_group_is_made_changed_and_deleted() {
    let world = World::new(vec![tenant()]).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(world.post(draft(name)).await.unwrap().id);
    }
    ids.sort();
    let of = |numbers: &[usize]| -> Vec<UserId> {
        numbers.iter().map(|number| ids[*number].clone()).collect()
    };
    let own = &TenantSlug::default();
    let provision = &world.provision;
    let unknown = provision
        .create_group(own, named("staff"), vec!["nobody".into()], &ACTOR)
        .await;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "members: there is no user \"nobody\""
    );
    let made = provision
        .create_group(own, named(" staff"), of(&[0, 0]), &ACTOR)
        .await;
    let group = made.unwrap();
    assert_eq!((group.display_name.as_str(), group.version), ("staff", 1));
    let taken = provision
        .create_group(own, named("STAFF"), Vec::new(), &ACTOR)
        .await;
    assert!(matches!(
        taken,
        Err(Refused::Directory(DirectoryError::Taken("displayName")))
    ));
    let (add, remove, replace) = (
        MemberChange::Add,
        MemberChange::Remove,
        MemberChange::Replace,
    );
    let nobody = || vec![UserId::from("nobody")];
    for (name, changes, want, version) in [
        ("there already", vec![add(of(&[0]))], of(&[0]), 1),
        ("not there", vec![remove(of(&[1]))], of(&[0]), 1),
        ("nobody goes", vec![remove(nobody())], of(&[0]), 1),
        (
            "none",
            vec![remove(Vec::new()), add(Vec::new())],
            of(&[0]),
            1,
        ),
        ("more", vec![add(of(&[1, 2]))], of(&[0, 1, 2]), 2),
        ("fewer", vec![remove(of(&[0, 2]))], of(&[1]), 3),
        (
            "in order",
            vec![add(of(&[2])), remove(of(&[2, 1])), add(of(&[1]))],
            of(&[1]),
            3,
        ),
        ("others", vec![replace(of(&[0, 2]))], of(&[0, 2]), 4),
        ("the same", vec![replace(of(&[2, 0]))], of(&[0, 2]), 4),
        (
            "others and one more",
            vec![add(of(&[1])), replace(of(&[0])), add(of(&[2]))],
            of(&[0, 2]),
            4,
        ),
        ("nobody", vec![replace(Vec::new())], vec![], 5),
    ] {
        let edited = world.members(&group, changes).await.unwrap();
        assert_eq!(members_of(&world, &group).await, want, "{name}");
        assert_eq!(edited.version, version, "{name}");
    }
    // All or nothing.
    let commits = world.metrics.store_commits.get();
    for changes in [
        vec![add(of(&[0])), add(nobody())],
        vec![add(of(&[0])), replace(nobody())],
    ] {
        let refused = world.members(&group, changes).await;
        let why = refused.unwrap_err().to_string();
        assert_eq!(why, "members: there is no user \"nobody\"");
        assert!(members_of(&world, &group).await.is_empty());
    }
    assert_eq!(
        world.metrics.store_commits.get(),
        commits,
        "nothing was tried"
    );
    world
        .members(&group, vec![add(of(&[0, 1, 2]))])
        .await
        .unwrap();
    let rename = |expected| {
        let edit = |group: &Group| -> Result<_, Refused> {
            let draft = GroupDraft {
                external_id: Some("e".to_owned()),
                ..named("people")
            };
            assert_eq!(group.display_name, "staff");
            Ok((draft, Vec::new()))
        };
        provision.edit_group(own, &group.id, expected, &ACTOR, edit)
    };
    assert!(matches!(rename(Some(1)).await, Err(Refused::Outdated)));
    assert_eq!(rename(Some(6)).await.unwrap().version, 7);
    assert_eq!(
        members_of(&world, &group).await,
        ids,
        "a rename touches no member"
    );
    let outdated = provision
        .delete_group(own, &group.id, Some(6), &ACTOR)
        .await;
    assert!(matches!(outdated, Err(Refused::Outdated)));
    provision
        .delete_group(own, &group.id, Some(7), &ACTOR)
        .await
        .unwrap();
    let gone = provision.delete_group(own, &group.id, None, &ACTOR).await;
    assert!(matches!(
        gone,
        Err(Refused::Directory(DirectoryError::Missing))
    ));
    assert_eq!(world.directory.check().await.unwrap(), Vec::<String>::new());
    // What the audit has of it is in each person's history, too.
    let history = crate::audit::Filter {
        user: Some(ids[2].to_string()),
        action: Some("group.".to_owned()),
        ..Default::default()
    };
    let told = world.audit.find(history, 10).await.unwrap();
    assert_eq!(told.len(), 5, "came and went twice, and came again");
    assert_eq!(told[0].event.group_name.as_deref(), Some("staff"));
}

/// fleetdm/fleet#50724: many changes of one member each, at once, and none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_changes_at_once_all_count() {
    let world = Arc::new(World::new(vec![tenant()]).await);
    let mut people = Vec::new();
    for number in 0..60 {
        people.push(world.post(draft(&format!("p{number}"))).await.unwrap());
    }
    let (goes, comes) = people.split_at(30);
    let goes_first: Vec<_> = goes.iter().collect();
    let group = world.group("staff", &goes_first).await;
    let remove = |user: &User| MemberChange::Remove(vec![user.id.clone()]);
    let add = |user: &User| MemberChange::Add(vec![user.id.clone()]);
    let changes = goes.iter().map(remove).chain(comes.iter().map(add));
    let tasks: Vec<_> = changes
        .map(|change| {
            let (world, group) = (Arc::clone(&world), group.clone());
            tokio::spawn(async move { world.members(&group, vec![change]).await.map(drop) })
        })
        .collect();
    // Others rename it meanwhile.
    for number in 0..5 {
        let edit = move |_: &Group| -> Result<_, Refused> {
            Ok((named(&format!("staff {number}")), Vec::new()))
        };
        let renamed = world
            .provision
            .edit_group(&group.tenant, &group.id, None, &ACTOR, edit);
        renamed.await.unwrap();
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut want: Vec<_> = comes.iter().map(|user| user.id.clone()).collect();
    want.sort();
    assert_eq!(members_of(&world, &group).await, want);
    let now = world
        .directory
        .group(&group.tenant, &group.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((now.version, now.display_name.as_str()), (66, "staff 4"));
    assert_eq!(world.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn one_person_changed_from_many_sides_keeps_all_of_it() {
    let world = Arc::new(World::new(vec![tenant()]).await);
    let ada = world.post(draft("ada")).await.unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let (world, ada) = (Arc::clone(&world), ada.clone());
            tokio::spawn(async move {
                let edited = world.edit(&ada, move |draft| {
                    draft.attributes.insert(format!("a{number}"), number.into());
                });
                edited.await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let now = world.read(&ada).await.unwrap();
    assert_eq!((now.version, now.attributes.len()), (41, 40));
}

#[tokio::test]
async fn ignored_groups_are_kept_out_of_everything() {
    let mut own = tenant();
    own.roles.groups = vec![("checkpoint_inline_1".to_owned(), "ADMIN".to_owned())];
    let world = World::accepting(vec![own], true).await;
    let ada = world.post(draft("ada")).await.unwrap();
    let ids = vec![ada.id.clone()];
    let (provision, own) = (&world.provision, &ada.tenant);
    for name in ["checkpoint_inline_1", "checkpoint_inline_x"] {
        let made = provision
            .create_group(own, named(name), ids.clone(), &ACTOR)
            .await;
        assert_eq!(
            members_of(&world, &made.unwrap()).await,
            ids,
            "answered as if stored"
        );
    }
    let silent = ClaimedGroups::Silent;
    let identity = provision
        .identity(own, &ada.id, &silent)
        .await
        .unwrap()
        .unwrap();
    assert!(identity.groups.is_empty(), "{:?}", identity.groups);
    assert!(identity.roles.is_empty(), "{:?}", identity.roles);
}

#[tokio::test]
async fn only_mapped_groups_are_accepted_where_it_says_so() {
    let mut own = tenant();
    own.roles.groups = vec![
        ("ph-admin".to_owned(), "ADMIN".to_owned()),
        ("ph-user".to_owned(), "USER".to_owned()),
    ];
    let world = World::accepting(vec![own], true).await;
    let (provision, own) = (&world.provision, &TenantSlug::default());
    let sentence = "displayName: group \"ph-root\" gives no role here; only these groups are accepted: ph-admin, ph-user";
    let refused = provision
        .create_group(own, named("ph-root"), Vec::new(), &ACTOR)
        .await;
    assert_eq!(refused.unwrap_err().to_string(), sentence);
    let group = provision
        .create_group(own, named("ph-admin"), Vec::new(), &ACTOR)
        .await
        .unwrap();
    let rename = |name: &'static str| {
        let edit = move |_: &Group| -> Result<_, Refused> { Ok((named(name), Vec::new())) };
        provision.edit_group(own, &group.id, None, &ACTOR, edit)
    };
    assert_eq!(rename("ph-root").await.unwrap_err().to_string(), sentence);
    assert_eq!(rename("ph-user").await.unwrap().display_name, "ph-user");
    // One that was there before can still be changed.
    let old = world.group("old", &[]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    let add = MemberChange::Add(vec![ada.id]);
    assert!(world.members(&old, vec![add]).await.is_ok());
}

/// Members are those whom SCIM sees, as lists show them.
#[tokio::test]
async fn whom_scim_does_not_see_it_cannot_put_into_a_group() {
    for (adopt, seen) in [
        (Adopt::Filter, true),
        (Adopt::Post, true),
        (Adopt::Never, false),
    ] {
        let mut own = tenant();
        own.provisioning.adopt = adopt;
        let world = World::new(vec![own]).await;
        let theirs = User {
            managed_by: ManagedBy::SignIn,
            ..record("ada")
        };
        let ada = world.scim(theirs).await;
        let group = world.group("staff", &[]).await;
        let own = TenantSlug::default();
        for (name, change) in [
            ("added", MemberChange::Add(vec![ada.id.clone()])),
            ("put in place", MemberChange::Replace(vec![ada.id.clone()])),
        ] {
            let done = world.members(&group, vec![change]).await;
            assert_eq!(done.is_ok(), seen, "{name}: {adopt:?}");
        }
        let made = world
            .provision
            .create_group(&own, named("new"), vec![ada.id], &ACTOR);
        assert_eq!(made.await.is_ok(), seen, "made with: {adopt:?}");
    }
}

#[tokio::test]
async fn an_ignored_group_gives_no_role_and_takes_none() {
    let mut own = tenant();
    own.roles.groups = vec![("checkpoint_inline_1".to_owned(), "ADMIN".to_owned())];
    let world = World::new(vec![own]).await;
    let ada = world.post(draft("ada")).await.unwrap();
    world.group("checkpoint_inline_1", &[&ada]).await;
    let sources = world.provision.role_sources(std::slice::from_ref(&ada));
    assert_eq!(sources.await.unwrap(), [Vec::new()]);
    assert!(world.roles(&ada).await.is_empty());
}
