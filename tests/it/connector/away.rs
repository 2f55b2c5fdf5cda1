//! An app that is away, and somebody else who answers in its place.

use serde_json::json;

use super::World;
use crate::scim::refused;
use crate::support::{Trouble, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_in_place_of_the_app_settles_nothing() {
    let mut world = World::start("").await;
    let (ada, bob) = (world.idp.person("ada").await, world.idp.person("bob").await);
    world.app.trouble("", Trouble::Nowhere);
    let made = world.idp.post("/Users", &user("eve")).await;
    refused(&made, 503, "create");
    let changed = world.change(&ada, "displayName", json!("A")).await;
    refused(&changed, 503, "change");
    let out = world.change(&ada, "active", json!("False")).await;
    refused(&out, 503, "deactivate");
    let gone = world.idp.delete(&format!("/Users/{bob}")).await;
    refused(&gone, 503, "delete");
    assert_eq!(world.owed().await.len(), 2, "{:?}", world.owed().await);
    world.recovers().await;
    world.settles("both").await;
    assert!(!world.app.one("ada").active);
    assert!(world.app.named("bob").is_empty());
    assert!(world.app.named("eve").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_for_one_who_is_gone_is_believed_while_the_list_answers() {
    let mut world = World::start("").await;
    let bob = world.idp.person("bob").await;
    let (id, _) = world.app.named("bob").remove(0);
    world.app.state().people.remove(&id);
    let its = format!("/people/{id}");
    world.app.trouble(&format!("GET {its}"), Trouble::Nowhere);
    let gone = world.idp.delete(&format!("/Users/{bob}")).await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert!(world.owed().await.is_empty());
}
