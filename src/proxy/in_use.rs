//! A session is in use while data moves under it, though nothing looks it up again: streams, uploads, upgrades.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::session::Live;

/// How often a stream marks its session at most: half of the shortest `session.idle`.
const PACE: Duration = Duration::from_secs(30);

/// The session that one stream runs under.
pub(super) struct InUse {
    live: Arc<Live>,
    clock: Arc<dyn Clock>,
    marked: AtomicU64,
}

impl InUse {
    pub(super) fn new(live: Arc<Live>, clock: Arc<dyn Clock>) -> Self {
        let marked = AtomicU64::new(live.last_seen().as_secs());
        Self {
            live,
            clock,
            marked,
        }
    }

    /// Data has moved.
    pub(super) fn moved(&self) {
        let now = self.clock.now();
        let before = Timestamp::from_secs(self.marked.load(Ordering::Relaxed));
        if now.since(before) >= PACE {
            self.marked.store(now.as_secs(), Ordering::Relaxed);
            self.live.mark_used(now);
        }
    }

    /// The session.
    pub(super) const fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

impl fmt::Debug for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InUse")
            .field("session", &self.live.record.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::{BodyExt as _, Empty};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::clock::ManualClock;
    use crate::proxy::body::{Body, Guarded};
    use crate::proxy::upstream::Lease;

    const LONG: Duration = Duration::from_mins(5);

    #[test]
    fn a_stream_marks_its_session_twice_a_minute_at_most() {
        let live = Live::sample();
        let start = live.last_seen();
        let clock = Arc::new(ManualClock::at(start));
        let its: Arc<dyn Clock> = clock.clone();
        let in_use = InUse::new(Arc::clone(&live), its);
        for (later, want) in [(29, 0), (1, 30), (29, 30), (1, 60), (3600, 3660)] {
            clock.advance(Duration::from_secs(later));
            in_use.moved();
            let seen = live.last_seen().since(start).as_secs();
            assert_eq!(seen, want, "{later} s later");
        }
    }

    #[tokio::test]
    async fn a_body_that_moves_is_a_use() {
        let live = Live::sample();
        let start = live.last_seen();
        let clock = Arc::new(ManualClock::at(start));
        let (ours, mut app) = tokio::io::duplex(1024);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(ours))
            .await
            .unwrap();
        tokio::spawn(connection);
        let asked = sender.send_request(Request::new(Empty::<Bytes>::new()));
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\ntick";
        let answered = async {
            assert_ne!(app.read(&mut [0; 64]).await.unwrap(), 0);
            app.write_all(answer).await.unwrap();
        };
        let (response, ()) = tokio::join!(asked, answered);
        let in_use = InUse::new(Arc::clone(&live), clock.clone());
        let body = Guarded::new(response.unwrap().into_body(), Some(in_use), LONG);
        let mut body = Body::Upstream(Box::new((body, Lease::none())));
        for want in [0, 120] {
            assert!(body.frame().await.unwrap().unwrap().is_data());
            assert_eq!(live.last_seen().since(start).as_secs(), want);
            clock.advance(Duration::from_mins(2));
            app.write_all(b"tock").await.unwrap();
        }
    }
}
