//! One app, two tenants: an account is one record's.

use serde_json::json;

use super::World;
use crate::scim::refused;
use crate::support::{ScimClient, Trouble, user};

const TENANTS: &str = "tenant = [{ slug = \"acme\" }, { slug = \"umbrella\" }]";

/// Two clients, one for each.
async fn start(adopt: &str) -> (World, ScimClient, ScimClient) {
    let app = crate::support::StubApp::start().await;
    let settings = format!(
        "{}provisioning.adopt = \"{adopt}\"\n{TENANTS}\n{}",
        super::LOCAL,
        crate::support::CONNECTOR
    );
    let gate = crate::support::Sidegate::start(&app.url(), &settings).await;
    let acme = ScimClient::of(&gate, "acme").await;
    let umbrella = ScimClient::of(&gate, "umbrella").await;
    let idp = ScimClient::of(&gate, "acme").await;
    (World { app, gate, idp }, acme, umbrella)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_no_tenant_gets_hold_of_another_s_account() {
    for adopt in ["filter", "post"] {
        let (world, mut acme, mut umbrella) = start(adopt).await;
        let ada = acme.person("ada").await;
        let before = world.app.one("ada");
        let eve = umbrella.person("eve").await;
        let link = format!("/Users/{eve}");

        let found = umbrella.find("/Users", "userName eq \"ada\"").await;
        assert!(found.is_empty(), "{adopt}: {found:?}");
        let all = umbrella.get("/Users").await;
        assert!(!all.text().contains("ada"), "{adopt}: {}", all.text());
        for name in ["ada", "ADA"] {
            let answer = umbrella.post("/Users", &user(name)).await;
            refused(&answer, 409, &format!("{adopt}: POST {name}"));
            let rename = json!([{ "op": "Replace", "path": "userName", "value": name }]);
            let answer = umbrella.patch(&link, rename).await;
            refused(&answer, 409, &format!("{adopt}: rename to {name}"));
        }
        let answer = umbrella.delete(&format!("/Users/{ada}")).await;
        refused(&answer, 404, "another's id");
        assert_eq!(world.app.one("ada"), before, "{adopt}");
        assert_eq!(world.app.one("eve").login, "eve", "{adopt}");
        assert!(world.owed().await.is_empty(), "{adopt}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_nor_of_one_that_is_being_made() {
    let (world, mut acme, mut umbrella) = start("post").await;
    world
        .app
        .trouble("POST /people", Trouble::Half { done: true });
    world.app.trouble("GET /people/", Trouble::Status(500));
    let answer = acme.post("/Users", &user("ada")).await;
    refused(&answer, 503, "nobody can tell whether she was made");
    world.app.recover();
    let answer = umbrella.post("/Users", &user("ada")).await;
    refused(&answer, 409, "she is acme's");
    let answer = acme.post("/Users", &user("ada")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(world.app.named("ada").len(), 1);
    world.settles("made").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_groups_are_somebody_s_too() {
    let (world, mut acme, mut umbrella) = start("post").await;
    let ada = acme.person("ada").await;
    let eve = umbrella.person("eve").await;
    acme.group("crew", &[&ada]).await;
    let other = umbrella.group("gang", &[&eve]).await;
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "crew", "members": [{ "value": eve }],
    });
    refused(&umbrella.post("/Groups", &group).await, 409, "POST");
    let rename = json!([{ "op": "Replace", "path": "displayName", "value": "crew" }]);
    let answer = umbrella.patch(&format!("/Groups/{other}"), rename).await;
    refused(&answer, 409, "rename");
    assert_eq!(world.app.team("crew"), ["ada"]);
    assert_eq!(world.app.team("gang"), ["eve"]);
    assert!(world.owed().await.is_empty());
}
