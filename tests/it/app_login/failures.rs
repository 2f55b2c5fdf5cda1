//! What docs/APP-LOGIN.md says of failures: the page, the code and the cause of each.

use std::path::Path;

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, SET_COOKIE};
use serde_json::Value;

use super::{FORM, changing, settings};
use crate::support::{Answer, LoginApp, PASSWORD, Process, Said, create_person};

/// Short enough for a test to meet it.
const TIMES: &str = "upstream.response_timeout = \"1s\"\n";
const TABLE: &str = include_str!("../../../docs/APP-LOGIN.md");
/// What the app says of itself in everything that it answers here.
const CANARY: &str = "canary-of-the-app";
const REFUSED: &str = "The app did not take the sign-in that is kept for you. Ask for your account in the app to be looked at.";
const NO_ACCOUNT: &str =
    "There is no sign-in to the app kept for you. Ask for your account in the app to be set up.";

struct Case {
    name: &'static str,
    /// What the app answers to what.
    asked: &'static str,
    said: Said,
    status: u16,
    code: &'static str,
    /// What a person reads.
    detail: &'static str,
    /// What the log says, as the table has it.
    cause: &'static str,
    /// As it stands in the table, where that is not the whole cause.
    table: &'static str,
}

fn whole(status: u16, headers: &[(&'static str, &str)], body: &str) -> Said {
    let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
    let headers = headers.iter().map(own).collect();
    Said::Whole(status, headers, format!("{body}<p>{CANARY}"))
}

fn page(status: u16, further: &str) -> Said {
    let form =
        "<form><input type=hidden name=csrf value=t><input type=password name=password></form>";
    let kind = (CONTENT_TYPE.as_str(), "text/html");
    whole(status, &[kind], &format!("{form}{further}"))
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let refused = |name, asked, said, cause| Case {
        name,
        asked,
        said,
        status: 502,
        code: "app_login.refused",
        detail: REFUSED,
        cause,
        table: cause,
    };
    let (to, set) = (LOCATION.as_str(), SET_COOKIE.as_str());
    let slow = "The application took too long to sign you in. Please try again.";
    vec![
        Case {
            table: "the app refuses the sign-in …: it answers 200",
            ..refused(
                "another password",
                "POST /signin",
                page(200, ""),
                "the app refuses the sign-in, or upstream.login.success does not fit: it answers 200",
            )
        },
        refused(
            "another page",
            "GET /signin",
            whole(302, &[(to, "/elsewhere")], ""),
            "the app's sign-in page answers 302",
        ),
        Case {
            table: "has no input \"…\"",
            ..refused(
                "no token",
                "GET /signin",
                whole(200, &[], "<form><input type=password></form>"),
                "the app's sign-in page has no input \"csrf\": is upstream.login.csrf right?",
            )
        },
        refused(
            "no cookie",
            "POST /signin",
            whole(302, &[(to, "/home"), (set, "OTHER=1")], ""),
            "the app sets none of upstream.login.cookies",
        ),
        refused(
            "always at its end",
            "GET /page",
            whole(302, &[(to, "/signin"), (set, "SID=canary-cookie")], ""),
            "the app says that the session has ended that it has just begun",
        ),
        Case {
            table: "the app's sign-in page: body is larger than …",
            ..refused(
                "a huge page",
                "GET /signin",
                page(200, &"x".repeat(1024 * 1024)),
                "the app's sign-in page: body is larger than 1048576 bytes",
            )
        },
        Case {
            table: "not signed in to the app within …",
            status: 504,
            code: "app_login.slow",
            detail: slow,
            ..refused(
                "a page without an end",
                "GET /signin",
                Said::Drip(200, Vec::new()),
                "not signed in to the app within 2 s",
            )
        },
        Case {
            table: "no response head within …",
            status: 504,
            code: "upstream.slow",
            detail: "The application took too long to answer. Please try again.",
            ..refused(
                "no answer",
                "GET /signin",
                Said::Silence,
                "no response head within 1 s",
            )
        },
        Case {
            table: "connection broke off …",
            status: 502,
            code: "upstream.broken",
            detail: "The application broke off its answer. Please try again.",
            ..refused(
                "half an answer",
                "GET /signin",
                Said::Nothing,
                "connection broke off before the response",
            )
        },
        Case {
            status: 503,
            code: "app_login.app",
            detail: "The app is not ready to sign you in. Please try again in a moment.",
            ..refused(
                "an error of its own",
                "GET /signin",
                whole(503, &[], ""),
                "the app's sign-in page answers 503",
            )
        },
    ]
}

/// What a person and a program are told, and the number by which the log has it.
async fn told(gate: &Process, app: &LoginApp, who: &str, want: (u16, &str, &str)) -> String {
    let (status, code, detail) = want;
    let mut browser = gate.browser();
    let signed_in = browser.sign_in(who, PASSWORD, "/").await;
    assert_eq!(signed_in.status, 303, "{who}: {}", signed_in.text());
    let page = browser.get("/page").await;
    shows_nothing_of_the_app(&page, app);
    let text = page.text();
    assert_eq!(page.status, status, "{who}: {text}");
    let title = match status {
        502 if code.starts_with("app_login.") => "The app does not let you in",
        502 => "The app cannot be reached",
        503 => "Not available just now",
        _ => "The app did not answer in time",
    };
    for shown in [title, detail, "quote this", code] {
        assert!(text.contains(shown), "{who}: {shown}: {text}");
    }
    browser.headers = vec![(ACCEPT, "application/json".to_owned())];
    let problem = browser.get("/page").await;
    shows_nothing_of_the_app(&problem, app);
    let problem: Value = problem.json();
    let got = (problem["code"].as_str(), problem["detail"].as_str());
    assert_eq!(got, (Some(code), Some(detail)), "{who}");
    problem["request_id"].as_str().unwrap().to_owned()
}

/// No password, no cookie, no word, no address of the app.
fn shows_nothing_of_the_app(answer: &Answer, app: &LoginApp) {
    let mut secret: Vec<_> = app.people().into_iter().map(|(_, kept)| kept).collect();
    secret.extend(app.sessions());
    let address = app.address.to_string();
    let words = [CANARY, "canary-cookie", "SID", "csrf", "/signin", &address];
    secret.extend(words.map(str::to_owned));
    let shown = format!("{:?} {}", answer.headers, answer.text());
    for secret in secret {
        assert!(!shown.contains(&secret), "{secret}: {shown}");
    }
}

fn line_of<'a>(log: &'a str, id: &str) -> &'a str {
    let mut lines = log.lines();
    lines.find(|line| line.contains(id)).unwrap()
}

