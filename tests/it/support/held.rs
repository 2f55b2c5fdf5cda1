//! What a signed-in person holds open: a stream of events, a WebSocket.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Client, Sidegate};

/// The promise is one second; the machine that tests may be slow.
pub const SOON: Duration = Duration::from_secs(5);

/// Both, open and moving.
pub struct Held {
    stream: Incoming,
    socket: TokioIo<Upgraded>,
    connections: [JoinHandle<()>; 2],
}

impl Held {
    /// Opens both with this browser's cookies, and sees both move.
    pub async fn open(gate: &Sidegate, browser: &Client) -> Self {
        let (stream, first) = send(gate, browser, "/stream", false).await;
        let mut stream = stream.into_body();
        assert!(stream.frame().await.unwrap().unwrap().is_data());
        let (mut response, second) = send(gate, browser, "/upgrade", true).await;
        assert_eq!(response.status(), 101);
        let mut socket = TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
        let mut echo = [0; 5];
        socket.write_all(b"hello").await.unwrap();
        socket.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, b"hello");
        Self {
            stream,
            socket,
            connections: [first, second],
        }
    }

    /// Fails unless both end soon; how long that took.
    pub async fn ends(mut self) -> Duration {
        let begun = Instant::now();
        let mut byte = [0];
        let ended = timeout(SOON, self.socket.read(&mut byte)).await;
        let ended = ended.expect("the socket is still open");
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        let stream = async { while let Some(Ok(_)) = self.stream.frame().await {} };
        assert!(timeout(SOON, stream).await.is_ok(), "the stream goes on");
        begun.elapsed()
    }

    /// Fails unless both still move.
    pub async fn goes_on(&mut self) {
        self.socket.write_all(b"again").await.unwrap();
        let mut echo = [0; 5];
        self.socket.read_exact(&mut echo).await.unwrap();
        // Whatever was on its way before is read away: what comes afterwards is new.
        for _ in 0..5 {
            let frame = timeout(SOON, self.stream.frame()).await.unwrap();
            assert!(frame.unwrap().unwrap().is_data());
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.iter().for_each(JoinHandle::abort);
    }
}

async fn send(
    gate: &Sidegate,
    browser: &Client,
    target: &str,
    upgrade: bool,
) -> (http::Response<Incoming>, JoinHandle<()>) {
    let cookies = browser.cookies.iter();
    let cookies: Vec<_> = cookies
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut request = Request::get(target)
        .header("host", &gate.host)
        .header("cookie", cookies.join("; "));
    if upgrade {
        request = request
            .header("connection", "Upgrade")
            .header("upgrade", "websocket");
    }
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(async move {
        let _ended = connection.with_upgrades().await;
    });
    (sender.send_request(request).await.unwrap(), connection)
}
