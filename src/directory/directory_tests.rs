//! What every directory must do with people.

use std::sync::Arc;

use serde_json::{Value, json};

use super::sample::*;
use super::*;
use crate::identity::{IdpName, ManagedBy};

on_every_backend!(
    people_are_found_by_each_of_their_names,
    names_are_unique_in_a_tenant_and_a_refused_call_leaves_nothing,
    r54_a_link_stays_where_it_is,
    the_deleted_leave_a_tombstone_until_somebody_brings_them_back,
);

#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn people_are_found_by_each_of_their_names(make: Make) {
    let directory = make.fresh();
    let emails = |addresses: &[&str]| -> Value {
        addresses
            .iter()
            .map(|address| json!({ "value": address }))
            .collect()
    };
    let mut ada = person("Ada");
    ada.external_id = Some("Ext-1".to_owned());
    ada.attributes.insert(
        "emails".to_owned(),
        emails(&["Ada@Corp.test", "ada@home.test"]),
    );
    let mut elsewhere = person("ada");
    elsewhere.tenant = acme();
    directory
        .apply(vec![new(ada.clone()), new(elsewhere)])
        .await
        .unwrap();
    let found = |key| ids(directory.as_ref(), key);
    for (key, ok) in [
        (UserKey::UserName("ada".to_owned()), true),
        (UserKey::UserName("Ada".to_owned()), false),
        (UserKey::UserName("ad".to_owned()), false),
        (UserKey::ExternalId("Ext-1".to_owned()), true),
        // R52: byte for byte, and never an id.
        (UserKey::ExternalId("ext-1".to_owned()), false),
        (UserKey::ExternalId("id-Ada".to_owned()), false),
        (UserKey::Email("ada@corp.test".to_owned()), true),
        (UserKey::Email("ada@home.test".to_owned()), true),
        (UserKey::Email("ada@corp".to_owned()), false),
    ] {
        let want: &[&str] = if ok { &["id-Ada"] } else { &[] };
        assert_eq!(found(key.clone()).await, want, "{key:?}");
    }
    // All of it changes: the old names find nobody.
    ada.version = 2;
    ada.user_name = "lovelace".to_owned();
    ada.external_id = Some("ext-2".to_owned());
    ada.attributes
        .insert("emails".to_owned(), emails(&["ada@home.test"]));
    let put = |user: &User, version| {
        vec![Change::PutUser(
            Box::new(user.clone()),
            Expected::Version(version),
        )]
    };
    directory.apply(put(&ada, 1)).await.unwrap();
    for key in [
        UserKey::UserName("ada".to_owned()),
        UserKey::ExternalId("Ext-1".to_owned()),
        UserKey::Email("ada@corp.test".to_owned()),
    ] {
        assert!(found(key.clone()).await.is_empty(), "{key:?}");
    }
    assert_eq!(
        found(UserKey::Email("ada@home.test".to_owned())).await,
        ["id-Ada"]
    );
    let stale = directory.apply(put(&ada, 1)).await;
    assert!(matches!(stale, Err(DirectoryError::Stale)), "{stale:?}");
    let missing = directory.apply(put(&person("eve"), 1)).await;
    assert!(
        matches!(missing, Err(DirectoryError::Missing)),
        "{missing:?}"
    );
}

#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn names_are_unique_in_a_tenant_and_a_refused_call_leaves_nothing(make: Make) {
    let directory = make.fresh();
    let with_id = |user: User| User {
        external_id: Some("1".to_owned()),
        ..user
    };
    let twin = |name: &str| User {
        id: "twin".into(),
        ..person(name)
    };
    let shared = with_id(twin("shared"));
    let by_external = UserKey::ExternalId("1".to_owned());
    let link_ada = Change::AddLink(link("1"), "id-ada".into());
    let changes = vec![
        new(person("ada")),
        new(person("bob")),
        new(with_id(person("dan"))),
        new_group(group("Staff")),
        link_ada.clone(),
    ];
    directory.apply(changes).await.unwrap();
    for (name, change, error) in [
        ("user name", new(twin("ADA")), "userName is taken"),
        (
            "id",
            new(User {
                id: "id-ada".into(),
                ..person("x")
            }),
            "id is taken",
        ),
        (
            "group",
            new_group(Group {
                id: "g".into(),
                ..group("staff ")
            }),
            "displayName is taken",
        ),
        (
            "link of another",
            Change::AddLink(link("1"), "id-bob".into()),
            "link is taken",
        ),
        (
            "second of the idp",
            Change::AddLink(link("2"), "id-ada".into()),
            "link is taken",
        ),
        (
            "link of nobody",
            Change::AddLink(link("9"), "nobody".into()),
            "no such record",
        ),
        (
            "member of nothing",
            join(&group("none"), &person("ada")),
            "no such record",
        ),
        (
            "nobody as member",
            join(&group("Staff"), &person("eve")),
            "no such record",
        ),
        (
            "no group",
            Change::RemoveGroup(own(), "none".into()),
            "no such record",
        ),
        ("nobody", remove(&person("eve")), "no such record"),
        (
            "a long name",
            new(twin(&"x".repeat(70_000))),
            "name is too long",
        ),
    ] {
        let before = vec![
            new(person("carol")),
            Change::AddLink(link("3"), "id-carol".into()),
            join(&group("Staff"), &person("carol")),
            remove(&person("dan")),
        ];
        let done = directory
            .apply(before.into_iter().chain([change]).collect())
            .await;
        assert_eq!(done.unwrap_err().to_string(), error, "{name}");
        assert!(
            directory
                .user(&own(), &"id-carol".into())
                .await
                .unwrap()
                .is_none(),
            "{name}"
        );
        assert!(
            directory.linked(&link("3")).await.unwrap().is_none(),
            "{name}"
        );
        let members = directory
            .members(&own(), &group("Staff").id, None, 10)
            .await
            .unwrap();
        assert!(members.is_empty(), "{name}");
        assert_eq!(
            ids(directory.as_ref(), by_external.clone()).await,
            ["id-dan"],
            "{name}"
        );
        let buried = directory
            .tombstone(&link("4"), std::slice::from_ref(&by_external))
            .await
            .unwrap();
        assert!(buried.is_none(), "{name}");
    }
    let fine = vec![new(shared), link_ada];
    directory.apply(fine).await.unwrap();
    assert_eq!(
        ids(directory.as_ref(), by_external).await,
        ["id-dan", "twin"]
    );
}