fn read_log(folder: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_has_the_page_the_code_and_the_cause_that_are_documented() {
    let app = LoginApp::start().await;
    let further = format!("{TIMES}{}", settings(FORM));
    let gate = Process::start(&app.url(), &further).await;
    let mut met = Vec::new();
    for (number, case) in cases().into_iter().enumerate() {
        let who = format!("person{number}");
        create_person(&gate.folder, &who, &[]).await;
        if case.name == "no cookie" {
            app.say("GET /signin", page(200, ""));
        }
        app.say(case.asked, case.said.clone());
        let want = (case.status, case.code, case.detail);
        let id = told(&gate, &app, &who, want).await;
        app.say_nothing_else();
        met.push((id, case));
    }
    let kept: Vec<_> = app.people().into_iter().map(|(_, kept)| kept).collect();
    let folder = gate.terminate().await;
    let text = std::fs::read_to_string(folder.join("log")).unwrap();
    for secret in kept.iter().map(String::as_str).chain([CANARY]) {
        assert!(!text.contains(secret), "in the log: {secret}");
    }
    let log = read_log(&folder);
    for (id, case) in met {
        let line = line_of(&text, &id);
        assert!(line.contains(case.code), "{}: {line}", case.name);
        let found = log.iter().any(|line| {
            let cause = line["cause"].as_str().unwrap_or_default();
            line["request_id"] == *id && cause.contains(case.cause)
        });
        assert!(found, "{}: {} in {line}", case.name, case.cause);
        for word in [case.code.split('.').next().unwrap(), case.table] {
            assert!(TABLE.contains(word), "{}: {word} is not told", case.name);
        }
    }
    let _gone = std::fs::remove_dir_all(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_cannot_be_signed_in_to_have_theirs() {
    let app = LoginApp::start().await;
    for name in ["before", "later"] {
        app.add(name, "their own");
    }
    let gate = Process::start(&app.url(), &settings(FORM)).await;
    for name in ["before", "later", "kept"] {
        create_person(&gate.folder, name, &[]).await;
    }
    let want = (502, "app_login.no_account", NO_ACCOUNT);
    let first = told(&gate, &app, "before", want).await;
    let folder = gate.terminate().await;

    // The app's API can set passwords, and does not answer; and the key has gone.
    std::fs::remove_file(folder.join("sidegate.redb.key")).unwrap();
    let gate = Process::start_in(folder, &app.url(), &changing(FORM)).await;
    let id = app.people().iter().position(|(name, _)| name == "later");
    let asked = format!("PUT /users-api/{}", id.unwrap() + 1);
    app.say(&asked, whole(503, &[], ""));
    let detail = "Your account in the app cannot be set up now. Please try again in a moment.";
    let app_down = (503, "app_login.app", detail);
    let second = told(&gate, &app, "later", app_down).await;
    let third = told(&gate, &app, "kept", want).await;
    let folder = gate.terminate().await;
    let text = std::fs::read_to_string(folder.join("log")).unwrap();
    for (id, cause) in [
        (first, "the account was there before us"),
        (second, "the app cannot be reached"),
        (
            third,
            "the password kept for the app is sealed with another key",
        ),
    ] {
        let line = line_of(&text, &id);
        assert!(line.contains(cause), "{cause}: {line}");
        assert!(TABLE.contains(cause), "{cause}");
    }
    assert_eq!(app.attempts(), 0);
    let _gone = std::fs::remove_dir_all(folder);
}
