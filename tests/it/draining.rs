//! Upgraded connections are connections: counted, waited for by a drain, and told when it is over.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, timeout};

use crate::support::{Client, Sidegate};

const OPEN: &str = "local.enabled = true\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n";
const SOON: Duration = Duration::from_secs(20);
/// "Going away" (RFC 6455 7.4.1), to the client and, masked with zeros, to the app.
const TO_CLIENT: &[u8] = b"\x88\x02\x03\xe9";
const TO_APP: &[u8] = b"\x88\x82\0\0\0\0\x03\xe9";

/// Both ends of one WebSocket, after the 101.
struct Pair {
    client: TcpStream,
    app: TcpStream,
}

async fn pair(app: &TcpListener, gate: &Sidegate) -> Pair {
    let mut client = TcpStream::connect(gate.address).await.unwrap();
    let ask = format!(
        "GET /socket HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        gate.host
    );
    client.write_all(ask.as_bytes()).await.unwrap();
    let (mut app, _) = timeout(SOON, app.accept()).await.unwrap().unwrap();
    head(&mut app).await;
    let answer =
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    app.write_all(answer).await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    Pair { client, app }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(SOON, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Everything until the end, whether in order or not.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let ended = timeout(SOON, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "still open after {rest:?}");
    rest
}

async fn across(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    from.write_all(bytes).await.unwrap();
    let mut got = vec![0; bytes.len()];
    let read = timeout(SOON, to.read_exact(&mut got)).await;
    read.expect("held back").expect("cut off");
    assert_eq!(got, bytes);
}

async fn no_longer_accepting(gate: std::net::SocketAddr) {
    let refused = async {
        while TcpStream::connect(gate).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, refused).await.expect("still accepting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgraded_connection_is_counted_until_it_ends() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let gate = Sidegate::start(&url, &format!("limits.connections = 1\n{OPEN}")).await;
    let Pair {
        mut client,
        app: mut at_app,
    } = pair(&app, &gate).await;
    across(&mut client, &mut at_app, b"\x81\x85\0\0\0\0hello").await;
    let metrics = Client::program(gate.ops, "localhost").get("/metrics").await;
    let metrics = metrics.text();
    assert!(metrics.contains("\nsidegate_connections 1\n"), "{metrics}");
    let mut second = TcpStream::connect(gate.address).await.unwrap();
    let _closed = second.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
    let mut answer = Vec::new();
    let closed = timeout(SOON, second.read_to_end(&mut answer)).await;
    assert!(closed.is_ok() && answer.is_empty(), "{answer:?}");
    drop(client);
    assert_eq!(rest(&mut at_app).await, b"");
    drop(at_app);
    // Room again, as soon as the end was seen.
    let room = async {
        loop {
            let ask = format!(
                "GET /.sidegate/jwks.json HTTP/1.1\r\nHost: {}\r\n\r\n",
                gate.host
            );
            let mut stream = TcpStream::connect(gate.address).await.unwrap();
            let _sent = stream.write_all(ask.as_bytes()).await;
            if stream.read_u8().await.is_ok() {
                return;
            }
        }
    };
    timeout(SOON, room).await.expect("still counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_upgraded_connections() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let gate = Sidegate::start(&url, &format!("server.drain_timeout = \"5m\"\n{OPEN}")).await;
    let mut pair = pair(&app, &gate).await;
    let address = gate.address;
    let stopped = tokio::task::spawn_blocking(|| gate.stop());
    no_longer_accepting(address).await;
    // Longer than a drain looks away.
    let mut beat = interval(Duration::from_millis(50));
    for _ in 0..20 {
        beat.tick().await;
        across(&mut pair.client, &mut pair.app, b"\x81\x82\0\0\0\0up").await;
        across(&mut pair.app, &mut pair.client, b"\x81\x04down").await;
    }
    assert!(!stopped.is_finished(), "it did not wait");
    drop(pair);
    let folder = timeout(SOON, stopped)
        .await
        .expect("still waiting")
        .unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_is_over_says_so_between_two_frames() {
    for (name, begun, to_client) in [
        ("between frames", &b"\x81\x02hi"[..], TO_CLIENT),
        ("in the midst of one", b"\x81\x05hi", b""),
    ] {
        let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", app.local_addr().unwrap());
        let gate = Sidegate::start(&url, &format!("server.drain_timeout = \"1s\"\n{OPEN}")).await;
        let mut pair = pair(&app, &gate).await;
        across(&mut pair.app, &mut pair.client, begun).await;
        let stopped = tokio::task::spawn_blocking(|| gate.stop());
        assert_eq!(rest(&mut pair.client).await, to_client, "{name}: client");
        assert_eq!(rest(&mut pair.app).await, TO_APP, "{name}: app");
        drop(pair);
        let folder = timeout(SOON, stopped).await.expect(name).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
