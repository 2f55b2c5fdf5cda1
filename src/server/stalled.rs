//! Clients that stop reading: an answer ends when nothing of it was taken for too long, and when its session ends.
//!
//! hyper asks a body for more only while the client takes what it got, so no body can see this by itself. With
//! HTTP/1.1 the socket is watched ([`Outlet`]), with HTTP/2 each stream ([`Streams`]).

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::session::Live;

/// How often what stands still is looked at: half of the second in which a session's streams must end.
const LOOK: Duration = Duration::from_millis(500);

tokio::task_local! {
    static OUTFLOW: Arc<Outflow>;
}

/// What is on its way to a client: the answers of one connection, or of one HTTP/2 stream.
#[derive(Debug, Default)]
pub(super) struct Outflow {
    live: Mutex<Option<Arc<Live>>>,
    /// The client has something to take before more is asked for.
    given: AtomicBool,
    turns: AtomicU64,
    cut: OnceLock<&'static str>,
}

impl Outflow {
    /// Of the HTTP/2 stream whose request is being answered.
    pub(super) fn of_stream() -> Option<Arc<Self>> {
        OUTFLOW.try_with(Arc::clone).ok()
    }

    /// An answer under this session begins.
    pub(super) fn answered(&self, live: Option<&Arc<Live>>) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live.map(Arc::clone);
        self.given();
    }

    /// More is asked for: what was given before is taken.
    pub(super) fn asked(&self) {
        self.given.store(false, Ordering::Relaxed);
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// More was given.
    pub(super) fn given(&self) {
        self.given.store(true, Ordering::Relaxed);
    }

    /// Why it was cut off, when it was.
    pub(super) fn cut(&self) -> Option<&'static str> {
        self.cut.get().copied()
    }

    fn is_revoked(&self) -> bool {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().is_some_and(|live| live.ended())
    }
}

/// How long nothing has moved.
#[derive(Debug)]
struct Stall {
    outflow: Arc<Outflow>,
    idle_timeout: Duration,
    since: Option<Instant>,
    /// Made when something stands still for the first time, so that short answers pay nothing.
    look: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    const fn new(outflow: Arc<Outflow>, idle_timeout: Duration) -> Self {
        Self {
            outflow,
            idle_timeout,
            since: None,
            look: None,
        }
    }

    const fn moved(&mut self) {
        self.since = None;
    }

    /// Nothing moves now: ready with why it has to end, else looks again in time.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<&'static str> {
        loop {
            let now = Instant::now();
            let since = *self.since.get_or_insert(now);
            let left = self.idle_timeout.saturating_sub(now.duration_since(since));
            let over = if self.outflow.is_revoked() {
                Some("session ended")
            } else if left.is_zero() {
                Some("client took nothing for too long")
            } else {
                None
            };
            if let Some(why) = over {
                return Poll::Ready(self.outflow.cut.get_or_init(|| why));
            }
            let next = now.checked_add(left.min(LOOK)).unwrap_or(now);
            let look = self
                .look
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
            ready!(look.as_mut().poll(cx));
            look.as_mut().reset(next);
        }
    }
}

/// A client's socket of which it is seen whether the client reads.
pub(super) struct Outlet<S> {
    inner: S,
    stall: Stall,
}

impl<S> Outlet<S> {
    pub(super) const fn new(inner: S, outflow: Arc<Outflow>, idle_timeout: Duration) -> Self {
        let stall = Stall::new(outflow, idle_timeout);
        Self { inner, stall }
    }

    fn taken<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stall.moved();
            return polled;
        }
        let why = ready!(self.stall.poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outlet<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outlet<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.taken(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.taken(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(cx);
        this.taken(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.taken(cx, polled)
    }
}

/// Runs the streams of HTTP/2 connections. One whose client opens no window for too long is reset; what counts as
/// taken is a whole piece of the app's answer, at most 400 KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    idle_timeout: Duration,
}

impl Streams {
    pub(super) const fn new(idle_timeout: Duration) -> Self {
        Self { idle_timeout }
    }
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let outflow = Arc::new(Outflow::default());
        let stall = Stall::new(Arc::clone(&outflow), self.idle_timeout);
        tokio::spawn(OUTFLOW.scope(outflow, until_stalled(stream, stall)));
    }
}

/// Dropped, a stream is reset with `CANCEL` (RFC 9113 5.4.2).
async fn until_stalled(stream: impl Future<Output = ()>, mut stall: Stall) {
    let mut stream = pin!(stream);
    let mut before = 0;
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let turns = stall.outflow.turns.load(Ordering::Relaxed);
        let given = stall.outflow.given.load(Ordering::Relaxed);
        if !given || turns != before {
            before = turns;
            stall.moved();
        }
        if given {
            stall.poll(cx).map(|_why| ())
        } else {
            Poll::Pending
        }
    })
    .await;
}
