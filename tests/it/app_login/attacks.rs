//! Who would have the app's session, be somebody else in it, or make it shut people out.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{FORM, settings};
use crate::support::{LoginApp, PASSWORD, Process, Said, Sidegate, create_person, raw};

/// A sign-in that no connector has to make an account for.
const BARE: &str = r#"
[upstream.login]
kind = "json"
path = "/in"
cookies = ["SID"]
fields = { user = "{login}" }
[local]
enabled = true
bcrypt_cost = 4
"#;

fn said(headers: &[(&'static str, &str)], body: &str) -> Said {
    let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
    Said::Whole(200, headers.iter().map(own).collect(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_no_spelling_of_the_apps_cookie_reaches_the_app() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    gate.person("alice", &[]).await;
    for (name, value) in [
        ("SID", "stolen"),
        ("sid", "stolen"),
        ("S%49D", "stolen"),
        ("SID[a]", "stolen"),
        ("SID.", "SID=stolen"),
        ("theme", "dark,SID=stolen"),
        ("theme", "dark, sid=stolen"),
    ] {
        let mut browser = gate.signed_in("alice").await;
        browser.cookies.insert(name.to_owned(), value.to_owned());
        let shown: Value = browser.get("/page").await.json();
        assert_eq!(shown["user"], "alice", "{name}={value}");
        let cookies = shown["cookies"].as_str().unwrap();
        let found = cookies.contains("stolen") && name != "SID.";
        assert!(!found, "{name}={value}: {cookies}");
    }
    // A quote that is not closed swallows what comes behind it, for some: the app's own stands before.
    let mut browser = gate.signed_in("alice").await;
    browser.cookies.insert("a".to_owned(), "\"x".to_owned());
    let shown: Value = browser.get("/page").await.json();
    let cookies = shown["cookies"].as_str().unwrap();
    assert!(cookies.starts_with("SID="), "{cookies}");
    assert!(cookies.ends_with("; a=\"x"), "{cookies}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_spelling_of_the_apps_cookie_leaves_it() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    let set = SET_COOKIE.as_str();
    let answer = said(
        &[
            (set, "SID=canary; Path=/elsewhere; Domain=localhost"),
            (set, "sid=canary; HttpOnly"),
            (set, "=SID=canary"),
            (set, " SID =canary; Secure"),
            (set, "theme=dark; Path=/, SID=canary; Path=/"),
            (set, "theme=dark, sid=canary"),
            (set, "lang=en; Expires=Thu, 01 Jan 2099 00:00:00 GMT"),
        ],
        "",
    );
    app.say("GET /page", answer);
    for target in ["/page", "/open/../page", "/page?x=SID"] {
        let answer = browser.get(target).await;
        let headers = format!("{:?}", answer.headers);
        assert!(!headers.contains("canary"), "{target}: {headers}");
    }
    let answer = browser.get("/page").await;
    let set: Vec<_> = answer.headers.get_all(SET_COOKIE).iter().collect();
    assert_eq!(set, ["lang=en; Expires=Thu, 01 Jan 2099 00:00:00 GMT"]);
}

/// An app in which a socket is all there is: what it answers to what, byte for byte.
async fn bytes_app(answer: fn(&str) -> Vec<u8>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, answer));
        }
    });
    (url, task)
}

/// One request of one connection: nothing else is to come.
async fn serve(mut stream: TcpStream, answer: fn(&str) -> Vec<u8>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    stream.write_all(&answer(&head)).await?;
    stream.shutdown().await
}

