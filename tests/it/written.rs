//! R41: no secret in any line that we write, and one access line for each request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{AtIdp, OidcIdp, PASSWORD, Process, UpstreamApp, create_person};

/// Nothing that the person or the idp handed us may be found again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_no_secret_is_written_anywhere() {
    let app = UpstreamApp::start().await;
    let secret = "canary-client-secret-4711";
    let idp = OidcIdp::start(&[("CLIENT_SECRET", secret)]).await;
    let folder = crate::support::new_folder();
    let settings = format!(
        "audit.file = \"{}/audit.jsonl\"\n[local]\nenabled = true\nbcrypt_cost = 4\n[log]\nlevel = \"debug\"\n\
         [[idp]]\nname = \"corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"sidegate\"\nclient_secret = \"{secret}\"\n",
        folder.display(),
        idp.issuer
    );
    let gate = Process::start_in(folder, &app.url(), &settings).await;
    idp.trust(&format!("http://{}", gate.host), "corp").await;
    create_person(&gate.folder, "alice", &[]).await;

    let mut canaries = vec![secret.to_owned(), PASSWORD.to_owned()];
    let mut browser = gate.browser();
    let answer = browser.sign_in("alice", PASSWORD, "/").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let wrong = gate
        .browser()
        .sign_in("alice", "canary-wrong-password", "/")
        .await;
    assert_ne!(wrong.status, 303);
    canaries.push("canary-wrong-password".to_owned());
    canaries.extend(browser.cookies.values().cloned());

    let mut other = gate.browser();
    let led = other.get("/.sidegate/login?idp=corp&return_to=/").await;
    let back = AtIdp::new(&idp).sign_in(led.location(), "bob").await;
    for name in ["code", "state"] {
        let value = back
            .split(['?', '&'])
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
            .unwrap();
        canaries.push(value.to_owned());
    }
    let done = other.get(&back).await;
    assert_eq!(done.status, 302, "{}", done.text());
    canaries.extend(other.cookies.values().cloned());
    // Refused: the same answer twice, and one that nobody asked for.
    other.get(&back).await;
    other
        .get("/oidc/corp/callback?code=canary-stolen-code&state=canary-state")
        .await;
    canaries.extend(["canary-stolen-code".to_owned(), "canary-state".to_owned()]);
    for token in [
        "canary-bearer-token",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.canarysig",
    ] {
        let bearer = [(http::header::AUTHORIZATION, &*format!("Bearer {token}"))];
        crate::support::Client::program(gate.address, &gate.host)
            .send(http::Method::GET, "/api?token=canary-in-query", &bearer, "")
            .await;
        canaries.push(token.to_owned());
    }
    canaries.push("canary-in-query".to_owned());

    let metrics = crate::support::Client::program(gate.ops, "localhost")
        .get("/metrics")
        .await
        .text();
    let file = std::fs::read_to_string(gate.folder.join("audit.jsonl")).unwrap();
    // What is still on its way is written when it ends.
    let path = gate.folder.join("log");
    let log = path.clone();
    let folder = gate.terminate().await;
    let log = std::fs::read_to_string(log).unwrap();
    for canary in &canaries {
        for (place, text) in [("log", &log), ("audit file", &file), ("metrics", &metrics)] {
            assert!(
                !text.contains(canary.as_str()),
                "{canary} stands in the {place}"
            );
        }
    }
    every_request_has_its_line(&log);
    let audited: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for action in ["sign_in.ok", "sign_in.refused", "user.created"] {
        assert!(
            audited
                .iter()
                .any(|entry| entry["event"]["action"] == action),
            "{action}: {file}"
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn every_request_has_its_line(log: &str) {
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let access: Vec<_> = lines
        .iter()
        .filter(|line| line["kind"] == "access")
        .collect();
    assert!(access.len() >= 10, "{log}");
    let mut ids: Vec<_> = access
        .iter()
        .map(|line| line["request_id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), access.len(), "one line for each request");
    let refused = access.iter().find(|line| line["path"] == "/api").unwrap();
    assert_eq!(refused["status"], 401);
    assert_eq!(refused["decision"], "sign_in");
    assert_eq!(refused["rule"], "default");
    assert_eq!(refused["code"], "session.required");
    for field in ["at", "client", "method", "host", "bytes_out", "duration_ms"] {
        assert_ne!(refused[field], json!(null), "{field}: {refused}");
    }
}

/// Lines that nobody reads hold nobody up, whether of requests or of events; those that had room arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_blocked_holds_nobody_up() {
    let app = UpstreamApp::start().await;
    let further = "local.enabled = true\nserver.workers = 1\nlog.level = \"debug\"\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n";
    let (gate, lines) = Process::start_piped(&app.url(), further).await;
    let ask = format!("/{}", "long/".repeat(1600));
    let jam = async {
        for _ in 0..120 {
            for _ in 0..10 {
                assert_eq!(gate.browser().get(&ask).await.status, 200);
            }
            // Half a head: an event says how the connection ended, and the worker writes it.
            let mut broken = TcpStream::connect(gate.address).await.unwrap();
            broken.write_all(b"GET / HT").await.unwrap();
        }
    };
    let served = timeout(Duration::from_mins(1), jam).await;
    assert!(served.is_ok(), "held up");
    let mut scraper = crate::support::Client::program(gate.ops, "localhost");
    let metrics = scraper.get("/metrics").await.text();
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sidegate_log_lines_dropped_total{kind=\"access\"} "));
    assert_ne!(dropped, Some("0"), "{metrics}");
    assert!(dropped.is_some(), "{metrics}");
    let read = Arc::new(Mutex::new(Vec::<Value>::new()));
    let its = Arc::clone(&read);
    let reader = tokio::spawn(async move {
        let mut lines = BufReader::new(lines).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            its.lock()
                .unwrap()
                .push(serde_json::from_str(&line).unwrap());
        }
    });
    let told = |event: &str| {
        let read = read.lock().unwrap();
        read.iter().any(|line| line["event"] == event)
    };
    let dropped = "log lines dropped: standard output is not read fast enough";
    let told_so = async {
        while !told(dropped) || !told("connection ended") {
            tokio::task::yield_now().await;
        }
    };
    let told_so = timeout(Duration::from_secs(20), told_so).await;
    assert!(told_so.is_ok(), "not told what was dropped");
    let folder = gate.terminate().await;
    timeout(Duration::from_secs(20), reader)
        .await
        .expect("no end")
        .unwrap();
    assert!(told("sidegate answers"), "the first line");
    assert!(told("stopping: requests in flight may finish"), "the last");
    std::fs::remove_dir_all(folder).unwrap();
}
