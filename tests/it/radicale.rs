//! Radicale, unmodified: it takes whoever `X-Remote-User` names, on every request, and reads it as Latin-1.

use http::{HeaderName, Method};
use serde_json::Value;
use sidegate::identity::TenantSlug;
use sidegate::secret::Secret;
use sidegate::server::control::{Create, Operation};
use tokio::process::Command;

use crate::support::{Answer, Client, PASSWORD, Program, Sidegate, test_file};

/// As an operator would write it.
const SETTINGS: &str = r#"
[headers]
preset = "none"
encoding = "latin1"
[headers.set]
"X-Remote-User" = "{{ user.userName }}"
[local]
enabled = true
bcrypt_cost = 4
[[rule]]
path = "/open/**"
access = "public"
"#;
const WHO: &str = r#"<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>"#;

async fn ask(
    client: &mut Client,
    method: &str,
    target: &str,
    headers: &[(HeaderName, &str)],
) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let body = if method.as_str() == "PROPFIND" {
        WHO
    } else {
        ""
    };
    client.send(method, target, headers, body).await
}

/// Whom Radicale sees, as the path of their own collection.
async fn person(client: &mut Client, headers: &[(HeaderName, &str)]) -> Result<String, u16> {
    let answer = ask(client, "PROPFIND", "/", headers).await;
    let text = answer.text();
    let path = text.split_once("<current-user-principal><href>");
    match path.and_then(|(_, rest)| rest.split_once("</href>")) {
        Some((path, _)) => Ok(path.to_owned()),
        None => Err(answer.status.as_u16()),
    }
}