fn odd(head: &str) -> Vec<u8> {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
    let own = format!("{ok}Set-Cookie: SID=canary-own\r\n\r\nok");
    let early = "HTTP/1.1 100 Continue\r\nSet-Cookie: SID=canary\r\n\r\n\
                 HTTP/1.1 103 Early Hints\r\nSet-Cookie: SID=canary\r\nLink: </a>; rel=preload\r\n\r\n";
    let target = head.split(' ').nth(1).unwrap();
    match target {
        "/in" | "/early" => format!("{early}{own}"),
        "/fold" => format!("{ok}Set-Cookie: theme=dark;\r\n SID=canary\r\n\r\nok"),
        "/lf" => format!("{ok}Set-Cookie: theme=dark\nSet-Cookie: SID=canary\r\n\r\nok"),
        "/cr" => format!("{ok}Set-Cookie: theme=dark\rSet-Cookie: SID=canary\r\n\r\nok"),
        "/nul" => format!("{ok}Set-Cookie: theme=dark\0; SID=canary\r\n\r\nok"),
        "/twice" => format!("{own}HTTP/1.1 200 OK\r\nSet-Cookie: SID=canary\r\n\r\n"),
        "/trailer" => {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n\
                       2\r\nok\r\n0\r\nSet-Cookie: SID=canary\r\n\r\n"
                .to_owned()
        }
        "/redirect" => {
            "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nSet-Cookie: SID=canary\r\n\
                        Content-Length: 0\r\n\r\n"
                .to_owned()
        }
        _ => {
            // What the app was told.
            let line = head.lines().find(|line| line.starts_with("cookie: "));
            let body = line.unwrap_or("none").replace("canary", "kept");
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    }
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_shape_of_an_answer_brings_the_apps_cookie_to_a_browser() {
    let (url, app) = bytes_app(odd).await;
    let gate = Sidegate::start(&url, BARE).await;
    gate.person("alice", &[]).await;
    let browser = gate.signed_in("alice").await;
    let ask = |target: &str| {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nCookie: sidegate={}\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n",
            gate.host, browser.cookies["sidegate"]
        );
        let address = gate.address;
        async move { raw(address, request.as_bytes()).await }
    };
    // Of a sign-in, too, an answer before the answer sets nothing.
    let told = ask("/told").await;
    assert!(told.ends_with("cookie: SID=kept-own"), "{told}");
    for target in [
        "/early",
        "/fold",
        "/lf",
        "/cr",
        "/nul",
        "/twice",
        "/trailer",
        "/redirect",
    ] {
        let answer = ask(target).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{target}: {answer}");
        assert!(!answer.contains("canary"), "{target}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{target}: {answer}");
    }
    app.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_the_persons_in_every_session_of_theirs() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    for name in ["alice", "bob", "carol"] {
        gate.person(name, &[]).await;
    }
    // One who signs in here again and again.
    app.set_password("alice", "another one");
    for _ in 0..3 {
        let mut browser = gate.signed_in("alice").await;
        assert_eq!(browser.get("/page").await.status, 502);
    }
    assert_eq!(
        app.attempts(),
        1,
        "apps lock addresses, and all of us have one"
    );
    // One who goes away before the app has answered, or signs out.
    app.set_password("bob", "another one");
    for leaves in [false, true, false] {
        let mut browser = gate.signed_in("bob").await;
        let mut other = browser.copy();
        let asking = tokio::spawn(async move { browser.get("/page").await.status });
        let began = async {
            while app.attempts() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), began)
            .await
            .unwrap();
        asking.abort();
        if leaves {
            other.get("/.sidegate/logout").await;
        }
    }
    let mut browser = gate.signed_in("bob").await;
    assert_eq!(browser.get("/page").await.status, 502);
    assert_eq!(app.attempts(), 2);
    // Nobody else waits for them.
    let mut browser = gate.signed_in("carol").await;
    assert_eq!(browser.get("/page").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_what_a_refusal_leads_to_is_told_without_what_it_repeats() {
    let app = LoginApp::start().await;
    let form = format!("{FORM}success = [\"cookie:SIGNED_IN\"]\n");
    let gate = Process::start(&app.url(), &settings(&form)).await;
    let far = "/x".repeat(500);
    for (number, to) in [
        "/signin;jsessionid=canary-session?from=canary-query",
        "/signin/{password}",
        "/signin/{encoded}",
        "/signin?password={password}",
        &far,
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("person{number}");
        create_person(&gate.folder, &name, &[]).await;
        let kept = app.people().pop().unwrap().1;
        let to = to.replace("{password}", &kept);
        let to = to.replace("{encoded}", &kept.replace('!', "%21"));
        let headers = vec![(LOCATION.as_str(), to)];
        app.say("POST /signin", Said::Whole(302, headers, String::new()));
        let mut browser = gate.browser();
        browser.sign_in(&name, PASSWORD, "/").await;
        browser.get("/page").await;
    }
    let kept: Vec<_> = app
        .people()
        .into_iter()
        .map(|(_, kept)| kept.replace('!', ""))
        .collect();
    let folder = gate.terminate().await;
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("it answers 302, to /signin\""), "{log}");
    for secret in kept.iter().map(String::as_str).chain(["canary", "/x/x/x"]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let _gone = std::fs::remove_dir_all(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_field_speaks_for_none_of_ours_and_the_form_leads_nowhere_else() {
    let app = LoginApp::start().await;
    let elsewhere = LoginApp::start().await;
    let form = FORM.replace("fields = {", "fields = { \"user.id\" = \"{login}\",");
    let gate = Sidegate::start(&app.url(), &settings(&form)).await;
    gate.person("alice", &[]).await;
    let page = format!(
        "<base href='{0}'><form action='{0}/signin' method=get><input type=password>\
         <input type=hidden name=NAME value=mallory><input type=hidden name=name value=mallory>\
         <input type=hidden name=user_id value=mallory><input type=hidden name='user[id' value=mallory>\
         <input type=hidden name=csrf value=t><input type=hidden name=stay value=yes></form>",
        elsewhere.url()
    );
    app.say(
        "GET /signin",
        said(
            &[
                (CONTENT_TYPE.as_str(), "text/html"),
                (SET_COOKIE.as_str(), "SID=of-the-page"),
            ],
            &page,
        ),
    );
    app.say(
        "POST /signin",
        Said::Whole(
            302,
            vec![(LOCATION.as_str(), format!("{}/home", elsewhere.url()))],
            String::new(),
        ),
    );
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(browser.get("/open/x").await.status, 302);
    browser.get("/page").await;
    let sent = app.bodies_of("POST /signin").pop().unwrap();
    assert!(!sent.contains("mallory"), "{sent}");
    assert!(
        sent.contains("stay=yes") && sent.contains("name=alice"),
        "{sent}"
    );
    assert!(
        elsewhere.seen().is_empty(),
        "neither the form nor the redirect is followed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_closes_the_apps_own_form_and_not_our_sign_in() {
    let app = LoginApp::start().await;
    app.add("root", "known");
    let rule = "[[rule]]\npath = \"/signin\"\nmethods = [\"POST\"]\nroles = [\"nobody\"]\n";
    let gate = Sidegate::start(&app.url(), &format!("{}{rule}", settings(FORM))).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    let page = browser.get("/signin").await;
    let mut fields = page.hidden_fields();
    for (name, value) in [("name", "root"), ("password", "known")] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(browser.post_form("/signin", &fields).await.status, 403);
    let shown: Value = browser.get("/page").await.json();
    assert_eq!(shown["user"], "alice");
}
