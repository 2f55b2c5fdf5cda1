//! kill -9 at any moment: what was acknowledged is there, and the store opens at once.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Client, PASSWORD, Process, UpstreamApp, create_person};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n[log]\naccess = false\n";
const ROUNDS: u64 = 6;
const BROWSERS: usize = 4;

/// Signs in again and again, and tells each session that was given before it asks for the next.
async fn sign_in_for_ever(mut browser: Client, given: tokio::sync::mpsc::UnboundedSender<String>) {
    loop {
        browser.cookies.clear();
        let Some(answer) = browser.try_sign_in("alice", PASSWORD, "/").await else {
            return;
        };
        if answer.status == 303 {
            given.send(browser.cookies["sidegate"].clone()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_session_or_account_is_lost() {
    let app = UpstreamApp::start().await;
    let mut gate = Process::start(&app.url(), LOCAL).await;
    create_person(&gate.folder, "alice", &["MEMBER"]).await;
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let (given, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let browsers: Vec<_> = (0..BROWSERS)
            .map(|_| tokio::spawn(sign_in_for_ever(gate.browser(), given.clone())))
            .collect();
        drop(given);
        // Killed in the midst of what follows the first few: another moment in each round.
        for _ in 0..=round {
            all.push(taken.recv().await.expect("nobody could sign in"));
        }
        tokio::time::sleep(Duration::from_millis(round * 7 % 20)).await;
        let folder = gate.kill().await;
        for browser in browsers {
            browser.await.unwrap();
        }
        while let Some(session) = taken.recv().await {
            all.push(session);
        }
        let started = Instant::now();
        gate = Process::start_in(folder, &app.url(), LOCAL).await;
        let opened = started.elapsed();
        for session in &all {
            let mut browser = gate.browser();
            browser
                .cookies
                .insert("sidegate".to_owned(), session.clone());
            let answer = browser.get("/").await;
            assert_eq!(
                answer.status,
                200,
                "round {round}, {} sessions, opened in {opened:?}",
                all.len()
            );
        }
    }
    gate.terminate().await;
}
