//! Web sockets with a real library on both ends, and server-sent events: nothing is changed, held back or lost.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::handshake::server;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use crate::support::{Client, Sidegate};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
/// A machine that runs tests may be slow.
const SOON: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

/// An app of which each connection is in the test's own hands, and a person who is signed in.
struct Bench {
    app: TcpListener,
    gate: Sidegate,
    alice: Client,
}

/// Both ends of one WebSocket, and what they said to each other first.
struct Pair {
    client: Socket,
    app: Socket,
    asked: http::HeaderMap,
    answered: http::HeaderMap,
}

impl Bench {
    async fn start(further: &str) -> Self {
        let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", app.local_addr().unwrap());
        let gate = Sidegate::start(&url, &format!("{further}{LOCAL}")).await;
        gate.person("alice", &[]).await;
        let alice = gate.signed_in("alice").await;
        Self { app, gate, alice }
    }

    fn request(&self, target: &str) -> http::request::Builder {
        let cookies: Vec<_> = self
            .alice
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Request::builder()
            .method(Method::GET)
            .uri(target)
            .header("host", &self.gate.host)
            .header("cookie", cookies.join("; "))
    }

    async fn pair(&self) -> Pair {
        let request = self
            .request(&format!("ws://{}/socket?room=1", self.gate.host))
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "chat.v2, chat.v1")
            .header("x-forwarded-user", "mallory")
            .header("x_forwarded_user", "mallory")
            .body(())
            .unwrap();
        let connect = async {
            let stream = TcpStream::connect(self.gate.address).await.unwrap();
            client_async(request, stream).await.unwrap()
        };
        let mut asked = http::HeaderMap::new();
        let accept = async {
            let (stream, _) = self.app.accept().await.unwrap();
            let choose = |request: &server::Request, mut response: server::Response| {
                asked.clone_from(request.headers());
                let protocol = "chat.v2".parse().unwrap();
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", protocol);
                Ok(response)
            };
            accept_hdr_async(stream, choose).await.unwrap()
        };
        let ((client, response), app) = timeout(SOON, async { tokio::join!(connect, accept) })
            .await
            .unwrap();
        let answered = response.headers().clone();
        Pair {
            client,
            app,
            asked,
            answered,
        }
    }
}

async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    timeout(SOON, socket.next())
        .await
        .expect("nothing comes and nothing ends")
}

