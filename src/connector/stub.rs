//! For tests: an app with people and teams, in memory. What it does otherwise than a good one is a twist.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::Connector;
use crate::config;

/// Answers in place of the app, where it gives something.
type Twist = Box<dyn FnMut(&mut State, &str, &str, &Value) -> Option<(u16, Value)> + Send>;

/// Its API, as an operator writes it down.
pub(super) const API: &str = r#"
[api]
base = "{url}"
per_second = 10000
[users]
[users.fields]
login = "userName"
name = "displayName"
mail = "emails.value"
active = "active"
[users.list]
call = "GET /people?offset={offset}&limit={limit}"
items = "/items"
page = { style = "offset", size = 100 }
[users.find.userName]
call = "GET /people?login={value}"
items = "/items"
[users.get]
call = "GET /people/{id}"
[users.create]
call = "POST /people"
body = "{fields}"
new_id = "/id"
[users.update]
call = "PATCH /people/{id}"
body = "{fields}"
[users.delete]
call = "DELETE /people/{id}"
[groups]
[groups.fields]
name = "displayName"
[groups.list]
call = "GET /teams"
items = "/items"
[groups.get]
call = "GET /teams/{id}"
[groups.create]
call = "POST /teams"
body = "{fields}"
new_id = "/id"
[groups.update]
call = "PATCH /teams/{id}"
body = "{fields}"
[groups.delete]
call = "DELETE /teams/{id}"
"#;

/// The team holds its people.
pub(super) const GROUP_FIELD: &str = r#"
[groups.members]
mode = "group_field"
read = "/members"
ref = "/id"
as = { id = "{x|int}" }
set = { call = "PATCH /teams/{group}", body = { members = "{users}" } }
"#;

/// People hold their teams.
pub(super) const USER_FIELD: &str = r#"
[groups.members]
mode = "user_field"
read = "/teams"
as = "{x|int}"
set = { call = "PATCH /people/{user}", body = { teams = "{groups}" } }
"#;

/// What it holds.
#[derive(Default)]
pub(super) struct State {
    pub(super) people: BTreeMap<u64, Value>,
    pub(super) teams: BTreeMap<u64, Value>,
    last: u64,
    /// `METHOD /path body`
    pub(super) seen: Vec<String>,
}

impl State {
    /// Somebody who was there; gives the id.
    pub(super) fn put(&mut self, what: &str, mut record: Value) -> u64 {
        self.last = self.last.saturating_add(1);
        let id = self.last;
        record["id"] = id.into();
        self.all(what).insert(id, record);
        id
    }

    fn all(&mut self, what: &str) -> &mut BTreeMap<u64, Value> {
        match what {
            "people" => &mut self.people,
            _ => &mut self.teams,
        }
    }

    /// What a good app does.
    pub(super) fn handle(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let pieces: Vec<_> = path.trim_matches('/').split('/').collect();
        let key = if pieces[0] == "people" {
            "login"
        } else {
            "name"
        };
        let all = self.all(pieces[0]);
        let same = |one: &Value, name: &Value| {
            let low = |it: &Value| it.as_str().map(str::to_lowercase);
            low(one) == low(name)
        };
        let id = pieces.get(1).and_then(|id| id.parse::<u64>().ok());
        let taken = all
            .iter()
            .any(|(its, one)| Some(*its) != id && same(&one[key], &body[key]));
        match (method, id) {
            ("GET", None) if pieces.len() == 1 => {
                let login = asked.get("login").map(|login| Value::from(login.as_str()));
                let fits = |one: &&Value| login.as_ref().is_none_or(|it| same(&one["login"], it));
                let number = |name: &str| asked.get(name).and_then(|it| it.parse().ok());
                let page = all.values().filter(fits);
                let page = page.skip(number("offset").unwrap_or(0));
                let page: Vec<_> = page.take(number("limit").unwrap_or(1000)).collect();
                (200, json!({ "items": page }))
            }
            ("POST", None) if taken => (409, json!({ "error": "taken" })),
            ("POST", None) => {
                let mut record = body.clone();
                if record["active"].is_null() && key == "login" {
                    record["active"] = true.into();
                }
                let id = self.put(pieces[0], record);
                (201, self.all(pieces[0])[&id].clone())
            }
            (_, Some(id)) if all.contains_key(&id) => match method {
                "DELETE" => (204, all.remove(&id).map(|_| Value::Null).unwrap()),
                "PATCH" if taken => (409, json!({ "error": "taken" })),
                "PATCH" => {
                    let record = all.get_mut(&id).unwrap().as_object_mut().unwrap();
                    record.extend(body.as_object().unwrap().clone());
                    (200, all[&id].clone())
                }
                _ => (200, all[&id].clone()),
            },
            _ => (404, json!({ "error": "nobody" })),
        }
    }
}

/// The running app.
pub(super) struct StubApi {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    twist: Mutex<Option<Twist>>,
    /// Answers to changes wait so long.
    slow: Mutex<Duration>,
}

impl StubApi {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&served);
                let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                let stream = TokioIo::new(stream);
                tokio::spawn(http1::Builder::new().serve_connection(stream, service));
            }
        });
        Self { url, shared }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Everything that it holds by now.
    pub(super) fn all(&self) -> (BTreeMap<u64, Value>, BTreeMap<u64, Value>) {
        let state = self.state();
        (state.people.clone(), state.teams.clone())
    }

    /// From now on it does this; `None` is what it did before.
    pub(super) fn twist(
        &self,
        twist: impl FnMut(&mut State, &str, &str, &Value) -> Option<(u16, Value)> + Send + 'static,
    ) {
        *self.shared.twist.lock().unwrap() = Some(Box::new(twist));
    }

    /// Changes count so long after they were asked for, as over a network.
    pub(super) fn slow(&self, by: Duration) {
        *self.shared.slow.lock().unwrap() = by;
    }

    /// A connector to it.
    pub(super) fn connector(&self, text: &str) -> Connector {
        let text = text.replace("{url}", &self.url);
        let settings = config::Connector::from_text(&text, None, None);
        Connector::new(settings.unwrap_or_else(|error| panic!("{error}\n{text}"))).unwrap()
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<bytes::Bytes>>, Infallible> {
    let (method, target) = (request.method().to_string(), request.uri().to_string());
    let body = crate::web::read(request.into_body(), 65_536, Duration::from_secs(5)).await;
    let body: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let wait = *shared.slow.lock().unwrap();
    if method != "GET" && !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let mut state = shared.state.lock().unwrap();
    state.seen.push(format!("{method} {target} {body}"));
    let mut twist = shared.twist.lock().unwrap();
    let twisted = twist
        .as_mut()
        .and_then(|twist| twist(&mut state, &method, &target, &body));
    let (status, document) = twisted.unwrap_or_else(|| state.handle(&method, &target, &body));
    let text = if document.is_null() {
        String::new()
    } else {
        document.to_string()
    };
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(reply)
}
