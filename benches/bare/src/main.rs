//! The least that an authenticating proxy on hyper can be: the limit that `benches/run` holds Sidegate against.
//!
//! One single-threaded runtime per core, each with its own `SO_REUSEPORT` listener and its own upstream
//! connections. A request's session cookie is hashed and looked up in memory, and three identity headers are
//! set. There are no rules, timeouts, limits, log lines, pages or TLS. A measuring tool, not for use.
//!
//! `bare LISTEN UPSTREAM COOKIE=TOKEN`

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::header::{CONNECTION, COOKIE, HOST, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sessions in memory besides the one that is used, so that the look-up is not a toy.
const OTHERS: usize = 10_000;
const IDENTITY: [HeaderName; 3] = [
    HeaderName::from_static("x-forwarded-user"),
    HeaderName::from_static("x-forwarded-email"),
    HeaderName::from_static("x-forwarded-groups"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

type Hash = [u8; 32];
type Person = Arc<[HeaderValue; 3]>;
type Sender = SendRequest<Incoming>;

thread_local! {
    static IDLE: RefCell<Vec<Sender>> = const { RefCell::new(Vec::new()) };
}

struct Bare {
    upstream: SocketAddr,
    /// Name and equals sign.
    cookie: Vec<u8>,
    sessions: papaya::HashMap<Hash, Person>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, session] = arguments.as_slice() else {
        panic!("usage: bare LISTEN UPSTREAM COOKIE=TOKEN");
    };
    let listen: SocketAddr = listen.parse().expect("an address to listen on");
    let (cookie, token) = session.split_at(session.find('=').expect("COOKIE=TOKEN") + 1);
    let sessions = papaya::HashMap::new();
    for number in 0..OTHERS {
        let token = format!("token {number}");
        sessions
            .pin()
            .insert(hash(token.as_bytes()), person(number));
    }
    let ours = hash(token.as_bytes());
    sessions.pin().insert(ours, person(OTHERS));
    let bare = Arc::new(Bare {
        upstream: upstream.parse().expect("the upstream's address"),
        cookie: cookie.as_bytes().to_vec(),
        sessions,
    });
    bare::per_core(listen, |stream, peer| {
        serve(Arc::clone(&bare), stream, peer)
    });
}

fn hash(token: &[u8]) -> Hash {
    digest(&SHA256, token)
        .as_ref()
        .try_into()
        .expect("32 bytes")
}

fn person(number: usize) -> Person {
    let value =
        |text: String| HeaderValue::from_maybe_shared(Bytes::from(text)).expect("a header value");
    Arc::new([
        value(format!("user{number}")),
        value(format!("user{number}@example.com")),
        HeaderValue::from_static("staff,engineering,on-call"),
    ])
}

async fn serve(bare: Arc<Bare>, stream: TcpStream, peer: SocketAddr) {
    let _kept_as_it_is = stream.set_nodelay(true);
    let peer = HeaderValue::try_from(peer.ip().to_string()).expect("an address");
    let service = service_fn(|request| answer(&bare, &peer, request));
    let _ended = hyper::server::conn::http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    bare: &Bare,
    peer: &HeaderValue,
    mut request: Request<Incoming>,
) -> hyper::Result<Response<Answer>> {
    let headers = request.headers_mut();
    for name in IDENTITY.iter().chain(&[CONNECTION, TE, KEEP_ALIVE]) {
        headers.remove(name);
    }
    let Some(person) = bare.person_of(headers) else {
        let mut refused = Response::new(Answer::default());
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(refused);
    };
    for (name, value) in IDENTITY.iter().zip(person.iter()) {
        headers.insert(name, value.clone());
    }
    headers.insert(FORWARDED_FOR, peer.clone());
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
    let (response, sender) = bare.forward(request).await?;
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONNECTION);
    parts.headers.remove(KEEP_ALIVE);
    let answer = Answer {
        body: Some(body),
        sender: Some(sender),
    };
    Ok(Response::from_parts(parts, answer))
}

impl Bare {
    /// Whose session the cookie names; the cookie itself goes, others stay.
    fn person_of(&self, headers: &mut HeaderMap) -> Option<Person> {
        let (mut found, mut others) = (None, Vec::new());
        let fields = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        for pair in fields.flat_map(|field| field.split(|byte| *byte == b';')) {
            match pair.trim_ascii().strip_prefix(self.cookie.as_slice()) {
                Some(token) => found = self.sessions.pin().get(&hash(token)).cloned(),
                None => others.push(pair.trim_ascii()),
            }
        }
        let others = Bytes::from(others.join(&b"; "[..]));
        match HeaderValue::from_maybe_shared(others) {
            Ok(others) if !others.is_empty() => drop(headers.insert(COOKIE, others)),
            _ => drop(headers.remove(COOKIE)),
        }
        found
    }

    async fn forward(
        &self,
        request: Request<Incoming>,
    ) -> hyper::Result<(Response<Incoming>, Sender)> {
        while let Some(mut sender) = IDLE.with_borrow_mut(Vec::pop) {
            if sender.ready().await.is_ok() {
                let response = sender.send_request(request).await?;
                return Ok((response, sender));
            }
        }
        let stream = TcpStream::connect(self.upstream).await;
        let stream = stream.expect("the upstream");
        let _kept_as_it_is = stream.set_nodelay(true);
        let (mut sender, connection) = Builder::new().handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        Ok((response, sender))
    }
}

/// The upstream's body; its connection goes back to this thread's pool with it.
#[derive(Default)]
struct Answer {
    body: Option<Incoming>,
    sender: Option<Sender>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match &mut self.get_mut().body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let whole = self.is_end_stream();
        if let Some(sender) = self
            .sender
            .take()
            .filter(|sender| whole && !sender.is_closed())
        {
            IDLE.with_borrow_mut(|idle| idle.push(sender));
        }
    }
}
