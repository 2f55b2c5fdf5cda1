//! What changed of groups in the app behind our back.

use serde_json::Value;

use super::World;
use crate::support::{Ran, Team, run};

impl World {
    /// Runs `connector drift`; gives name, kind, note and whether it was mended of each group, and the exit code.
    async fn drift_of_groups(&self, mend: &str) -> (i32, Vec<(String, String, String, bool)>) {
        let line = format!("connector drift --json{mend}");
        let Ran(code, out, err) = run(self.gate.config(), &line, "").await;
        let found: Vec<Value> = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let groups = found.iter().filter(|it| it["type"] == "group");
        let told = groups.map(|it| {
            let mended = it["mended"].as_bool().unwrap();
            (
                text(&it["login"]),
                text(&it["kind"]),
                text(&it["note"]),
                mended,
            )
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        (code, told)
    }

    fn team_of(&self, name: &str, with: impl FnOnce(&mut Team)) {
        let mut state = self.app.state();
        let team = state.teams.values_mut().find(|team| team.name == name);
        with(team.unwrap());
    }
}

fn rows(all: &[(&str, &str, &str, bool)]) -> Vec<(String, String, String, bool)> {
    let own = |(name, kind, note, mended): &(&str, &str, &str, bool)| {
        let [name, kind, note] = [name, kind, note].map(|text| (*text).to_owned());
        (name, kind, note, *mended)
    };
    all.iter().map(own).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_told_and_mended_by_choice() {
    let mut world = World::start("").await;
    let ada = world.idp.person("ada").await;
    let fay = world.idp.person("fay").await;
    world.idp.person("hal").await;
    world.idp.group("Crew", &[&ada]).await;
    world.idp.group("Lost", &[&ada]).await;
    world.idp.group("Vault", &[&ada, &fay]).await;
    assert_eq!(world.drift_of_groups("").await, (0, Vec::new()));

    let mallory = world.app.account("mallory", |its| its.active = false);
    let [fay, hal] = ["fay", "hal"].map(|name| world.app.named(name)[0].0);
    world.team_of("Vault", |its| {
        its.members.remove(&fay);
        its.members.extend([hal, mallory]);
    });
    world.team_of("Crew", |its| "Gang".clone_into(&mut its.name));
    world.app.state().teams.retain(|_, its| its.name != "Lost");
    let crew = ("Crew", "changed", "is called \"Gang\" there", false);
    let vault = "lacks fay; added hal; unknown mallory";
    let vault = ("Vault", "changed", vault, false);
    let lost = |mended| ("Lost", "missing", "it is gone", mended);
    let calls = ["P", "D"].map(|method| world.app.count(method));
    let told = rows(&[crew, lost(false), vault]);
    assert_eq!(world.drift_of_groups("").await, (1, told));
    let after = ["P", "D"].map(|method| world.app.count(method));
    assert_eq!(calls, after, "told, and nothing else");
    let Ran(_, table, _) = run(world.gate.config(), "connector drift", "").await;
    assert!(
        table.contains("group") && table.contains("Vault"),
        "{table}"
    );

    let told = rows(&[crew, lost(true), vault]);
    assert_eq!(world.drift_of_groups(" --mend missing").await, (1, told));
    assert_eq!(world.app.team("Lost"), ["ada"]);
    let (code, told) = world.drift_of_groups(" --mend changed").await;
    assert_eq!(code, 1, "{told:?}");
    let [(_, _, why, false), left] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        why.contains("is called \"Gang\" there, not \"Crew\""),
        "{why}"
    );
    let vault = "unknown mallory, also after the change";
    assert_eq!(*left, rows(&[("Vault", "changed", vault, false)])[0]);
    assert_eq!(world.app.team("Vault"), ["ada", "fay", "mallory"]);

    world.team_of("Gang", |its| "Crew".clone_into(&mut its.name));
    world.team_of("Vault", |its| assert!(its.members.remove(&mallory)));
    assert_eq!(world.drift_of_groups("").await, (0, Vec::new()));
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_made_again_is_in_their_groups_again() {
    let mut world = World::start("").await;
    let ada = world.idp.person("ada").await;
    let carol = world.idp.person("carol").await;
    world.idp.group("Crew", &[&ada, &carol]).await;
    world
        .app
        .state()
        .people
        .retain(|_, its| its.login != "carol");
    assert_eq!(world.drift_of_groups("").await, (1, Vec::new()), "she is");
    let mended = world.drift_of_groups(" --mend missing").await;
    assert_eq!(mended, (0, Vec::new()));
    assert_eq!(world.app.team("Crew"), ["ada", "carol"]);
}
