//! The app behind us: connections of this thread, kept alive and used again.
//!
//! A connection never leaves the thread that opened it, so nothing here is locked.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::body::{BodyEnd, RequestBody, Upload};
use super::dial::{Dial, DialError};
use crate::config;
use crate::problem::Problem;

/// A connection unused for longer may have been closed by the app at this very moment.
const SURELY_OPEN: Duration = Duration::from_secs(1);
/// Unused connections are closed after this.
const KEEP: Duration = Duration::from_mins(1);
/// Unused connections of one thread.
const MOST_KEPT: usize = 512;

thread_local! {
    static IDLE: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
struct Kept {
    generation: u64,
    since: Instant,
    link: Link,
}

/// A connection that is gone when this is: hyper alone would first wait until the app has taken what it was sent.
#[derive(Debug)]
struct Link {
    sender: SendRequest<RequestBody>,
    _task: AbortOnDropHandle<()>,
}

/// Why the app gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// No response head within `upstream.response_timeout`.
    #[error("no response head within {} s", .0.as_secs())]
    Slow(Duration),
    /// The connection broke off before the response head.
    #[error("connection broke off before the response")]
    Broken(#[source] hyper::Error),
    /// The session ended while the request was on its way.
    #[error("session ended")]
    Revoked,
}

impl From<UpstreamError> for Problem {
    fn from(error: UpstreamError) -> Self {
        let (status, code, detail) = match &error {
            UpstreamError::Dial(DialError::Slow { .. }) => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream.unreachable",
                "The application does not answer at the moment. Please try again in a minute.",
            ),
            UpstreamError::Dial(_) => (
                StatusCode::BAD_GATEWAY,
                "upstream.unreachable",
                "The application cannot be reached at the moment. Please try again in a minute.",
            ),
            UpstreamError::Slow(_) => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream.slow",
                "The application took too long to answer. Please try again.",
            ),
            UpstreamError::Broken(_) => (
                StatusCode::BAD_GATEWAY,
                "upstream.broken",
                "The application broke off its answer. Please try again.",
            ),
            UpstreamError::Revoked => (
                StatusCode::UNAUTHORIZED,
                "session.ended",
                "Your session has ended. Please sign in again.",
            ),
        };
        Self::new(status, code, detail).because(error)
    }
}

/// The app behind us.
pub struct Upstream {
    dial: Dial,
    generation: u64,
    response_timeout: Duration,
    /// Bodies and upgraded connections may be silent for this long.
    pub idle_timeout: Duration,
}

