//! An end is an end: whoever is shut out loses requests, streams and upgraded connections at once.

use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sidegate::identity::TenantSlug;
use sidegate::server::control::{Operation, Which};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Client, Seen, Sidegate, UpstreamApp};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
/// The promise is one second; the machine that tests may be slow.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_a_revoked_session_is_no_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.signed_in("alice").await;
    let seen: Seen = alice.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    let which = Which {
        id: None,
        user: Some("alice".to_owned()),
        idp_session: None,
        idp: None,
        tenant: Some(TenantSlug::default()),
    };
    let _ended: Value = gate.ask(Operation::SessionRevoke(which)).await;
    alice.headers = vec![(http::header::ACCEPT, "application/json".to_owned())];
    assert_eq!(alice.get("/").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_deactivation_ends_requests_and_sign_in() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    gate.person("bob", &[]).await;
    let mut alice = gate.signed_in("alice").await;
    let mut bob = gate.signed_in("bob").await;
    gate.set_active("alice", false).await;
    for (browser, want) in [(&mut alice, 401), (&mut bob, 200)] {
        browser.headers = vec![(http::header::ACCEPT, "application/json".to_owned())];
        assert_eq!(browser.get("/").await.status, want);
    }
    let refused = gate
        .browser()
        .sign_in("alice", crate::support::PASSWORD, "/")
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    gate.set_active("alice", true).await;
    let mut back = gate.signed_in("alice").await;
    assert_eq!(back.get("/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    let request = request(&alice, &gate, "/stream")
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let mut body = sender.send_request(request).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    gate.set_active("alice", false).await;
    let ended = timeout(SOON, async {
        while let Some(Ok(_)) = body.frame().await {}
    })
    .await;
    assert!(ended.is_ok(), "the stream goes on");
    // The app is told as well: nobody reads there any more.
    let told = timeout(SOON, async {
        while app.open_streams() > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert!(told.await.is_ok(), "the app still sends");
    connection.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_ends_with_its_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    let mut stream = TcpStream::connect(gate.address).await.unwrap();
    let cookies = cookies(&alice);
    let head = format!(
        "POST /count HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nContent-Length: 100000000\r\n\r\n",
        gate.host
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[0; 4096]).await.unwrap();
    gate.set_active("alice", false).await;
    let mut answer = Vec::new();
    let read = timeout(SOON, async {
        let mut buffer = [0; 1024];
        loop {
            let write = stream.write_all(&[0; 512]).await;
            match timeout(Duration::from_millis(50), stream.read(&mut buffer)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(read)) => answer.extend_from_slice(&buffer[..read]),
                Err(_) if write.is_err() => return,
                Err(_) => {}
            }
        }
    });
    assert!(
        read.await.is_ok(),
        "the upload goes on: {}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_ends_with_its_session() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    let request = request(&alice, &gate, "/upgrade")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection.with_upgrades());
    let mut response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 101);
    let mut socket = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    let mut echo = [0; 5];
    socket.write_all(b"hello").await.unwrap();
    socket.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"hello");
    gate.set_active("alice", false).await;
    let ended = timeout(SOON, socket.read(&mut echo))
        .await
        .expect("the socket is still open");
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_survive_a_restart() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("alice", &[]).await;
    let mut alice = gate.signed_in("alice").await;
    let host = gate.host.clone();
    let folder = gate.stop();
    let again = Sidegate::start_in(folder, &app.url(), LOCAL).await;
    assert_eq!(host.split(':').next(), again.host.split(':').next());
    let mut later = again.browser();
    later.cookies.append(&mut alice.cookies);
    let seen: Seen = later.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
}

fn request(client: &Client, gate: &Sidegate, target: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::GET)
        .uri(target)
        .header("host", &gate.host)
        .header("cookie", cookies(client))
}

fn cookies(client: &Client) -> String {
    let all: Vec<_> = client
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.join("; ")
}
