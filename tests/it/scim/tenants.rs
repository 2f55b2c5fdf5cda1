//! Tenants: each its own directory, tokens and rules, and nothing of the others.

use http::Method;
use serde_json::{Value, json};

use super::{gate, refused};
use crate::oidc::{idp_settings, person, sign_in};
use crate::support::{Answer, Held, OidcIdp, ScimClient, Sidegate, UpstreamApp, user};

const TWO: &str = "[[tenant]]\nslug = \"acme\"\n[[tenant]]\nslug = \"globex\"\n";

/// All of an answer that a client could learn something from.
fn all(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut fields: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| name != "date" && name != "x-request-id")
        .collect();
    fields.sort();
    (answer.status.as_u16(), fields, answer.text())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_learns_nothing_of_another_tenant() {
    // So many wrong tokens would be too many.
    let gate = gate(&format!(
        "{TWO}[limits]\nexempt_networks = [\"127.0.0.0/8\", \"::1/128\"]\n"
    ))
    .await;
    let mut globex = ScimClient::of(&gate, "globex").await;
    let acme = ScimClient::of(&gate, "acme").await;
    let theirs = globex.person("alice@globex.test").await;
    let group = globex.group("theirs", &[&theirs]).await;

    // Its token at another tenant's address: as a wrong token, and as at the address of no tenant.
    let token = acme.token().to_owned();
    let wrong = "sgt_000000000000_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    let paths = [
        (Method::GET, "/Users".to_owned()),
        (Method::GET, format!("/Users/{theirs}")),
        (Method::GET, format!("/Groups/{group}")),
        (Method::DELETE, format!("/Users/{theirs}")),
        (Method::GET, "/Schemas".to_owned()),
        (Method::GET, "/nothing".to_owned()),
    ];
    for (method, path) in paths {
        let mut told = Vec::new();
        for (tenant, token) in [
            ("globex", wrong),
            ("globex", &token),
            ("nobody", &token),
            ("nobody", wrong),
        ] {
            let mut client = ScimClient::with(&gate, tenant, token);
            told.push(all(&client.send(method.clone(), &path, &[], "").await));
        }
        assert_eq!(told[0].0, 401, "{method} {path}: {told:?}");
        assert!(
            told.iter().all(|its| *its == told[0]),
            "{method} {path}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_of_another_tenant_is_no_id() {
    let gate = gate(TWO).await;
    let mut globex = ScimClient::of(&gate, "globex").await;
    let mut acme = ScimClient::of(&gate, "acme").await;
    let theirs = globex.person("alice@globex.test").await;
    let their_group = globex.group("staff", &[&theirs]).await;
    let own = acme.person("bob@acme.test").await;
    let own_group = acme.group("staff", &[&own]).await;
    let nobody = "00000000-0000-4000-8000-000000000000";

    for (theirs, nobody) in [
        (format!("/Users/{theirs}"), format!("/Users/{nobody}")),
        (
            format!("/Groups/{their_group}"),
            format!("/Groups/{nobody}"),
        ),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let one = acme.send(method.clone(), &theirs, &[], "").await;
            let other = acme.send(method.clone(), &nobody, &[], "").await;
            refused(&one, 404, &theirs);
            assert_eq!(all(&one), all(&other), "{method} {theirs}");
        }
        let operation = json!([{ "op": "replace", "path": "displayName", "value": "x" }]);
        let one = acme.patch(&theirs, operation.clone()).await;
        assert_eq!(all(&one), all(&acme.patch(&nobody, operation).await));
    }
    // As a member and as a manager.
    let path = format!("/Groups/{own_group}");
    let mut told = Vec::new();
    for id in [theirs.as_str(), nobody] {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
        let (status, fields, text) = all(&acme.patch(&path, add).await);
        told.push((status, fields.len(), text.replace(id, "ID")));
    }
    assert_eq!(told[0], told[1]);
    let group: Value = acme.get(&path).await.json();
    assert!(!group.to_string().contains(&theirs), "{group}");
    // The same names are free in each.
    let twin = acme.person("alice@globex.test").await;
    assert_ne!(twin, theirs);
    let filters = [
        "userName eq \"alice@globex.test\"",
        "externalId eq \"ext-alice@globex.test\"",
    ];
    for filter in filters {
        let found = acme.find("/Users", filter).await;
        assert_eq!(found.len(), 1, "{filter}");
        assert_eq!(found[0]["id"], *twin, "{filter}");
    }
    let list: Value = globex.get("/Users").await.json();
    assert_eq!(list["totalResults"], 1, "{list}");
    let location = list["Resources"][0]["meta"]["location"].as_str().unwrap();
    assert_eq!(
        location,
        format!("{}/scim/v2/globex/Users/{theirs}", gate.url())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_out_in_one_tenant_stays_in_the_other() {
    let app = UpstreamApp::start().await;
    let (one, two) = tokio::join!(OidcIdp::start(&[]), OidcIdp::start(&[]));
    let tenant =
        |slug: &str, idp: &str| format!("[[tenant]]\nslug = \"{slug}\"\nidps = [\"{idp}\"]\n");
    let settings = idp_settings("one", &one, "")
        + &idp_settings("two", &two, "")
        + &tenant("acme", "one")
        + &tenant("globex", "two");
    let gate = Sidegate::start(&app.url(), &settings).await;
    one.trust(&gate.url(), "one").await;
    two.trust(&gate.url(), "two").await;
    let mut browsers = Vec::new();
    let mut ids = Vec::new();
    let mut clients = Vec::new();
    for (slug, name, idp) in [("acme", "one", &one), ("globex", "two", &two)] {
        let mut scim = ScimClient::of(&gate, slug).await;
        ids.push(scim.person("alice").await);
        let mut browser = gate.browser();
        let page = format!("/.sidegate/login?idp={name}");
        let done = sign_in(&mut browser, idp, &page, "alice").await;
        assert_eq!(done.status, 302, "{slug}: {}", done.text());
        let whoami: Value = browser.get("/.sidegate/whoami").await.json();
        assert_eq!(whoami["tenant"], slug);
        browsers.push(browser);
        clients.push(scim);
    }
    let held = Held::open(&gate, &browsers[0]).await;
    let mut other = Held::open(&gate, &browsers[1]).await;
    clients[0].set_active(&ids[0], "False").await;
    held.ends().await;
    other.goes_on().await;
    assert_eq!(person(&mut browsers[0]).await, None);
    assert_eq!(person(&mut browsers[1]).await.as_deref(), Some("alice"));
    assert_eq!(
        clients[0]
            .delete(&format!("/Users/{}", ids[0]))
            .await
            .status,
        204
    );
    other.goes_on().await;
    let untouched: Value = clients[1].get(&format!("/Users/{}", ids[1])).await.json();
    assert_eq!(untouched["active"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_is_not_the_tenants_is_told_to_the_admin() {
    let gate = gate("[[tenant]]\nslug = \"acme\"\ndomains = [\"acme.test\"]\n").await;
    let mut acme = ScimClient::of(&gate, "acme").await;
    for name in [
        "eve@evil.test",
        "eve@sub.acme.test",
        "eve@evil.test@acme.test",
        "eve@acme.test.evil.test",
    ] {
        let answer = acme.post("/Users", &user(name)).await;
        let detail = refused(&answer, 400, name);
        assert!(detail.contains("acme.test"), "{detail}");
        assert!(detail.contains("domains"), "what to change: {detail}");
        let error: Value = answer.json();
        assert_eq!(error["scimType"], "invalidValue", "{name}");
    }
    let inside = acme.person("ada@ACME.test").await;
    let operation = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@evil.test" }]);
    let path = format!("/Users/{inside}");
    refused(&acme.patch(&path, operation).await, 400, "an address");
    let unchanged: Value = acme.get(&path).await.json();
    assert_eq!(
        unchanged["emails"][0]["value"], "ada@ACME.test",
        "as it came"
    );
    let list: Value = acme.get("/Users").await.json();
    assert_eq!(list["totalResults"], 1);
}
