//! Open files: all that the machine gives are used, and too few are told once, not at every failure.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::support::{Process, UpstreamApp};

const FURTHER: &str = "local.enabled = true\nserver.workers = 1\nlimits.connections = 200\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n";
const SOON: Duration = Duration::from_secs(20);
const TOO_FEW: &str = "fewer open files than limits.connections may need";
const FAILED: &str = "connections could not be accepted";

fn events(gate: &Process, name: &str) -> Vec<Value> {
    let log = gate.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.filter(|line: &Value| line["event"] == name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_soft_limit_is_raised() {
    let app = UpstreamApp::start().await;
    let gate = Process::start_behind("ulimit -Sn 64", &app.url(), FURTHER).await;
    let mut open = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(gate.address).await.unwrap();
        let ask = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", gate.host);
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let read = timeout(SOON, stream.read_exact(&mut answer)).await;
        assert!(read.is_ok_and(|read| read.is_ok()), "connection {number}");
        assert_eq!(&answer, b"HTTP/1.1 200", "connection {number}");
        open.push(stream);
    }
    assert_eq!(events(&gate, TOO_FEW), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_are_told_once() {
    let app = UpstreamApp::start().await;
    let gate = Process::start_behind("ulimit -n 64", &app.url(), FURTHER).await;
    let told = events(&gate, TOO_FEW);
    assert_eq!(told.len(), 1, "{}", gate.log());
    assert_eq!(
        (&told[0]["have"], &told[0]["need"]),
        (&64.into(), &656.into())
    );
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(TcpStream::connect(gate.address).await.unwrap());
    }
    let mut beat = interval(Duration::from_millis(100));
    let failed = async {
        while events(&gate, FAILED).is_empty() {
            beat.tick().await;
        }
    };
    timeout(SOON, failed).await.expect("nothing failed");
    // Twenty times a second it fails.
    for _ in 0..15 {
        beat.tick().await;
    }
    assert_eq!(events(&gate, FAILED).len(), 1, "{}", gate.log());
}
