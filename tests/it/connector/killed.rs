//! kill -9 between any two steps: one account, one link, and whoever asks again gets what they asked for.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::LOCAL;
use crate::support::{Answer, CONNECTOR, Process, ScimClient, StubApp, Trouble, new_folder, user};

/// Our server as a process before an app, and the token of who provisions.
pub(super) struct Mortal {
    pub(super) gate: Process,
    url: String,
    settings: String,
    variables: Vec<(String, String)>,
    token: String,
}

impl Mortal {
    pub(super) async fn start(url: &str, settings: &str, variables: &[(&str, &str)]) -> Self {
        // With an idp of its own nobody has to choose.
        let local = if settings.contains("[[idp]]") {
            ""
        } else {
            LOCAL
        };
        let settings = format!("{local}log.access = false\n{settings}");
        let gate = Process::start_knowing(new_folder(), url, &settings, variables).await;
        let shown = gate.operator("token create --tenant default --name idp");
        let token = ScimClient::read_token(&shown.await);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            gate,
            url: url.to_owned(),
            settings,
            variables: variables.iter().map(own).collect(),
            token,
        }
    }

    pub(super) fn idp(&self) -> ScimClient {
        ScimClient::at(self.gate.program(), "default", &self.token)
    }

    pub(super) async fn kill_and_start(self) -> Self {
        let folder = self.gate.kill().await;
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = variables.collect();
        let gate = Process::start_knowing(folder, &self.url, &self.settings, &variables).await;
        Self { gate, ..self }
    }

    pub(super) async fn owed(&self) -> Value {
        let shown = self.gate.operator("connector owed --json").await;
        serde_json::from_str(&shown).unwrap()
    }

    pub(super) async fn settles(&self, what: &str) {
        let settled = async { while self.owed().await != json!([]) {} };
        let settled = timeout(Duration::from_secs(90), settled).await;
        assert!(settled.is_ok(), "{what}: {}", self.owed().await);
    }

    /// Asks again and again, as idps do, until it is done; what is gone already is deleted.
    pub(super) async fn insist(&self, request: &Request, what: &str) -> Answer {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let answer = self
                .idp()
                .try_send(request.0.clone(), &request.1, &request.2)
                .await;
            let answer = answer.unwrap_or_else(|| panic!("{what}: no answer"));
            let gone = answer.status == 404 && request.0 == Method::DELETE;
            if answer.status.is_success() || gone {
                return answer;
            }
            assert_eq!(answer.status, 503, "{what}: {}", answer.text());
            assert!(Instant::now() < until, "{what}: {}", answer.text());
        }
    }
}

/// Method, path and body of a request that is made again and again.
pub(super) struct Request(pub(super) Method, pub(super) String, pub(super) Value);

pub(super) fn patch(id: &str, changes: &[(&str, &str)]) -> Request {
    let one =
        |(path, value): &(&str, &str)| json!({ "op": "Replace", "path": path, "value": value });
    let operations: Vec<_> = changes.iter().map(one).collect();
    let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let body = json!({ "schemas": [schema], "Operations": operations });
    Request(Method::PATCH, format!("/Users/{id}"), body)
}

/// What one person goes through: request, and the calls at the app at which the process is killed.
const STEPS: [(&str, &[&str]); 6] = [
    (
        "create",
        &["GET /people?login", "POST /people", "GET /people/"],
    ),
    (
        "rename",
        &["GET /people?login", "GET /people/", "PATCH /people"],
    ),
    ("change", &["GET /people/", "PATCH /people"]),
    ("deactivate", &["GET /people/", "PATCH /people"]),
    ("activate", &["GET /people/", "PATCH /people"]),
    ("delete", &["GET /people/", "DELETE /people"]),
];

/// Kills the process at this call, before or after the app has done it; whoever asks again is answered well.
async fn die_at(
    app: &StubApp,
    mut gate: Mortal,
    request: &Request,
    (calls, trouble): (&str, Trouble),
    what: &str,
) -> (Mortal, Answer) {
    app.trouble(calls, trouble);
    let mut idp = gate.idp();
    let (method, path, body) = (request.0.clone(), request.1.clone(), request.2.clone());
    let asking = tokio::spawn(async move { idp.try_send(method, &path, &body).await });
    let met = timeout(Duration::from_secs(20), app.met()).await;
    assert!(met.is_ok(), "{what}: the app is not asked");
    app.recover();
    gate = gate.kill_and_start().await;
    assert!(asking.await.unwrap().is_none(), "{what}: killed");
    // What was on its way to the app when the process ended arrives all the same.
    app.catch_up();
    let answer = gate.insist(request, what).await;
    (gate, answer)
}

async fn at_every_call(connector: &str) {
    let app = StubApp::start().await;
    let mut gate = Mortal::start(&app.url(), connector, &[]).await;
    for (number, done) in [false, true].into_iter().enumerate() {
        let trouble = Trouble::Silent { done };
        let most = STEPS.iter().map(|(_, calls)| calls.len()).max().unwrap();
        for nth in 0..most {
            let (name, other) = (format!("ada-{number}-{nth}"), format!("eve-{number}-{nth}"));
            let mut id = String::new();
            for (step, calls) in STEPS {
                let what = format!("{step}, call {nth}, done: {done}");
                let request = match step {
                    "create" => Request(Method::POST, "/Users".to_owned(), user(&name)),
                    "rename" => patch(&id, &[("userName", &other)]),
                    "change" => patch(&id, &[("displayName", "Eve")]),
                    "deactivate" => patch(&id, &[("active", "False")]),
                    "activate" => patch(&id, &[("active", "True")]),
                    _ => Request(Method::DELETE, format!("/Users/{id}"), Value::Null),
                };
                let answer = match calls.get(nth) {
                    None => gate.insist(&request, &what).await,
                    Some(calls) => {
                        let at = (*calls, trouble);
                        let died = die_at(&app, gate, &request, at, &what).await;
                        gate = died.0;
                        died.1
                    }
                };
                if step == "create" {
                    assert_eq!(answer.status, 201, "{what}: {}", answer.text());
                    let made: Value = answer.json();
                    made["id"].as_str().unwrap().clone_into(&mut id);
                }
                gate.settles(&what).await;
                let (before, after) = (app.named(&name), app.named(&other));
                let counts = match step {
                    "create" => (1, 0),
                    "delete" => (0, 0),
                    _ => (0, 1),
                };
                assert_eq!((before.len(), after.len()), counts, "{what}");
                if let Some((_, account)) = after.first() {
                    assert_eq!(account.active, step != "deactivate", "{what}");
                    let new = step != "rename";
                    assert_eq!(account.name == "Eve", new, "{what}: {account:?}");
                }
            }
        }
    }
    let left = app.state().people.len();
    assert_eq!(left, 1, "root alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_call_of_the_app() {
    at_every_call(CONNECTOR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_call_of_an_app_whose_id_is_the_name() {
    let connector = CONNECTOR
        .replace(
            "[connector.users]\n",
            "[connector.users]\nid = \"/login\"\n",
        )
        .replace(
            "body   = \"{fields}\"\nnew_id = \"/id\"\n[connector.users.update]",
            "body   = \"{fields}\"\nnew_id = \"/login\"\n[connector.users.update]",
        );
    assert_eq!(connector.matches("\"/login\"").count(), 2);
    at_every_call(&connector).await;
}
