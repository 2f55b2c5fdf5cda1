//! What it shows, and how people sign in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, UPGRADE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sidegate::crypto::random_token;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{Reply, State, field, json_of, whole};

/// Whoever signs in is kept waiting this long for a second one to come.
const SECOND_ONE: Duration = Duration::from_millis(300);

/// What only those who are signed in see.
pub(super) fn page(state: &State, head: &Parts, body: &str) -> Reply {
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
pub(super) fn sign_in_page(state: &State) -> Reply {
    let id = random_token();
    state.sessions.lock().unwrap().insert(id.clone(), None);
    let html = format!(
        "<!doctype html><meta name=csrf-token content=\"meta&amp;{0}\"><!-- <input name=\"csrf\" value=\"no\"> -->\
         <form action=/search><input type=hidden name=csrf value=search></form>\
         <form method=post><input type=\"hidden\" name=\"csrf\" value=\"token&amp;{0}\">\
         <input type=hidden name=stay value=yes><input name=name><input type=password name=password></form>",
        &id
    );
    let mut response = Response::new(whole(html));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.append(
        SET_COOKIE,
        format!("SID={id}; Path=/; HttpOnly").parse().unwrap(),
    );
    headers.append(SET_COOKIE, format!("XSRF={id}; Path=/").parse().unwrap());
    response
}

pub(super) async fn sign_in(state: &State, head: &Parts, body: &str) -> Reply {
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

pub(super) async fn login_api(state: &State, head: &Parts, body: &str) -> Reply {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let jar = field(head, COOKIE.as_str());
    let token = field(head, "x-xsrf");
    // As `XSRF`, or as the page's `<meta>` has it.
    let of_page = session_of(head).is_some_and(|id| token == format!("meta&{id}"));
    if !of_page && (token.is_empty() || !jar.contains(&format!("XSRF={token}"))) {
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

pub(super) fn sign_out(state: &State, head: &Parts) -> Reply {
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

/// A WebSocket of whoever is signed in: it says who they are, and then what it is told.
pub(super) fn socket(state: &Arc<State>, head: &Parts, upgrade: OnUpgrade) -> Reply {
    let who = session_of(head).and_then(|id| state.sessions.lock().unwrap().get(&id)?.clone());
    let Some(who) = who else {
        return json_of(StatusCode::UNAUTHORIZED, &json!({"error": "sign in"}));
    };
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let io = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        *state.sockets.lock().unwrap() += 1;
        let mut next = Some(who.into());
        while let Some(message) = next {
            if socket.send(message).await.is_err() {
                break;
            }
            next = socket.next().await.and_then(Result::ok);
        }
        *state.sockets.lock().unwrap() -= 1;
    });
    let accept = derive_accept_key(field(head, "sec-websocket-key").as_bytes());
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let name = HeaderName::from_static("sec-websocket-accept");
    headers.insert(name, accept.parse().unwrap());
    set_session(&mut response, &session_of(head).unwrap());
    response
}
