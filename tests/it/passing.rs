//! Who may pass: people are led to sign in, programs are told, and a refusal reads nothing of the app.

use http::{HeaderName, Method};
use serde_json::Value;

use crate::support::{PASSWORD, Seen, Sidegate, UpstreamApp};

const RULES: &str = r#"
[local]
enabled = true
bcrypt_cost = 4
[[rule]]
path = "/open/**"
access = "public"
[[rule]]
path = "/maybe"
access = "optional"
[[rule]]
path = "/admin/**"
roles = ["ADMIN"]
[[rule]]
path = "/hooks/**"
anonymous = "401"
[[rule]]
path = "/portal"
anonymous = "login"
[[rule]]
path = "/far"
networks = ["203.0.113.0/24"]
[[rule]]
path = "/files/**"
allow_in_path = ["%2f"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_and_programs_are_told() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    for (name, target, program, want) in [
        ("a person's page", "/page?x=1", false, 302),
        ("a program's call", "/page", true, 401),
        (
            "a person where programs are expected",
            "/hooks/x",
            false,
            401,
        ),
        ("a program where people are expected", "/portal", true, 302),
        ("a network that is not the right one", "/far", false, 403),
    ] {
        let mut client = if program {
            gate.program()
        } else {
            gate.browser()
        };
        let answer = client.get(target).await;
        assert_eq!(answer.status.as_u16(), want, "{name}: {}", answer.text());
        if want == 401 && program {
            let problem: Value = answer.json();
            assert_eq!(problem["code"], "session.required", "{name}");
            assert!(answer.header("www-authenticate").is_some(), "{name}");
        }
        if want == 302 {
            assert!(
                answer.location().starts_with("/.sidegate/login?return_to="),
                "{name}: {}",
                answer.location()
            );
        }
    }
    // R29: no byte of the app before the decision.
    assert!(app.seen().is_empty(), "{:?}", app.seen());
    assert_eq!(app.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_comes_back_to_the_page_they_wanted() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    gate.person("alice", &["MEMBER"]).await;
    let mut alice = gate.browser();
    let led = alice.get("/deep/page?x=1&y=2").await;
    let page = alice.get(led.location()).await;
    let mut fields = page.hidden_fields();
    fields.push(("username".to_owned(), "alice".to_owned()));
    fields.push(("password".to_owned(), PASSWORD.to_owned()));
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let done = alice.post_form("/.sidegate/login", &fields).await;
    assert_eq!(done.location(), "/deep/page?x=1&y=2");
    let seen: Seen = alice.get(done.location()).await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen.header("x-forwarded-email"), Some("alice@example.com"));
    assert_eq!(seen.header("x-forwarded-roles"), Some("MEMBER"));
    assert_eq!(
        seen.header("cookie"),
        None,
        "our cookies never reach the app"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_roles_open_and_close() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    gate.person("alice", &["ADMIN"]).await;
    gate.person("bob", &["MEMBER"]).await;
    for (name, target, want) in [
        ("alice", "/admin", 200),
        ("alice", "/admin/x", 200),
        ("bob", "/admin", 403),
        ("bob", "/admin/", 403),
        ("bob", "/admin/x", 403),
        ("bob", "/%61dmin/x", 403),
        ("bob", "/admin/x?/open/", 403),
        ("bob", "/far", 403),
        ("bob", "/elsewhere", 200),
        ("bob", "/files/a%2Fb", 200),
        ("bob", "/elsewhere/a%2Fb", 400),
        ("bob", "/files/..%2Fadmin", 400),
    ] {
        let mut browser = gate.signed_in(name).await;
        let answer = browser.get(target).await;
        assert_eq!(
            answer.status.as_u16(),
            want,
            "{name} {target}: {}",
            answer.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_r10_claims_of_identity_are_dropped_on_every_path() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    gate.person("alice", &["MEMBER"]).await;
    let mut alice = gate.signed_in("alice").await;
    let mut nobody = gate.program();
    let claims = [
        ("x-forwarded-user", "root"),
        ("x_forwarded_user", "root"),
        ("x-forwarded_user", "root"),
        ("x.forwarded.user", "root"),
        ("x-forwarded-groups", "root"),
        ("x-forwarded-email", "root@example.com"),
        ("x-forwarded-roles", "root"),
        ("x-forwarded-name", "root"),
        ("x-forwarded-preferred-username", "root"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), value));
    for (method, target) in [
        (Method::GET, "/open/x"),
        (Method::GET, "/maybe"),
        (Method::OPTIONS, "/open/x"),
        (Method::POST, "/open/x"),
    ] {
        let seen: Seen = nobody
            .send(method.clone(), target, &claims, "")
            .await
            .json();
        assert!(
            !format!("{seen:?}").contains("root"),
            "{method} {target}: {seen:?}"
        );
    }
    for target in ["/page", "/maybe", "/open/x"] {
        let seen: Seen = alice.send(Method::GET, target, &claims, "").await.json();
        assert!(!format!("{seen:?}").contains("root"), "{target}: {seen:?}");
        let told = seen.header("x-forwarded-user");
        assert_eq!(told, (target != "/open/x").then_some("alice"), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r12_a_bad_cookie_is_no_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    gate.person("alice", &[]).await;
    let good = gate.signed_in("alice").await.cookies["sidegate"].clone();
    let mut program = gate.program();
    for (name, cookie) in [
        ("empty", String::new()),
        ("another", "A".repeat(43)),
        ("cut", good[..42].to_owned()),
        ("longer", format!("{good}A")),
        ("other case", good.to_uppercase()),
        ("quoted", format!("\"{good}\"")),
        (
            "the session's digest",
            sidegate::crypto::sha256(good.as_bytes()).to_hex(),
        ),
        ("not text", "\u{fffd}\u{fffd}".to_owned()),
    ] {
        program.cookies.insert("sidegate".to_owned(), cookie);
        let answer = program.get("/page").await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
    }
    program.cookies.insert("sidegate".to_owned(), good);
    assert_eq!(program.get("/page").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_has_the_apps_cors() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), RULES).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.signed_in("alice").await;
    let origin = [(HeaderName::from_static("origin"), "https://spa.test")];
    assert_eq!(
        alice.send(Method::GET, "/cors", &origin, "").await.status,
        200
    );
    let refused = gate.program().send(Method::GET, "/cors", &origin, "").await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some("https://spa.test")
    );
    let other = [(HeaderName::from_static("origin"), "https://evil.test")];
    let refused = gate.program().send(Method::GET, "/cors", &other, "").await;
    assert_eq!(refused.header("access-control-allow-origin"), None);
}
