//! Clients that stop reading hold nothing for ever, and no session lives on in what they do not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::support::{Client, Sidegate};

const LOCAL: &str = "[local]\nenabled = true\nbcrypt_cost = 4\n";
const SOON: Duration = Duration::from_secs(20);
/// The promise is one second; the machine that tests may be slow.
const AT_ONCE: Duration = Duration::from_secs(5);
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Http1,
    Http2,
    Upgrade,
}

/// A client that has the head of an answer, and the app that goes on sending.
struct Open {
    client: Box<dyn Send>,
    app: TcpStream,
}

async fn open(way: Way, app: &TcpListener, gate: &Sidegate, person: &Client) -> Open {
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let answer = if way == Way::Upgrade {
        SWITCHED
    } else {
        ENDLESS
    };
    let accept = async {
        let (mut app, _) = app.accept().await.unwrap();
        head(&mut app).await;
        app.write_all(answer.as_bytes()).await.unwrap();
        app
    };
    let ask = async {
        match way {
            Way::Http1 | Way::Upgrade => by_hand(stream, gate, person).await,
            Way::Http2 => by_hyper(stream, gate, person).await,
        }
    };
    let both = timeout(SOON, async { tokio::join!(ask, accept) });
    let (client, app) = both.await.expect("no answer");
    Open { client, app }
}

async fn by_hand(mut stream: TcpStream, gate: &Sidegate, person: &Client) -> Box<dyn Send> {
    let ask = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        gate.host,
        cookies(person)
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    head(&mut stream).await;
    Box::new(stream)
}

async fn by_hyper(stream: TcpStream, gate: &Sidegate, person: &Client) -> Box<dyn Send> {
    let request = Request::get(format!("http://{}/", gate.host))
        .header("cookie", cookies(person))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    // It answers pings, so that only the stream stands still.
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    Box::new((sender, response, connection))
}

async fn head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

fn cookies(client: &Client) -> String {
    let all: Vec<_> = client
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    all.join("; ")
}

/// Sends until nobody takes it any more and the connection has gone; counts what went.
fn pour(mut app: TcpStream, poured: Arc<AtomicU64>) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Ok(sent) = app.write(&[0; 8192]).await {
            poured.fetch_add(sent as u64, Ordering::SeqCst);
        }
    })
}

