//! How much is asked of the app: so many calls at once, so many a second, and none for a while when it is down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{AppFailure, Fate};

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long it is open.
const PAUSE: Duration = Duration::from_secs(10);

/// How much is asked of the app.
#[derive(Debug)]
pub(super) struct Pace {
    slots: Arc<Semaphore>,
    every: Duration,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next call may start.
    next: Instant,
    failures: u32,
    /// No call before this.
    open_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(at_once: usize, per_second: u32, patience: Duration) -> Self {
        let every = Duration::from_secs(1).checked_div(per_second.max(1));
        Self {
            slots: Arc::new(Semaphore::new(at_once)),
            every: every.unwrap_or_default(),
            patience,
            state: Mutex::new(State {
                next: Instant::now(),
                failures: 0,
                open_until: None,
            }),
        }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, AppFailure> {
        let slot =
            tokio::time::timeout(self.patience, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(Ok(slot)) = slot else {
            return Err(AppFailure::TooMany(None));
        };
        let at = self.reserve(Instant::now())?;
        tokio::time::sleep_until(at).await;
        Ok(slot)
    }

    fn reserve(&self, now: Instant) -> Result<Instant, AppFailure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = state.open_until {
            if now < until {
                return Err(AppFailure::Unavailable {
                    why: "it failed several times in a row and is left alone for a moment"
                        .to_owned(),
                    retry_after: Some(until.duration_since(now)),
                    fate: Fate::Nothing,
                });
            }
            // One call tries; the others wait for what it finds.
            state.open_until = now.checked_add(PAUSE);
        }
        let at = state.next.max(now);
        if at.duration_since(now) > self.patience {
            return Err(AppFailure::TooMany(Some(at.duration_since(now))));
        }
        state.next = at.checked_add(self.every).unwrap_or(at);
        Ok(at)
    }

    /// The app answered.
    pub(super) fn answered(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = 0;
        state.open_until = None;
    }

    /// It did not, or with an error of its own.
    pub(super) fn failed(&self) {
        self.failed_at(Instant::now());
    }

    fn failed_at(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.open_until = now.checked_add(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_circuit_opens_and_one_call_tries() {
        let (pace, now) = (Pace::new(8, 1000, SECOND), Instant::now());
        for _ in 0..FAILURES {
            assert!(pace.reserve(now).is_ok());
            pace.failed_at(now);
        }
        let refused = pace.reserve(now);
        assert!(
            matches!(&refused, Err(failure) if failure.passes() && !failure.perhaps_done()),
            "{refused:?}"
        );
        let later = now + PAUSE;
        assert!(pace.reserve(later).is_ok(), "one tries");
        assert!(
            pace.reserve(later).is_err(),
            "the others wait for what it finds"
        );
        pace.answered();
        assert!(pace.reserve(later).is_ok());
    }

    #[test]
    fn calls_are_counted_by_the_second() {
        let (pace, now) = (Pace::new(8, 10, SECOND), Instant::now());
        let last = (0..11).map(|_| pace.reserve(now).unwrap()).last().unwrap();
        assert_eq!(last.duration_since(now), SECOND);
        assert_eq!(
            pace.reserve(now).unwrap_err(),
            AppFailure::TooMany(Some(SECOND + SECOND / 10))
        );
    }

    #[tokio::test]
    async fn so_many_calls_at_once() {
        let pace = Pace::new(2, 1000, Duration::from_millis(20));
        let held = (pace.turn().await.unwrap(), pace.turn().await.unwrap());
        assert!(matches!(pace.turn().await, Err(AppFailure::TooMany(_))));
        drop(held);
        assert!(pace.turn().await.is_ok());
    }
}
