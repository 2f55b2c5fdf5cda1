//! Calls: how often, when, with what, and to where.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::fake::{FakeApi, Said, USERS, connector, given};
use super::{AppFailure, Connector};

/// Below `[api]`: a token that another login ends.
const LOGIN: &str = r#"
headers = { X-Tenant = "acme", Authorization = "Bearer {token}" }
content_type = "application/vnd.app+json"
[api.login]
call = "POST /login"
body = { user = "x" }
token = "/token"
[users]
active = "none"
"#;

/// An app that answers each request by this, or breaks the connection.
async fn app(text: &str, says: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Connector {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let says = Arc::new(says);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let says = Arc::clone(&says);
            tokio::spawn(async move {
                let mut request = [0; 8192];
                let read = stream.read(&mut request).await.unwrap();
                tokio::task::yield_now().await;
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                if let Some(answer) = says(&request) {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    connector(&text.replace("{url}", &url))
}

#[expect(clippy::unnecessary_wraps, reason = "as an app answers")]
fn said(status: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

#[tokio::test]
async fn one_login_for_all_who_met_its_end() {
    // The token that counts, and how many logins there were.
    let state = Arc::new(Mutex::new(("Bearer 0".to_owned(), 0)));
    let served = Arc::clone(&state);
    let text = USERS.replace("[users]\nactive = \"none\"\n", LOGIN);
    let connector = app(&text, move |request| {
        let mut state = served.lock().unwrap();
        if request.starts_with("POST /api/login") {
            state.1 += 1;
            state.0 = format!("Bearer {}", state.1);
            return said("200 OK", &json!({ "token": state.1.to_string() }).to_string());
        }
        if request.contains(&format!("uthorization: {}\r\n", state.0)) {
            said("200 OK", "[]")
        } else {
            said("401 Unauthorized", "{}")
        }
    });
    let connector = connector.await;
    for round in 1..4 {
        let all = (0..8).map(|_| connector.users());
        for listed in futures_util::future::join_all(all).await {
            assert!(listed.is_ok(), "{round}: {listed:?}");
        }
        assert_eq!(state.lock().unwrap().1, round, "one login each time");
        state.lock().unwrap().0 = "ended".to_owned();
    }
}

#[tokio::test]
async fn a_login_is_a_call_with_headers_and_type() {
    let heads = Arc::new(Mutex::new(String::new()));
    let served = Arc::clone(&heads);
    let text = USERS.replace("[users]\nactive = \"none\"\n", LOGIN);
    let connector = app(&text, move |request| {
        if request.starts_with("POST /api/login") {
            *served.lock().unwrap() = request.to_lowercase();
            return said("200 OK", r#"{"token":"1"}"#);
        }
        said("200 OK", "[]")
    });
    connector.await.users().await.unwrap();
    let head = heads.lock().unwrap().clone();
    for (line, sent) in [
        ("x-tenant: acme", true),
        ("content-type: application/vnd.app+json", true),
        ("accept: application/json", true),
        ("authorization", false),
    ] {
        assert_eq!(head.contains(line), sent, "{line}: {head}");
    }
}

#[tokio::test]
async fn what_changes_something_is_asked_once_whatever_its_method() {
    let create = "[users.create]\ncall = \"GET /make/{userName}\"\nnew_id = \"/id\"\n";
    let seen = Arc::new(Mutex::new(Vec::new()));
    let served = Arc::clone(&seen);
    let text = format!("{USERS}{create}");
    let connector = app(&text, move |request| {
        let line = request.lines().next().unwrap().to_owned();
        served.lock().unwrap().push(line);
        None
    });
    let connector = connector.await;
    assert!(connector.users().await.is_err());
    let ada = given(&[("userName", "ada")]);
    assert!(connector.create_user(&ada, None).await.is_err());
    let (list, make) = ("GET /api/users HTTP/1.1", "GET /api/make/ada HTTP/1.1");
    assert_eq!(*seen.lock().unwrap(), [list, list, make]);
}
