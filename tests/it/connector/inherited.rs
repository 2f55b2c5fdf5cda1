//! Who comes after somebody who was deleted: the account of the app that stays is theirs, and nothing of the other one.

use serde_json::json;

use super::World;
use crate::scim::refused;
use crate::support::{CONNECTOR, Trouble};

/// The stub app that keeps whom it deletes: by a field, or because it cannot.
fn keepers() -> [(&'static str, &'static str, String); 3] {
    let delete = "call = \"DELETE /people/{id}\"";
    let whole = format!("[connector.users.delete]\n{delete}\n");
    let soft = "call = \"PATCH /people/{id}\"\nbody = { active = false }\nsoft = true";
    let made = [
        ("soft", "", CONNECTOR.replace(delete, soft)),
        ("none", "", CONNECTOR.replace(&whole, "")),
    ];
    assert!(made.iter().all(|(_, _, text)| text != CONNECTOR));
    let retired = "provisioning.on_delete = \"deactivate\"";
    let [soft, none] = made;
    [soft, none, ("retired", retired, CONNECTOR.to_owned())]
}

/// Another one of this name, of whom nothing else is known.
fn bare(name: &str) -> serde_json::Value {
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    json!({ "schemas": [schema], "userName": name, "externalId": "another" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_inherits_groups_or_addresses() {
    for (what, settings, connector) in keepers() {
        let mut world = World::with(settings, &connector).await;
        let fay = world.idp.person("fay").await;
        let ada = world.idp.person("ada").await;
        world.idp.group("Vault", &[&fay, &ada]).await;
        assert_eq!(world.app.one("fay").email, "fay@example.com", "{what}");
        let answer = world.idp.delete(&format!("/Users/{fay}")).await;
        assert_eq!(answer.status, 204, "{what}: {}", answer.text());
        assert!(!world.app.one("fay").active, "{what}");
        assert_eq!(world.app.team("Vault"), ["ada"], "{what}: out of it");

        let answer = world.idp.post("/Users", &bare("fay")).await;
        assert_eq!(answer.status, 201, "{what}: {}", answer.text());
        let next = world.app.one("fay");
        assert!(next.active, "{what}: {next:?}");
        assert_eq!(
            (next.email.as_str(), next.name.as_str()),
            ("", "fay"),
            "{what}"
        );
        assert_eq!(world.app.team("Vault"), ["ada"], "{what}");
        assert!(world.owed().await.is_empty(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_left_later_where_the_app_cannot_now() {
    for (what, settings, connector) in keepers() {
        let mut world = World::with(settings, &connector).await;
        let fay = world.idp.person("fay").await;
        world.idp.group("Vault", &[&fay]).await;
        world.app.trouble("DELETE /teams/", Trouble::Status(500));
        let answer = world.idp.delete(&format!("/Users/{fay}")).await;
        refused(&answer, 503, what);
        assert!(!world.app.one("fay").active, "{what}: out at once");
        world.app.recover();
        world.settles(what).await;
        assert!(world.app.team("Vault").is_empty(), "{what}: out of it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_never_ours_keeps_what_they_hold() {
    let mut world = World::start("provisioning.adopt = \"post\"").await;
    world.app.account("gus", |gus| gus.active = false);
    world.app.account("hal", |_| {});
    for name in ["gus", "hal"] {
        let answer = world.idp.post("/Users", &bare(name)).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let email = format!("{name}@example.com");
        assert_eq!(world.app.one(name).email, email);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_without_an_answer_is_emptied_all_the_same() {
    let [(_, settings, connector), ..] = keepers();
    let mut world = World::with(settings, &connector).await;
    let fay = world.idp.person("fay").await;
    world.idp.delete(&format!("/Users/{fay}")).await;
    world.app.trouble("PATCH /people", Trouble::Status(500));
    let answer = world.idp.post("/Users", &bare("fay")).await;
    refused(&answer, 503, "taken over, and not dressed yet");
    world.app.recover();
    world.settles("made here, too").await;
    let next = world.app.one("fay");
    assert_eq!((next.active, next.email.as_str()), (true, ""));
}
