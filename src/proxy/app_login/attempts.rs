//! Sign-ins to the app, by person: one at a time, and after a failure none for a while, whichever session of theirs asks.
//!
//! Apps lock accounts and addresses after some refusals, and all of ours come from one address: nobody may make them
//! come faster by signing in here again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use tokio::sync::OwnedMutexGuard;

use crate::clock::Timestamp;
use crate::identity::{TenantSlug, UserId};
use crate::problem::Problem;
use crate::session::Live;

/// From so many people on those are forgotten of whom nothing is to be remembered.
const MANY: usize = 1024;

/// A sign-in that failed a moment ago: the app is not asked again at once.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// Until when.
    pub(super) until: Timestamp,
    /// Of the problem.
    pub(super) status: StatusCode,
    /// Of the problem.
    pub(super) code: &'static str,
    /// Of the problem.
    pub(super) detail: &'static str,
    /// For the log.
    pub(super) why: String,
}

/// One person's.
#[derive(Default)]
pub(super) struct Attempt {
    turn: Arc<tokio::sync::Mutex<()>>,
    failed: Mutex<Option<Failed>>,
}

/// Everybody's.
#[derive(Default)]
pub(super) struct Attempts {
    all: Mutex<HashMap<(TenantSlug, UserId), Arc<Attempt>>>,
}

impl Attempts {
    /// Of the person of this session.
    pub(super) fn of(&self, live: &Live, now: Timestamp) -> Arc<Attempt> {
        let person = (live.record.tenant.clone(), live.record.user.clone());
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.retain(|_, attempt| {
                Arc::strong_count(attempt) > 1 || attempt.failed(now).is_some()
            });
        }
        Arc::clone(all.entry(person).or_default())
    }
}

impl Attempt {
    /// One sign-in at a time: whoever waited looks again first.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// The failure that still counts.
    pub(super) fn failed(&self, now: Timestamp) -> Option<Failed> {
        let failed = self.last().clone();
        failed.filter(|failed| now < failed.until)
    }

    /// Remembers a failure.
    pub(super) fn fail(&self, failed: Failed) {
        *self.last() = Some(failed);
    }

    fn last(&self) -> MutexGuard<'_, Option<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        Self::new(failed.status, failed.code, failed.detail).because(failed.why)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_failure_is_the_persons_in_every_session_and_for_a_while() {
        let attempts = Attempts::default();
        let live = Live::sample();
        let failed = Failed {
            until: NOW.plus(Duration::from_secs(30)),
            status: StatusCode::BAD_GATEWAY,
            code: "app_login.refused",
            detail: "",
            why: String::new(),
        };
        attempts.of(&live, NOW).fail(failed);
        let counts = |at| attempts.of(&live, at).failed(at).is_some();
        assert!(counts(NOW) && counts(NOW.plus(Duration::from_secs(29))));
        assert!(!counts(NOW.plus(Duration::from_secs(30))));
    }
}
