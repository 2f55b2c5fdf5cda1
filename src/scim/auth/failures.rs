//! Who failed how often: by network, and never to the harm of a token that was right from there before.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Limits;
use crate::crypto::Digest;
use crate::login::{Counts, Network, is_exempt};

/// A network may fail so many times more often than one token from it.
const WIDE: u32 = 10;
/// A token that was right from a network is not held back there by others for this long: idps that serve many
/// companies call from the same addresses (R60).
const KNOWN: Duration = Duration::from_hours(24 * 30);

/// Failed tries of SCIM clients; in memory, bounded.
#[derive(Default)]
pub struct Failures(Mutex<All>);

#[derive(Default)]
struct All {
    /// The same text from this network: a token that was pasted wrong does not hold the right one back.
    here: Counts<(Digest, Network)>,
    /// Everything from this network.
    network: Counts<Network>,
    /// What was right from where.
    known: Counts<(Digest, Network)>,
}

/// A try that counts as failed until it is known not to have.
#[derive(Debug)]
pub struct Attempt {
    counted: Option<(Digest, Network)>,
}

impl Failures {
    /// May this text be tried from this address now?
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub fn attempt(
        &self,
        limits: &Limits,
        what: Digest,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Duration> {
        if client.is_some_and(|client| is_exempt(limits, client)) {
            return Ok(Attempt { counted: None });
        }
        let rate = limits.failed_sign_ins;
        let network = Network::of(client);
        let here = (what, network);
        let mut all = self.all();
        all.here.room(&here, rate.count, rate.window, now)?;
        // Where nobody says who asks, everybody would share one count.
        let counts = network.is_known() && !all.known.is_within(&here, KNOWN, now);
        if counts {
            let wide = rate.count.saturating_mul(WIDE);
            all.network.room(&network, wide, rate.window, now)?;
        }
        all.here.add(here, rate.window, now);
        if network.is_known() {
            all.network.add(network, rate.window, now);
        }
        Ok(Attempt {
            counted: Some(here),
        })
    }

    /// It was right.
    pub fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        self.undone(attempt);
        if let Some(here) = attempt.counted {
            let mut all = self.all();
            all.here.clear(&here);
            all.known.add(here, KNOWN, now);
        }
    }

    /// It was not tried.
    pub fn undone(&self, attempt: &Attempt) {
        if let Some(here) = attempt.counted {
            let mut all = self.all();
            all.here.take_one(&here);
            all.network.take_one(&here.1);
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
