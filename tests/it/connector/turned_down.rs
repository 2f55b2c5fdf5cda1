//! What the app does not take: refused with its own words, and nothing is changed anywhere.

use serde_json::{Value, json};

use super::World;
use crate::scim::refused;
use crate::support::user;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_app_s_refusals_are_told_as_they_are() {
    let mut world = World::start("").await;
    world.app.account("taken", |_| {});
    let ada = world.idp.person("ada").await;
    let before = world.user(&ada).await;
    let mut bad = user("bob");
    bad["emails"][0]["value"] = json!("bob");
    let kinds = |answer: &crate::support::Answer| {
        let error: Value = answer.json();
        error["scimType"].as_str().unwrap_or_default().to_owned()
    };
    for (what, answer, status, kind, words) in [
        (
            "a name that the app has",
            world.idp.post("/Users", &user("taken")).await,
            409,
            "uniqueness",
            "taken",
        ),
        (
            "the same in other letters",
            world.idp.post("/Users", &user("TAKEN")).await,
            409,
            "uniqueness",
            "taken",
        ),
        (
            "another's name",
            world.change(&ada, "userName", json!("taken")).await,
            409,
            "uniqueness",
            "taken",
        ),
        (
            "a name that is never touched",
            world.idp.post("/Users", &user("root")).await,
            400,
            "invalidValue",
            "users.ignore",
        ),
        (
            "such a name for somebody else",
            world.change(&ada, "userName", json!("Root")).await,
            400,
            "invalidValue",
            "users.ignore",
        ),
    ] {
        let detail = refused(&answer, status, what);
        assert_eq!(kinds(&answer), kind, "{what}: {detail}");
        assert!(detail.contains(words), "{what}: {detail}");
        assert!(world.owed().await.is_empty(), "{what}");
    }
    assert_eq!(world.user(&ada).await, before);
    assert_eq!(world.app.one("ada").login, "ada");
    assert!(world.app.one("root").admin, "as it was");
    assert!(world.app.named("bob").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validation_is_told_in_the_app_s_words() {
    let mut world = World::start("").await;
    let ada = world.idp.person("ada").await;
    let before = world.user(&ada).await;
    // The stub takes an address of ours only; ours takes it as it is where no domain is set.
    world
        .app
        .trouble("POST /people", crate::support::Trouble::Status(422));
    world
        .app
        .trouble("PATCH /people", crate::support::Trouble::Status(400));
    let answer = world.idp.post("/Users", &user("bob")).await;
    let detail = refused(&answer, 400, "create");
    assert!(detail.contains("refuses it: no"), "{detail}");
    let answer = world.change(&ada, "displayName", json!("x")).await;
    let detail = refused(&answer, 400, "change");
    assert!(detail.contains("refuses it: no"), "{detail}");
    assert!(world.owed().await.is_empty());
    assert_eq!(world.user(&ada).await, before);
    world.app.recover();
    world.idp.person("bob").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_there_is_matched_by_look_up_and_where_wished_by_post() {
    let mut world = World::start("").await;
    let id = world
        .app
        .account("Zoe@example.com", |zoe| zoe.name = "Zoë".to_owned());
    let found = world
        .idp
        .find("/Users", "userName eq \"zoe@example.com\"")
        .await;
    assert_eq!(found[0]["displayName"], "Zoë", "{found:?}");
    let zoe = found[0]["id"].as_str().unwrap().to_owned();
    let answer = world.change(&zoe, "displayName", json!("Zoe")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.app.state().people[&id].name, "Zoe");
    assert_eq!(world.app.count("POST "), 0);

    let mut world = World::start("provisioning.adopt = \"post\"").await;
    let id = world.app.account("zoe@example.com", |_| {});
    world.idp.person("zoe@example.com").await;
    let name = world.app.state().people[&id].name.clone();
    assert_eq!(name, "Display of zoe@example.com");
    let again = world.idp.post("/Users", &user("zoe@example.com")).await;
    refused(&again, 409, "ours already");
    assert_eq!(world.app.count("POST "), 0);
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_deleted_can_be_made_again() {
    for on_delete in ["remove", "deactivate"] {
        let settings = format!("provisioning.on_delete = \"{on_delete}\"");
        let mut world = World::start(&settings).await;
        for round in 0..3 {
            let id = world.idp.person("ada").await;
            assert!(world.app.one("ada").active, "{on_delete}, {round}");
            let answer = world.idp.delete(&format!("/Users/{id}")).await;
            assert_eq!(answer.status, 204, "{on_delete}: {}", answer.text());
            let left = world.app.named("ada");
            match on_delete {
                "remove" => assert!(left.is_empty(), "{left:?}"),
                _ => assert!(!left[0].1.active, "{left:?}"),
            }
            assert!(world.owed().await.is_empty(), "{on_delete}");
        }
    }
}
