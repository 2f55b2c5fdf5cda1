//! Deep links that wait while their person is led through the app's `login_path`. In memory: a restart forgets
//! them, and the person lands where the app sends them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// A link waits, and is not led again, for this long.
const LIFE: Duration = Duration::from_mins(1);
/// Links of one session within [`LIFE`]; more pass as they are.
const MAX_OF_SESSION: usize = 8;
/// Sessions with waiting links.
const MAX_SESSIONS: usize = 4096;
/// A longer link is not kept, bytes; its person lands where the app sends them.
const MAX_TARGET: usize = 2048;

#[derive(Debug)]
struct Lead {
    target: String,
    begun: Timestamp,
    waits: bool,
}

#[derive(Debug, Default)]
pub(super) struct Leads {
    by_session: Mutex<HashMap<String, Vec<Lead>>>,
}

impl Leads {
    /// Keeps a link; false when it was led already or there are too many.
    pub(super) fn begin(&self, session: &str, target: &str, now: Timestamp) -> bool {
        if target.len() > MAX_TARGET {
            return false;
        }
        let mut all = self
            .by_session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SESSIONS {
            all.retain(|_, leads| leads.iter().any(|lead| is_young(lead, now)));
        }
        if all.len() >= MAX_SESSIONS && !all.contains_key(session) {
            return false;
        }
        let leads = all.entry(session.to_owned()).or_default();
        leads.retain(|lead| is_young(lead, now));
        if leads.len() >= MAX_OF_SESSION || leads.iter().any(|lead| lead.target == target) {
            return false;
        }
        leads.push(Lead {
            target: target.to_owned(),
            begun: now,
            waits: true,
        });
        true
    }

    /// The link that waits longest; it stays known, so that it is not led again.
    pub(super) fn end(&self, session: &str, now: Timestamp) -> Option<String> {
        let mut all = self
            .by_session
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let leads = all.get_mut(session)?;
        let lead = leads
            .iter_mut()
            .find(|lead| lead.waits && is_young(lead, now))?;
        lead.waits = false;
        Some(lead.target.clone())
    }
}

fn is_young(lead: &Lead, now: Timestamp) -> bool {
    now.since(lead.begun) < LIFE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_000_000);

    #[test]
    fn what_waits_is_bounded() {
        let leads = Leads::default();
        assert!(!leads.begin("s", &"x".repeat(MAX_TARGET.saturating_add(1)), NOON));
        for number in 0..MAX_SESSIONS {
            assert!(leads.begin(&number.to_string(), "/a", NOON));
        }
        assert!(!leads.begin("one more", "/a", NOON));
        assert!(leads.begin("0", "/b", NOON));
        // The old ones go first.
        let later = NOON.plus(LIFE);
        assert!(leads.begin("one more", "/a", later));
        assert_eq!(leads.end("1", later), None);
        assert_eq!(leads.end("one more", later).as_deref(), Some("/a"));
        assert_eq!(leads.end("one more", later), None);
    }
}
