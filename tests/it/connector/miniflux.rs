//! Miniflux, a REST API, by its preset: it cannot deactivate, and holds neither e-mail addresses nor groups.

use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::process::Command;

use super::killed::{Mortal, patch};
use crate::oidc::{idp_settings, sign_in};
use crate::support::{Client, OidcIdp, Program, test_file, user};

const PRESET: &str = "[connector]\npreset = \"miniflux\"\n";

struct Miniflux {
    program: Program,
    api: Client,
}

impl Miniflux {
    async fn start() -> Self {
        let program = Program::start(Command::new(test_file("apps/start-miniflux.sh"))).await;
        let url = program.url("url");
        let host = url.trim_start_matches("http://");
        let mut api = Client::program(host.parse().unwrap(), host);
        let basic = format!("Basic {}", program.url("MINIFLUX_BASIC"));
        api.headers.push((AUTHORIZATION, basic));
        Self { program, api }
    }

    async fn gate(&self, settings: &str) -> Mortal {
        let basic = self.program.url("MINIFLUX_BASIC");
        let variables = [("MINIFLUX_BASIC", basic.as_str())];
        Mortal::start(
            &self.program.url("url"),
            &format!("{settings}{PRESET}"),
            &variables,
        )
        .await
    }

    /// Everybody's name and id, by its own API.
    async fn people(&mut self) -> Vec<(String, u64)> {
        let all: Vec<Value> = self.api.get("/v1/users").await.json();
        let own = |user: &Value| {
            let name = user["username"].as_str().unwrap().to_owned();
            (name, user["id"].as_u64().unwrap())
        };
        let mut all: Vec<_> = all.iter().map(own).collect();
        all.sort();
        all
    }

    async fn names(&mut self) -> Vec<String> {
        self.people()
            .await
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entra_s_changes_are_in_miniflux() {
    let mut flux = Miniflux::start().await;
    let gate = flux.gate("").await;
    let mut idp = gate.idp();
    let ada = idp.person("Ada@example.com").await;
    assert_eq!(flux.names().await, ["ada@example.com", "admin"]);
    let before = flux.people().await[0].1;
    for (path, value, name) in [
        ("userName", "ada.l@example.com", "ada.l@example.com"),
        (
            "emails[type eq \"work\"].value",
            "al@example.com",
            "ada.l@example.com",
        ),
        ("active", "False", "ada.l@example.com"),
        ("active", "True", "ada.l@example.com"),
    ] {
        let answer = gate.insist(&patch(&ada, &[(path, value)]), path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(flux.people().await[0], (name.to_owned(), before), "{path}");
    }
    let found = idp
        .find("/Users", "userName eq \"ADA.L@example.com\"")
        .await;
    assert_eq!(
        found[0]["emails"][0]["value"], "al@example.com",
        "kept here: {found:?}"
    );

    // Whom the app has already.
    let made = json!({ "username": "bob", "password": "secret-1234" }).to_string();
    let kind = [(http::header::CONTENT_TYPE, "application/json")];
    let answer = flux
        .api
        .send(http::Method::POST, "/v1/users", &kind, &made)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let refused = idp.post("/Users", &user("bob")).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    let found = idp.find("/Users", "userName eq \"bob\"").await;
    let bob = found[0]["id"].as_str().unwrap().to_owned();
    let answer = gate
        .insist(&patch(&bob, &[("userName", "robert")]), "bob")
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(flux.names().await, ["ada.l@example.com", "admin", "robert"]);
    let taken = patch(&bob, &[("userName", "ada.l@example.com")]);
    let refused = idp.try_send(taken.0, &taken.1, &taken.2).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text());

    for id in [&ada, &bob] {
        assert_eq!(idp.delete(&format!("/Users/{id}")).await.status, 204);
        assert_eq!(idp.delete(&format!("/Users/{id}")).await.status, 404);
    }
    assert_eq!(flux.names().await, ["admin"]);
    assert_eq!(gate.owed().await, json!([]));
    drop(gate);

    let answer = flux
        .api
        .send(http::Method::POST, "/v1/users", &kind, &made)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let gate = flux.gate("provisioning.adopt = \"post\"\n").await;
    gate.idp().person("Bob").await;
    assert_eq!(flux.names().await, ["admin", "bob"]);
    flux.program.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sign_in_finds_an_account() {
    let mut flux = Miniflux::start().await;
    let provider = OidcIdp::start(&[]).await;
    let gate = flux.gate(&idp_settings("corp", &provider, "")).await;
    provider
        .trust(&format!("http://{}", gate.gate.host), "corp")
        .await;
    let mut browser = gate.gate.browser();
    let done = sign_in(&mut browser, &provider, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    let alice = flux.people().await;
    assert_eq!(
        alice.len(),
        2,
        "no request of hers has come to it: {alice:?}"
    );
    let mut page = browser.get("/").await;
    for _ in 0..5 {
        if !page.status.is_redirection() {
            break;
        }
        let target = page.location().to_owned();
        page = browser.get(&target).await;
    }
    let page = browser.get("/settings").await;
    let text = page.text();
    assert!(
        text.contains("id=\"form-username\" value=\"alice\""),
        "{text}"
    );
    assert_eq!(flux.people().await, alice, "the same account");
    flux.program.end().await;
}
