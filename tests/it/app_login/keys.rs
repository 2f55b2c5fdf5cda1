//! Another key for the passwords that are kept: sealed anew at the start, whatever cuts it off.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidegate::connector::{Kind, Ledger, Link, Owner};
use sidegate::crypto::{SealKey, SealKeys};
use sidegate::identity::TenantSlug;
use sidegate::metrics::Metrics;
use sidegate::secret::Secret;
use sidegate::storage::{Along, Embedded};

use super::{FORM, settings};
use crate::support::{LoginApp, PASSWORD, Process, create_person};

/// So many that a kill comes between two commits.
const MANY: usize = 20_000;

fn key_in(file: &Path) -> SealKey {
    SealKey::parse(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn open(folder: &Path) -> Embedded {
    let file = folder.join("sidegate.redb");
    Embedded::open(&file, Arc::new(Metrics::new())).unwrap()
}

/// Links of people whom nobody knows, sealed with this key.
async fn add_links(folder: &Path, key: SealKey) {
    let store = open(folder);
    let ledger = Ledger::new(store.clone(), key);
    let numbers: Vec<_> = (0..MANY).collect();
    for some in numbers.chunks(1000) {
        let ties = some.iter().map(|number| {
            let owner = Owner::new(Kind::User, &TenantSlug::default(), format!("x{number}"));
            let password = Secret::new(format!("password of x{number}"));
            let link = Link {
                app_id: format!("x{number}"),
                login: format!("x{number}"),
                unconfirmed: false,
                password: ledger.seal(&owner, &password).ok(),
            };
            Ledger::tie(&owner, &link)
        });
        let all = ties.fold(Along::default(), Along::and);
        ledger.write(all).await.unwrap();
    }
    store.close().await;
}

/// How many passwords these keys open, each the right one, and of how many.
async fn opened(folder: &Path, keys: impl Into<SealKeys>) -> (usize, usize) {
    let store = open(folder);
    let ledger = Ledger::new(store.clone(), keys);
    let links = ledger.links(Kind::User).await.unwrap();
    let opens = links.iter().filter(|(owner, link)| {
        let Ok(text) = ledger.open(owner, link.password.as_ref().unwrap()) else {
            return false;
        };
        let its =
            !owner.id.starts_with('x') || text.expose() == format!("password of {}", owner.id);
        assert!(its, "{}", owner.id);
        true
    });
    let counted = (opens.count(), links.len());
    store.close().await;
    counted
}

async fn until_it_says(gate: &Process, text: &str) {
    let said = async {
        while !gate.log().contains(text) {
            tokio::task::yield_now().await;
        }
    };
    let said = tokio::time::timeout(Duration::from_mins(1), said).await;
    assert!(said.is_ok(), "it does not say {text:?}:\n{}", gate.log());
}

async fn page_of_alice(gate: &Process) -> (u16, Value) {
    let mut browser = gate.browser();
    let answer = browser.sign_in("alice", PASSWORD, "/").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    browser.headers = vec![(http::header::ACCEPT, "application/json".to_owned())];
    let answer = browser.get("/page").await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_takes_over_whatever_kills_it_on_the_way() {
    let app = LoginApp::start().await;
    let gate = Process::start(&app.url(), &settings(FORM)).await;
    create_person(&gate.folder, "alice", &[]).await;
    let folder = gate.terminate().await;
    let (made, new) = (folder.join("sidegate.redb.key"), folder.join("new.key"));
    let old_key = key_in(&made);
    add_links(&folder, old_key.clone()).await;
    let new_key = SealKey::random();
    std::fs::write(&new, new_key.to_text().expose()).unwrap();
    let after = format!(
        "storage.seal_key_file = \"{}\"\nlog.level = \"debug\"\n{}",
        new.display(),
        settings(FORM)
    );
    let between = format!(
        "storage.previous_seal_key_file = \"{}\"\n{after}",
        made.display()
    );

    // Killed with some rows sealed anew and some not.
    let all = (MANY + 1, MANY + 1);
    let both = SealKeys::new(new_key.clone(), Some(old_key));
    let gate = Process::start_in(folder, &app.url(), &between).await;
    until_it_says(&gate, "sealed anew so far").await;
    let folder = gate.kill().await;
    let (anew, _) = opened(&folder, new_key.clone()).await;
    assert!(anew > 0 && anew < MANY, "{anew} of {MANY} sealed anew");
    assert_eq!(opened(&folder, both).await, all);

    // The next start goes on, and its people are signed in.
    let gate = Process::start_in(folder, &app.url(), &between).await;
    until_it_says(&gate, "kept passwords are sealed anew").await;
    assert_eq!(page_of_alice(&gate).await.1["user"], "alice");
    let folder = gate.terminate().await;
    assert_eq!(opened(&folder, new_key).await, all);

    // The old one can go.
    std::fs::remove_file(&made).unwrap();
    std::fs::remove_file(folder.join("log")).unwrap();
    let gate = Process::start_in(folder, &app.url(), &after).await;
    assert_eq!(page_of_alice(&gate).await.1["user"], "alice");
    assert!(!gate.log().contains("kept passwords"), "{}", gate.log());
    let folder = gate.terminate().await;

    // Without either the start says so, and so does the page.
    std::fs::write(&new, SealKey::random().to_text().expose()).unwrap();
    let gate = Process::start_in(folder, &app.url(), &after).await;
    until_it_says(&gate, "sealed with a key that is not here").await;
    let (status, problem) = page_of_alice(&gate).await;
    assert_eq!(
        (status, &problem["code"]),
        (502, &"app_login.no_account".into())
    );
    let folder = gate.terminate().await;
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(!log.contains("password of x"), "a password in the log");
    let _gone = std::fs::remove_dir_all(folder);
}
