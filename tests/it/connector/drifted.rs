//! What changed in the app behind our back, and whom nobody ever shuts out there.

use serde_json::{Value, json};

use super::World;
use crate::scim::refused;
use crate::support::{Ran, Trouble, run};

impl World {
    /// Runs `connector drift`; gives kind, login and whether it was mended of each line, and the exit code.
    pub(super) async fn drift(&self, mend: &str) -> (i32, Vec<(String, String, bool)>) {
        let line = match mend {
            "" => "connector drift --json".to_owned(),
            mend => format!("connector drift --json --mend {mend}"),
        };
        let Ran(code, out, err) = run(self.gate.config(), &line, "").await;
        let found: Vec<Value> = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let told = found.iter().map(|it| {
            let mended = it["mended"].as_bool().unwrap();
            (text(&it["kind"]), text(&it["login"]), mended)
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        (code, told)
    }
}

fn lines(all: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
    let own = |(kind, login, mended): &(&str, &str, bool)| {
        ((*kind).to_owned(), (*login).to_owned(), *mended)
    };
    all.iter().map(own).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drift_is_told_and_mended_by_choice() {
    let mut world = World::start("").await;
    let ada = world.idp.person("ada").await;
    for name in ["bob", "carol", "dora"] {
        world.idp.person(name).await;
    }
    world.idp.group("crew", &[&ada]).await;
    assert_eq!(world.drift("").await, (0, Vec::new()));
    {
        let mut state = world.app.state();
        let ids: Vec<_> = state.people.keys().copied().collect();
        for id in ids {
            let its = state.people.get_mut(&id).unwrap();
            match its.login.as_str() {
                "ada" => its.active = false,
                "bob" => "Robert".clone_into(&mut its.name),
                "carol" => drop(state.people.remove(&id)),
                _ => {}
            }
        }
    }
    world.app.account("mallory", |_| {});
    let told = |changed, missing, added| {
        lines(&[
            ("added", "mallory", added),
            ("changed", "ada", changed),
            ("changed", "bob", changed),
            ("missing", "carol", missing),
        ])
    };
    let calls = world.app.count("P");
    assert_eq!(world.drift("").await, (1, told(false, false, false)));
    assert_eq!(world.app.count("P"), calls, "told, and nothing else");
    assert_eq!(world.drift("missing").await, (1, told(false, true, false)));
    assert_eq!(world.app.one("carol").name, "Display of carol");
    assert!(!world.app.one("ada").active, "not asked for");
    let left = lines(&[
        ("added", "mallory", true),
        ("changed", "ada", true),
        ("changed", "bob", true),
    ]);
    assert_eq!(world.drift("changed,added").await, (0, left));
    assert!(world.app.one("ada").active);
    assert_eq!(world.app.one("bob").name, "Display of bob");
    assert!(!world.app.one("mallory").active);
    assert_eq!(world.drift("").await, (0, Vec::new()), "all is well");
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_stays() {
    let mut world = World::start("").await;
    // `root` is never touched and counts as one; here it is none.
    {
        let mut state = world.app.state();
        for its in state.people.values_mut() {
            its.admin = false;
        }
    }
    let boss = world.app.account("boss", |boss| boss.admin = true);
    let deputy = world.app.account("deputy", |deputy| deputy.admin = true);
    let ids = world.import(&["boss", "deputy"]).await;
    let answer = world.change(&ids[1], "active", json!("False")).await;
    assert_eq!(answer.status, 200, "one is left: {}", answer.text());
    assert!(!world.app.state().people[&deputy].active);
    let answer = world.change(&ids[0], "active", json!("False")).await;
    let detail = refused(&answer, 403, "the last");
    assert!(detail.contains("last administrator"), "{detail}");
    assert!(world.app.state().people[&boss].active, "in the app");
    assert_eq!(world.user(&ids[0]).await["active"], false, "out here");
    assert!(world.owed().await.is_empty());
    let (_, told) = world.drift("changed").await;
    assert_eq!(told, lines(&[("changed", "boss", false)]));
    assert!(world.app.state().people[&boss].active);
    let answer = world.idp.delete(&format!("/Users/{}", ids[0])).await;
    refused(&answer, 403, "deleted here, kept there");
    assert!(world.app.state().people[&boss].active);
    assert!(world.owed().await.is_empty());
    let (_, told) = world.drift("added").await;
    assert_eq!(told, lines(&[("added", "boss", false)]), "nobody's now");
    assert!(world.app.state().people[&boss].active);
    let answer = world.idp.delete(&format!("/Users/{}", ids[0])).await;
    refused(&answer, 404, "again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_last_administrators_do_not_leave_together() {
    let mut world = World::start("").await;
    world.app.state().people.clear();
    for name in ["boss", "deputy"] {
        world.app.account(name, |its| its.admin = true);
    }
    let ids = world.import(&["boss", "deputy"]).await;
    let token = world.idp.token().to_owned();
    let mut other = crate::support::ScimClient::with(&world.gate, "default", &token);
    let (first, second) = (format!("/Users/{}", ids[0]), format!("/Users/{}", ids[1]));
    // Each is told who administers before the other has gone.
    world.app.trouble("GET /people?offset=0", Trouble::Together);
    let out = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    let both = tokio::join!(
        world.idp.patch(&first, out.clone()),
        other.patch(&second, out)
    );
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    let state = world.app.state();
    assert_eq!(state.people.values().filter(|its| its.active).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_ignored_are_never_touched() {
    let mut world = World::start("provisioning.adopt = \"post\"").await;
    let root = world.app.one("root");
    let id = world.idp.person("ada").await;
    for answer in [
        world
            .idp
            .post("/Users", &crate::support::user("root"))
            .await,
        world
            .idp
            .post("/Users", &crate::support::user("ROOT"))
            .await,
        world.change(&id, "userName", json!("root")).await,
        world.change(&id, "userName", json!("Root")).await,
    ] {
        refused(&answer, 400, "never touched");
    }
    assert_eq!(world.drift("added,changed,missing").await, (0, Vec::new()));
    let said = world
        .gate
        .operator("user import --from connector --apply")
        .await;
    assert!(
        said.contains("linked before: 1") && !said.contains("root"),
        "{said}"
    );
    // Renamed into one behind our back: then it is one.
    for its in world.app.state().people.values_mut() {
        if its.login == "ada" {
            "ROOT".clone_into(&mut its.login);
        }
    }
    let answer = world.change(&id, "active", json!("False")).await;
    refused(&answer, 400, "not ours any more");
    let all: Vec<_> = world
        .app
        .named("root")
        .into_iter()
        .map(|(_, its)| its)
        .collect();
    assert!(
        all.contains(&root) && all.iter().all(|its| its.active),
        "{all:?}"
    );
}
