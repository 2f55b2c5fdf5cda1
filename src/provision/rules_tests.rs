//! What a tenant's rules let SCIM clients make of people: each refusal is a sentence for the admin.

use serde_json::{Value, json};

use super::world::*;
use super::*;
use crate::config::AttributeRule;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Whatever a draft holds beside its name.
fn with(user_name: &str, attributes: &Value) -> UserDraft {
    UserDraft {
        attributes: attributes.as_object().unwrap().clone(),
        ..draft(user_name)
    }
}

async fn outcome_of(world: &World, draft: UserDraft) -> String {
    match world.post(draft).await {
        Ok(_) => "made".to_owned(),
        Err(refused) => refused.to_string(),
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "most of it a table")]
async fn r31_only_people_of_the_tenants_domains_are_provisioned() {
    let emails =
        |address: &str, kind: &str| json!({ "emails": [{ "value": address, "type": kind }] });
    let two = |first: &str, second: &str, kind: &str| {
        let second = json!({ "value": second, "type": kind });
        json!({ "emails": [{ "value": first, "type": "work" }, second] })
    };
    let foreign = |attribute: &str, value: &str| {
        format!(
            "{attribute} {value:?}: its domain is not one of this tenant's (corp.test, corp.example); \
             add it to tenant.domains, or take the person out of the assignment"
        )
    };
    for (name, attributes, want) in [
        ("a@corp.test", json!({}), "made".to_owned()),
        ("b@CORP.example", json!({}), "made".to_owned()),
        (
            "c@corp.test.evil.test",
            json!({}),
            foreign("userName", "c@corp.test.evil.test"),
        ),
        (
            "d@evil.test",
            emails("d@corp.test", "work"),
            foreign("userName", "d@evil.test"),
        ),
        ("e", emails("e@corp.test", "work"), "made".to_owned()),
        ("f", json!({}), foreign("userName", "f")),
        (
            "g",
            emails("not an address", "work"),
            foreign("userName", "g"),
        ),
        (
            "h@corp.test",
            emails("h@evil.test", "home"),
            foreign("emails", "h@evil.test"),
        ),
        (
            "i@corp.test",
            two("i@corp.test", "i@home.test", "home"),
            "made".to_owned(),
        ),
        (
            "j@corp.test",
            two("j@corp.test", "j@evil.test", "work"),
            foreign("emails", "j@evil.test"),
        ),
        (
            "k",
            emails("k@evil.test@corp.test", "work"),
            foreign("emails", "k@evil.test@corp.test"),
        ),
    ] {
        let mut own = tenant();
        own.domains = vec!["corp.test".to_owned(), "corp.example".to_owned()];
        let world = World::new(vec![own]).await;
        assert_eq!(
            outcome_of(&world, with(name, &attributes)).await,
            want,
            "{name}"
        );
        assert_eq!(world.count().await, usize::from(want == "made"), "{name}");
    }
    // At a change only what is new is looked at.
    let mut own = tenant();
    own.domains = vec!["corp.test".to_owned()];
    let world = World::new(vec![own]).await;
    let old = world.scim(record("ada@evil.test")).await;
    assert!(
        !world
            .edit(&old, |draft| draft.active = false)
            .await
            .unwrap()
            .active
    );
    let renamed = world.edit(&old, |draft| draft.user_name = "eve@evil.test".to_owned());
    let refused = renamed.await.unwrap_err();
    assert!(matches!(&refused, Refused::Rule(rule) if matches!(**rule, Rule::Domain { .. })));
    let renamed = world.edit(&old, |draft| draft.user_name = "ada@corp.test".to_owned());
    assert_eq!(renamed.await.unwrap().version, 3);
}