/// Sends on one end while the other reads: a large message fits into no buffer.
async fn across(from: &mut Socket, to: &mut Socket, message: Message) -> Message {
    let (sent, got) = tokio::join!(from.send(message), next(to));
    sent.unwrap();
    got.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_the_app_knows_who_connects_and_chooses_the_protocol() {
    let bench = Bench::start("").await;
    let pair = bench.pair().await;
    let users: Vec<_> = pair.asked.get_all("x-forwarded-user").iter().collect();
    assert_eq!(users, ["alice"]);
    assert_eq!(pair.asked.get("x_forwarded_user"), None);
    assert_eq!(pair.asked.get("cookie"), None, "ours stay here");
    assert_eq!(pair.asked["sec-websocket-protocol"], "chat.v2, chat.v1");
    assert_eq!(pair.answered["sec-websocket-protocol"], "chat.v2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_all_sizes_pass_whole() {
    let bench = Bench::start("").await;
    let Pair {
        mut client,
        mut app,
        ..
    } = bench.pair().await;
    // Around each change of the length's form, and some that fit into no buffer.
    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 8 << 20] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        let message = Message::Binary(Bytes::from(bytes));
        let got = across(&mut client, &mut app, message.clone()).await;
        assert!(got == message, "{size} bytes to the app");
        let back = across(&mut app, &mut client, got).await;
        assert!(back == message, "{size} bytes from the app");
    }
    let text = Message::text("例え, zoë 🦀 ".repeat(200_000));
    let got = across(&mut client, &mut app, text.clone()).await;
    assert!(got == text);
    // A message in pieces, with a ping in between.
    let piece = |data: &'static str, kind, last| {
        let opcode = OpCode::Data(kind);
        Message::Frame(Frame::message(
            Bytes::from_static(data.as_bytes()),
            opcode,
            last,
        ))
    };
    for frame in [
        piece("in ", Data::Text, false),
        Message::Ping(Bytes::from_static(b"still there?")),
        piece("pieces", Data::Continue, true),
    ] {
        client.send(frame).await.unwrap();
    }
    let got = next(&mut app).await.unwrap().unwrap();
    assert_eq!(got, Message::Ping(Bytes::from_static(b"still there?")));
    assert_eq!(
        next(&mut app).await.unwrap().unwrap(),
        Message::text("in pieces")
    );
    let got = next(&mut client).await.unwrap().unwrap();
    assert_eq!(got, Message::Pong(Bytes::from_static(b"still there?")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_ping() {
    let bench = Bench::start("").await;
    let Pair {
        mut client,
        mut app,
        ..
    } = bench.pair().await;
    for payload in [&b""[..], b"beat", &[0xff; 125]] {
        let payload = Bytes::copy_from_slice(payload);
        let ping = Message::Ping(payload.clone());
        assert_eq!(across(&mut client, &mut app, ping.clone()).await, ping);
        app.flush().await.unwrap();
        let answer = next(&mut client).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(payload.clone()));
        assert_eq!(across(&mut app, &mut client, ping.clone()).await, ping);
        client.flush().await.unwrap();
        let answer = next(&mut app).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(payload));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_codes_pass_both_ways() {
    let bench = Bench::start("").await;
    let long = "ü".repeat(61);
    for (code, reason) in [
        (Some(1000), ""),
        (Some(1001), "moving away"),
        (Some(1008), "policy"),
        (Some(1011), "broken"),
        (Some(3000), "registered"),
        (Some(4001), long.as_str()),
        (Some(4999), "last"),
        (None, ""),
    ] {
        let frame = code.map(|code| CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        });
        for by_app in [false, true] {
            let name = format!("{code:?}, by the app: {by_app}");
            let Pair {
                mut client,
                mut app,
                ..
            } = bench.pair().await;
            let (first, second) = if by_app {
                (&mut app, &mut client)
            } else {
                (&mut client, &mut app)
            };
            first.close(frame.clone()).await.unwrap();
            let close = Message::Close(frame.clone());
            assert_eq!(next(second).await.unwrap().unwrap(), close, "{name}");
            // The other answers with the same.
            second.flush().await.ok();
            assert_eq!(next(first).await.unwrap().unwrap(), close, "{name}");
            // Then the app closes the connection (RFC 6455 7.1.1), and nothing went wrong.
            drop(app);
            assert!(next(&mut client).await.is_none(), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_side_that_is_lost_is_lost_for_the_other() {
    let bench = Bench::start("").await;
    for app_is_lost in [false, true] {
        let Pair { client, app, .. } = bench.pair().await;
        let (lost, mut left) = if app_is_lost {
            (app, client)
        } else {
            (client, app)
        };
        drop(lost);
        let told = next(&mut left).await;
        assert!(matches!(told, Some(Err(_))), "{app_is_lost}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_a_shut_out_person_loses_the_socket() {
    let bench = Bench::start("").await;
    let Pair {
        mut client,
        mut app,
        ..
    } = bench.pair().await;
    bench.gate.set_active("alice", false).await;
    for socket in [&mut client, &mut app] {
        let told = next(socket).await;
        assert!(matches!(told, Some(Err(_))), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_keep_a_socket_open_and_silence_ends_it() {
    let bench = Bench::start("upstream.idle_timeout = \"1s\"\n").await;
    let Pair {
        mut client,
        mut app,
        ..
    } = bench.pair().await;
    let begun = Instant::now();
    let mut beat = interval(Duration::from_millis(250));
    while begun.elapsed() < Duration::from_secs(3) {
        beat.tick().await;
        let ping = Message::Ping(Bytes::from_static(b"beat"));
        assert_eq!(across(&mut app, &mut client, ping.clone()).await, ping);
    }
    client.flush().await.unwrap();
    let (at_client, mut at_app) = (next(&mut client).await, next(&mut app).await);
    assert!(matches!(at_client, Some(Err(_))), "{at_client:?}");
    while let Some(Ok(Message::Pong(_))) = at_app {
        at_app = next(&mut app).await;
    }
    assert!(matches!(at_app, Some(Err(_))), "{at_app:?}");
}

/// An answer of `text/event-stream`, written by the test.
struct Events {
    app: TcpStream,
    body: Incoming,
}

impl Events {
    async fn begin(bench: &Bench) -> Self {
        let request = bench
            .request("/events")
            .header("accept", "text/event-stream")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let stream = TcpStream::connect(bench.gate.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let accept = async {
            let (mut app, _) = bench.app.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(app.read_u8().await.unwrap());
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                          cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
            app.write_all(answer.as_bytes()).await.unwrap();
            app
        };
        // The head comes before the first event does.
        let (response, app) = timeout(SOON, async {
            tokio::join!(sender.send_request(request), accept)
        })
        .await
        .unwrap();
        let response = response.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body();
        Self { app, body }
    }

    /// Sends one event, and waits until it is here.
    async fn pass(&mut self, event: &str) {
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        self.app.write_all(chunk.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        while got.len() < event.len() {
            let frame = timeout(SOON, self.body.frame()).await.expect("held back");
            got.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
        }
        assert_eq!(got, event.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_pass_one_by_one() {
    let bench = Bench::start("").await;
    let mut events = Events::begin(&bench).await;
    for id in 0..200 {
        events.pass(&format!("id: {id}\ndata: tick {id}\n\n")).await;
    }
    events.pass(": a comment that keeps it open\n\n").await;
    // Nobody listens any more, and the app learns of it.
    let Events { mut app, body } = events;
    drop(body);
    let left = timeout(SOON, app.read_u8()).await;
    assert!(matches!(left, Ok(Err(_))), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_outlive_the_idle_time_as_long_as_they_come() {
    let bench = Bench::start("upstream.idle_timeout = \"1s\"\n").await;
    let mut events = Events::begin(&bench).await;
    let begun = Instant::now();
    let mut beat = interval(Duration::from_millis(250));
    while begun.elapsed() < Duration::from_secs(3) {
        beat.tick().await;
        events.pass("data: tick\n\n").await;
    }
    let ended = timeout(SOON, events.body.frame()).await.unwrap();
    assert!(!matches!(ended, Some(Ok(_))), "{ended:?}");
}
