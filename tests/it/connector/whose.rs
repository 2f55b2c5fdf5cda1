//! The app gives an id to somebody else: nobody is written to, an operator sees it, and gets out of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sidegate::identity::TenantSlug;
use sidegate::provision::Plan;
use sidegate::server::control::{AccountsRow, Operation};

use super::World;
use crate::scim::refused;
use crate::support::{Ran, run};

impl World {
    async fn told(&self, line: &str) -> Vec<Value> {
        let Ran(_, out, err) = run(self.gate.config(), line, "").await;
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{line}: {out}{err}"))
    }

    /// What an import of the app's accounts would do, or does.
    async fn planned(&self, apply: bool) -> BTreeMap<Plan, usize> {
        let asked = Operation::UserImportAccounts {
            tenant: TenantSlug::default(),
            apply,
        };
        let answer: AccountsRow = self.gate.ask(asked).await;
        let counts = answer.counts.into_iter();
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// As a database that was restored, or counts up from the highest number left.
    fn rename_there(&self, from: &str, to: &str) {
        let (id, mut account) = self.app.named(from).remove(0);
        to.clone_into(&mut account.login);
        account.email = format!("{to}@example.com");
        self.app.state().people.insert(id, account);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_an_account_that_has_another_name_by_now_is_left() {
    let mut world = World::start("").await;
    let (ada, bob) = (world.idp.person("ada").await, world.idp.person("bob").await);
    let crew = world.idp.group("crew", &[]).await;
    world.rename_there("ada", "carol");
    world.rename_there("bob", "dora");
    let before = (world.app.one("carol"), world.app.one("dora"));
    let changed = world.change(&ada, "displayName", json!("Ada L")).await;
    refused(&changed, 409, "a change");
    assert!(changed.text().contains("is called"), "{}", changed.text());
    let joins = json!([{ "op": "Add", "path": "members", "value": [{ "value": ada }] }]);
    let joined = world.idp.patch(&format!("/Groups/{crew}"), joins).await;
    refused(&joined, 409, "a member");
    assert!(world.app.team("crew").is_empty());
    refused(
        &world.idp.delete(&format!("/Users/{bob}")).await,
        409,
        "a deletion",
    );
    assert_eq!((world.app.one("carol"), world.app.one("dora")), before);

    let drift = world.told("connector drift --json --mend changed").await;
    let its = drift.iter().find(|it| it["login"] == "ada").unwrap();
    assert_eq!(
        (&its["kind"], &its["mended"]),
        (&json!("changed"), &json!(false))
    );
    assert!(its["note"].as_str().unwrap().contains("\"carol\""), "{its}");
    assert_eq!((world.app.one("carol"), world.app.one("dora")), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_of_another_name_is_linked_again() {
    let mut world = World::start("").await;
    let (ada, bob) = (world.idp.person("ada").await, world.idp.person("bob").await);
    // Renamed there by an admin: the same name at the idp ends it.
    world.rename_there("bob", "robert");
    let changed = world.change(&bob, "displayName", json!("Rob")).await;
    refused(&changed, 409, "as it is");
    let renamed = world.change(&bob, "userName", json!("robert")).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let named = world.change(&bob, "displayName", json!("Rob")).await;
    assert_eq!(named.status, 200, "{}", named.text());
    assert_eq!(world.app.one("robert").name, "Rob");
    // Somebody else's: an import links both by their names.
    world.rename_there("ada", "carol");
    world.app.account("ada", |_| {});
    let plans = BTreeMap::from([(Plan::Linked, 1), (Plan::Exact, 1), (Plan::New, 1)]);
    assert_eq!(world.planned(false).await, plans);
    let changed = world.change(&ada, "displayName", json!("A")).await;
    refused(&changed, 409, "a plan changes nothing");
    assert_eq!(world.planned(true).await, plans);
    let changed = world.change(&ada, "displayName", json!("Ada L")).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(world.app.one("ada").name, "Ada L");
    assert_eq!(world.app.one("carol").name, "Display of ada");
}
