//! HTTP Basic, and fields of our own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::{AUTHORIZATION, HeaderName};
use serde_json::Value;

use super::settings;
use crate::support::{LoginApp, Sidegate};

const HEADER: &str = r#"
[upstream.login]
kind = "header"
headers = { X-App-User = "{login}", X-App-Mail = "{emails.value}", X-App-Key = "fixed" }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_basic_is_ours_alone() {
    let app = LoginApp::start().await;
    let further = settings("[upstream.login]\nkind = \"basic\"\n");
    let further = further.replace("/open/**", "/basic");
    let further = further.replace("access = \"public\"", "access = \"optional\"");
    let gate = Sidegate::start(&app.url(), &further).await;
    gate.person("alice", &[]).await;
    let password = app.people().pop().unwrap().1;
    let want = format!("Basic {}", STANDARD.encode(format!("alice:{password}")));
    let forged = format!("Basic {}", STANDARD.encode("admin:admin"));
    let mut nobody = gate.browser();
    let mut alice = gate.signed_in("alice").await;
    for (who, browser, want) in [
        ("alice", &mut alice, want.as_str()),
        ("nobody", &mut nobody, ""),
    ] {
        for name in [AUTHORIZATION, HeaderName::from_static("x-other")] {
            let answer = browser
                .send(Method::GET, "/basic", &[(name, &forged)], "")
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let shown: Value = answer.json();
            assert_eq!(shown["authorization"], want, "{who}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_fields_of_our_own_are_ours_alone() {
    let app = LoginApp::start().await;
    let further = settings(HEADER).replace("/open/**", "/basic");
    let gate = Sidegate::start(&app.url(), &further).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    let forged = [
        (HeaderName::from_static("x-app-user"), "admin"),
        (HeaderName::from_static("x_app_key"), "forged"),
    ];
    // A public path: the app is told of nobody, by us or by anybody else.
    let shown: Value = browser
        .send(Method::GET, "/basic", &forged, "")
        .await
        .json();
    for name in ["x-app-user", "x_app_key", "x-app-key"] {
        assert_eq!(shown["headers"].get(name), None, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_outside_ascii_is_sent_as_it_is() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(HEADER)).await;
    gate.person("zoë", &[]).await;
    let mut browser = gate.signed_in("zoë").await;
    let shown: Value = browser.get("/basic").await.json();
    assert_eq!(shown["headers"]["x-app-user"], "zoë", "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_app_gets_fields_of_our_own_with_every_request() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(HEADER)).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    let forged = [(HeaderName::from_static("x_app_user"), "admin")];
    for _ in 0..2 {
        let shown: Value = browser
            .send(Method::GET, "/basic", &forged, "")
            .await
            .json();
        for (name, want) in [
            ("x-app-user", "alice"),
            ("x-app-mail", "alice@example.com"),
            ("x-app-key", "fixed"),
        ] {
            assert_eq!(shown["headers"][name], want, "{shown}");
        }
        assert_eq!(shown["headers"].get("x_app_user"), None);
    }
}