async fn create(gate: &Sidegate, name: &str) {
    let create = Create {
        tenant: TenantSlug::default(),
        user_name: name.to_owned(),
        email: None,
        display_name: None,
        roles: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
        must_change: false,
    };
    let _made: Value = gate.ask(Operation::UserCreate(create)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn radicale_sees_the_right_person_on_every_request() {
    let radicale = Program::start(Command::new(test_file("apps/start-radicale.sh"))).await;
    let gate = Sidegate::start(&radicale.url("url"), SETTINGS).await;
    for name in ["alice", "bob", "zoë", "zoe\u{308}lle", "zoë.o’neil@例え.jp"] {
        create(&gate, name).await;
    }
    names(&gate).await;
    r07_spoofed(&radicale, &gate).await;
    collections(&gate).await;
    ends(&gate).await;
    drop(gate);
    radicale.end().await;
}

async fn names(gate: &Sidegate) {
    for (name, want) in [
        ("alice", Ok("/alice/")),
        ("zoë", Ok("/zo%C3%AB/")),
        // Composed, because Latin-1 has no combining accent.
        ("zoe\u{308}lle", Ok("/zo%C3%ABlle/")),
        ("zoë.o’neil@例え.jp", Err(403)),
    ] {
        let mut client = gate.signed_in(name).await;
        let seen = person(&mut client, &[]).await;
        assert_eq!(seen.as_deref().map_err(|status| *status), want, "{name}");
    }
    // People get a page that says why, and can go on from there; programs get the reason.
    let mut browser = gate.signed_in("zoë.o’neil@例え.jp").await;
    let page = browser.get("/.web/").await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("<h1>"), "{}", page.text());
    assert!(
        page.text()
            .contains("Your name holds characters that this application cannot take."),
        "{}",
        page.text()
    );
    let told: Value = ask(&mut browser, "PROPFIND", "/", &[]).await.json();
    assert_eq!(told["code"], "headers.encoding", "{told}");
    let out = browser.get("/.sidegate/logout").await;
    assert_eq!(out.location(), "/.sidegate/logout/done");
}

/// Every spelling that WSGI takes for the same field.
fn spellings() -> [HeaderName; 4] {
    [
        "x-remote-user",
        "x_remote_user",
        "x-remote_user",
        "x_remote-user",
    ]
    .map(HeaderName::from_static)
}

async fn r07_spoofed(radicale: &Program, gate: &Sidegate) {
    let url = radicale.url("url");
    let host = url.trim_start_matches("http://");
    let mut past_us = Client::program(host.parse().unwrap(), host);
    let mut alice = gate.signed_in("alice").await;
    let mut nobody = gate.program();
    for name in spellings() {
        let spoofed = [(name.clone(), "mallory")];
        // What it would be without us.
        assert_eq!(
            person(&mut past_us, &spoofed).await.as_deref(),
            Ok("/mallory/"),
            "{name}"
        );
        assert_eq!(
            person(&mut alice, &spoofed).await.as_deref(),
            Ok("/alice/"),
            "{name}"
        );
        assert_eq!(person(&mut nobody, &spoofed).await, Err(401), "{name}");
        // Radicale itself refuses whoever has no name.
        let open = ask(&mut nobody, "PROPFIND", "/open/", &spoofed).await;
        assert_eq!(open.status, 403, "{name}");
        assert!(
            open.text().starts_with("Access to"),
            "{name}: {}",
            open.text()
        );
    }
    let twice = [
        (HeaderName::from_static("x-remote-user"), "mallory"),
        (HeaderName::from_static("x_remote_user"), "mallory"),
        (HeaderName::from_static("connection"), "x-remote-user"),
    ];
    assert_eq!(person(&mut alice, &twice).await.as_deref(), Ok("/alice/"));
}

/// Methods, bodies and addresses of `WebDAV` pass, and each person has their own.
async fn collections(gate: &Sidegate) {
    let mut alice = gate.signed_in("alice").await;
    let mut zoe = gate.signed_in("zoë").await;
    for (client, own, other) in [
        (&mut alice, "/alice/notes/", "/zo%C3%AB/notes/"),
        (&mut zoe, "/zo%C3%AB/notes/", "/alice/notes/"),
    ] {
        assert_eq!(
            ask(client, "MKCALENDAR", own, &[]).await.status,
            201,
            "{own}"
        );
        let depth = [(HeaderName::from_static("depth"), "1")];
        assert_eq!(
            ask(client, "PROPFIND", own, &depth).await.status,
            207,
            "{own}"
        );
        let item = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:Tee für Zoë\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
        let kind = [(http::header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
        let target = format!("{own}1.ics");
        let put = client.send(Method::PUT, &target, &kind, item).await;
        assert_eq!(put.status, 201, "{}", put.text());
        assert!(client.get(&target).await.text().contains("Tee für Zoë"));
        assert_eq!(
            ask(client, "MKCALENDAR", other, &[]).await.status,
            403,
            "{other}"
        );
    }
    assert_eq!(
        ask(&mut zoe, "GET", "/alice/notes/1.ics", &[]).await.status,
        403
    );
}

async fn ends(gate: &Sidegate) {
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(person(&mut browser, &[]).await.as_deref(), Ok("/alice/"));
    let alices = browser.cookies.clone();
    assert_eq!(browser.sign_in_again("bob").await.status, 303);
    assert_eq!(person(&mut browser, &[]).await.as_deref(), Ok("/bob/"));
    let bobs = std::mem::replace(&mut browser.cookies, alices);
    assert_eq!(
        person(&mut browser, &[]).await,
        Err(401),
        "her session was replaced"
    );

    browser.cookies = bobs.clone();
    let out = browser.get("/.sidegate/logout").await;
    assert_eq!(out.location(), "/.sidegate/logout/done");
    browser.cookies = bobs;
    assert_eq!(person(&mut browser, &[]).await, Err(401), "he signed out");

    let mut alice = gate.signed_in("alice").await;
    gate.set_active("alice", false).await;
    assert_eq!(person(&mut alice, &[]).await, Err(401), "she is shut out");
    gate.set_active("alice", true).await;
    assert_eq!(
        person(&mut alice, &[]).await,
        Err(401),
        "and her session stays dead"
    );
}
