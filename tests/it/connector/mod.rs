//! The app's own user API behind provisioning: apps of ours that misbehave as told, and real ones.

mod administrators;
mod away;
mod checked;
mod drifted;
mod drifted_groups;
mod imported;
mod inherited;
mod kanboard;
mod killed;
mod miniflux;
mod teams;
mod troubles;
mod turned_down;
mod two_tenants;
mod unlinked;
mod unsaid;
mod whose;
mod why;

use std::time::Duration;

use serde_json::{Value, json};
use sidegate::server::control::{Operation, OwedRow};

use crate::support::{Answer, CONNECTOR, ScimClient, Sidegate, StubApp};

const LOCAL: &str = "local.enabled = true\nlocal.bcrypt_cost = 4\n";

/// The stub app, us before it, and who provisions.
struct World {
    app: StubApp,
    gate: Sidegate,
    idp: ScimClient,
}

impl World {
    async fn start(settings: &str) -> Self {
        Self::with(settings, CONNECTOR).await
    }

    /// With another connector.
    async fn with(settings: &str, connector: &str) -> Self {
        let app = StubApp::start().await;
        let settings = format!("{LOCAL}{settings}\n{connector}");
        let gate = Sidegate::start(&app.url(), &settings).await;
        let idp = ScimClient::new(&gate).await;
        Self { app, gate, idp }
    }

    /// What the app has yet to follow.
    async fn owed(&self) -> Vec<OwedRow> {
        self.follow(false).await
    }

    async fn follow(&self, retry: bool) -> Vec<OwedRow> {
        self.gate.ask(Operation::ConnectorOwed { retry }).await
    }

    /// Nothing is owed once all of it was tried.
    async fn settles(&self, what: &str) {
        let left = self.follow(true).await;
        assert!(left.is_empty(), "{what}: {left:?}");
    }

    /// Nothing is owed in a moment, without anybody's help.
    async fn settles_by_itself(&self, what: &str) {
        let settled = async { while !self.owed().await.is_empty() {} };
        let settled = tokio::time::timeout(Duration::from_secs(40), settled).await;
        assert!(settled.is_ok(), "{what}: {:?}", self.owed().await);
    }

    /// An operator links everybody whom the app had before; gives the ids of these.
    async fn import(&mut self, names: &[&str]) -> Vec<String> {
        let command = "user import --from connector --apply";
        self.gate.operator(command).await;
        let mut ids = Vec::new();
        for name in names {
            let filter = format!("userName eq \"{name}\"");
            let found = self.idp.find("/Users", &filter).await;
            ids.push(found[0]["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// The app is well again, and has had the rest that it asked for: whoever asks comes again when they are told to.
    async fn recovers(&mut self) {
        self.app.recover();
        let asked = "/Users?filter=userName%20eq%20%22nobody%22";
        let rested = async {
            loop {
                let answer = self.idp.get(asked).await;
                if answer.status == 200 {
                    return;
                }
                let wait = answer.header("retry-after");
                let wait = wait.and_then(|it| it.parse().ok()).unwrap_or(1);
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
        };
        let rested = tokio::time::timeout(Duration::from_secs(20), rested).await;
        assert!(rested.is_ok(), "the app is left alone for good");
    }

    async fn user(&mut self, id: &str) -> Value {
        let answer = self.idp.get(&format!("/Users/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// One attribute, as Entra ID changes it.
    async fn change(&mut self, id: &str, path: &str, value: Value) -> Answer {
        let operation = json!([{ "op": "Replace", "path": path, "value": value }]);
        self.idp.patch(&format!("/Users/{id}"), operation).await
    }
}
