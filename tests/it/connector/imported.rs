//! A thousand people whom the app had before.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sidegate::provision::Plan;
use sidegate::server::control::{AccountsRow, Operation};

use super::{LOCAL, World};
use crate::support::{CONNECTOR, ScimClient, Sidegate, StubApp, user};

/// By exact name, by name in other letters, and pairs of accounts that only letters tell apart.
const EXACT: usize = 950;
const CASE: usize = 30;
const PAIRS: usize = 10;

impl World {
    async fn plan(&self, apply: bool) -> (BTreeMap<Plan, usize>, AccountsRow) {
        let asked = Operation::UserImportAccounts {
            tenant: sidegate::identity::TenantSlug::default(),
            apply,
        };
        let answer: AccountsRow = self.gate.ask(asked).await;
        (answer.counts.iter().copied().collect(), answer)
    }

    /// Everybody whom SCIM lists, page by page.
    async fn everybody(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let target = format!("/Users?count=200&startIndex={}", all.len() + 1);
            let page: Value = self.idp.get(&target).await.json();
            let items = page["Resources"].as_array().cloned().unwrap_or_default();
            if items.is_empty() {
                return all;
            }
            all.extend(items);
        }
    }
}

/// As the app's own list: mostly as it writes names, some in other letters.
fn rows() -> String {
    let mut rows = String::from("userName,email\n");
    let mut add = |name: String| rows.extend([&name, ",", &name, "@example.com\n"]);
    (0..EXACT).for_each(|number| add(format!("exact{number}")));
    (0..CASE).for_each(|number| add(format!("case{number}")));
    (0..PAIRS).for_each(|number| add(format!("pair{number}")));
    rows
}

fn fill(app: &StubApp) {
    let add = |name: String| {
        app.account(&name, |its| its.name.clear());
    };
    (0..EXACT).for_each(|number| add(format!("exact{number}")));
    (0..CASE).for_each(|number| add(format!("Case{number}")));
    (0..PAIRS).for_each(|number| add(format!("Pair{number}")));
    (0..PAIRS).for_each(|number| add(format!("PAIR{number}")));
}

/// The directory knows its people before it knows of the app's API.
async fn start() -> World {
    let app = StubApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let file = gate.folder.join("people.csv");
    std::fs::write(&file, rows()).unwrap();
    gate.operator(&format!("user import {} --apply", file.display()))
        .await;
    let folder = gate.stop();
    fill(&app);
    let settings = format!("{LOCAL}{CONNECTOR}");
    let gate = Sidegate::start_in(folder, &app.url(), &settings).await;
    let idp = ScimClient::new(&gate).await;
    World { app, gate, idp }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_accounts_are_linked_and_none_is_made() {
    let mut world = start().await;
    let before = world.everybody().await.len();
    assert_eq!(before, EXACT + CASE + PAIRS);
    let planned = [
        (Plan::Exact, EXACT),
        (Plan::Case, CASE),
        (Plan::Ambiguous, 2 * PAIRS),
    ];
    for apply in [false, true] {
        let (counts, answer) = world.plan(apply).await;
        assert_eq!(counts, BTreeMap::from(planned), "apply: {apply}");
        let listed = answer.rows.iter().filter(|row| row.plan == Plan::Ambiguous);
        assert_eq!(listed.count(), 2 * PAIRS, "each is listed");
    }
    assert_eq!(world.everybody().await.len(), before, "none is made here");
    for kind in ["POST", "PATCH", "PUT", "DELETE"] {
        assert_eq!(world.app.count(kind), 0, "none is touched there");
    }
    let again = [(Plan::Linked, EXACT + CASE), (Plan::Ambiguous, 2 * PAIRS)];
    let people = world.app.state().people.clone();
    for apply in [false, true] {
        let (counts, _) = world.plan(apply).await;
        assert_eq!(counts, BTreeMap::from(again), "the second run");
    }
    assert_eq!(world.app.state().people, people);
    assert_eq!(world.everybody().await.len(), before);
    assert!(world.owed().await.is_empty());
    let said = world
        .gate
        .operator("user import --from connector --apply")
        .await;
    for line in [
        "linked before: 980",
        "linked, by exact name: 0",
        "ambiguous, left alone: 20",
    ] {
        assert!(said.contains(line), "{said}");
    }
    // A change of somebody linked reaches their account.
    let found = world.idp.find("/Users", "userName eq \"CASE7\"").await;
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let answer = world.change(&id, "active", json!("False")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!world.app.one("case7").active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_only_the_app_has_is_found_before_and_listed_after() {
    let mut world = World::start("").await;
    world.app.account("ada", |_| {});
    let eve = world.app.account("eve", |eve| eve.active = false);
    world
        .app
        .account("bob", |bob| bob.email = "carol@example.com".to_owned());
    world.gate.person("carol", &[]).await;
    let found = world.idp.find("/Users", "userName eq \"ada\"").await;
    assert_eq!(found.len(), 1, "before anything is imported: {found:?}");
    let (counts, _) = world.plan(false).await;
    let planned = [(Plan::Linked, 2), (Plan::New, 1), (Plan::Ambiguous, 1)];
    assert_eq!(counts, BTreeMap::from(planned));
    assert_eq!(world.everybody().await.len(), 2, "a plan changes nothing");
    world.plan(true).await;
    let all = world.everybody().await;
    let names: Vec<_> = all.iter().map(|user| user["userName"].as_str()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let its = all.iter().find(|user| user["userName"] == "eve").unwrap();
    assert_eq!(its["active"], false, "as the app has her");
    assert_eq!(world.app.count("POST "), 1, "carol alone was made");
    let id = its["id"].as_str().unwrap().to_owned();
    let answer = world.change(&id, "active", json!("True")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(world.app.state().people[&eve].active);
    let answer = world.idp.post("/Users", &user("eve")).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    // The account that is never touched is never shown.
    assert!(
        world
            .idp
            .find("/Users", "userName eq \"root\"")
            .await
            .is_empty()
    );
    // What cannot be in an address of the app is nobody's name there.
    for name in ["..", ".", "a/../root"] {
        let filter = format!("userName eq \"{name}\"");
        assert!(world.idp.find("/Users", &filter).await.is_empty(), "{name}");
    }
}
