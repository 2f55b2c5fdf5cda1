//! The password that is kept: made with the account, sealed with its link, and clear words where there is none.

use std::time::Duration;

use serde_json::Value;

use super::{FORM, changing, settings};
use crate::support::{Answer, Client, LoginApp, PASSWORD, Process, Sidegate, create_person};

fn refused(answer: &Answer, detail: &str) {
    let text = answer.text();
    assert_eq!(answer.status, 502, "{text}");
    assert!(text.contains(detail), "{text}");
    for shown in [
        "The app does not let you in",
        "quote this",
        "<code>app_login.",
    ] {
        assert!(text.contains(shown), "{text}");
    }
}

fn user(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown: Value = answer.json();
    shown["user"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_not_tried_again_and_again() {
    let app = LoginApp::start().await;
    let gate = Process::start(&app.url(), &settings(FORM)).await;
    create_person(&gate.folder, "alice", &[]).await;
    let kept = app.people().pop().unwrap().1;
    app.set_password("alice", "another one");
    let mut browser = gate.browser();
    browser.sign_in("alice", PASSWORD, "/").await;
    for _ in 0..3 {
        let answer = browser.get("/page").await;
        refused(
            &answer,
            "The app did not take the sign-in that is kept for you.",
        );
        assert!(!answer.text().contains(&kept));
    }
    assert_eq!(app.attempts(), 1, "apps lock accounts");
    let mut program = browser.copy();
    program.headers = vec![(http::header::ACCEPT, "application/json".to_owned())];
    let answer = program.get("/page").await;
    let problem: Value = answer.json();
    assert_eq!(problem["code"], "app_login.refused");
    let id = problem["request_id"].as_str().unwrap().to_owned();
    let folder = gate.terminate().await;
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let line = log.lines().find(|line| line.contains(&id)).unwrap();
    assert!(
        line.contains("the app refuses the sign-in") && line.contains("it answers 200"),
        "{line}"
    );
    assert!(!log.contains(&kept), "a password in the log");
    let store = std::fs::read(folder.join("sidegate.redb")).unwrap();
    let holds = |needle: &str| {
        store
            .windows(needle.len())
            .any(|at| at == needle.as_bytes())
    };
    assert!(holds("alice") && !holds(&kept), "sealed");
    let _gone = std::fs::remove_dir_all(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_there_before_gets_a_password_where_the_app_takes_one() {
    for (further, ok) in [(settings(FORM), false), (changing(FORM), true)] {
        let app = LoginApp::start().await;
        app.add("alice", "her own");
        let gate = Sidegate::start(&app.url(), &further).await;
        gate.person("alice", &[]).await;
        assert_eq!(app.people().len(), 1, "taken over");
        let mut browser = gate.signed_in("alice").await;
        let answer = browser.get("/page").await;
        if ok {
            assert_eq!(user(&answer), "alice");
            assert_ne!(app.people()[0].1, "her own");
        } else {
            refused(&answer, "There is no sign-in to the app kept for you.");
            assert_eq!((app.people()[0].1.as_str(), app.attempts()), ("her own", 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_app_and_the_store_nothing_is_lost() {
    let app = LoginApp::start().await;
    let further = settings(FORM);
    let gate = Process::start(&app.url(), &further).await;
    // The app has made the account and has not answered when the process is killed.
    let asking = tokio::task::spawn({
        let folder = gate.folder.clone();
        async move { create_person(&folder, "alice", &[]).await }
    });
    app.hold_back().await;
    let folder = gate.kill().await;
    assert!(asking.await.is_err(), "nobody was told of it");
    let made = app.people();
    assert_eq!(made.len(), 1);
    let mut gate = Process::start_in(folder, &app.url(), &further).await;
    for round in 0..3 {
        let mut browser = gate.browser();
        until_there(&gate, &mut browser).await;
        assert_eq!(user(&browser.get("/page").await), "alice", "round {round}");
        assert_eq!(app.people(), made, "one account, and its first password");
        let folder = gate.kill().await;
        gate = Process::start_in(folder, &app.url(), &further).await;
    }
    // Without its key the store opens, and the password in it does not.
    let folder = gate.kill().await;
    std::fs::remove_file(folder.join("sidegate.redb.key")).unwrap();
    let gate = Process::start_in(folder, &app.url(), &further).await;
    let mut browser = gate.browser();
    browser.sign_in("alice", PASSWORD, "/").await;
    let attempts = app.attempts();
    refused(
        &browser.get("/page").await,
        "There is no sign-in to the app kept for you.",
    );
    assert_eq!(app.attempts(), attempts);
    let folder = gate.terminate().await;
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("sealed with another key"), "{log}");
    let _gone = std::fs::remove_dir_all(folder);
}

/// What was begun is finished when the process starts, or a moment later.
async fn until_there(gate: &Process, browser: &mut Client) {
    let tries = async {
        while browser.sign_in("alice", PASSWORD, "/").await.status != 303 {
            browser.cookies.clear();
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(30), tries).await;
    assert!(done.is_ok(), "nobody:\n{}", gate.log());
}