/// R53: nobody gets a role by SCIM that the operator did not allow.
#[tokio::test]
async fn r53_only_roles_that_exist_are_given() {
    let mut own = tenant();
    own.roles.allowed = vec!["MEMBER".to_owned(), "ADMIN".to_owned()];
    let world = World::new(vec![own]).await;
    let role = |role: &str| json!({ "roles": [{ "value": role, "primary": true }] });
    let refused =
        "roles[primary eq true].value: \"ROOT\" is not a role here; allowed: MEMBER, ADMIN";
    assert_eq!(
        outcome_of(&world, with("ada", &role("MEMBER"))).await,
        "made"
    );
    assert_eq!(
        outcome_of(&world, with("bob", &role("ROOT"))).await,
        refused
    );
    assert_eq!(
        outcome_of(&world, with("bob", &role("admin"))).await,
        refused.replace("ROOT", "admin")
    );
    let beside = json!({ "roles": [{ "value": "ROOT" }] });
    assert_eq!(
        outcome_of(&world, with("bob", &beside)).await,
        "made",
        "counts for nothing"
    );
    // A role that was allowed once holds up no deactivation, and no new one comes with it.
    let mut old = record("carol");
    old.attributes = role("OLD").as_object().unwrap().clone();
    let old = world.scim(old).await;
    let off = world.edit(&old, |draft| draft.active = false).await;
    assert!(!off.unwrap().active);
    let root = role("ROOT").as_object().unwrap().clone();
    let more = world
        .edit(&old, move |draft| draft.attributes = root.clone())
        .await;
    assert_eq!(more.unwrap_err().to_string(), refused);
    assert!(world.roles(&old).await.is_empty());
}

#[tokio::test]
async fn attributes_hold_what_they_may() {
    let rule = |path: &str, allowed: &[&str], default: &str, required| AttributeRule {
        path: path.to_owned(),
        allowed: allowed.iter().map(|&it| it.to_owned()).collect(),
        default: default.to_owned(),
        required,
    };
    let department = format!("{ENTERPRISE}:department");
    let mut own = tenant();
    own.attributes = vec![
        rule("userType", &["Premium", "Standard"], "Standard", false),
        rule("name.familyName", &[], "", true),
        rule(&department, &["R&D", "Sales"], "Sales", false),
    ];
    let world = World::new(vec![own]).await;
    let named = json!({ "name": { "familyName": "Lovelace" } });
    let made = world.post(with("ada", &named)).await.unwrap();
    assert_eq!(
        Value::from(made.attributes.clone()),
        json!({ "name": { "familyName": "Lovelace" }, "userType": "Standard", ENTERPRISE: { "department": "Sales" } })
    );
    for (attributes, want) in [
        (json!({}), "name.familyName is required".to_owned()),
        (
            json!({ "name": { "givenName": "x" } }),
            "name.familyName is required".to_owned(),
        ),
        (
            json!({ "usertype": "Gold", "name": { "familyName": "x" } }),
            "userType: \"Gold\" is not allowed; allowed: Premium, Standard".to_owned(),
        ),
        (
            json!({ ENTERPRISE: { "department": "HR" }, "name": { "familyName": "x" } }),
            format!("{department}: \"HR\" is not allowed; allowed: R&D, Sales"),
        ),
    ] {
        assert_eq!(outcome_of(&world, with("bob", &attributes)).await, want);
    }
    let cleared = world
        .edit(&made, |draft| drop(draft.attributes.remove("name")))
        .await;
    assert_eq!(
        cleared.unwrap_err().to_string(),
        "name.familyName is required"
    );
    let reset = world
        .edit(&made, |draft| drop(draft.attributes.remove("userType")))
        .await;
    assert_eq!(
        reset.unwrap().version,
        1,
        "the default stands there already"
    );
}

#[tokio::test]
async fn names_that_cannot_be_one_are_refused() {
    let world = World::new(vec![tenant()]).await;
    for (draft, want) in [
        (draft(" "), "userName is empty"),
        (
            draft(&"x".repeat(1025)),
            "userName is longer than 1024 bytes",
        ),
        (draft("a\0b"), "userName holds control characters"),
        (
            UserDraft {
                external_id: Some("x".repeat(1025)),
                ..draft("a")
            },
            "externalId is longer than 1024 bytes",
        ),
    ] {
        assert_eq!(outcome_of(&world, draft).await, want);
    }
}