async fn r54_a_link_stays_where_it_is(make: Make) {
    let directory = make.fresh();
    let changes = vec![
        new(person("ada")),
        new(person("bob")),
        Change::AddLink(link("1"), "id-ada".into()),
    ];
    directory.apply(changes).await.unwrap();
    let moved = directory
        .apply(vec![Change::AddLink(link("1"), "id-bob".into())])
        .await;
    assert!(
        matches!(moved, Err(DirectoryError::Taken("link"))),
        "{moved:?}"
    );
    assert_eq!(
        directory.linked(&link("1")).await.unwrap(),
        Some("id-ada".into())
    );
    assert_eq!(
        directory.links(&own(), &"id-ada".into()).await.unwrap(),
        [link("1")]
    );
    let elsewhere = Link {
        tenant: acme(),
        ..link("1")
    };
    assert_eq!(directory.linked(&elsewhere).await.unwrap(), None);
    let okta = Link {
        idp: IdpName::try_from("okta").unwrap(),
        ..link("1")
    };
    directory
        .apply(vec![Change::AddLink(okta.clone(), "id-ada".into())])
        .await
        .unwrap();
    assert_eq!(
        directory.links(&own(), &"id-ada".into()).await.unwrap(),
        [link("1"), okta]
    );
}

#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn the_deleted_leave_a_tombstone_until_somebody_brings_them_back(make: Make) {
    for (name, back, cleared) in [
        (
            "same user name",
            User {
                id: "n".into(),
                ..person("ADA")
            },
            true,
        ),
        (
            "same external id",
            User {
                external_id: Some("e".to_owned()),
                ..person("x")
            },
            true,
        ),
        ("somebody else", person("y"), false),
    ] {
        let directory = make.fresh();
        let ada = User {
            external_id: Some("e".to_owned()),
            ..person("ada")
        };
        let changes = vec![
            new(ada.clone()),
            new_group(group("Staff")),
            join(&group("Staff"), &ada),
            Change::AddLink(link("1"), ada.id.clone()),
        ];
        directory.apply(changes).await.unwrap();
        directory.apply(vec![remove(&ada)]).await.unwrap();
        assert!(directory.user(&own(), &ada.id).await.unwrap().is_none());
        assert!(directory.linked(&link("1")).await.unwrap().is_none());
        assert!(
            directory
                .members(&own(), &group("Staff").id, None, 9)
                .await
                .unwrap()
                .is_empty()
        );

        // A first sign-in makes neither the record nor the link again.
        let by_sign_in = |user: User| User {
            managed_by: ManagedBy::SignIn,
            ..user
        };
        for (user, subject) in [(person("ADA"), "2"), (ada.clone(), "2"), (person("z"), "1")] {
            let user = by_sign_in(user);
            let tie = Change::AddLink(link(subject), user.id.clone());
            let done = directory.apply(vec![new(user.clone()), tie]).await;
            assert!(matches!(done, Err(DirectoryError::Deleted)), "{done:?}");
        }
        let at = |subject: &str, keys: Vec<UserKey>| {
            let (directory, link) = (Arc::clone(&directory), link(subject));
            async move {
                directory
                    .tombstone(&link, &keys)
                    .await
                    .unwrap()
                    .map(|it| it.id)
            }
        };
        let by_name = UserKey::UserName("ada".to_owned());
        let by_id = UserKey::ExternalId("e".to_owned());
        assert_eq!(at("1", vec![]).await, Some(ada.id.clone()));
        assert_eq!(at("2", vec![by_name.clone()]).await, Some(ada.id.clone()));
        assert_eq!(at("2", vec![by_id.clone()]).await, Some(ada.id.clone()));
        assert_eq!(at("2", vec![UserKey::Email("ada".to_owned())]).await, None);

        directory.apply(vec![new(back)]).await.unwrap();
        let left = at("1", vec![by_name, by_id]).await;
        assert_eq!(left.is_none(), cleared, "{name}");
    }
}