impl Upstream {
    /// As `[upstream]` says. Connections of earlier settings are not used again.
    ///
    /// # Errors
    ///
    /// Certificates that cannot be read.
    pub fn new(settings: &config::Upstream) -> Result<Self, DialError> {
        static GENERATION: AtomicU64 = AtomicU64::new(0);
        Ok(Self {
            dial: Dial::new(settings)?,
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
            response_timeout: settings.response_timeout,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// Name and port of the app for `Host`, when it is not to see the public one.
    pub fn authority(&self) -> &str {
        self.dial.authority()
    }

    /// Sends a request and gives the head of the answer. A connection that turned out to be closed
    /// is replaced where nothing can have happened twice.
    ///
    /// # Errors
    ///
    /// See [`UpstreamError`].
    pub async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lease), UpstreamError> {
        let upload = match request.body() {
            RequestBody::Stream(_, upload) if !request.body().is_end_stream() => {
                Some(Arc::clone(upload))
            }
            RequestBody::Stream(..) | RequestBody::Whole(_) => None,
        };
        let exchange = pin!(self.exchange(request));
        let (response, link) = self.in_time(exchange, upload.as_deref()).await?;
        let mut lease = Lease {
            link: Some(link),
            generation: self.generation,
            upload,
        };
        if response.body().is_end_stream() {
            lease.finished();
        }
        Ok((response, lease))
    }

    /// The response's head must come within `response_timeout` after the request has gone. An upload
    /// that is still moving is not late, one of which the app takes nothing is; silence of the client is
    /// [`BodyEnd::Idle`].
    async fn in_time<T>(
        &self,
        mut exchange: Pin<&mut impl Future<Output = Result<T, UpstreamError>>>,
        upload: Option<&Upload>,
    ) -> Result<T, UpstreamError> {
        let is_over = || upload.is_none_or(Upload::is_gone);
        let (mut was_over, mut pieces) = (is_over(), 0);
        loop {
            if let Ok(done) = timeout(self.response_timeout, &mut exchange).await {
                return done;
            }
            let stuck = upload.is_some_and(|upload| upload.is_stuck(&mut pieces));
            if was_over || (stuck && !is_over()) {
                return Err(UpstreamError::Slow(self.response_timeout));
            }
            was_over = is_over();
        }
    }

    async fn exchange(
        &self,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Link), UpstreamError> {
        let repeatable = is_repeatable(&request);
        let mut request = request;
        while let Some((mut kept, unused)) = self.take(repeatable) {
            if kept.link.sender.ready().await.is_err() {
                continue;
            }
            // A connection that was idle for a while may be closed under our hands: such a request
            // can be sent again only when the method is safe and there is no body (RFC 9110 9.2.2).
            let again = (unused > SURELY_OPEN).then(|| copy_of(&request)).flatten();
            match kept.link.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, kept.link)),
                Err(mut error) => match (error.take_message(), again) {
                    (Some(unsent), _) => request = unsent,
                    (None, Some(copy)) => request = copy,
                    (None, None) => return Err(broken(error.into_error())),
                },
            }
        }
        // Boxed because it is rare, and its room would be kept in every request.
        let (sender, task) = Box::pin(self.connect()).await?;
        let mut link = Link {
            sender,
            _task: AbortOnDropHandle::new(task),
        };
        let response = link.sender.send_request(request).await.map_err(broken)?;
        Ok((response, link))
    }

    /// The connection used last, and how long ago; for what cannot be repeated only one that is surely open.
    fn take(&self, repeatable: bool) -> Option<(Kept, Duration)> {
        IDLE.with_borrow_mut(|idle| {
            while let Some(kept) = idle.pop() {
                let unused = kept.since.elapsed();
                let fresh = kept.generation == self.generation && unused < KEEP;
                if !fresh || kept.link.sender.is_closed() {
                    continue;
                }
                if !repeatable && unused > SURELY_OPEN {
                    idle.push(kept);
                    return None;
                }
                return Some((kept, unused));
            }
            None
        })
    }

    async fn connect(&self) -> Result<(SendRequest<RequestBody>, JoinHandle<()>), UpstreamError> {
        let io = self.dial.connect().await?;
        // An answer may have 100 fields, which is hyper's own limit: any other number costs memory for each answer.
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
        let task = tokio::spawn(async move {
            // Its failure is told to whoever waits for the answer.
            let _ended = connection.with_upgrades().await;
        });
        Ok((sender, task))
    }

    /// A connection for one upgrade, which takes it over.
    ///
    /// # Errors
    ///
    /// See [`UpstreamError`].
    pub async fn send_upgrade(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let exchange = pin!(async {
            // The connection outlives its sender: it becomes the client's.
            let (mut sender, _task) = self.connect().await?;
            sender.send_request(request).await.map_err(broken)
        });
        self.in_time(exchange, None).await
    }

    /// Closes this thread's connections that nobody used for a minute; to be called now and then.
    pub fn sweep() {
        IDLE.with_borrow_mut(|idle| {
            idle.retain(|kept| kept.since.elapsed() < KEEP && !kept.link.sender.is_closed());
        });
    }

    /// Whether a connection to the app can be made now, for `/readyz` and `check --connect`.
    ///
    /// # Errors
    ///
    /// Why not.
    pub async fn reach(&self) -> Result<(), DialError> {
        self.dial.connect().await.map(drop)
    }
}

fn broken(error: hyper::Error) -> UpstreamError {
    let ours =
        std::error::Error::source(&error).and_then(|source| source.downcast_ref::<BodyEnd>());
    match ours {
        Some(BodyEnd::Revoked) => UpstreamError::Revoked,
        Some(BodyEnd::Idle(_) | BodyEnd::Broken(_)) | None => UpstreamError::Broken(error),
    }
}

fn is_repeatable(request: &Request<RequestBody>) -> bool {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    safe && request.body().is_end_stream()
}

fn copy_of(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    is_repeatable(request).then(|| {
        let mut copy = Request::new(RequestBody::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        copy
    })
}

/// A connection in use; it goes back to this thread's pool when its answer has been read whole.
#[derive(Debug)]
pub struct Lease {
    link: Option<Link>,
    generation: u64,
    upload: Option<Arc<Upload>>,
}

impl Lease {
    /// For an answer whose connection is not used again.
    pub(super) const fn none() -> Self {
        Self {
            link: None,
            generation: 0,
            upload: None,
        }
    }

    /// The answer has been read whole.
    pub(super) fn finished(&mut self) {
        let upload_done = self.upload.as_ref().is_none_or(|upload| upload.is_gone());
        let Some(link) = self
            .link
            .take()
            .filter(|link| upload_done && !link.sender.is_closed())
        else {
            return;
        };
        IDLE.with_borrow_mut(|idle| {
            if idle.len() < MOST_KEPT {
                idle.push(Kept {
                    generation: self.generation,
                    since: Instant::now(),
                    link,
                });
            }
        });
    }
}