/// Waits until it stands still.
async fn stuck(poured: &AtomicU64) {
    let mut beat = interval(Duration::from_millis(300));
    let mut before = u64::MAX;
    loop {
        beat.tick().await;
        let now = poured.load(Ordering::SeqCst);
        if now == before {
            return;
        }
        before = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_takes_ends_after_the_idle_time() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let settings = format!("upstream.idle_timeout = \"1s\"\n{LOCAL}");
    let gate = Sidegate::start(&url, &settings).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    for way in [Way::Http1, Way::Http2, Way::Upgrade] {
        let Open { client, app } = open(way, &app, &gate, &alice).await;
        let ended = timeout(SOON, pour(app, Arc::default())).await;
        assert!(ended.is_ok(), "{way:?}: the app still holds its connection");
        drop(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_a_revoked_session_ends_what_nobody_takes() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let gate = Sidegate::start(&url, LOCAL).await;
    gate.person("alice", &[]).await;
    for way in [Way::Http1, Way::Http2, Way::Upgrade] {
        gate.set_active("alice", true).await;
        let alice = gate.signed_in("alice").await;
        let Open { client, app } = open(way, &app, &gate, &alice).await;
        let poured = Arc::new(AtomicU64::new(0));
        let app = pour(app, Arc::clone(&poured));
        timeout(SOON, stuck(&poured)).await.expect("never full");
        assert!(!app.is_finished(), "{way:?}");
        gate.set_active("alice", false).await;
        let ended = timeout(AT_ONCE, app).await;
        assert!(ended.is_ok(), "{way:?}: the app still holds its connection");
        drop(client);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_slowly_goes_on() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let settings = format!(
        "upstream.idle_timeout = \"1s\"\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n{LOCAL}"
    );
    let gate = Sidegate::start(&url, &settings).await;
    let mut client = TcpStream::connect(gate.address).await.unwrap();
    let ask = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", gate.host);
    client.write_all(ask.as_bytes()).await.unwrap();
    let (mut app, _) = timeout(SOON, app.accept()).await.unwrap().unwrap();
    head(&mut app).await;
    app.write_all(ENDLESS.as_bytes()).await.unwrap();
    let poured = Arc::new(AtomicU64::new(0));
    let app = pour(app, Arc::clone(&poured));
    // Enough at a time that the window opens, and for longer than nothing may move.
    let mut beat = interval(Duration::from_millis(300));
    let mut piece = vec![0; 8 << 20];
    for _ in 0..10 {
        beat.tick().await;
        client.read_exact(&mut piece).await.unwrap();
    }
    assert!(!app.is_finished());
    app.abort();
}

/// Whatever the other way does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_way_of_an_upgrade_that_stands_still_ends_it() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let settings = format!(
        "upstream.idle_timeout = \"1s\"\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n{LOCAL}"
    );
    let gate = Sidegate::start(&url, &settings).await;
    for by_app in [true, false] {
        let mut client = TcpStream::connect(gate.address).await.unwrap();
        let ask = format!(
            "GET / HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            gate.host
        );
        client.write_all(ask.as_bytes()).await.unwrap();
        let (mut at_app, _) = timeout(SOON, app.accept()).await.unwrap().unwrap();
        head(&mut at_app).await;
        at_app.write_all(SWITCHED.as_bytes()).await.unwrap();
        head(&mut client).await;
        let (from, to) = if by_app {
            (at_app, client)
        } else {
            (client, at_app)
        };
        let (mut from_read, mut from_write) = from.into_split();
        // Held unread, and written to until it breaks.
        let (to_read, mut to_write) = to.into_split();
        let beats = tokio::spawn(async move {
            let mut beat = interval(Duration::from_millis(100));
            while to_write.write_all(b"beat").await.is_ok() {
                beat.tick().await;
            }
        });
        let heard = tokio::spawn(async move { while from_read.read_u8().await.is_ok() {} });
        let poured = async { while from_write.write(&[0; 8192]).await.is_ok() {} };
        let ended = timeout(SOON, poured).await;
        assert!(ended.is_ok(), "by the app: {by_app}: still joined");
        drop(to_read);
        beats.abort();
        heard.abort();
    }
}

/// The app takes the head and nothing else; gives whatever the client is told in the end.
async fn upload(
    app: &TcpListener,
    gate: &Sidegate,
    person: &Client,
) -> (TcpStream, JoinHandle<String>) {
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let ask = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: 1000000000000\r\n\r\n",
        gate.host,
        cookies(person)
    );
    write.write_all(ask.as_bytes()).await.unwrap();
    let (mut at_app, _) = timeout(SOON, app.accept()).await.unwrap().unwrap();
    head(&mut at_app).await;
    let poured = tokio::spawn(async move { while write.write(&[0; 8192]).await.is_ok() {} });
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        // The connection is reset under what the client still sends.
        let _reset = read.read_to_end(&mut told).await;
        poured.abort();
        String::from_utf8_lossy(&told).into_owned()
    });
    (at_app, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_the_app_does_not_take_is_late() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let settings = format!("upstream.response_timeout = \"1s\"\n{LOCAL}");
    let gate = Sidegate::start(&url, &settings).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    let (at_app, told) = upload(&app, &gate, &alice).await;
    let told = timeout(SOON, told).await.expect("still open").unwrap();
    assert!(told.starts_with("HTTP/1.1 504 "), "{told}");
    drop(at_app);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_a_revoked_session_ends_an_upload_that_the_app_does_not_take() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", app.local_addr().unwrap());
    let gate = Sidegate::start(&url, LOCAL).await;
    gate.person("alice", &[]).await;
    let alice = gate.signed_in("alice").await;
    let (mut at_app, told) = upload(&app, &gate, &alice).await;
    gate.set_active("alice", false).await;
    let told = timeout(AT_ONCE, told).await.expect("still open").unwrap();
    assert!(told.starts_with("HTTP/1.1 401 "), "{told}");
    let rest = async { while at_app.read(&mut [0; 8192]).await.is_ok_and(|read| read > 0) {} };
    let ended = timeout(SOON, rest).await;
    assert!(ended.is_ok(), "the app still gets the upload");
}
