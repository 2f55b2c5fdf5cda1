//! The word that we stop: heard by all threads, and asked for at every step of every connection. And a last
//! word to those that have not finished when the drain is over.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use tokio_util::sync::CancellationToken;

/// Said once, never taken back.
#[derive(Debug, Default)]
pub(super) struct Stop {
    said: AtomicBool,
    token: CancellationToken,
    close: CancellationToken,
}

impl Stop {
    /// Says it, and wakes everybody who waits for it.
    pub(super) fn say(&self) {
        // Before the token wakes anybody: whoever is woken looks here first.
        self.said.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// The drain is over: whatever is open must close.
    pub(super) fn close(&self) {
        self.close.cancel();
    }

    /// Fires at [`Self::close`].
    pub(super) const fn closing(&self) -> &CancellationToken {
        &self.close
    }

    /// Whether it was said.
    pub(super) fn is_said(&self) -> bool {
        self.said.load(Ordering::Acquire)
    }

    /// Waits until it is said. The token has one lock for all threads, so it is asked only when somebody else
    /// waits than before, or when it will answer.
    pub(super) async fn heard(&self) {
        let mut heard = pin!(self.token.cancelled());
        let mut waits: Option<Waker> = None;
        poll_fn(|cx| {
            let same = waits
                .as_ref()
                .is_some_and(|before| before.will_wake(cx.waker()));
            if same && !self.is_said() {
                return Poll::Pending;
            }
            waits = Some(cx.waker().clone());
            heard.as_mut().poll(cx)
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_waits_last_is_woken() {
        let stop = Stop::default();
        let mut heard = pin!(stop.heard());
        let (first, second) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        for waiting in [&first, &first, &second] {
            let waker = Arc::clone(waiting).into();
            let polled = heard.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        stop.say();
        let woken = [&first, &second].map(|waiting| waiting.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1]);
        let waker = second.into();
        assert!(heard.poll(&mut Context::from_waker(&waker)).is_ready());
    }

    #[tokio::test]
    async fn what_was_said_before_is_heard_at_once() {
        let stop = Stop::default();
        stop.say();
        stop.heard().await;
        assert!(stop.is_said());
    }
}
