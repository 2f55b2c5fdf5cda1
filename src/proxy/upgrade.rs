//! WebSocket: two streams joined until one ends, the session ends, or nothing moves for too long.

use std::any::Any;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::frames::{Frames, TO_APP, TO_CLIENT};
use super::in_use::InUse;

const BUFFER: usize = 16 * 1024;
/// Both sides have this long to take our word that it is over, and to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// What takes a connection over when the upstream switches protocols.
pub struct Takeover {
    /// The client's side, once our answer has gone.
    pub connection: OnUpgrade,
    /// Kept as long as the connection lasts: who counts connections counts it until then.
    pub place: Arc<dyn Any + Send + Sync>,
    /// Fires when the connection must close, whatever it is doing: the end of a drain.
    pub close: CancellationToken,
}

/// Whether this is the protocol that is passed on. Any other, `h2c` above all, would hide the requests
/// that follow from policy.
pub(super) fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

/// Says so to the upstream, after all hop-by-hop fields went.
pub(super) fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Joins both sides until the end. To be spawned.
pub(super) async fn join(
    client: Takeover,
    upstream: OnUpgrade,
    in_use: Option<InUse>,
    idle_timeout: Duration,
) {
    let Takeover {
        connection,
        place,
        close,
    } = client;
    let (Ok(client), Ok(upstream)) = tokio::join!(connection, upstream) else {
        return;
    };
    let moved = AtomicU64::new(0);
    let joint = Joint {
        moved: &moved,
        in_use: in_use.as_ref(),
        close: &close,
        idle_timeout,
    };
    let both = exchange(TokioIo::new(client), TokioIo::new(upstream), joint);
    let ended = async {
        match &in_use {
            Some(its) => its.live().stop().cancelled().await,
            None => pending().await,
        }
    };
    let closed = async {
        close.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    // Whichever comes first drops both sides.
    tokio::select! {
        _both = both => {}
        () = ended => {}
        () = silence(&moved, idle_timeout) => {}
        () = closed => {}
    }
    drop(place);
}

/// What both directions share.
#[derive(Clone, Copy)]
struct Joint<'a> {
    moved: &'a AtomicU64,
    in_use: Option<&'a InUse>,
    close: &'a CancellationToken,
    idle_timeout: Duration,
}

/// Both ways until both have closed, or one has broken: then the other side is told at once, and not when it
/// next has something to say.
async fn exchange<C, U>(client: C, upstream: U, joint: Joint<'_>) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (client_read, client_write) = tokio::io::split(client);
    let (upstream_read, upstream_write) = tokio::io::split(upstream);
    tokio::try_join!(
        pump(client_read, upstream_write, joint, TO_APP),
        pump(upstream_read, client_write, joint, TO_CLIENT),
    )?;
    Ok(())
}

/// One way until its end, or until `close`: then `farewell` is the last word.
async fn pump<R, W>(mut from: R, mut to: W, joint: Joint<'_>, farewell: &[u8]) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; BUFFER];
    let mut frames = Frames::default();
    let mut closed = pin!(joint.close.cancelled());
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            () = &mut closed => break,
        };
        joint.moved.fetch_add(1, Ordering::Relaxed);
        if let Some(in_use) = joint.in_use {
            in_use.moved();
        }
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            // Half a close: the other direction may still have something to say.
            return to.shutdown().await;
        };
        frames.pass(bytes);
        give(&mut to, bytes, joint.idle_timeout).await?;
    }
    // In the midst of a frame it would be taken for a part of it.
    if frames.between() {
        to.write_all(farewell).await?;
    }
    to.shutdown().await?;
    // What is left unread when a socket closes takes the last word with it (RFC 1122 4.2.2.13).
    while from.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Writes all of it; a side that takes nothing for too long has broken, whatever moves the other way.
async fn give<W>(to: &mut W, mut bytes: &[u8], idle_timeout: Duration) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    while !bytes.is_empty() {
        let taken = timeout(idle_timeout, to.write(bytes)).await??;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    timeout(idle_timeout, to.flush()).await?
}

/// Returns when nothing moved for `idle_timeout`.
async fn silence(moved: &AtomicU64, idle_timeout: Duration) {
    let mut before = None;
    loop {
        let now = moved.load(Ordering::Relaxed);
        if before == Some(now) {
            return;
        }
        before = Some(now);
        tokio::time::sleep(idle_timeout).await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;

    use super::*;
    use crate::clock::ManualClock;
    use crate::session::Live;

    /// A client whose connection was reset, and that takes whatever is written to it.
    struct Reset;

    impl AsyncRead for Reset {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
        }
    }

    impl AsyncWrite for Reset {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_side_that_broke_ends_the_other_that_is_silent() {
        let (app, mut its_end) = tokio::io::duplex(64);
        let moved = AtomicU64::new(0);
        let close = CancellationToken::new();
        let joint = Joint {
            moved: &moved,
            in_use: None,
            close: &close,
            idle_timeout: Duration::from_mins(1),
        };
        let both = exchange(Reset, app, joint);
        let ended = timeout(Duration::from_secs(10), both).await;
        assert!(ended.expect("still joined").is_err());
        let mut left = Vec::new();
        assert_eq!(its_end.read_to_end(&mut left).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_moves_through_it_is_a_use_of_the_session() {
        for by_app in [false, true] {
            let live = Live::sample();
            let start = live.last_seen();
            let clock = Arc::new(ManualClock::at(start));
            let in_use = InUse::new(Arc::clone(&live), clock.clone());
            let (client, at_client) = tokio::io::duplex(64);
            let (app, at_app) = tokio::io::duplex(64);
            let joint = Joint {
                moved: &AtomicU64::new(0),
                in_use: Some(&in_use),
                close: &CancellationToken::new(),
                idle_timeout: Duration::from_mins(1),
            };
            let (mut from, mut to) = if by_app {
                (at_app, at_client)
            } else {
                (at_client, at_app)
            };
            clock.advance(Duration::from_mins(2));
            let said = async {
                from.write_all(b"hello").await.unwrap();
                to.read_exact(&mut [0; 5]).await.unwrap();
            };
            tokio::select! {
                ended = exchange(client, app, joint) => panic!("{ended:?}"),
                () = said => {}
            }
            let used = live.last_seen().since(start);
            assert_eq!(used, Duration::from_mins(2), "by the app: {by_app}");
        }
    }

    #[test]
    fn only_websockets_are_passed_on() {
        for (protocol, want) in [
            ("websocket", true),
            ("WebSocket", true),
            ("h2c", false),
            ("websocket, h2c", false),
        ] {
            assert_eq!(
                is_websocket(&HeaderValue::from_static(protocol)),
                want,
                "{protocol}"
            );
        }
    }
}
