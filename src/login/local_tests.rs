//! Signing in with a password: who gets in, and what the others learn.

use super::*;
use crate::identity::SignInMethod;
use crate::login::world::{PASSWORD, World};

async fn world() -> World {
    World::new(&[], "local.enabled = true").await
}

#[tokio::test]
async fn the_right_password_leads_where_the_person_wanted_to_go() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    let page = browser.get("login?return_to=/notes?page=2").await;
    assert_eq!(page.status, StatusCode::OK);
    let fields = [
        ("username", " ADA "),
        ("password", PASSWORD),
        ("token", &page.hidden("token")),
        ("return_to", &page.hidden("return_to")),
    ];
    let done = browser.post("login", &fields).await;
    assert_eq!(
        (done.status, done.field("location")),
        (StatusCode::SEE_OTHER, "/notes?page=2")
    );
    assert!(browser.is_signed_in());
    assert_eq!(world.events(1).await, ["sign_in.ok  ada"]);
    // A session is enough from now on, unless it is not.
    assert_eq!(
        browser.get("login?return_to=/x").await.field("location"),
        "/x"
    );
    assert_eq!(
        browser.get("login?return_to=/x&again=1").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn r58_all_that_does_not_fit_gets_one_answer() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    world.person("ext", SignInMethod::External, false).await;
    let gone = world.person("gone", SignInMethod::Local, false).await;
    world.deactivate(&gone).await;
    let mut answers = Vec::new();
    for (name, password, event) in [
        (
            "nobody",
            PASSWORD,
            "sign_in.refused sign_in.no_such_account ",
        ),
        (
            "ada",
            "wrong horse",
            "sign_in.refused sign_in.wrong_password ada",
        ),
        ("ext", PASSWORD, "sign_in.refused sign_in.no_such_account "),
        (
            "gone",
            "wrong horse",
            "sign_in.refused sign_in.wrong_password gone",
        ),
        (
            "ada",
            &"a".repeat(100),
            "sign_in.refused sign_in.wrong_password ada",
        ),
        (
            "ada",
            "correct horse\0",
            "sign_in.refused sign_in.wrong_password ada",
        ),
    ] {
        let mut browser = world.browser();
        let answer = browser.sign_in(name, password).await;
        assert!(!browser.is_signed_in(), "{name}");
        assert_eq!(
            answer.field("www-authenticate"),
            "Bearer realm=\"sidegate\""
        );
        assert_eq!(world.events(1).await, [event], "{name}");
        let token = answer.hidden("token");
        let typed = format!("value=\"{name}\"");
        let same = answer.body.replace(&token, "T").replace(&typed, "N");
        answers.push((answer.status, same));
    }
    assert!(answers[0].1.contains(WRONG));
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn r26_the_inactive_are_refused_and_told_whom_to_ask() {
    let more = "local.enabled = true\npages.contact = 'it@corp.test'";
    let world = World::new(&[], more).await;
    let gone = world.person("gone", SignInMethod::Local, true).await;
    world.deactivate(&gone).await;
    let mut browser = world.browser();
    let answer = browser.sign_in("gone", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("it@corp.test") && answer.body.contains("sign_in.inactive"));
    assert!(!browser.is_signed_in());
    assert_eq!(
        world.events(1).await,
        ["sign_in.refused sign_in.inactive gone"]
    );
}

#[tokio::test]
async fn r60_too_many_tries_wait_with_the_right_password_too() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    for _ in 0..3 {
        assert_eq!(
            browser.sign_in("ada", "wrong horse").await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let answer = browser.sign_in("Ada", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.field("retry-after"), "900");
    assert!(answer.body.contains("Please wait 15 minutes"));
    assert!(!browser.is_signed_in());
    let mut elsewhere = world.browser();
    elsewhere.client = "192.0.2.2";
    assert_eq!(
        elsewhere.sign_in("ada", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    world.clock.advance(Duration::from_mins(15));
    assert_eq!(
        browser.sign_in("ada", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_crowd_is_no_failure_of_the_person() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    for _ in 0..5 {
        let mut browser = world.browser();
        let full = world.login.passwords.fill();
        let answer = browser.sign_in("ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.field("retry-after"), "2");
        drop(full);
    }
    assert_eq!(
        world.browser().sign_in("ada", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[expect(clippy::type_complexity, reason = "a table of cases")]
const SENDERS: &[(&str, Option<(&str, &str)>, u16)] = &[
    ("our own page", None, 303),
    ("typed by hand", Some(("sec-fetch-site", "none")), 303),
    ("another site", Some(("sec-fetch-site", "cross-site")), 403),
    ("a sibling host", Some(("sec-fetch-site", "same-site")), 403),
    ("another origin", Some(("origin", "https://evil.test")), 403),
    (
        "another port",
        Some(("origin", "https://app.test:8443")),
        403,
    ),
    ("another scheme", Some(("origin", "http://app.test")), 403),
    ("a hidden origin", Some(("origin", "null")), 403),
];

#[tokio::test]
async fn login_csrf_forms_of_others_are_refused() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    for (name, field, status) in SENDERS {
        let mut browser = world.browser();
        let token = browser.get("login").await.hidden("token");
        if let Some((field, value)) = field {
            browser.fields.retain(|(before, _)| before != field);
            browser.fields.push((field, value));
        }
        let fields = [
            ("username", "ada"),
            ("password", PASSWORD),
            ("token", &token),
        ];
        let answer = browser.post("login", &fields).await;
        assert_eq!(answer.status.as_u16(), *status, "{name}");
        assert_eq!(browser.is_signed_in(), *status == 303, "{name}");
    }
}

#[tokio::test]
async fn login_csrf_a_form_is_of_one_browser() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let of_another = world.browser().get("login").await.hidden("token");
    for (name, token, keep_cookie) in [
        ("another browser's form", of_another.as_str(), true),
        ("no token", "", true),
        ("no cookie", "own", false),
    ] {
        let mut browser = world.browser();
        let own = browser.get("login").await.hidden("token");
        let token = if token == "own" { &own } else { token };
        if !keep_cookie {
            browser.cookies.clear();
        }
        let fields = [
            ("username", "ada"),
            ("password", PASSWORD),
            ("token", token),
        ];
        let answer = browser.post("login", &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert!(!browser.is_signed_in(), "{name}");
        // The form that is shown instead works, and what was typed is still there.
        assert!(answer.body.contains("value=\"ada\""), "{name}");
        let again = [
            ("username", "ada"),
            ("password", PASSWORD),
            ("token", &answer.hidden("token")),
        ];
        assert_eq!(
            browser.post("login", &again).await.status,
            StatusCode::SEE_OTHER,
            "{name}"
        );
    }
}

#[tokio::test]
async fn r37_odd_forms_are_400() {
    let world = world().await;
    let long = format!("username={}", "x=1&".repeat(40));
    for (name, body) in [
        ("a field twice", "username=ada&password=x&username=bob"),
        ("no UTF-8", "username=%ff"),
        ("too many fields", long.as_str()),
    ] {
        let mut browser = world.browser();
        let answer = browser.ask(http::Method::POST, "login", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
    }
    let mut browser = world.browser();
    browser.fields.push(("content-type", "application/json"));
    let answer = browser.ask(http::Method::POST, "login", "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn incomplete_forms_are_shown_again() {
    let world = world().await;
    for (name, password) in [("", PASSWORD), ("  ", PASSWORD), ("ada", "")] {
        let answer = world.browser().sign_in(name, password).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name:?}");
        assert!(
            answer
                .body
                .contains("Please enter your user name and your password.")
        );
    }
}

#[tokio::test]
async fn r17_a_sign_in_leads_to_paths_of_the_app_alone() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    for target in [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "/.sidegate/logout",
        "x",
    ] {
        let mut browser = world.browser();
        let token = browser.get("login").await.hidden("token");
        let fields = [
            ("username", "ada"),
            ("password", PASSWORD),
            ("token", &token),
            ("return_to", target),
        ];
        assert_eq!(
            browser.post("login", &fields).await.field("location"),
            "/",
            "{target}"
        );
        let query = url::form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>();
        let answer = browser.get(&format!("login?return_to={query}")).await;
        assert_eq!(answer.field("location"), "/", "{target}");
    }
}

#[tokio::test]
async fn r22_a_sign_in_ends_what_the_browser_had() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    world.person("bob", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    let mut old = world.browser();
    old.cookies = browser.cookies.clone();
    browser.sign_in("bob", PASSWORD).await;
    assert!(browser.is_signed_in() && !old.is_signed_in());
}
