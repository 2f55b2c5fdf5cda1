//! Kanboard, a JSON-RPC API, by its preset.

use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::Instant;

use super::killed::{Mortal, Request, patch};
use crate::oidc::{idp_settings, sign_in};
use crate::support::{Client, OidcIdp, Program, test_file, user};

const PRESET: &str = "[connector]\npreset = \"kanboard\"\n";
/// Kills in the loop; `SIDEGATE_KILLS` sets more.
const KILLS: u64 = 24;

struct Kanboard {
    program: Program,
    api: Client,
}

impl Kanboard {
    async fn start() -> Self {
        let program = Program::start(Command::new(test_file("apps/start-kanboard.sh"))).await;
        let url = program.url("url");
        let host = url.trim_start_matches("http://");
        let mut api = Client::program(host.parse().unwrap(), host);
        let basic = format!("Basic {}", program.url("KANBOARD_BASIC"));
        api.headers.push((AUTHORIZATION, basic));
        Self { program, api }
    }

    async fn gate(&self, settings: &str) -> Mortal {
        let basic = self.program.url("KANBOARD_BASIC");
        let variables = [("KANBOARD_BASIC", basic.as_str())];
        Mortal::start(
            &self.program.url("url"),
            &format!("{settings}{PRESET}"),
            &variables,
        )
        .await
    }

    /// Its own API, without us.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let body = body.to_string();
        let kind = [(CONTENT_TYPE, "application/json")];
        let answer = self.api.send(Method::POST, "/jsonrpc.php", &kind, &body);
        let answer: Value = answer.await.json();
        answer["result"].clone()
    }

    /// Everybody whose name begins so: name, e-mail address, active.
    async fn people(&mut self, begin: &str) -> Vec<(String, String, bool)> {
        let all = self.ask("getAllUsers", json!({})).await;
        let all = all.as_array().unwrap().iter();
        let text = |user: &Value, name: &str| user[name].as_str().unwrap_or_default().to_owned();
        let its = all.filter(|user| text(user, "username").starts_with(begin));
        let its = its.map(|user| {
            let active = user["is_active"].to_string().contains('1');
            (text(user, "username"), text(user, "email"), active)
        });
        its.collect()
    }

    /// Names of those in the group of this name.
    async fn members(&mut self, name: &str) -> Option<Vec<String>> {
        let all = self.ask("getAllGroups", json!({})).await;
        let group = all
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name)?
            .clone();
        let id: u64 = group["id"].to_string().trim_matches('"').parse().unwrap();
        let members = self.ask("getGroupMembers", json!({ "group_id": id })).await;
        let members = members.as_array().unwrap().iter();
        let mut names: Vec<_> = members
            .map(|user| user["username"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        Some(names)
    }
}

