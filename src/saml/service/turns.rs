//! Verifications take turns: a few at once, each on a thread of its own, and the others wait a moment.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Verifications at once, of each idp and of each kind of message; a thread each.
const AT_ONCE: usize = 4;
/// How long a message waits for its turn.
const WAIT: Duration = Duration::from_secs(5);

/// Too many before it.
#[derive(Debug, thiserror::Error)]
#[error("too many messages are verified at once")]
pub(super) struct Busy;

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sign_in.busy",
            "Too many people are signing in or out at the moment. Please try again in a minute.",
        )
        .retry_after(WAIT)
        .because(busy)
    }
}

/// Goes to the thread that verifies, and ends with its work, not with whoever waits for it: a browser that goes away
/// must not make room for one more.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// The turns of one kind of message.
pub(super) struct Turns {
    free: Arc<Semaphore>,
    wait: Duration,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(AT_ONCE)),
            wait: WAIT,
        }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn, Busy> {
        let turn = Arc::clone(&self.free).acquire_owned();
        match tokio::time::timeout(self.wait, turn).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn r48_more_than_a_few_at_once_are_turned_away() {
        let turns = Turns {
            wait: Duration::ZERO,
            ..Turns::new()
        };
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.take().await.unwrap());
        }
        let problem = Problem::from(turns.take().await.err().unwrap());
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        taken.pop();
        assert!(turns.take().await.is_ok());
    }
}
