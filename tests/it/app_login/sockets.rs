//! A WebSocket through the app's session: it begins with the app's cookie, which we hold, and ends when our session does.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{FORM, JSON, settings};
use crate::support::{Client, LoginApp, Sidegate};

/// A machine that runs tests may be slow.
const SOON: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

/// As a browser with this jar opens one.
async fn open(gate: &Sidegate, browser: &Client) -> Result<(Socket, HeaderMap), StatusCode> {
    let pairs = browser.cookies.iter();
    let cookies: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = Request::builder()
        .uri(format!("ws://{}/socket", gate.host))
        .header(HOST, &gate.host)
        .header(COOKIE, cookies.join("; "))
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(())
        .unwrap();
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let opened = timeout(SOON, client_async(request, stream)).await.unwrap();
    match opened {
        Ok((socket, answer)) => Ok((socket, answer.headers().clone())),
        Err(Error::Http(answer)) => Err(answer.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    let next = timeout(SOON, socket.next()).await;
    next.expect("nothing comes and nothing ends")
}

async fn says(socket: &mut Socket, want: &str) {
    assert_eq!(next(socket).await.unwrap().unwrap(), Message::text(want));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_a_socket_has_the_apps_session_and_ends_with_ours() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(FORM)).await;
    for name in ["alice", "bob"] {
        gate.person(name, &[]).await;
    }
    for name in ["alice", "bob"] {
        let mut browser = gate.signed_in(name).await;
        // The first request of all: the app is signed in to before it is asked to switch.
        let (mut socket, answered) = open(&gate, &browser).await.unwrap();
        says(&mut socket, name).await;
        let set: Vec<_> = answered.get_all(SET_COOKIE).iter().collect();
        assert!(set.is_empty(), "the app's cookie stays here: {set:?}");
        let seen = app.seen().pop().unwrap();
        let sessions = app.sessions();
        let mine = sessions.iter().find(|id| seen.1.contains(*id));
        assert_eq!(seen.0, "GET /socket");
        assert_eq!(seen.1, format!("SID={}", mine.unwrap()), "and ours does");
        socket.send(Message::text("still there?")).await.unwrap();
        says(&mut socket, "still there?").await;
        // Another page goes through the same session.
        assert_eq!(browser.get("/page").await.status, 200);
        if name == "alice" {
            let out = browser.get("/.sidegate/logout").await;
            assert!(out.location().starts_with("/.sidegate/logout/done"));
        } else {
            gate.set_active("bob", false).await;
        }
        let told = next(&mut socket).await;
        assert!(!matches!(told, Some(Ok(Message::Text(_)))), "{told:?}");
        let gone = async {
            while app.sockets() > 0 {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(SOON, gone).await.is_ok(), "the app keeps its end");
        assert!(open(&gate, &browser).await.is_err(), "nor another one");
    }
    assert_eq!(app.attempts(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_meets_the_end_of_the_apps_session_is_there_at_the_next_try() {
    let app = LoginApp::start().await;
    let gate = Sidegate::start(&app.url(), &settings(JSON)).await;
    gate.person("alice", &[]).await;
    let mut browser = gate.signed_in("alice").await;
    assert_eq!(browser.get("/page").await.status, 200);
    app.end_sessions();
    // The app's own word: an upgrade is not sent twice.
    assert_eq!(open(&gate, &browser).await.unwrap_err(), 401);
    let (mut socket, _) = open(&gate, &browser).await.unwrap();
    says(&mut socket, "alice").await;
    assert_eq!(app.attempts(), 2);
    // Nobody's is refused here, and the app is not asked.
    let seen = app.seen().len();
    assert_eq!(open(&gate, &gate.browser()).await.unwrap_err(), 401);
    assert_eq!(app.seen().len(), seen);
}
