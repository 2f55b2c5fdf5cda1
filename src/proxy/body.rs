//! Bodies that pass through: never buffered, ended when the session ends or nothing moves for too long.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::in_use::InUse;
use super::reserved::Names;
use super::upstream::Lease;

/// Why a body that was passing through ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyEnd {
    /// The session ended.
    #[error("session ended")]
    Revoked,
    /// Nothing moved for `upstream.idle_timeout`.
    #[error("nothing moved for {} s", .0.as_secs())]
    Idle(Duration),
    /// The connection failed.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
}

/// One body on its way, watched.
#[derive(Debug)]
pub struct Guarded {
    inner: Incoming,
    in_use: Option<InUse>,
    idle_timeout: Duration,
    watch: Option<Pin<Box<Watch>>>,
    names: Option<Arc<Names>>,
}

/// Made only when a body has to wait, so that short answers pay nothing.
#[derive(Debug)]
struct Watch {
    stop: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    idle: Pin<Box<Sleep>>,
}

impl Guarded {
    /// Watches `inner` for the end of its session and for silence.
    pub(super) const fn new(
        inner: Incoming,
        in_use: Option<InUse>,
        idle_timeout: Duration,
    ) -> Self {
        Self {
            inner,
            in_use,
            idle_timeout,
            watch: None,
            names: None,
        }
    }

    /// Takes trailers of these names out, as they were taken out of the head (R7).
    pub(super) fn without(mut self, names: Arc<Names>) -> Self {
        self.names = Some(names);
        self
    }

    fn sifted(&self, mut frame: Frame<Bytes>) -> Frame<Bytes> {
        if let (Some(names), Some(trailers)) = (&self.names, frame.trailers_mut()) {
            names.strip_trailers(trailers);
        }
        frame
    }

    fn poll_watched(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyEnd>>> {
        if self.in_use.as_ref().is_some_and(|its| its.live().ended()) {
            return Poll::Ready(Some(Err(BodyEnd::Revoked)));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            if let Some(in_use) = &self.in_use {
                in_use.moved();
            }
            if let Some(watch) = &mut self.watch {
                watch.idle.as_mut().reset(deadline(self.idle_timeout));
            }
            return Poll::Ready(frame.map(|frame| match frame {
                Ok(frame) => Ok(self.sifted(frame)),
                Err(error) => Err(error.into()),
            }));
        }
        let idle_timeout = self.idle_timeout;
        let watch = self.watch.get_or_insert_with(|| {
            let stop = |its: &InUse| Box::pin(its.live().stop().clone().cancelled_owned());
            Box::pin(Watch {
                stop: self.in_use.as_ref().map(stop),
                idle: Box::pin(tokio::time::sleep_until(deadline(idle_timeout))),
            })
        });
        if let Some(stop) = &mut watch.stop
            && stop.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(BodyEnd::Revoked)));
        }
        ready!(watch.idle.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyEnd::Idle(idle_timeout))))
    }
}

fn deadline(idle_timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(idle_timeout).unwrap_or(now)
}

/// How far a request's body is on its way to the upstream.
#[derive(Debug, Default)]
pub struct Upload {
    gone: AtomicBool,
    /// The upstream asks for more than the client has sent so far.
    awaited: AtomicBool,
    pieces: AtomicU64,
}

impl Upload {
    /// Whether all of it has gone.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Whether it stands still because the upstream takes nothing: not one piece more than `before`, which is
    /// brought up to date. A client that is silent is another matter ([`BodyEnd::Idle`]).
    pub(super) fn is_stuck(&self, before: &mut u64) -> bool {
        let now = self.pieces.load(Ordering::Relaxed);
        let moved = std::mem::replace(before, now) != now;
        !moved && !self.awaited.load(Ordering::Relaxed)
    }

    fn polled(&self, polled: &Poll<Option<Result<Frame<Bytes>, BodyEnd>>>, over: bool) {
        self.awaited.store(polled.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(frame) = polled {
            self.pieces.fetch_add(1, Ordering::Relaxed);
            if frame.is_none() || over {
                self.gone.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// What goes to the upstream.
#[derive(Debug)]
pub enum RequestBody {
    /// As it comes from the client, and how far it is. Boxed because most requests have no
    /// body, and all are moved often on their way.
    Stream(Box<Guarded>, Arc<Upload>),
    /// A body that was kept while its person signed in, or none.
    Whole(Full<Bytes>),
}

impl RequestBody {
    /// No body.
    pub fn empty() -> Self {
        Self::Whole(Full::default())
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyEnd;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyEnd>>> {
        match self.get_mut() {
            Self::Stream(body, upload) => {
                let polled = body.poll_watched(cx);
                upload.polled(&polled, body.inner.is_end_stream());
                polled
            }
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Stream(body, _) => body.inner.is_end_stream(),
            Self::Whole(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Stream(body, _) => body.inner.size_hint(),
            Self::Whole(body) => body.size_hint(),
        }
    }
}

/// What goes to the client.
#[derive(Debug)]
pub enum Body {
    /// An answer of our own.
    Own(Full<Bytes>),
    /// The upstream's answer; its connection goes back to the pool when all of it has been read. Boxed because it is
    /// moved often on its way.
    Upstream(Box<(Guarded, Lease)>),
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::Own(Full::default())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyEnd;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyEnd>>> {
        match self.get_mut() {
            Self::Own(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Upstream(passing) => {
                let (body, lease) = &mut **passing;
                let frame = ready!(body.poll_watched(cx));
                if frame.is_none() || (matches!(frame, Some(Ok(_))) && body.inner.is_end_stream()) {
                    lease.finished();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Upstream(passing) => passing.0.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Upstream(passing) => passing.0.inner.size_hint(),
        }
    }
}
