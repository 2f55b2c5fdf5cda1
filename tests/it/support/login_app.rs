//! An app that reads no header: a user API, a login form with a CSRF field, a login API, HTTP Basic, a session cookie.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sidegate::crypto::random_token;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

type Reply = Response<Full<Bytes>>;

/// Whoever signs in is kept waiting this long for a second one to come.
const SECOND_ONE: Duration = Duration::from_millis(300);

/// A running app.
pub struct LoginApp {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    people: Mutex<BTreeMap<u64, (String, String)>>,
    /// Sessions by cookie: whose they are; nobody's are those of the sign-in page.
    sessions: Mutex<BTreeMap<String, Option<String>>>,
    attempts: Mutex<usize>,
    seen: Mutex<Vec<(String, String)>>,
    /// Answers of the user API that are held back, and whether one is.
    hold: Mutex<bool>,
    held: Notify,
    another: Notify,
}

impl LoginApp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let its = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&its);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&state), request));
                    let serving = hyper::server::conn::http1::Builder::new();
                    let _ended = serving
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody who was there before.
    pub fn add(&self, name: &str, password: &str) {
        add(&self.state, name, password);
    }

    /// Name and password of everybody.
    pub fn people(&self) -> Vec<(String, String)> {
        self.state
            .people
            .lock()
            .unwrap()
            .values()
            .cloned()
            .collect()
    }

    /// As its administrator might.
    pub fn set_password(&self, name: &str, password: &str) {
        let mut people = self.state.people.lock().unwrap();
        let found = people.values_mut().find(|(its, _)| its == name).unwrap();
        password.clone_into(&mut found.1);
    }

    /// How often somebody tried to sign in.
    pub fn attempts(&self) -> usize {
        *self.state.attempts.lock().unwrap()
    }

    /// Cookies of sessions in which somebody is signed in.
    pub fn sessions(&self) -> Vec<String> {
        let sessions = self.state.sessions.lock().unwrap();
        let signed_in = sessions.iter().filter(|(_, who)| who.is_some());
        signed_in.map(|(id, _)| id.clone()).collect()
    }

    /// All sessions end, as when it is started anew.
    pub fn end_sessions(&self) {
        self.state.sessions.lock().unwrap().clear();
    }

    /// Method, target and cookies of what came past the user API.
    pub fn seen(&self) -> Vec<(String, String)> {
        self.state.seen.lock().unwrap().clone()
    }

    /// From now on it makes people and does not say so; returns when it has made one.
    pub async fn hold_back(&self) {
        *self.state.hold.lock().unwrap() = true;
        let made = tokio::time::timeout(Duration::from_secs(30), self.state.held.notified());
        made.await.expect("nobody was made");
        *self.state.hold.lock().unwrap() = false;
    }
}

impl Drop for LoginApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let body = sidegate::web::read(body, 16 * 1024 * 1024, Duration::from_secs(30)).await;
    let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
    let path = head.uri.path().to_owned();
    if let Some(rest) = path.strip_prefix("/users-api") {
        return Ok(user_api(&state, &head, rest, &body).await);
    }
    let target = format!("{} {}", head.method, head.uri);
    let cookies = field(&head, COOKIE.as_str()).to_owned();
    state.seen.lock().unwrap().push((target, cookies));
    Ok(match (&head.method, path.as_str()) {
        (&Method::GET, "/signin") => sign_in_page(&state),
        (&Method::POST, "/signin") => sign_in(&state, &head, &body).await,
        (&Method::POST, "/login-api") => login_api(&state, &head, &body).await,
        (_, "/basic") => json_of(
            StatusCode::OK,
            &json!({"authorization": field(&head, AUTHORIZATION.as_str()), "headers": names(&head)}),
        ),
        (_, "/out") => sign_out(&state, &head),
        _ => page(&state, &head, &body),
    })
}

/// What only those who are signed in see.
fn page(state: &State, head: &Parts, body: &str) -> Reply {
    let cookie = session_of(head);
    let sessions = state.sessions.lock().unwrap();
    let who = cookie.as_ref().and_then(|id| sessions.get(id)?.clone());
    let Some(who) = who else {
        if head.uri.path().starts_with("/api/") {
            return json_of(StatusCode::UNAUTHORIZED, &json!({"error": "sign in"}));
        }
        let mut response = json_of(StatusCode::FOUND, &Value::Null);
        let to = format!("/signin?next={}", head.uri.path());
        response.headers_mut().insert(LOCATION, to.parse().unwrap());
        return response;
    };
    let cookies = field(head, COOKIE.as_str());
    let shown = json!({"user": who, "method": head.method.as_str(), "cookies": cookies, "bytes": body.len(), "body": body.get(..100).unwrap_or(body)});
    let mut response = json_of(StatusCode::OK, &shown);
    for set in [
        "theme=dark; Path=/",
        &format!("SID={}; Path=/; HttpOnly", cookie.unwrap()),
    ] {
        response
            .headers_mut()
            .append(SET_COOKIE, set.parse().unwrap());
    }
    response
}

