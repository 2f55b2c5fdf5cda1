//! People whose password was right and who must choose a new one before they have a session (R58).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::ReturnTo;
use crate::clock::Timestamp;
use crate::crypto::{Digest, random_token, sha256};
use crate::identity::{TenantSlug, UserId};
use crate::secret::same;

/// How long the proof lasts.
const LIFE: Duration = Duration::from_mins(10);
/// Proofs at once; the oldest go first.
const MOST: usize = 10_000;

/// Proof that a person's old password was right, in this browser, a moment ago.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Whose directory the person is in.
    pub(super) tenant: TenantSlug,
    /// The person.
    pub(super) user: UserId,
    /// Digest of the hash that the password fitted: another password since then ends the proof.
    pub(super) password: Digest,
    /// Digest of the browser cookie's value.
    pub(super) browser: Digest,
    /// Host it was given on (R23).
    pub(super) host: String,
    /// Where the person wanted to go.
    pub(super) return_to: ReturnTo,
    /// When.
    pub(super) at: Timestamp,
}

/// All such proofs; in memory.
#[derive(Default)]
pub struct PasswordSteps {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    by_handle: HashMap<String, Step>,
    order: VecDeque<(Timestamp, String)>,
}

impl PasswordSteps {
    /// Keeps one and gives its handle.
    pub(super) fn put(&self, step: Step) -> String {
        let handle = random_token();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.forget_old(step.at);
        all.order.push_back((step.at, handle.clone()));
        all.by_handle.insert(handle.clone(), step);
        handle
    }

    /// The proof of this handle, for the browser and host that it was given to.
    pub(super) fn find(
        &self,
        handle: &str,
        browser: Option<&str>,
        host: &str,
        now: Timestamp,
    ) -> Option<Step> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let step = all.by_handle.get(handle)?;
        // R58: a handle alone proves nothing.
        let own = same(&sha256(browser?.as_bytes()).0, &step.browser.0) && step.host == host;
        (own && now.since(step.at) < LIFE).then(|| step.clone())
    }

    /// Used: it proves nothing any more. False when somebody was faster.
    pub(super) fn end(&self, handle: &str) -> bool {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.by_handle.remove(handle).is_some()
    }
}

impl All {
    fn forget_old(&mut self, now: Timestamp) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= LIFE || self.order.len() >= MOST)
        {
            if let Some((_, handle)) = self.order.pop_front() {
                self.by_handle.remove(&handle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn step() -> Step {
        Step {
            tenant: TenantSlug::default(),
            user: UserId::from("u1"),
            password: sha256(b"hash"),
            browser: sha256(b"browser"),
            host: "app.test".to_owned(),
            return_to: ReturnTo::root(),
            at: NOON,
        }
    }

    #[test]
    fn r58_a_proof_is_of_one_browser_one_host_and_ten_minutes() {
        for (name, browser, host, minutes, ok) in [
            ("as given", Some("browser"), "app.test", 9, true),
            ("another browser", Some("other"), "app.test", 1, false),
            ("no browser", None, "app.test", 1, false),
            ("another host", Some("browser"), "b.test", 1, false),
            ("too late", Some("browser"), "app.test", 10, false),
        ] {
            let steps = PasswordSteps::default();
            let handle = steps.put(step());
            let now = NOON.plus(Duration::from_mins(minutes));
            let found = steps.find(&handle, browser, host, now);
            assert_eq!(found.is_some(), ok, "{name}");
        }
    }

    #[test]
    fn r58_a_proof_is_used_once() {
        let steps = PasswordSteps::default();
        let handle = steps.put(step());
        assert!(steps.end(&handle));
        assert!(!steps.end(&handle));
        assert!(
            steps
                .find(&handle, Some("browser"), "app.test", NOON)
                .is_none()
        );
    }

    #[test]
    fn proofs_are_bounded() {
        let steps = PasswordSteps::default();
        for _ in 0..MOST + 10 {
            steps.put(step());
        }
        assert_eq!(steps.all.lock().unwrap().by_handle.len(), MOST);
    }
}
