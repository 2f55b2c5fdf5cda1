//! How much is asked of the app: so many calls at once, so many a second, and none for a while when it is down.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{AppFailure, Fate};

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long it is open.
const PAUSE: Duration = Duration::from_secs(10);
/// Longest rest that the app is given when it asks for one.
const LONGEST_REST: Duration = Duration::from_mins(5);
/// What calls are counted by.
const SECOND: Duration = Duration::from_secs(1);

/// How much is asked of the app.
#[derive(Debug)]
pub(super) struct Pace {
    slots: Arc<Semaphore>,
    per_second: usize,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the last calls start, in order; as many as a second may have.
    starts: VecDeque<Instant>,
    failures: u32,
    /// No call before this: it failed.
    open_until: Option<Instant>,
    /// Nor before this: it asked for it.
    rests_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(at_once: usize, per_second: u32, patience: Duration) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(at_once)),
            per_second: usize::try_from(per_second.max(1)).unwrap_or(usize::MAX),
            patience,
            state: Mutex::new(State {
                starts: VecDeque::new(),
                failures: 0,
                open_until: None,
                rests_until: None,
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
        let now = Instant::now();
        let at = self.reserve(now)?;
        // A sleep is never shorter than a millisecond, as long as the call itself.
        if at > now {
            tokio::time::sleep_until(at).await;
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.rested(Instant::now())?;
        }
        Ok(slot)
    }

    /// The app wants no calls for so long; who would call meanwhile is told the rest of it.
    pub(super) fn rest(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait.min(LONGEST_REST));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rests_until = state.rests_until.max(until);
    }

    fn reserve(&self, now: Instant) -> Result<Instant, AppFailure> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rested(now)?;
        if let Some(until) = state.open_until {
            if now < until {
                return Err(AppFailure::Unavailable {
                    met: super::Met::Nobody,
                    why: "it failed several times in a row and is left alone for a moment"
                        .to_owned(),
                    retry_after: Some(until.duration_since(now)),
                    fate: Fate::Nothing,
                });
            }
            // One call tries; the others wait for what it finds.
            state.open_until = now.checked_add(PAUSE);
        }
        let full = state.starts.len() >= self.per_second;
        let oldest = state.starts.front().filter(|_| full);
        let at = oldest.and_then(|start| start.checked_add(SECOND));
        let at = at.map_or(now, |at| at.max(now));
        if at.duration_since(now) > self.patience {
            return Err(AppFailure::TooMany(Some(at.duration_since(now))));
        }
        if full {
            state.starts.pop_front();
        }
        state.starts.push_back(at);
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

impl State {
    fn rested(&self, now: Instant) -> Result<(), AppFailure> {
        let left = self.rests_until.map(|until| until.duration_since(now));
        match left.filter(|left| !left.is_zero()) {
            // Whole seconds, as `Retry-After` is: not a moment before.
            Some(left) => {
                let seconds = left.as_millis().div_ceil(1000);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                Err(AppFailure::TooMany(Some(Duration::from_secs(seconds))))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let starts: Vec<_> = (0..20)
            .map(|_| pace.reserve(now).unwrap().duration_since(now))
            .collect();
        assert_eq!(starts, [[Duration::ZERO; 10], [SECOND; 10]].concat());
        let refused = pace.reserve(now).unwrap_err();
        assert_eq!(refused, AppFailure::TooMany(Some(2 * SECOND)));
        let half = now + SECOND / 2;
        assert!(pace.reserve(half).is_err(), "those of now are not over");
        let at = pace.reserve(now + SECOND).unwrap();
        assert_eq!(at, now + 2 * SECOND, "those of then have yet to start");
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