/// A form as frameworks make them: its token belongs to the session of the page.
fn sign_in_page(state: &State) -> Reply {
    let id = random_token();
    state.sessions.lock().unwrap().insert(id.clone(), None);
    let html = format!(
        "<!doctype html><meta name=csrf-token content={0}><!-- <input name=\"csrf\" value=\"no\"> -->\
         <form action=/search><input type=hidden name=csrf value=search></form>\
         <form method=post><input type=\"hidden\" name=\"csrf\" value=\"token&amp;{0}\">\
         <input type=hidden name=stay value=yes><input name=name><input type=password name=password></form>",
        &id
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.append(
        SET_COOKIE,
        format!("SID={id}; Path=/; HttpOnly").parse().unwrap(),
    );
    headers.append(SET_COOKIE, format!("XSRF={id}; Path=/").parse().unwrap());
    response
}

async fn sign_in(state: &State, head: &Parts, body: &str) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let of = |name: &str| form.get(name).map_or("", String::as_str);
    let page = session_of(head).filter(|id| of("csrf") == format!("token&{id}"));
    if page.is_none() || of("stay") != "yes" || !field(head, "origin").starts_with("http") {
        return json_of(
            StatusCode::FORBIDDEN,
            &json!({"error": "the form is not mine"}),
        );
    }
    match begin(state, of("name"), of("password")).await {
        Some(id) => {
            let mut response = json_of(StatusCode::FOUND, &Value::Null);
            response
                .headers_mut()
                .insert(LOCATION, HeaderValue::from_static("/home"));
            set_session(&mut response, &id);
            response
        }
        // As many apps do it: the form again, with 200.
        None => sign_in_page(state),
    }
}

async fn login_api(state: &State, head: &Parts, body: &str) -> Reply {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let jar = field(head, COOKIE.as_str());
    let token = field(head, "x-xsrf");
    if token.is_empty() || !jar.contains(&format!("XSRF={token}")) {
        return json_of(StatusCode::FORBIDDEN, &json!({"error": "no token"}));
    }
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    match begin(state, text("/user/name"), text("/user/password")).await {
        Some(id) => {
            let mut response = json_of(StatusCode::OK, &json!({"ok": true}));
            set_session(&mut response, &id);
            response
        }
        None => json_of(
            StatusCode::UNAUTHORIZED,
            &json!({"error": "wrong name or password"}),
        ),
    }
}

async fn begin(state: &State, name: &str, password: &str) -> Option<String> {
    *state.attempts.lock().unwrap() += 1;
    state.another.notify_waiters();
    let _another = tokio::time::timeout(SECOND_ONE, state.another.notified()).await;
    let known = (name.to_owned(), password.to_owned());
    state
        .people
        .lock()
        .unwrap()
        .values()
        .find(|its| **its == known)?;
    let id = random_token();
    state
        .sessions
        .lock()
        .unwrap()
        .insert(id.clone(), Some(name.to_owned()));
    Some(id)
}

fn sign_out(state: &State, head: &Parts) -> Reply {
    if let Some(id) = session_of(head) {
        state.sessions.lock().unwrap().remove(&id);
    }
    let mut response = json_of(StatusCode::OK, &json!({"out": true}));
    let gone = "SID=; Max-Age=0; Path=/";
    response
        .headers_mut()
        .append(SET_COOKIE, HeaderValue::from_static(gone));
    response
}

async fn user_api(state: &State, head: &Parts, rest: &str, body: &str) -> Reply {
    if field(head, "x-api-key") != "k" {
        return json_of(StatusCode::FORBIDDEN, &Value::Null);
    }
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let id = rest.trim_start_matches('/').parse::<u64>().ok();
    let shown = |id: u64, name: &str| json!({"id": id, "name": name});
    match (&head.method, id) {
        (&Method::POST, None) => {
            let id = add(state, &text("name"), &text("password"));
            if *state.hold.lock().unwrap() {
                state.held.notify_one();
                std::future::pending::<()>().await;
            }
            json_of(StatusCode::CREATED, &shown(id, &text("name")))
        }
        (&Method::GET, None) => {
            let people = state.people.lock().unwrap();
            let all: Vec<_> = people
                .iter()
                .map(|(id, (name, _))| shown(*id, name))
                .collect();
            json_of(StatusCode::OK, &all.into())
        }
        (method, Some(id)) => {
            let mut people = state.people.lock().unwrap();
            if *method == Method::DELETE {
                people.remove(&id);
            }
            let Some(person) = people.get_mut(&id) else {
                return json_of(StatusCode::NOT_FOUND, &Value::Null);
            };
            for (at, name) in [(&mut person.0, "name"), (&mut person.1, "password")] {
                if *method == Method::PUT && body[name].is_string() {
                    *at = text(name);
                }
            }
            json_of(StatusCode::OK, &shown(id, &person.0))
        }
        _ => json_of(StatusCode::METHOD_NOT_ALLOWED, &Value::Null),
    }
}

fn add(state: &State, name: &str, password: &str) -> u64 {
    let mut people = state.people.lock().unwrap();
    let id = people.keys().last().map_or(1, |last| last + 1);
    people.insert(id, (name.to_owned(), password.to_owned()));
    id
}

fn session_of(head: &Parts) -> Option<String> {
    let jar = field(head, COOKIE.as_str());
    let found = jar.split("; ").find_map(|pair| pair.strip_prefix("SID="));
    found.map(str::to_owned)
}

fn set_session(response: &mut Reply, id: &str) {
    let set = format!("SID={id}; Path=/; HttpOnly");
    response
        .headers_mut()
        .append(SET_COOKIE, set.parse().unwrap());
}

fn field<'a>(head: &'a Parts, name: &str) -> &'a str {
    head.headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

fn names(head: &Parts) -> BTreeMap<String, String> {
    let all = head.headers.iter();
    all.map(|(name, value)| {
        (
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    })
    .collect()
}

fn json_of(status: StatusCode, value: &Value) -> Reply {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
