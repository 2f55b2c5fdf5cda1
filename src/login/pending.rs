//! Sign-ins begun and not finished: kept here, in memory, bound to the browser, used once.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::crypto::{Digest, sha256};
use crate::identity::IdpName;
use crate::secret::{Secret, same};

use super::ReturnTo;

/// How long a person has for the idp's pages.
const LIFE: Duration = Duration::from_mins(15);
/// Sign-ins that one browser can have open, in as many tabs.
const PER_BROWSER: usize = 32;

/// One sign-in begun.
#[derive(Clone, Debug)]
pub struct Pending {
    /// `state`, `RelayState`.
    pub handle: String,
    /// Digest of the browser cookie's value.
    pub browser: Digest,
    /// Where it was begun.
    pub idp: IdpName,
    /// `nonce`, request `ID`.
    pub nonce: String,
    /// PKCE code verifier.
    pub verifier: Secret,
    /// Where the idp was told to send the browser back to: this origin of ours.
    pub origin: String,
    /// Where the person wanted to go.
    pub return_to: ReturnTo,
    /// Host it was begun on (R23).
    pub host: String,
    /// Client address, so that one network cannot push out all others.
    pub client: Option<IpAddr>,
    /// When.
    pub begun: Timestamp,
    /// The person was to prove again who they are; an older proof is not enough.
    pub again: bool,
    /// Public id of the session it is to replace (`max_auth_age`).
    pub replaces: Option<String>,
}

/// All sign-ins begun and not finished; when there are too many, the oldest of the busiest network go first.
pub struct Pendings {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_handle: HashMap<String, Pending>,
    /// In the order they came; handles that were taken stay until they are old.
    order: VecDeque<(Timestamp, String)>,
    by_network: HashMap<Option<IpAddr>, usize>,
    by_browser: HashMap<Digest, usize>,
}

impl Pendings {
    /// At most so many.
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            kept: Mutex::default(),
        }
    }

    /// Keeps one.
    pub fn put(&self, pending: Pending) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget_old(pending.begun);
        if kept.by_handle.len() >= self.most {
            kept.make_room();
        }
        kept.limit_browser(&pending.browser);
        count_up(&mut kept.by_network, network(pending.client));
        count_up(&mut kept.by_browser, pending.browser);
        kept.order
            .push_back((pending.begun, pending.handle.clone()));
        kept.by_handle.insert(pending.handle.clone(), pending);
    }

    /// Takes it out, when this browser began it on this host less than 15 minutes ago.
    pub fn take(
        &self,
        handle: &str,
        browser: Option<&str>,
        host: &str,
        now: Timestamp,
    ) -> Option<Pending> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = kept.by_handle.get(handle)?;
        let browser = sha256(browser?.as_bytes());
        // R22: only the browser that began may finish, or an attacker's sign-in could be finished in a victim's browser.
        if !same(&browser.0, &pending.browser.0) {
            return None;
        }
        // R23: a sign-in begun on one host is none on another.
        if pending.host != host {
            return None;
        }
        let fresh = now.since(pending.begun) < LIFE;
        let pending = kept.remove(handle)?;
        fresh.then_some(pending)
    }

    /// The sign-in of this handle on this host, for what comes without the browser's cookie: enough to check an answer
    /// with, not to finish it.
    pub fn look(&self, handle: &str, host: &str, now: Timestamp) -> Option<Pending> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = kept.by_handle.get(handle)?;
        let fits = pending.host == host && now.since(pending.begun) < LIFE;
        fits.then(|| pending.clone())
    }

    /// The last one that was kept.
    #[cfg(test)]
    pub(super) fn newest(&self) -> Option<Pending> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, handle) = kept.order.back()?;
        kept.by_handle.get(handle).cloned()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_handle.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Kept {
    fn remove(&mut self, handle: &str) -> Option<Pending> {
        let pending = self.by_handle.remove(handle)?;
        count_down(&mut self.by_network, &network(pending.client));
        count_down(&mut self.by_browser, &pending.browser);
        Some(pending)
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some((begun, _)) = self.order.front() {
            if now.since(*begun) < LIFE {
                break;
            }
            if let Some((_, handle)) = self.order.pop_front() {
                self.remove(&handle);
            }
        }
        // Taken ones leave holes; without this a busy day would grow the order without end.
        if self.order.len() > self.by_handle.len().saturating_mul(2).saturating_add(64) {
            let by_handle = &self.by_handle;
            self.order
                .retain(|(_, handle)| by_handle.contains_key(handle));
        }
    }

    /// Drops the oldest of the network that has most, so that a flood pushes out itself.
    fn make_room(&mut self) {
        let busiest = self
            .by_network
            .iter()
            .max_by_key(|(_, count)| **count)
            .map(|(network, _)| *network);
        let oldest = self.order.iter().position(|(_, handle)| {
            self.by_handle
                .get(handle)
                .is_some_and(|pending| Some(network(pending.client)) == busiest)
        });
        if let Some((_, handle)) = oldest.and_then(|at| self.order.remove(at)) {
            self.remove(&handle);
        }
    }

    fn limit_browser(&mut self, browser: &Digest) {
        if self.by_browser.get(browser).copied().unwrap_or_default() < PER_BROWSER {
            return;
        }
        let oldest = self
            .by_handle
            .values()
            .filter(|pending| pending.browser == *browser)
            .min_by_key(|pending| pending.begun)
            .map(|pending| pending.handle.clone());
        if let Some(handle) = oldest {
            self.remove(&handle);
        }
    }
}

fn count_up<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A subscriber's network: one IPv4 address, 64 bits of an IPv6 address.
fn network(client: Option<IpAddr>) -> Option<IpAddr> {
    client.map(|address| match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    })
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
