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
async fn app(
    text: &str,
    says: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Connector {
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
            return said(
                "200 OK",
                &json!({ "token": state.1.to_string() }).to_string(),
            );
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

#[tokio::test]
async fn an_app_that_asks_for_a_rest_has_it() {
    let api = FakeApi::start().await;
    for (status, asked, rests) in [(429, "40", 40), (503, "9000", 300), (500, "40", 0)] {
        let connector = api.connector(USERS);
        let wait = vec![("retry-after", asked.to_owned())];
        api.says_all("GET /api/users/7", Said(status, wait, "{}".to_owned()));
        assert!(connector.user("7").await.is_err());
        api.seen();
        api.says("GET /api/users", "[]");
        let next = connector.users().await;
        let calls = api.seen().len();
        if rests == 0 {
            assert!(next.is_ok() && calls == 1, "{status}: {next:?}");
            continue;
        }
        let Err(AppFailure::TooMany(Some(left))) = next else {
            panic!("{status}: {next:?}");
        };
        let longest = Duration::from_secs(rests);
        assert!(left <= longest && left > longest / 2, "{status}: {left:?}");
        assert_eq!(calls, 0, "{status}");
    }
}

#[tokio::test]
async fn r14_a_next_page_of_the_app_s_public_address_is_asked_where_the_app_is() {
    let page = "call = \"GET /users?p=1\"\nitems = \"/users\"\npage = { style = \"next\", next = \"/next\" }\n";
    let text = USERS.replace("call = \"GET /users\"\n", page);
    for (next, asked) in [
        ("https://app.example.com/api/users?p=2", true),
        ("http://127.0.0.1:9/api/users?p=2#x", true),
        ("//app.example.com/api/users?p=2", true),
        ("https://ada:secret@app.example.com/api/users?p=2", true),
        ("{url}/api/users?p=2", true),
        ("/api/users?p=2", true),
        ("https://app.example.com/users?p=2", false),
        ("https://app.example.com/apiusers?p=2", false),
        ("https://app.example.com/api/../users?p=2", false),
        ("https://app.example.com/api/%2e%2e/users?p=2", false),
        ("https://app.example.com/api/..%2fusers?p=2", false),
        ("https://app.example.com/api/%5c..%5cusers?p=2", false),
        ("ftp://app.example.com/api/users?p=2", false),
        ("javascript:/api/users?p=2", false),
    ] {
        let api = FakeApi::start().await;
        let connector = api.connector(&text);
        let first = json!({ "users": [{ "id": 1, "login": "a" }], "next": next });
        api.says("GET /api/users?p=1", &first.to_string());
        api.says("GET /api/users?p=2", r#"{"users":[{"id":2,"login":"b"}]}"#);
        let listed = connector.users().await.map(|all| all.len());
        assert_eq!(listed.ok(), asked.then_some(2), "{next}");
        let calls = if asked { 2 } else { 1 };
        assert_eq!(api.seen().len(), calls, "{next}");
    }
}
