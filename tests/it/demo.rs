//! `sidegate demo`: what a newcomer sees works, and nothing is left behind.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::Client;

struct Demo {
    child: Child,
    guide: String,
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidegate"))
            .arg("demo")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut guide = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref() {
            let line = line.unwrap();
            guide += &line;
            guide.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        Self { child, guide }
    }

    /// The word after this one in the guide.
    fn word_after(&self, before: &str) -> &str {
        let (_, rest) = self.guide.split_once(before).unwrap();
        rest.split_whitespace().next().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_is_signed_in_and_nothing_is_left_behind() {
    let mut demo = tokio::task::spawn_blocking(Demo::start).await.unwrap();
    let port: u16 = demo
        .word_after("http://localhost:")
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let host = format!("localhost:{port}");
    let config = demo.word_after("SIDEGATE_CONFIG=").to_owned();
    let folder = Path::new(&config).parent().unwrap().to_owned();

    let mut bob = Client::new(address, &host);
    let password = demo.word_after("    bob").to_owned();
    assert_eq!(bob.sign_in("bob", &password, "/").await.status, 303);
    let home = bob.get("/").await.text();
    assert!(
        home.contains("x-forwarded-user") && home.contains("Hello Bob Baker"),
        "{home}"
    );
    assert_eq!(bob.get("/admin").await.status, 403);
    assert_eq!(Client::new(address, &host).get("/public").await.status, 200);

    let mut alice = Client::new(address, &host);
    let password = demo.word_after("    alice").to_owned();
    assert_eq!(alice.sign_in("alice", &password, "/").await.status, 303);
    assert_eq!(alice.get("/admin").await.status, 200);
    let token = demo
        .word_after("Authorization: Bearer ")
        .trim_end_matches('\'');
    assert!(token.starts_with("sgt_"), "{token}");

    let interrupted = Command::new("kill")
        .args(["-INT", &demo.child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let ended = tokio::task::spawn_blocking(move || demo.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
    assert!(!folder.exists(), "{}", folder.display());
}
