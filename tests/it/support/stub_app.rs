//! An app with a user API of its own, in memory: it counts what it is asked, and misbehaves where a test asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::stub_api;

/// How long a call waits for another.
const WAIT: Duration = Duration::from_millis(500);

type Reply = Response<BoxBody<Bytes, std::io::Error>>;

/// Somebody's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub login: String,
    pub name: String,
    pub email: String,
    pub active: bool,
    pub admin: bool,
}

/// Some of its people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Team {
    pub name: String,
    pub members: BTreeSet<u64>,
}

/// What it does in place of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This status, with a reason in JSON; 503 and 429 with `Retry-After: 1`.
    Status(u16),
    /// A page of HTML, as if all were well.
    Page,
    /// 404 with a page of whoever stands before it.
    Nowhere,
    /// Somewhere else.
    Redirect,
    /// Half of its answer, after or before it has done what was asked.
    Half { done: bool },
    /// Nothing, for ever, after or before it has done what was asked.
    Silent { done: bool },
    /// As it should, once two such calls are there; or when the other has not come for a while.
    Together,
}

/// All that it has and does.
#[derive(Debug, Default)]
pub struct State {
    pub people: BTreeMap<u64, Account>,
    pub teams: BTreeMap<u64, Team>,
    pub last_id: u64,
    /// `METHOD /path?query`
    pub calls: Vec<String>,
    /// For calls that begin with this.
    troubles: Vec<(String, Trouble)>,
    /// Asked for, and neither done nor answered.
    undone: Vec<(Method, String, Value)>,
}

struct Shared {
    state: Mutex<State>,
    /// One for each call that met a trouble.
    met: Semaphore,
    /// Where two calls meet.
    both: tokio::sync::Barrier,
}

/// A running app.
pub struct StubApp {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    up: CancellationToken,
}

impl StubApp {
    /// On a free port of the loopback address; its only account is `root`, an administrator.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared {
            state: Mutex::default(),
            met: Semaphore::new(0),
            both: tokio::sync::Barrier::new(2),
        };
        let app = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(shared),
            up: CancellationToken::new(),
        };
        app.account("root", |root| root.admin = true);
        tokio::spawn(accept(listener, Arc::clone(&app.shared), app.up.clone()));
        app
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Nobody listens any more, and connections are gone.
    pub fn stop(&self) {
        self.up.cancel();
    }

    /// Listens where it did.
    pub async fn start_again(&mut self) {
        let listener = loop {
            // The listener before goes with its task.
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_still_there) => tokio::task::yield_now().await,
            }
        };
        self.up = CancellationToken::new();
        let (shared, up) = (Arc::clone(&self.shared), self.up.clone());
        tokio::spawn(accept(listener, shared, up));
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    /// Makes an account behind everybody's back; gives its id.
    pub fn account(&self, login: &str, with: impl FnOnce(&mut Account)) -> u64 {
        let mut account = Account {
            login: login.to_owned(),
            name: login.to_owned(),
            email: format!("{login}@example.com"),
            active: true,
            admin: false,
        };
        with(&mut account);
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.people.insert(id, account);
        id
    }

    /// Everybody of this login name, in any case.
    pub fn named(&self, login: &str) -> Vec<(u64, Account)> {
        let state = self.state();
        let its = state
            .people
            .iter()
            .filter(|(_, its)| its.login.to_lowercase() == login.to_lowercase());
        its.map(|(id, its)| (*id, its.clone())).collect()
    }

    /// The one of this login name.
    pub fn one(&self, login: &str) -> Account {
        let mut all = self.named(login);
        assert_eq!(all.len(), 1, "{login}: {all:?}");
        all.remove(0).1
    }

    /// Logins of those in the one team of this name.
    pub fn team(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let its = state.teams.values().filter(|team| team.name == name);
        let its: Vec<_> = its.collect();
        assert_eq!(its.len(), 1, "{name}: {:?}", state.teams);
        let login = |id| state.people.get(id).map(|its| its.login.clone());
        its[0].members.iter().filter_map(login).collect()
    }

    /// From now on, calls that begin with this (`POST /people`; all with nothing) meet this trouble.
    pub fn trouble(&self, calls: &str, trouble: Trouble) {
        self.state().troubles.push((calls.to_owned(), trouble));
    }

    /// Waits until one more call has met a trouble.
    pub async fn met(&self) {
        self.shared.met.acquire().await.unwrap().forget();
    }

    /// No trouble any more.
    pub fn recover(&self) {
        self.state().troubles.clear();
    }

    /// Does what it was asked for while it was silent.
    pub fn catch_up(&self) {
        let mut state = self.state();
        for (method, target, body) in std::mem::take(&mut state.undone) {
            let _nobody_waits = stub_api::route(&mut state, &method, &target, &body);
        }
    }

    /// How many calls began with this.
    pub fn count(&self, calls: &str) -> usize {
        let state = self.state();
        let its = state.calls.iter().filter(|call| call.starts_with(calls));
        its.count()
    }
}

