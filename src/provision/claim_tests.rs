//! What an idp says, and what of it stands in a record.

use serde_json::json;

use super::world::*;
use crate::identity::{ClaimedGroups, Principal};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn claims_that_cannot_be_a_record_make_none() {
    let named = |name: &str| Principal {
        email: None,
        ..principal("1", name)
    };
    let mailed = |email: &str| Principal {
        email: Some(email.to_owned()),
        ..principal("1", "ada")
    };
    let says = |verified: serde_json::Value, email: &str| Principal {
        claims: [("email_verified".to_owned(), verified)]
            .into_iter()
            .collect(),
        email: Some(email.to_owned()),
        ..principal("1", "Ada@corp.test")
    };
    for (name, principal, want) in [
        ("empty", named(" "), "claim cannot be used: user name"),
        (
            "long",
            named(&"x".repeat(1025)),
            "claim cannot be used: user name",
        ),
        (
            "as long as may be",
            named(&"x".repeat(1024)),
            &"x".repeat(1024),
        ),
        (
            "control",
            named("a\u{0}b"),
            "claim cannot be used: user name",
        ),
        ("line", named("a\nb"), "claim cannot be used: user name"),
        (
            "no subject",
            principal("", "ada"),
            "claim cannot be used: subject",
        ),
        // R31
        (
            "two @",
            mailed("a@evil.test@corp.test"),
            "claim cannot be used: email",
        ),
        (
            "quotes",
            mailed("\"a\"@corp.test"),
            "claim cannot be used: email",
        ),
        // R32
        (
            "said to be unverified",
            says(false.into(), "ada@corp.test"),
            "claim cannot be used: user name is an unverified address",
        ),
        (
            "said so as a text",
            says("False".into(), "ada@corp.test"),
            "claim cannot be used: user name is an unverified address",
        ),
        (
            "another address",
            says(false.into(), "x@corp.test"),
            "Ada@corp.test",
        ),
        (
            "verified",
            says(true.into(), "ada@corp.test"),
            "Ada@corp.test",
        ),
    ] {
        let world = World::new(vec![tenant()]).await;
        assert_eq!(outcome(&world.admit(&principal).await), want, "{name}");
        assert_eq!(
            world.count().await,
            usize::from(!want.starts_with("claim")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn sign_ins_keep_their_own_records_up_to_date_and_no_others() {
    let changed = |email: &str| Principal {
        display_name: Some("Countess".to_owned()),
        given_name: None,
        email: Some(email.to_owned()),
        ..principal("1", "ada")
    };
    let world = World::new(vec![tenant()]).await;
    let ada = world.admit(&principal("1", "ada")).await.unwrap().user;
    let now = world.admit(&changed("new@corp.test")).await.unwrap().user;
    assert_eq!(
        (now.display_name().as_str(), now.email()),
        ("Countess", Some("new@corp.test"))
    );
    assert_eq!(
        now.attributes["name"]["givenName"], "Ada",
        "what is not said stays"
    );
    assert_eq!(now.version, 2);
    assert_eq!(
        world.read(&ada).await.unwrap().email(),
        Some("new@corp.test")
    );
    // R32: nobody takes over the address of another by telling their idp.
    let mut victim = record("bob");
    victim
        .attributes
        .insert("emails".to_owned(), json!([{"value": "bob@corp.test"}]));
    world.scim(victim).await;
    let now = world.admit(&changed("Bob@corp.test")).await.unwrap().user;
    assert_eq!(now.email(), Some("new@corp.test"));
    let now = world
        .admit(&verified(changed("bob@corp.test")))
        .await
        .unwrap()
        .user;
    assert_eq!(now.email(), Some("bob@corp.test"));
    let kept = world.admit(&changed("a@b@c")).await.unwrap().user;
    assert_eq!(kept.email(), Some("bob@corp.test"));

    let scim = world.scim(record("carol")).await;
    world.admit(&principal("3", "carol")).await.unwrap();
    let known = world.admit(&principal("3", "carol")).await.unwrap().user;
    assert_eq!((known.version, known.attributes.len()), (1, 0));
    assert_eq!(known.id, scim.id);
}

#[tokio::test]
async fn group_overage_needs_groups_in_the_directory() {
    let too_many = || Principal {
        groups: ClaimedGroups::TooMany,
        ..principal("1", "ada")
    };
    let world = World::new(vec![tenant()]).await;
    let overage = "too many groups in the token, none in the directory";
    assert_eq!(outcome(&world.admit(&too_many()).await), overage);
    assert_eq!(world.count().await, 0, "nothing is written");
    let ada = world.scim(record("ada")).await;
    world.group("checkpoint_inline_1", &[&ada]).await;
    assert_eq!(
        outcome(&world.admit(&too_many()).await),
        overage,
        "ignored groups do not count"
    );
    assert!(
        world
            .directory
            .links(&ada.tenant, &ada.id)
            .await
            .unwrap()
            .is_empty()
    );
    world.group("staff", &[&ada]).await;
    assert_eq!(outcome(&world.admit(&too_many()).await), "ada");
}