fn one(name: &str, email: &str, active: bool) -> Vec<(String, String, bool)> {
    vec![(name.to_owned(), email.to_owned(), active)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entra_s_changes_are_in_kanboard() {
    let mut board = Kanboard::start().await;
    let gate = board.gate("").await;
    let mut idp = gate.idp();
    let ada = idp.person("Ada@example.com").await;
    let held = board.people("ada").await;
    assert_eq!(held, one("ada@example.com", "Ada@example.com", true));
    let found = idp.find("/Users", "userName eq \"ADA@example.com\"").await;
    assert_eq!(found[0]["id"], ada.as_str());

    for (path, value, name, email, active) in [
        (
            "userName",
            "ada.l@example.com",
            "ada.l@example.com",
            "Ada@example.com",
            true,
        ),
        (
            "emails[type eq \"work\"].value",
            "al@example.com",
            "ada.l@example.com",
            "al@example.com",
            true,
        ),
        (
            "active",
            "False",
            "ada.l@example.com",
            "al@example.com",
            false,
        ),
        (
            "active",
            "True",
            "ada.l@example.com",
            "al@example.com",
            true,
        ),
    ] {
        let request = patch(&ada, &[(path, value)]);
        let answer = gate.insist(&request, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(
            board.people("ada").await,
            one(name, email, active),
            "{path}"
        );
    }

    // Whom the app has is matched by a look-up, and changed as ours.
    let made = json!({ "username": "bob", "password": "secret-1234", "email": "bob@example.com" });
    assert_ne!(board.ask("createUser", made).await, false);
    let found = idp.find("/Users", "userName eq \"bob\"").await;
    let bob = found[0]["id"].as_str().unwrap().to_owned();
    gate.insist(&patch(&bob, &[("active", "False")]), "bob")
        .await;
    assert_eq!(
        board.people("bob").await,
        one("bob", "bob@example.com", false)
    );
    let refused = idp.post("/Users", &user("bob")).await;
    assert_eq!(refused.status, 409, "{}", refused.text());

    let crew = idp.group("crew", &[&ada]).await;
    assert_eq!(board.members("crew").await.unwrap(), ["ada.l@example.com"]);
    idp.member("Add", &crew, &bob).await;
    idp.member("Remove", &crew, &ada).await;
    assert_eq!(board.members("crew").await.unwrap(), ["bob"]);
    let rename = json!([{ "op": "Replace", "path": "displayName", "value": "team" }]);
    let answer = idp.patch(&format!("/Groups/{crew}"), rename).await;
    assert_eq!(answer.status.as_u16() / 100, 2, "{}", answer.text());
    assert_eq!(board.members("team").await.unwrap(), ["bob"]);
    assert_eq!(board.members("crew").await, None);
    assert_eq!(idp.delete(&format!("/Groups/{crew}")).await.status, 204);
    assert_eq!(board.members("team").await, None);

    assert_eq!(idp.delete(&format!("/Users/{ada}")).await.status, 204);
    assert!(board.people("ada").await.is_empty());
    assert_eq!(idp.delete(&format!("/Users/{ada}")).await.status, 404);
    assert_eq!(board.people("admin").await.len(), 1, "never touched");
    assert_eq!(gate.owed().await, json!([]));

    let gate = board.gate("provisioning.adopt = \"post\"\n").await;
    gate.idp().person("bob").await;
    assert_eq!(
        board.people("bob").await,
        one("bob", "bob@example.com", true)
    );
    board.program.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sign_in_finds_an_account() {
    let mut board = Kanboard::start().await;
    let provider = OidcIdp::start(&[]).await;
    let gate = board.gate(&idp_settings("corp", &provider, "")).await;
    provider
        .trust(&format!("http://{}", gate.gate.host), "corp")
        .await;
    let mut browser = gate.gate.browser();
    let done = sign_in(&mut browser, &provider, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    // No request of hers has come to it.
    let alice = board
        .ask("getUserByName", json!({ "username": "alice" }))
        .await;
    assert_eq!(alice["email"], "alice@example.com", "{alice}");
    assert!(
        alice["is_ldap_user"].to_string().contains('0'),
        "made by its API, not by a header"
    );
    let mut page = browser.get("/").await;
    for _ in 0..5 {
        if !page.status.is_redirection() {
            break;
        }
        let target = page.location().to_owned();
        let host = format!("http://{}", gate.gate.host);
        page = browser.get(target.trim_start_matches(&host)).await;
    }
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Alice"), "{}", page.text());
    assert_eq!(board.people("").await.len(), 2, "admin and alice");
    let found = gate.idp().find("/Users", "userName eq \"alice\"").await;
    let id = found[0]["id"].as_str().unwrap().to_owned();
    gate.insist(&patch(&id, &[("active", "False")]), "out")
        .await;
    assert_eq!(browser.get("/").await.status, 302, "led to sign in");
    assert!(!board.people("alice").await[0].2);
    board.program.end().await;
}

/// What one kill met.
#[derive(Debug, Default)]
struct Tally {
    killed: u64,
    answered: u64,
    unanswered: u64,
    owed: u64,
    /// Of those: written, and nobody heard of it.
    unheard: u64,
    retried: std::collections::BTreeMap<(u64, u16), u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_there_is_one_account_and_one_link() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a longer run is asked for by hand"
    )]
    let kills = std::env::var("SIDEGATE_KILLS")
        .ok()
        .and_then(|it| it.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let mut board = Kanboard::start().await;
    let mut gate = board.gate("").await;
    let mut tally = Tally::default();
    let mut id = String::new();
    // How long each kind takes when nobody dies, in microseconds.
    let mut takes = [60_000_u64; 4];
    let mut seed = 0x5eed_u64;
    for round in 0..kills {
        let (step, number) = (round % 4, round / 4);
        let what = format!("kill {round}");
        let (name, later) = (format!("ada{number}"), format!("eve{number}"));
        let request = match step {
            0 => Request(Method::POST, "/Users".to_owned(), user(&name)),
            1 => patch(&id, &[("userName", &later), ("displayName", "Eve")]),
            2 => patch(&id, &[("active", "False")]),
            _ => Request(Method::DELETE, format!("/Users/{id}"), Value::Null),
        };
        let mut idp = gate.idp();
        let (method, path, body) = (request.0.clone(), request.1.clone(), request.2.clone());
        let began = Instant::now();
        let asking =
            tokio::spawn(async move { (idp.try_send(method, &path, &body).await, Instant::now()) });
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let slot = usize::try_from(step).unwrap();
        let moment = Duration::from_micros((seed >> 33) % takes[slot]);
        tokio::time::sleep(moment).await;
        gate = gate.kill_and_start().await;
        tally.killed += 1;
        let (answer, ended) = asking.await.unwrap();
        tally.answered += u64::from(answer.is_some());
        tally.unanswered += u64::from(answer.is_none());
        // Kills fall everywhere: as many are answered as are not, in the end.
        takes[slot] = match answer {
            Some(_) => u64::try_from((ended - began).as_micros()).unwrap() * 6 / 5,
            None => (takes[slot] * 5 / 4).min(2_000_000),
        };
        let owed = gate.owed().await != json!([]);
        tally.owed += u64::from(owed);
        let filter = format!("userName eq \"{name}\"");
        let there = gate.idp().find("/Users", &filter).await;
        let unheard = step == 0 && answer.is_none() && !owed && !there.is_empty();
        tally.unheard += u64::from(unheard);
        let again = match answer {
            // It was told: then it is so.
            Some(answer) if step == 0 => answer,
            // Written, and killed before the answer had left: whoever asks again is told that they are there, and finds
            // them as all idps do.
            None if unheard => {
                let again = gate.idp().post("/Users", &request.2).await;
                assert!(
                    [201, 409].contains(&again.status.as_u16()),
                    "{what}: {}",
                    again.text()
                );
                there[0]["id"].as_str().unwrap().clone_into(&mut id);
                again
            }
            _ => gate.insist(&request, &what).await,
        };
        *tally
            .retried
            .entry((step, again.status.as_u16()))
            .or_default() += 1;
        if step == 0 && !unheard {
            assert_eq!(again.status, 201, "{what}: {}", again.text());
            id = again.json::<Value>()["id"].as_str().unwrap().to_owned();
        }
        gate.settles(&what).await;
        let count = |all: Vec<(String, String, bool)>| all.len();
        let counts = (
            count(board.people(&name).await),
            count(board.people(&later).await),
        );
        let wanted = [(1, 0), (0, 1), (0, 1), (0, 0)][slot];
        assert_eq!(counts, wanted, "{what}");
        if step == 2 {
            assert!(!board.people(&later).await[0].2, "{what}");
        }
        if step != 3 {
            let login = if step == 0 { &name } else { &later };
            let filter = format!("userName eq \"{login}\"");
            let found = gate.idp().find("/Users", &filter).await;
            assert_eq!(found.len(), 1, "{what}: {found:?}");
            assert_eq!(found[0]["id"], id.as_str(), "{what}");
        }
        let drift = gate.gate.operator("connector drift --json").await;
        assert_eq!(drift.trim(), "[]", "{what}");
    }
    #[expect(clippy::print_stdout, reason = "for whoever asks for the long run")]
    {
        println!("{tally:?}");
    }
    board.program.end().await;
}
