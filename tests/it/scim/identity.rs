//! One identity: a record of SCIM and a sign-in that meet are one person, whoever came first.

use serde_json::{Value, json};

use super::{World, gate, refused};
use crate::oidc::{person, sign_in};
use crate::support::{ScimClient, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_in_first_is_found_and_adopted() {
    let world = World::start("").await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    let whoami: Value = browser.get("/.sidegate/whoami").await.json();

    // A filter shows whom a POST would meet, and the POST is refused: both see the same people.
    let found = scim.find("/Users", "userName eq \"ALICE\"").await;
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(whoami["user"]["id"], *id);
    let twice: Value = {
        let answer = scim.post("/Users", &user("Alice")).await;
        refused(&answer, 409, "the name is taken");
        answer.json()
    };
    assert_eq!(twice["scimType"], "uniqueness");
    let shown = world.gate.operator("user show alice").await;
    assert!(!shown.contains("via SCIM"), "not yet adopted: {shown}");

    // The first change adopts.
    let operation = json!([{ "op": "Add", "path": "externalId", "value": "e-1" }]);
    let path = format!("/Users/{id}");
    assert_eq!(scim.patch(&path, operation).await.status, 200);
    let shown = world.gate.operator("user show alice").await;
    assert!(shown.contains("kept by      scim"), "{shown}");
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    scim.set_active(&id, "False").await;
    assert_eq!(person(&mut browser).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_adopts_where_the_operator_says_so() {
    let world = World::start("[provisioning]\nadopt = \"post\"\n").await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let id = scim.person("Alice").await;
    let whoami: Value = browser.get("/.sidegate/whoami").await.json();
    assert_eq!(whoami["user"]["id"], *id);
    // It is theirs now: a second one is a duplicate.
    refused(&scim.post("/Users", &user("alice")).await, 409, "managed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_scim_may_not_adopt_it_neither_sees_nor_changes() {
    let world = World::start("[provisioning]\nadopt = \"never\"\n").await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let whoami: Value = browser.get("/.sidegate/whoami").await.json();
    let path = format!("/Users/{}", whoami["user"]["id"].as_str().unwrap());
    assert!(
        scim.find("/Users", "userName eq \"alice\"")
            .await
            .is_empty()
    );
    let operation = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    refused(&scim.get(&path).await, 404, "not seen");
    refused(&scim.patch(&path, operation).await, 404, "not changed");
    refused(&scim.delete(&path).await, 404, "not deleted");
    refused(
        &scim.post("/Users", &user("alice")).await,
        409,
        "the name is taken",
    );
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_alone_never_makes_one_person_of_two() {
    let world = World::start("").await;
    let mut scim = ScimClient::new(&world.gate).await;
    // The address of alice, on a record of another name.
    let mut body = user("mallory");
    body["emails"][0]["value"] = json!("alice@example.com");
    let other = scim.made("/Users", &body).await;
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    let whoami: Value = browser.get("/.sidegate/whoami").await.json();
    assert_ne!(whoami["user"]["id"], *other, "R32");
    assert_eq!(whoami["user"]["userName"], "alice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_external_id_ties_where_the_operator_says_so() {
    let settings = "[idp.attributes]\nexternal_id = [\"sub\"]\n[provisioning]\nmatch = \"externalId\"\njit = \"link\"\n";
    let world = World::start(settings).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut body = user("somebody.else");
    // What the idp calls alice; see tests/idp/people.mjs.
    body["externalId"] = json!("sub-616c696365");
    scim.made("/Users", &body).await;
    // Two of one external id are nobody's: it need not be unique.
    for (name, id) in [("bob.one", "sub-626f62"), ("bob.two", "sub-626f62")] {
        let mut body = user(name);
        body["externalId"] = json!(id);
        scim.made("/Users", &body).await;
    }
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    assert_eq!(person(&mut browser).await.as_deref(), Some("somebody.else"));
    for (who, code) in [("bob", "sign_in.conflict"), ("carol", "sign_in.unknown")] {
        let mut browser = world.gate.browser();
        let done = sign_in(&mut browser, &world.idp, "/", who).await;
        assert_eq!(done.status, 403, "{who}");
        assert!(done.text().contains(code), "{who}: {}", done.text());
    }
    let conflicts = world.gate.operator("user conflicts").await;
    assert!(conflicts.contains("sub-626f62"), "{conflicts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r52_an_external_id_is_never_an_id() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let first = scim.person("first").await;
    for external in ["1", "0", first.as_str(), "../first", "id eq 1"] {
        let mut body = user(&format!("person {external}"));
        body["externalId"] = json!(external);
        let id = scim.made("/Users", &body).await;
        assert_ne!(id, external);
        assert_ne!(id, first);
        let filter = format!("externalId eq \"{external}\"");
        let found = scim.find("/Users", &filter).await;
        assert_eq!(found.len(), 1, "{external}");
        assert_eq!(found[0]["id"], *id);
        assert_eq!(found[0]["externalId"], *external, "as it came");
    }
    let unchanged: Value = scim.get(&format!("/Users/{first}")).await.json();
    assert_eq!(unchanged["userName"], "first");
    refused(&scim.get("/Users/1").await, 404, "an external id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r54_scim_cannot_move_the_link_between_a_person_and_an_idp() {
    let world = World::start("").await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut browser = world.gate.browser();
    sign_in(&mut browser, &world.idp, "/", "alice").await;
    let before = world.gate.operator("user show alice --json").await;
    let before: Value = serde_json::from_str(&before).unwrap();
    let id = before["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    let mut body = user("alice");
    for name in [
        "links", "link", "idp", "subject", "issuer", "sub", "id", "tenant",
    ] {
        body[name] = json!("sub-626f62");
    }
    assert_eq!(scim.put(&path, &body).await.status, 200);
    for name in ["links", "idp", "subject"] {
        let operation = json!([{ "op": "add", "path": name, "value": "sub-626f62" }]);
        let answer = scim.patch(&path, operation).await;
        assert!(answer.status.as_u16() < 500, "{name}: {}", answer.text());
    }
    let after = world.gate.operator(&format!("user show {id} --json")).await;
    let after: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["links"], before["links"]);
    let mut bob = world.gate.browser();
    let done = sign_in(&mut bob, &world.idp, "/", "bob").await;
    assert_eq!(done.status, 302, "{}", done.text());
    assert_eq!(person(&mut bob).await.as_deref(), Some("bob"));
}
