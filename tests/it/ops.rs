//! The ops listener on a real socket: health, readiness and metrics, and nothing about people.

use http::Method;
use serde_json::Value;

use crate::support::{Client, Sidegate, UpstreamApp};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
const DEAD: &str =
    "[[idp]]\nname = 'dead'\nkind = 'oidc'\nissuer = 'http://127.0.0.1:9'\nclient_id = 'c'\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_tells_what_is_missing() {
    let app = UpstreamApp::start().await;
    for (name, further, ready) in [
        ("local accounts", LOCAL.to_owned(), true),
        ("an idp that never answered", DEAD.to_owned(), false),
        ("both", format!("{LOCAL}{DEAD}"), true),
    ] {
        let gate = Sidegate::start(&app.url(), &further).await;
        let mut probe = Client::program(gate.ops, "ops");
        let alive = probe.get("/healthz").await;
        assert_eq!(
            (alive.status.as_u16(), alive.text().as_str()),
            (200, "ok\n"),
            "{name}"
        );
        let answer = probe.get("/readyz").await;
        assert_eq!(answer.status == 200, ready, "{name}: {}", answer.text());
        let told: Value = answer.json();
        assert_eq!(told["ready"], ready, "{name}");
        let checks = told["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["ok"] == false);
        assert_eq!(failed.is_none(), ready, "{name}");
        if let Some(failed) = failed {
            assert_eq!(failed["name"], "sign_in", "{name}");
            assert!(
                failed["reason"].as_str().unwrap().starts_with("dead: "),
                "{name}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r06_the_ops_listener_knows_three_paths_and_nobody() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice-canary", &[]).await;
    let mut alice = gate.signed_in("alice-canary").await;
    assert_eq!(alice.get("/").await.status, 200);
    let mut probe = Client::program(gate.ops, "ops");
    for path in [
        "/",
        "/healthz/",
        "/.sidegate/whoami",
        "/metrics/../",
        "/debug",
    ] {
        assert_eq!(probe.get(path).await.status, 404, "{path}");
    }
    let posted = probe.send(Method::POST, "/metrics", &[], "").await;
    assert_eq!(posted.status, 405);
    let metrics = probe.get("/metrics").await;
    let kind = metrics.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = metrics.text();
    for line in [
        "sidegate_sessions 1\n",
        "sidegate_sign_ins_total{idp=\"local\",outcome=\"ok\"} 1\n",
        "# EOF\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("canary"), "{text}");
    // The public listener has none of it: these are the app's own paths there.
    let mut stranger = gate.program();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut agent = vec![(http::header::USER_AGENT, "kube-probe/1.35".to_owned())];
        stranger.headers.append(&mut agent);
        assert_eq!(stranger.get(path).await.status, 401, "{path}");
    }
}
