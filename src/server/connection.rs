//! One client connection: TLS, HTTP/1.1 or HTTP/2, its limits, and its orderly end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::framing::{Framing, Watched};
use super::listener::Accepted;
use super::router;
use super::shared::{Counted, Shared};
use super::stalled::{Outflow, Outlet, Streams};
use crate::web::Inbound;

/// What an HTTP/2 client begins with (RFC 9113 3.4), as far as it tells it from any HTTP/1 method.
const PREFACE: &[u8] = b"PRI";
/// How soon the first bytes are looked at again when they could become either protocol, and how soon at last.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_secs(1);
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;

/// What requests have of their connection; with HTTP/2 each has its own.
#[derive(Clone)]
pub(super) struct Wire {
    /// Where the connection comes from.
    pub(super) inbound: Inbound,
    /// Its place among those that are counted.
    pub(super) place: Arc<Counted>,
    /// What was seen of the head; HTTP/1.1 only.
    pub(super) framing: Option<Arc<Framing>>,
    /// What is on its way back; with HTTP/2 each stream has its own.
    pub(super) outflow: Arc<Outflow>,
}

/// Serves a connection until it ends, or until we stop and its requests are done.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted, place: Arc<Counted>) {
    let wire = |peer| Wire {
        inbound: Inbound { peer, tls: false },
        place,
        framing: None,
        outflow: Arc::default(),
    };
    match accepted {
        Accepted::Unix(stream) => http1(&shared, stream, wire(None)).await,
        Accepted::Tcp(stream, peer) => {
            let wire = wire(Some(peer.ip().to_canonical()));
            tcp(&shared, stream, peer, wire).await;
        }
    }
}

async fn tcp(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, mut wire: Wire) {
    let wait = shared.app.load().settings.server.header_timeout;
    let Some(config) = shared.tls.load_full() else {
        match timeout(wait, speaks_http2(&stream)).await {
            Ok(Ok(true)) => http2(shared, stream, wire).await,
            Ok(Ok(false)) => http1(shared, stream, wire).await,
            // Gone, or silent for too long.
            Ok(Err(_)) | Err(_) => {}
        }
        return;
    };
    wire.inbound.tls = true;
    match timeout(wait, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => {
            let http2_agreed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            if http2_agreed {
                http2(shared, stream, wire).await;
            } else {
                http1(shared, stream, wire).await;
            }
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_elapsed) => tracing::debug!(%peer, "TLS handshake not finished in time"),
    }
}

/// Looks at the first bytes without taking them.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; PREFACE.len()];
    let mut pause = FIRST_LOOK;
    loop {
        let seen = stream.peek(&mut first).await?;
        let bytes = first.get(..seen).unwrap_or_default();
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if bytes == PREFACE {
            return Ok(true);
        }
        if !PREFACE.starts_with(bytes) {
            return Ok(false);
        }
        // "P" or "PR" could become either; there is no event for "more than these". Thousands of clients
        // that stop there must not keep us looking.
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LAST_LOOK);
    }
}

async fn http1<S>(shared: &Arc<Shared>, stream: S, mut wire: Wire)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = shared.app.load_full();
    let server = &app.settings.server;
    // A head may have 100 fields, which is hyper's own limit: any other number costs memory for each request.
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(server.header_timeout)
        .max_header_size(server.max_header_size)
        .max_buf_size(server.max_header_size.max(64 * 1024));
    let framing = Arc::new(Framing::default());
    let scim = app.scim.prefix();
    let stream = Watched::new(stream, Arc::clone(&framing), Arc::clone(scim));
    let idle_timeout = app.settings.upstream.idle_timeout;
    let stream = Outlet::new(stream, Arc::clone(&wire.outflow), idle_timeout);
    wire.framing = Some(framing);
    let wire = Arc::new(wire);
    let service = service_fn(|request| router::answer(shared, &wire, request));
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    drop(app);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = &mut connection => return note(ended),
        () = shared.stop.heard() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => note(ended),
        () = shared.stop.closing().cancelled() => {}
    }
}

async fn http2<S>(shared: &Arc<Shared>, stream: S, wire: Wire)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = shared.app.load_full();
    let server = &app.settings.server;
    let header_size = u32::try_from(server.max_header_size).unwrap_or(u32::MAX);
    let mut builder = http2::Builder::new(Streams::new(app.settings.upstream.idle_timeout));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(header_size)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    let own = Arc::clone(shared);
    let service = service_fn(move |request| {
        let (shared, mut wire) = (Arc::clone(&own), wire.clone());
        async move {
            if let Some(outflow) = Outflow::of_stream() {
                wire.outflow = outflow;
            }
            router::answer(&shared, &Arc::new(wire), request).await
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    drop(app);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = &mut connection => return note(ended),
        () = shared.stop.heard() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => note(ended),
        () = shared.stop.closing().cancelled() => {}
    }
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        // What a client does to its own connection is no news; a body that we cut has its access line.
        tracing::debug!(%error, "connection ended");
    }
}
