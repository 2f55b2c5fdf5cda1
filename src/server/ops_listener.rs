//! The listener of `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::listener::{Accepted, Bound};
use super::shared::Shared;
use crate::ops::{self, State};

/// Scrapers and probes at once.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until `over`.
pub(super) async fn serve(shared: Arc<Shared>, bound: Bound, over: CancellationToken) {
    let listener = match bound.listen() {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "health and metrics cannot be served"),
    };
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = over.cancelled() => return,
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            continue;
        };
        let shared = Arc::clone(&shared);
        match accepted {
            Ok(Accepted::Tcp(stream, _)) => {
                tokio::spawn(async move {
                    connection(shared, stream).await;
                    drop(seat);
                });
            }
            Ok(Accepted::Unix(stream)) => {
                tokio::spawn(async move {
                    connection(shared, stream).await;
                    drop(seat);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection<S>(shared: Arc<Shared>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let app = shared.app.load_full();
            let state = State {
                metrics: &app.metrics,
                storage: &app.storage,
                login: &app.login,
                listening: true,
                draining: shared.stop.is_said(),
            };
            Ok::<_, Infallible>(ops::answer(request.method(), request.uri().path(), state).await)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "ops connection ended");
    }
}
