//! The demo app: it knows nothing of Sidegate, reads the identity headers, and shows what it got.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::page;

type Answer = Response<BoxBody<Bytes, Infallible>>;

const TICK: Duration = Duration::from_secs(1);

/// The app on a port of its own; it ends when this does.
pub(super) struct App {
    port: u16,
    _runtime: Runtime,
}

impl App {
    /// Listens on a free port of this machine.
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("demo-app")
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let port = listener.local_addr()?.port();
        runtime.spawn(serve(listener));
        Ok(Self {
            port,
            _runtime: runtime,
        })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((stream, _peer)) = listener.accept().await {
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async move {
                Ok::<_, Infallible>(answer(request.uri().path(), request.headers()))
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "connection of the demo app ended");
            }
        });
    }
}

fn answer(path: &str, headers: &HeaderMap) -> Answer {
    match path {
        "/" => html(StatusCode::OK, page::home(headers)),
        "/admin" => html(StatusCode::OK, page::admin(headers)),
        "/public" => html(StatusCode::OK, page::public(headers)),
        "/api/hello" => {
            let greeting = page::text(headers, "x-demo-greeting");
            let body = serde_json::json!({ "greeting": greeting });
            typed(StatusCode::OK, "application/json", format!("{body}\n"))
        }
        "/events" => events(),
        _ => html(StatusCode::NOT_FOUND, page::not_found()),
    }
}

fn html(status: StatusCode, page: maud::Markup) -> Answer {
    typed(status, "text/html; charset=utf-8", page.into_string())
}

fn typed(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)).boxed());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Server-sent events: one number a second, for as long as somebody listens.
fn events() -> Answer {
    let ticks = stream::unfold(0_u64, |seconds| async move {
        if seconds > 0 {
            tokio::time::sleep(TICK).await;
        }
        let event = Bytes::from(format!("data: {seconds}\n\n"));
        let next = seconds.saturating_add(1);
        Some((Ok::<_, Infallible>(Frame::data(event)), next))
    });
    let mut answer = Response::new(BodyExt::boxed(StreamBody::new(ticks)));
    let kind = HeaderValue::from_static("text/event-stream");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::read;

    async fn text(path: &str, headers: &[(&'static str, &str)]) -> (StatusCode, String) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let answer = answer(path, &map);
        let status = answer.status();
        let body = read(answer.into_body(), 100_000, TICK).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn pages_show_what_arrived_and_run_none_of_it() {
        let (status, page) = text("/", &[("x-forwarded-user", "<b>alice"), ("accept", "x")]).await;
        assert_eq!(status, 200);
        assert!(page.contains("x-forwarded-user") && page.contains("&lt;b&gt;alice"));
        assert!(!page.contains("<b>alice"));
        assert_eq!(text("/nothing", &[]).await.0, 404);
        let (_, json) = text("/api/hello", &[("x-demo-greeting", "Hello Bob")]).await;
        assert_eq!(json, "{\"greeting\":\"Hello Bob\"}\n");
    }

    #[tokio::test]
    async fn the_stream_begins_at_once() {
        let mut body = events().into_body();
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "data: 0\n\n");
    }
}
