//! The app's own cookies never carry an old person: not after a change of person, a sign-out, an end.

use std::collections::BTreeMap;

use crate::support::{Client, PASSWORD, Seen, Sidegate, UpstreamApp};

const APP: &str = r#"
[upstream.app_session]
cookies = ["app_session"]
logout_paths = ["/app-logout"]
[local]
enabled = true
bcrypt_cost = 4
[[rule]]
path = "/open/**"
access = "public"
"#;

async fn app_cookie_seen(client: &mut Client, target: &str) -> bool {
    let seen: Seen = client.get(target).await.json();
    seen.header("cookie")
        .is_some_and(|cookies| cookies.contains("app_session"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_apps_cookie_is_bound_to_our_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), APP).await;
    gate.person("alice", &[]).await;
    gate.person("bob", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(browser.get("/set-cookie").await.status, 200);
    let alices = browser.cookies["app_session"].clone();
    assert!(
        app_cookie_seen(&mut browser, "/page").await,
        "it passes under the session that it was issued in"
    );

    // Another person on the same browser.
    browser.cookies.retain(|name, _| name == "app_session");
    let answer = browser.sign_in("bob", PASSWORD, "/").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(
        !app_cookie_seen(&mut browser, "/page").await,
        "alice's cookie under bob's session"
    );
    assert!(
        !browser.cookies.contains_key("app_session"),
        "it was expired in the answer"
    );

    // Planted again, and on a public path, and without a session.
    browser
        .cookies
        .insert("app_session".to_owned(), alices.clone());
    assert!(!app_cookie_seen(&mut browser, "/open/x").await);
    let mut nobody = gate.program();
    nobody.cookies = BTreeMap::from([("app_session".to_owned(), alices)]);
    assert!(!app_cookie_seen(&mut nobody, "/open/x").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_apps_logout_link_ends_our_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), APP).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.signed_in("alice").await;
    assert_eq!(alice.get("/set-cookie").await.status, 200);
    let out = alice.get("/app-logout").await;
    assert_eq!(out.location(), "/.sidegate/logout/done", "{}", out.text());
    assert!(
        app.seen().iter().any(|seen| seen.target == "/app-logout"),
        "the app was told"
    );
    assert!(!alice.cookies.contains_key("sidegate"));
    assert!(
        !alice.cookies.contains_key("app_session"),
        "what the app left behind goes as well"
    );
    let page = alice.get(out.location()).await;
    assert_eq!(page.status, 200);
    assert_eq!(alice.get("/page").await.status, 302);
}