impl Drop for StubApp {
    fn drop(&mut self) {
        self.up.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, up: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = up.cancelled() => return,
            accepted = listener.accept() => accepted.unwrap().0,
        };
        let (shared, up) = (Arc::clone(&shared), up.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&shared), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = up.cancelled() => {}
                _ended = connection => {}
            }
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let whole = head.uri.to_string();
    let Some(target) = whole.strip_prefix("/api") else {
        let user = head.headers.get("x-forwarded-user");
        let user = user.map(|user| user.to_str().unwrap()).unwrap_or_default();
        let state = shared.state.lock().unwrap();
        let known = state.people.values().any(|its| its.login == user);
        return Ok(reply(200, &json!({ "user": user, "known": known })));
    };
    let body = sidegate::web::read(body, 1024 * 1024, Duration::from_secs(30)).await;
    let body = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let (trouble, (status, document)) = {
        let mut state = shared.state.lock().unwrap();
        let call = format!("{} {target}", head.method);
        let trouble = state
            .troubles
            .iter()
            .find(|(calls, _)| call.starts_with(calls));
        let trouble = trouble.map(|(_, trouble)| *trouble);
        state.calls.push(call);
        let does = matches!(
            trouble,
            None | Some(
                Trouble::Half { done: true } | Trouble::Silent { done: true } | Trouble::Together
            )
        );
        let authorized = head.headers.get("authorization");
        let authorized = authorized.is_some_and(|value| value == "Bearer stub-token");
        let answer = match (does, authorized) {
            (_, false) => (401, json!({ "error": "who are you?" })),
            (true, true) => stub_api::route(&mut state, &head.method, target, &body),
            (false, true) => (200, Value::Null),
        };
        if matches!(trouble, Some(Trouble::Silent { done: false })) {
            let asked = (head.method.clone(), target.to_owned(), body);
            state.undone.push(asked);
        }
        (trouble, answer)
    };
    if trouble.is_some() {
        shared.met.add_permits(1);
    }
    Ok(match trouble {
        None => reply(status, &document),
        Some(Trouble::Status(status)) => {
            let mut reply = reply(status, &json!({ "error": "no" }));
            if [429, 503].contains(&status) {
                let seconds = "1".parse().unwrap();
                reply.headers_mut().insert("retry-after", seconds);
            }
            reply
        }
        Some(Trouble::Page) => {
            let page = Bytes::from_static(b"<!doctype html><title>Back soon</title>");
            Response::new(full(page))
        }
        Some(Trouble::Nowhere) => {
            let page = Bytes::from_static(b"<html>default backend - 404</html>");
            let mut reply = Response::new(full(page));
            *reply.status_mut() = StatusCode::NOT_FOUND;
            reply
        }
        Some(Trouble::Redirect) => {
            let mut reply = reply(302, &Value::Null);
            let away = "http://127.0.0.1:9/elsewhere".parse().unwrap();
            reply.headers_mut().insert("location", away);
            reply
        }
        Some(Trouble::Together) => {
            let _alone = tokio::time::timeout(WAIT, shared.both.wait()).await;
            reply(status, &document)
        }
        Some(Trouble::Half { .. }) => half(status, &document),
        Some(Trouble::Silent { .. }) => std::future::pending().await,
    })
}

fn reply(status: u16, document: &Value) -> Reply {
    let text = if document.is_null() {
        String::new()
    } else {
        document.to_string()
    };
    let mut response = Response::new(full(text.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn full(bytes: Bytes) -> BoxBody<Bytes, std::io::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// The head and the beginning of the document; then the connection breaks.
fn half(status: u16, document: &Value) -> Reply {
    // Without a body there is no half.
    let status = if status == 204 { 200 } else { status };
    let text = document.to_string();
    let (first, _) = text.split_at(text.len() / 2);
    let first = Bytes::from(first.to_owned());
    let frames = futures_util::stream::unfold(Some(first), |first| async move {
        if let Some(first) = first {
            return Some((Ok(Frame::data(first)), None));
        }
        // What came before is on its way then.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Err(std::io::Error::other("cut")), None))
    });
    let mut response = Response::new(StreamBody::new(Box::pin(frames)).boxed());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}
