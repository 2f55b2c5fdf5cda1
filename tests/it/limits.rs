//! Slow, many and huge: each has its limit, and within it nothing is held back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Seen, Sidegate, UpstreamApp};

const OPEN: &str = "[[rule]]\npath = \"/**\"\naccess = \"public\"\n";
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_head_is_cut_off() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(
        &app.url(),
        &format!("server.header_timeout = \"1s\"\n{OPEN}"),
    )
    .await;
    for (name, beginning) in [
        ("nothing at all", ""),
        ("the first letter", "P"),
        ("half a head", "GET / HTTP/1.1\r\nHo"),
    ] {
        let mut stream = TcpStream::connect(gate.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{name}: still open");
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{name}");
    }
    assert!(app.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_limited() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), &format!("limits.connections = 2\n{OPEN}")).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(gate.address).await.unwrap();
        ask(&mut stream, &gate.host).await;
        open.push(stream);
    }
    let mut third = TcpStream::connect(gate.address).await.unwrap();
    let mut answer = Vec::new();
    let closed = timeout(PATIENCE, third.read_to_end(&mut answer)).await;
    assert!(
        closed.is_ok_and(|read| read.is_err() || answer.is_empty()),
        "the third is served: {answer:?}"
    );
    drop(open);
    // Room again, as soon as the ends were seen.
    let room = timeout(PATIENCE, async {
        loop {
            let mut stream = TcpStream::connect(gate.address).await.unwrap();
            if ask_if_open(&mut stream, &gate.host).await {
                return;
            }
        }
    });
    assert!(room.await.is_ok());
}

async fn ask(stream: &mut TcpStream, host: &str) {
    assert!(ask_if_open(stream, host).await);
}

async fn ask_if_open(stream: &mut TcpStream, host: &str) -> bool {
    let request = format!("GET /status/200 HTTP/1.1\r\nHost: {host}\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut answer)).await;
    read.is_ok_and(|read| read.is_ok()) && answer.starts_with(b"HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_without_tls_and_split_cookies() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::GET)
        .uri(format!("http://{}/two", gate.host))
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect_all().await;
    let seen: Seen = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen.header("cookie"), Some("a=1; b=2"));
    assert_eq!(seen.header("host"), Some(gate.host.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_pass_both_ways() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("42"));
    let frames = [
        Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(b"up"))),
        Ok(Frame::trailers(trailers)),
    ];
    let request = Request::builder()
        .method(Method::POST)
        .uri("/trailers")
        .header("host", &gate.host)
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(StreamBody::new(futures_util::stream::iter(frames)))
        .unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let mut checksum = None;
    while let Some(frame) = body.frame().await {
        if let Ok(trailers) = frame.unwrap().into_trailers() {
            checksum = trailers.get("x-checksum").cloned();
        }
    }
    assert_eq!(checksum, Some(HeaderValue::from_static("abc")));
    assert_eq!(app.seen()[0].body, "up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_whole() {
    const SIZE: u64 = 64 * 1024 * 1024;
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let chunk = Bytes::from(vec![7; 64 * 1024]);
    let chunks =
        (0..SIZE / 65536).map(move |_| Ok::<_, std::io::Error>(Frame::data(chunk.clone())));
    let request = Request::builder()
        .method(Method::POST)
        .uri("/count")
        .header("host", &gate.host)
        .body(StreamBody::new(futures_util::stream::iter(chunks)).boxed())
        .unwrap();
    let body = sender
        .send_request(request)
        .await
        .unwrap()
        .into_body()
        .collect_all()
        .await;
    let seen: Seen = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen.body, SIZE.to_string());
    // The connection is kept: our side of it learns a moment after the answer that its own request has ended.
    sender.ready().await.unwrap();
    let request = Request::builder()
        .uri(format!("/bytes/{SIZE}"))
        .header("host", &gate.host)
        .body(Empty::new().map_err(|never| match never {}).boxed())
        .unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        total += frame
            .unwrap()
            .data_ref()
            .map_or(0, |data| data.len() as u64);
    }
    assert_eq!(total, SIZE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_answer_is_not_made_whole() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .uri("/cut")
        .header("host", &gate.host)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let mut broken = false;
    while let Some(frame) = body.frame().await {
        broken |= frame.is_err();
    }
    assert!(broken, "the client must see that the answer is not whole");
}

/// Reads a body whose size the test knows.
trait CollectAll {
    async fn collect_all(self) -> Bytes;
}

impl CollectAll for hyper::body::Incoming {
    async fn collect_all(self) -> Bytes {
        sidegate::web::read(self, 1024 * 1024, PATIENCE)
            .await
            .unwrap()
    }
}
