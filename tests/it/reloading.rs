//! New settings and an orderly end, without a lost request.

use std::time::Duration;

use crate::support::{Process, Seen, Sidegate, UpstreamApp};

const OPEN: &str = "[[rule]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_rules_and_loses_nothing() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), &format!("local.enabled = true\n{OPEN}")).await;
    let requests = {
        let (address, host) = (gate.address, gate.host.clone());
        tokio::spawn(async move {
            let mut client = crate::support::Client::program(address, &host);
            let mut done = 0;
            for _ in 0..200 {
                let status = client.get("/always").await.status;
                assert!(status == 200 || status == 401, "{status}");
                done += 1;
            }
            done
        })
    };
    let text = std::fs::read_to_string(gate.config()).unwrap();
    for round in 0..4 {
        let rules = if round % 2 == 0 {
            text.replace("access = \"public\"", "access = \"required\"")
        } else {
            text.clone()
        };
        std::fs::write(gate.config(), &rules).unwrap();
        assert!(gate.reload().await);
        let want = if round % 2 == 0 { 401 } else { 200 };
        assert_eq!(
            gate.program().get("/page").await.status,
            want,
            "round {round}"
        );
    }
    assert_eq!(requests.await.unwrap(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_bad_file_keeps_the_old_settings() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), &format!("local.enabled = true\n{OPEN}")).await;
    let text = std::fs::read_to_string(gate.config()).unwrap();
    for (name, bad) in [
        (
            "an unknown key",
            text.replace("access = \"public\"", "acess = \"public\""),
        ),
        ("not TOML", format!("{text}\n[[")),
        ("nothing", String::new()),
    ] {
        std::fs::write(gate.config(), bad).unwrap();
        assert!(!gate.reload().await, "{name}");
        assert_eq!(gate.program().get("/page").await.status, 200, "{name}");
    }
}

/// Whoever is signed in already is told and judged by the new settings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_r27_a_reload_reaches_the_signed_in() {
    let app = UpstreamApp::start().await;
    let further = "local = { enabled = true, bcrypt_cost = 4 }\nroles.default = [\"MEMBER\"]\n\
                   [[rule]]\npath = \"/open\"\naccess = \"public\"\n";
    let gate = Sidegate::start(&app.url(), further).await;
    gate.person("ada", &[]).await;
    let mut ada = gate.signed_in("ada").await;
    let seen: Seen = ada.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-roles"), Some("MEMBER"));
    let text = std::fs::read_to_string(gate.config()).unwrap();
    let renamed = "roles.default = [\"GUEST\"]\nheaders.preset = \"remote-user\"";
    let changed = text.replace("roles.default = [\"MEMBER\"]", renamed);
    std::fs::write(gate.config(), &changed).unwrap();
    assert!(gate.reload().await);
    let seen: Seen = ada.get("/").await.json();
    assert_eq!(seen.header("remote-roles"), Some("GUEST"));
    assert_eq!(seen.header("x-forwarded-roles"), None);
    // No account of ours opens anything any more.
    std::fs::write(
        gate.config(),
        changed.replace("enabled = true", "enabled = false"),
    )
    .unwrap();
    assert!(gate.reload().await);
    assert_ne!(ada.get("/").await.status, 200);
    assert_eq!(ada.get("/.sidegate/whoami").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_ends_in_order() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), &format!("local.enabled = true\n{OPEN}")).await;
    let (address, host) = (gate.address, gate.host.clone());
    let upload = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head =
            format!("POST /slowly HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\n12345");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        // The rest comes when nobody is accepted any more.
        let refused = async {
            while tokio::net::TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), refused)
            .await
            .expect("still accepting");
        stream.write_all(b"67890").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    });
    // Only when the request has reached us is it in flight.
    let begun = async {
        while app.connections() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), begun)
        .await
        .unwrap();
    let folder = tokio::task::spawn_blocking(|| gate.stop()).await.unwrap();
    let answer = upload.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let seen: Seen = serde_json::from_str(body).unwrap();
    assert_eq!(seen.body, "1234567890");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Told at each reload, as long as the file differs from what runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_restart_is_named() {
    let app = UpstreamApp::start().await;
    let further = format!("local.enabled = true\nserver.workers = 1\n{OPEN}");
    let gate = Process::start(&app.url(), &further).await;
    let file = gate.folder.join("sidegate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let storage = format!("redb://{}/", gate.folder.display());
    let changed = text
        .replace(
            "server.workers = 1",
            "server.workers = 2\nlog.level = \"debug\"\nlog.access = false",
        )
        .replace(
            "server.listen = \"127.0.0.1:",
            "log.format = \"text\"\nserver.listen = \"127.0.0.2:",
        )
        .replace(
            "server.ops.listen = \"127.0.0.1:",
            "limits.pending_sign_ins = 7000\nserver.ops.listen = \"127.0.0.2:",
        )
        .replace("/control.sock", "/other.sock")
        .replace(&storage, &format!("{storage}other-"));
    let all = "server.listen, server.ops.listen, server.control.socket, server.workers, storage.url, \
               limits.pending_sign_ins, log.format, log.level, log.access";
    let mut want: Vec<&str> = Vec::new();
    for (name, text, keys) in [
        ("nothing changed", &text, None),
        ("all changed", &changed, Some(all)),
        ("still", &changed, Some(all)),
        ("back", &text, None),
    ] {
        std::fs::write(&file, text).unwrap();
        let before = told(&gate, "settings reloaded").len();
        gate.hang_up().await;
        let reloaded = async {
            while told(&gate, "settings reloaded").len() == before {
                tokio::task::yield_now().await;
            }
        };
        let reloaded = tokio::time::timeout(Duration::from_secs(20), reloaded).await;
        assert!(reloaded.is_ok(), "{name}: {}", gate.log());
        want.extend(keys);
        let lines = told(&gate, "a change of these needs a restart");
        let keys: Vec<_> = lines
            .iter()
            .map(|line| line["keys"].as_str().unwrap())
            .collect();
        assert_eq!(keys, want, "{name}");
    }
}

fn told(gate: &Process, event: &str) -> Vec<serde_json::Value> {
    let log = gate.log();
    let whole = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    whole
        .filter(|line: &serde_json::Value| line["event"] == event)
        .collect()
}
