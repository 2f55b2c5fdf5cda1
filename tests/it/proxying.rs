//! What passes through the sidecar, and what the app's failures become.

use http::{HeaderName, Method};
use serde_json::Value;

use crate::support::{Seen, Sidegate, UpstreamApp};

const OPEN: &str = "[[rule]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_reach_the_app_as_they_were() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let mut client = gate.program();
    for (method, target, body) in [
        (Method::GET, "/", ""),
        (Method::GET, "/a/b?x=1&y=%2F..%2F", ""),
        (Method::GET, "/caf%C3%A9", ""),
        (Method::POST, "/form", "name=value"),
        (Method::PUT, "/thing", "{}"),
        (Method::PATCH, "/thing", "[]"),
        (Method::DELETE, "/thing", ""),
        (Method::OPTIONS, "/thing", ""),
    ] {
        let seen: Seen = client.send(method.clone(), target, &[], body).await.json();
        assert_eq!(
            (
                seen.method.as_str(),
                seen.target.as_str(),
                seen.body.as_str()
            ),
            (method.as_str(), target, body)
        );
        assert_eq!(seen.header("host"), Some(gate.host.as_str()), "{target}");
    }
    let head = client.send(Method::HEAD, "/", &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r04_forwarded_fields_tell_the_truth_alone() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let lies = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-port", "1"),
        ("forwarded", "for=6.6.6.6;proto=https;host=evil.test"),
        ("x-original-url", "/public"),
        ("x-rewrite-url", "/public"),
        ("x-forwarded-uri", "/public"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value));
    let seen: Seen = gate
        .program()
        .send(Method::GET, "/", &lies, "")
        .await
        .json();
    let port = gate.host.split(':').next_back();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-port"), port);
    assert!(!format!("{seen:?}").contains("evil.test"), "{seen:?}");
    assert!(!format!("{seen:?}").contains("6.6.6.6"), "{seen:?}");
    assert!(!format!("{seen:?}").contains("/public"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r04_a_trusted_proxy_is_believed() {
    let app = UpstreamApp::start().await;
    let further = format!("server.trusted_proxies = [\"127.0.0.0/8\"]\n{OPEN}");
    let gate = Sidegate::start(&app.url(), &further).await;
    let said = [
        ("x-forwarded-for", "1.1.1.1, 192.0.2.7"),
        ("x-forwarded-proto", "https"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value));
    let seen: Seen = gate
        .program()
        .send(Method::GET, "/", &said, "")
        .await
        .json();
    assert!(
        seen.header("x-forwarded-for")
            .is_some_and(|all| all.ends_with("192.0.2.7, 127.0.0.1")),
        "{seen:?}"
    );
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r08_hop_by_hop_fields_end_here() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let fields = [
        ("connection", "x-secret, x-forwarded-for, close"),
        ("x-secret", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic xyz"),
        ("te", "gzip"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABk"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value));
    let seen: Seen = gate
        .program()
        .send(Method::GET, "/", &fields, "")
        .await
        .json();
    for gone in [
        "x-secret",
        "keep-alive",
        "proxy-authorization",
        "te",
        "upgrade",
    ] {
        assert_eq!(seen.header(gone), None, "{gone}");
    }
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_id_is_kept_or_made() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let mut client = gate.program();
    for (sent, kept) in [
        ("abc-123", true),
        ("a b", false),
        ("", false),
        ("<script>", false),
    ] {
        let id = [(HeaderName::from_static("x-request-id"), sent)];
        let seen: Seen = client.send(Method::GET, "/", &id, "").await.json();
        let got = seen.header("x-request-id").unwrap();
        assert_eq!(got == sent, kept, "{sent:?} became {got:?}");
        assert!(got.len() >= 7, "{got}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_the_app_are_used_again() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let mut client = gate.program();
    for _ in 0..40 {
        assert_eq!(client.get("/").await.status, 200);
    }
    // One for each worker, and one for a request that came while the last answer was on its way back.
    assert!(app.connections() <= 4, "{}", app.connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_the_app_cannot_set_our_cookies() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let mut client = gate.program();
    let answer = client.get("/evil-cookie").await;
    assert_eq!(answer.status, 200);
    assert!(client.cookies.is_empty(), "{:?}", client.cookies);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_the_app_are_told_by_kind() {
    let app = UpstreamApp::start().await;
    let further = format!("upstream.response_timeout = \"1s\"\n{OPEN}");
    let gate = Sidegate::start(&app.url(), &further).await;
    let slow = gate.program().get("/hang").await;
    assert_eq!(
        (slow.status.as_u16(), code(&slow.json())),
        (504, "upstream.slow".to_owned())
    );
    drop(app);
    let gone = gate.program().get("/").await;
    assert_eq!(
        (gone.status.as_u16(), code(&gone.json())),
        (502, "upstream.unreachable".to_owned())
    );
    assert_eq!(
        gone.header("content-type"),
        Some("application/problem+json")
    );
    let page = gate.browser().get("/").await;
    assert_eq!(page.status, 502);
    assert!(
        page.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(
        !page.text().contains("127.0.0.1"),
        "a page tells nothing of our network: {}",
        page.text()
    );
}

fn code(problem: &Value) -> String {
    assert!(
        problem["request_id"]
            .as_str()
            .is_some_and(|id| !id.is_empty()),
        "{problem}"
    );
    problem["code"].as_str().unwrap().to_owned()
}
