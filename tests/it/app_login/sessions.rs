//! The app's session is ours: one for each of ours, renewed when it ends, gone when ours is, never in a browser.

use http::Method;
use http::header::{CONTENT_TYPE, HeaderName, SET_COOKIE};
use serde_json::Value;

use super::{FORM, JSON, settings};
use crate::support::{Answer, LoginApp, Sidegate};

fn user(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown: Value = answer.json();
    shown["user"].as_str().unwrap().to_owned()
}

fn has_set(answer: &Answer, name: &str) -> bool {
    let mut all = answer.headers.get_all(SET_COOKIE).iter();
    all.any(|field| field.to_str().unwrap().starts_with(&format!("{name}=")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_requests_are_one_sign_in_by_form_and_by_json() {
    let by_meta = JSON.replace("cookie:XSRF", "meta:csrf-token");
    for login in [FORM, JSON, &by_meta] {
        let app = LoginApp::start().await;
        let gate = Sidegate::start(&app.url(), &settings(login)).await;
        gate.person("alice", &[]).await;
        let browser = gate.signed_in("alice").await;
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let mut browser = browser.copy();
                tokio::spawn(async move { user(&browser.get(&format!("/page/{number}")).await) })
            })
            .collect();
        for request in requests {
            assert_eq!(request.await.unwrap(), "alice");
        }
        assert_eq!(app.attempts(), 1);
        // Another session of ours is another one of the app's.
        let mut other = gate.signed_in("alice").await;
        assert_eq!(user(&other.get("/page").await), "alice");
        assert_eq!(app.sessions().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_browser_gets_the_apps_cookie_and_none_brings_one() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    for name in ["alice", "bob"] {
        gate.person(name, &[]).await;
    }
    let mut alice = gate.signed_in("alice").await;
    let answer = alice.get("/page").await;
    assert_eq!(user(&answer), "alice");
    assert!(!has_set(&answer, "SID"), "{:?}", answer.headers);
    assert!(has_set(&answer, "theme"), "other cookies pass");
    let stolen = app.sessions().pop().unwrap();

    // Whoever has it all the same is not let in with it, nor as somebody else.
    let mut nobody = gate.browser();
    nobody.cookies.insert("SID".to_owned(), stolen.clone());
    assert_eq!(nobody.get("/page").await.status, 302);
    let mut bob = gate.signed_in("bob").await;
    bob.cookies.insert("SID".to_owned(), stolen.clone());
    let answer = bob.get("/page").await;
    assert_eq!(user(&answer), "bob");
    let shown: Value = answer.json();
    assert!(
        !shown["cookies"].as_str().unwrap().contains(&stolen),
        "{shown}"
    );
    // On a public path the app is told of nobody: not by us, not by a cookie from outside, and it starts nothing.
    for browser in [&mut nobody, &mut bob] {
        let answer = browser.get("/open/x").await;
        assert!(
            answer.location().starts_with("/signin"),
            "{}",
            answer.text()
        );
        assert!(!has_set(&browser.get("/open/out").await, "SID"));
    }
    let open = app
        .seen()
        .into_iter()
        .filter(|(target, _)| target.contains("/open/"));
    for (target, cookies) in open {
        assert!(!cookies.contains("SID="), "{target}: {cookies}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_app_ended_is_renewed() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(JSON)).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(user(&browser.get("/page").await), "alice");
    let form = [(CONTENT_TYPE, "application/x-www-form-urlencoded")];
    // A page, a call of its API, and a form whose body has not been streamed away.
    for (attempts, method, target, body) in [
        (2, Method::GET, "/page", ""),
        (3, Method::GET, "/api/things", ""),
        (4, Method::POST, "/save", "text=kept"),
    ] {
        app.end_sessions();
        let answer = browser.send(method, target, &form, body).await;
        assert_eq!(user(&answer), "alice");
        let shown: Value = answer.json();
        assert_eq!(
            (shown["body"].as_str(), app.attempts()),
            (Some(body), attempts)
        );
    }
    // One that has been: the app's word, and then a new session.
    app.end_sessions();
    let answer = browser
        .send(Method::POST, "/save", &form, &"x".repeat(100_000))
        .await;
    assert!(answer.location().starts_with("/signin"));
    let answer = browser
        .send(Method::POST, "/save", &form, &"x".repeat(100_000))
        .await;
    assert_eq!(user(&answer), "alice");
    assert_eq!(app.attempts(), 5);
    // Its own sign-out, and many requests that meet the end at once.
    assert_eq!(browser.get("/out").await.status, 200);
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let mut browser = browser.copy();
            tokio::spawn(async move { user(&browser.get("/page").await) })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), "alice");
    }
    assert_eq!(app.attempts(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_the_apps_session_goes_with_ours() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    for name in ["alice", "bob"] {
        gate.person(name, &[]).await;
    }
    for name in ["alice", "bob"] {
        let mut browser = gate.signed_in(name).await;
        assert_eq!(user(&browser.get("/page").await), name);
        let mut before = browser.copy();
        if name == "alice" {
            let out = browser.get("/.sidegate/logout").await;
            assert!(out.location().starts_with("/.sidegate/logout/done"));
        } else {
            gate.set_active("bob", false).await;
        }
        let (seen, sessions) = (app.seen().len(), app.sessions());
        assert!(!sessions.is_empty(), "the app still has it");
        for session in sessions {
            before.cookies.insert("SID".to_owned(), session);
            let answer = before.get("/page").await;
            assert!(
                answer.location().contains("/.sidegate/login"),
                "{}",
                answer.text()
            );
            let program = [(
                HeaderName::from_static("x-requested-with"),
                "XMLHttpRequest",
            )];
            let answer = before.send(Method::GET, "/api/things", &program, "").await;
            assert_eq!(answer.status, 401);
        }
        assert_eq!(app.seen().len(), seen, "nothing reached the app");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_person_in_the_same_browser_is_another_one_in_the_app() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    for name in ["alice", "bob"] {
        gate.person(name, &[]).await;
    }
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(user(&browser.get("/page").await), "alice");
    let answer = browser.sign_in_again("bob").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(user(&browser.get("/page").await), "bob");
}
