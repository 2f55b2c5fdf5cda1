//! An app that reads no header: a user API, a login form with a CSRF field, a login API, HTTP Basic, a session cookie,
//! a WebSocket; and whatever else a test wants it to answer.

mod pages;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

type Reply = Response<BoxBody<Bytes, Infallible>>;

/// What it answers where a test says so.
#[derive(Clone)]
pub enum Said {
    /// This.
    Whole(u16, Vec<(&'static str, String)>, String),
    /// A head, the beginning of a body, and never its end.
    Drip(u16, Vec<(&'static str, String)>),
    /// Nothing, ever.
    Silence,
    /// It breaks off.
    Nothing,
}

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
    /// Bodies by method and path.
    bodies: Mutex<Vec<(String, String)>>,
    /// By method and path: what comes instead of its own answer.
    said: Mutex<BTreeMap<String, Said>>,
    /// Sockets that are open.
    sockets: Mutex<usize>,
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
                        .with_upgrades()
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

    /// From now on it answers this to a method and path, such as `GET /signin`.
    pub fn say(&self, asked: &str, said: Said) {
        let mut all = self.state.said.lock().unwrap();
        all.insert(asked.to_owned(), said);
    }

    /// From now on it answers as it does.
    pub fn say_nothing_else(&self) {
        self.state.said.lock().unwrap().clear();
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        *self.state.sockets.lock().unwrap()
    }

    /// What came with this method and path.
    pub fn bodies_of(&self, asked: &str) -> Vec<String> {
        let all = self.state.bodies.lock().unwrap();
        let its = all.iter().filter(|(its, _)| its == asked);
        its.map(|(_, body)| body.clone()).collect()
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

async fn answer(state: Arc<State>, mut request: Request<Incoming>) -> io::Result<Reply> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let body = sidegate::web::read(body, 16 * 1024 * 1024, Duration::from_secs(30)).await;
    let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
    let path = head.uri.path().to_owned();
    let asked = format!("{} {path}", head.method);
    let said = state.said.lock().unwrap().get(&asked).cloned();
    if let Some(rest) = path.strip_prefix("/users-api") {
        return match said {
            Some(said) => say(said).await,
            None => Ok(user_api(&state, &head, rest, &body).await),
        };
    }
    state.bodies.lock().unwrap().push((asked, body.clone()));
    let target = format!("{} {}", head.method, head.uri);
    let cookies = field(&head, COOKIE.as_str()).to_owned();
    state.seen.lock().unwrap().push((target, cookies));
    if let Some(said) = said {
        return say(said).await;
    }
    Ok(match (&head.method, path.as_str()) {
        (&Method::GET, "/signin") => pages::sign_in_page(&state),
        (&Method::POST, "/signin") => pages::sign_in(&state, &head, &body).await,
        (&Method::POST, "/login-api") => pages::login_api(&state, &head, &body).await,
        (_, "/socket") => pages::socket(&state, &head, upgrade),
        (_, "/basic") => json_of(
            StatusCode::OK,
            &json!({"authorization": field(&head, AUTHORIZATION.as_str()), "headers": names(&head)}),
        ),
        (_, "/out") => pages::sign_out(&state, &head),
        _ => pages::page(&state, &head, &body),
    })
}

async fn say(said: Said) -> io::Result<Reply> {
    let (status, headers, body) = match said {
        Said::Whole(status, headers, body) => (status, headers, whole(body)),
        Said::Drip(status, headers) => {
            let begun = Frame::data(Bytes::from_static(b"<!doctype html>"));
            let begun = stream::iter([Ok(begun)]);
            let body = StreamBody::new(futures_util::StreamExt::chain(begun, stream::pending()));
            (status, headers, BodyExt::boxed(body))
        }
        Said::Silence => pending().await,
        Said::Nothing => return Err(io::ErrorKind::ConnectionReset.into()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        response.headers_mut().append(name, value.parse().unwrap());
    }
    Ok(response)
}

fn whole(body: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    Full::new(body.into()).boxed()
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
                pending::<()>().await;
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
    let mut response = Response::new(whole(value.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
