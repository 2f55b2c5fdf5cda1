//! An app behind the sidecar: it answers what it was sent, and misbehaves where a test asks for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A page with a form and a way out.
const FORM: &str = r#"<!doctype html><meta charset="utf-8"><title>Form</title>
<form method="post" action="/save?draft=1"><textarea name="text"></textarea><button id="save">Save</button></form>
<a id="out" href="/.sidegate/logout">Sign out</a>"#;

type Reply = Response<BoxBody<Bytes, std::io::Error>>;

/// What the app saw of a request; also its answer's body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The one value of a field.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.all(name).as_slice() {
            [] => None,
            [one] => Some(one),
            several => panic!("{name} stands {} times: {several:?}", several.len()),
        }
    }
}

/// A running app.
pub struct UpstreamApp {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open_streams: AtomicUsize,
}

impl UpstreamApp {
    /// On a free port of the loopback address.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// On this address.
    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Answers of `/stream` that are still being sent.
    pub fn open_streams(&self) -> usize {
        self.state.open_streams.load(Ordering::SeqCst)
    }
}

impl Drop for UpstreamApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::SeqCst);
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let _ended = connection.await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.to_string();
    if target.starts_with("/upgrade") {
        return Ok(upgrade(Request::from_parts(parts, body)));
    }
    if target.starts_with("/early") {
        // Answers before the body has come.
        return Ok(reply(StatusCode::PAYLOAD_TOO_LARGE, "early"));
    }
    let count_only = target.starts_with("/count");
    let mut headers = pairs(&parts.headers);
    let body = if count_only {
        count(body).await
    } else {
        read(body, &mut headers).await
    };
    let seen = Seen {
        method: parts.method.to_string(),
        target: target.clone(),
        headers,
        body,
    };
    state.seen.lock().unwrap().push(seen.clone());
    Ok(route(&state, &parts.method, &target, &seen).await)
}

async fn route(state: &Arc<State>, method: &Method, target: &str, seen: &Seen) -> Reply {
    let path = target.split('?').next().unwrap();
    let number = |prefix: &str| {
        path.strip_prefix(prefix)
            .and_then(|rest| rest.parse::<u64>().ok())
    };
    if let Some(status) = number("/status/") {
        return reply(
            StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap(),
            "status",
        );
    }
    if let Some(bytes) = number("/bytes/") {
        return zeros(bytes);
    }
    match path {
        "/hang" => std::future::pending().await,
        "/stream" => ticks(Arc::clone(state)),
        "/cut" => {
            let half = futures_util::stream::iter([
                // Large enough to be sent before the end is seen.
                Ok(Frame::data(Bytes::from(vec![0; 1024 * 1024]))),
                Err(std::io::Error::other("cut")),
            ]);
            Response::new(BodyExt::boxed(StreamBody::new(half)))
        }
        "/trailers" => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-checksum", HeaderValue::from_static("abc"));
            let frames = [
                Ok(Frame::data(Bytes::from_static(b"body"))),
                Ok(Frame::trailers(trailers)),
            ];
            let mut response = Response::new(BodyExt::boxed(StreamBody::new(
                futures_util::stream::iter(frames),
            )));
            response
                .headers_mut()
                .insert("trailer", HeaderValue::from_static("x-checksum"));
            response
        }
        "/app-login" | "/set-cookie" => {
            let mut response = reply(StatusCode::OK, "cookie set");
            let value = format!("app_session={}; Path=/; HttpOnly", uuid());
            response
                .headers_mut()
                .append("set-cookie", value.parse().unwrap());
            response
        }
        "/evil-cookie" => {
            let mut response = reply(StatusCode::OK, "evil");
            for name in ["sidegate", "__Host-sidegate", "sidegate-browser"] {
                let value = format!("{name}=stolen; Path=/");
                response
                    .headers_mut()
                    .append("set-cookie", value.parse().unwrap());
            }
            response
        }
        "/write" => {
            let mut response = reply(StatusCode::OK, FORM);
            response
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("text/html"));
            response
        }
        "/cors" => {
            let mut response = reply(StatusCode::OK, "cors");
            if let Some(origin) = seen.header("origin") {
                let headers = response.headers_mut();
                headers.insert("access-control-allow-origin", origin.parse().unwrap());
                headers.insert(
                    "access-control-allow-credentials",
                    HeaderValue::from_static("true"),
                );
            }
            response
        }
        _ => {
            let mut response = reply(StatusCode::OK, &serde_json::to_string(seen).unwrap());
            response
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/json"));
            if method == Method::HEAD {
                *response.body_mut() = full("");
            }
            response
        }
    }
}

/// Sends a byte now and then, for ever.
fn ticks(state: Arc<State>) -> Reply {
    struct Open(Arc<State>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.open_streams.fetch_sub(1, Ordering::SeqCst);
        }
    }
    state.open_streams.fetch_add(1, Ordering::SeqCst);
    let open = Open(state);
    let ticks = futures_util::stream::unfold(open, |open| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok(Frame::data(Bytes::from_static(b"data: tick\n\n"))), open))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(Box::pin(ticks))));
    response.headers_mut().insert(
        "content-type",
        HeaderValue::from_static("text/event-stream"),
    );
    response
}

fn zeros(bytes: u64) -> Reply {
    const CHUNK: u64 = 64 * 1024;
    let chunk = Bytes::from(vec![0; usize::try_from(CHUNK).unwrap()]);
    let stream = futures_util::stream::unfold(bytes, move |left| {
        let now = left.min(CHUNK);
        let data = chunk.slice(..usize::try_from(now).unwrap());
        std::future::ready((left > 0).then(|| (Ok(Frame::data(data)), left - now)))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(Box::pin(stream))));
    response
        .headers_mut()
        .insert("content-length", HeaderValue::from(bytes));
    response
}

/// Takes the connection over and sends back what comes.
fn upgrade(mut request: Request<Incoming>) -> Reply {
    let protocol = request.headers().get("upgrade").cloned();
    let Some(protocol) = protocol else {
        return reply(StatusCode::BAD_REQUEST, "no upgrade asked for");
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else {
            return;
        };
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ended = tokio::io::copy(&mut read, &mut write).await;
    });
    let mut response = reply(StatusCode::SWITCHING_PROTOCOLS, "");
    response.headers_mut().insert("upgrade", protocol);
    response
        .headers_mut()
        .insert("connection", HeaderValue::from_static("upgrade"));
    response
}

fn reply(status: StatusCode, text: &str) -> Reply {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
}

fn full(text: &str) -> BoxBody<Bytes, std::io::Error> {
    Full::new(Bytes::from(text.to_owned()))
        .map_err(|never| match never {})
        .boxed()
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

/// The body; its trailers join the head, as some servers do it.
async fn read(mut body: Incoming, headers: &mut Vec<(String, String)>) -> String {
    let mut bytes = Vec::new();
    let all = async {
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                Ok(Err(other)) => {
                    headers.extend(other.trailers_ref().map(pairs).unwrap_or_default());
                }
                Err(error) => return Some(format!("broken: {error}")),
            }
        }
        None
    };
    let broken = tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .unwrap_or_else(|error| Some(format!("broken: {error}")));
    broken.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned())
}

async fn count(mut body: Incoming) -> String {
    let mut total = 0_u64;
    while let Some(Ok(frame)) = body.frame().await {
        total += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    total.to_string()
}

fn uuid() -> String {
    sidegate::crypto::random_token()
}
