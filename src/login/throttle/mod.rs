//! Failed sign-ins: an account and a network wait, but nobody can lock somebody else out for long (R60).
//!
//! What counts is the account **from** a network, so that failures elsewhere do not lock the person out.
//! Many networks together only slow an account down, and never where its person signed in before.

mod counts;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{Limits, Rate};
use crate::crypto::{Digest, sha256};
use crate::identity::fold;

pub use counts::Counts;

/// A network, and an account from all networks together, may fail so many times more often.
const WIDE: u32 = 10;
/// An account under attack from many networks is tried no more often than this.
const SLOW: Duration = Duration::from_secs(30);
/// Where a person signed in, their account is not slowed down by others for this long.
const KNOWN: Duration = Duration::from_hours(24 * 30);

/// So many refusals that prove nobody are told of one network within [`TELLING`].
const TOLD: u32 = 30;
const TELLING: Duration = Duration::from_mins(15);

/// Who failed how often; in memory, bounded.
#[derive(Default)]
pub struct Throttle {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    /// The account from this network.
    here: Counts<(Digest, Network)>,
    /// The account from anywhere.
    account: Counts<Digest>,
    /// All accounts from this network.
    network: Counts<Network>,
    /// Where people have signed in; failures cannot push these out.
    known: Counts<(Digest, Network)>,
    /// Answers of idps that proved nobody.
    nobody: Counts<Network>,
}

/// One address of IPv4, a /64 of IPv6; none on a Unix socket, where nobody says who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(Option<IpAddr>);

/// A try that was let through and counts as failed until it is known to have succeeded:
/// many at once cannot all pass before the first has failed.
#[derive(Debug)]
#[must_use = "a try counts as failed unless it is said to have succeeded"]
pub struct Attempt {
    counted: Option<(Digest, Network)>,
}

impl Throttle {
    /// May this account be tried from this address now?
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub fn attempt(
        &self,
        limits: &Limits,
        account: &str,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Duration> {
        if client.is_some_and(|client| is_exempt(limits, client)) {
            return Ok(Attempt { counted: None });
        }
        // R60: one key for every spelling of a name, of one size whatever was typed.
        let account = sha256(fold(account).as_bytes());
        let network = Network::of(client);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.allowed(limits.failed_sign_ins, account, network, now)?;
        all.count(limits.failed_sign_ins.window, account, network, now);
        Ok(Attempt {
            counted: Some((account, network)),
        })
    }

    /// The password was right: this account from this address starts anew.
    pub fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        let Some((account, network)) = attempt.counted else {
            return;
        };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.here.clear(&(account, network));
        all.give_back(account, network);
        all.known.add((account, network), KNOWN, now);
    }

    /// Whether a refusal that proves nobody is worth an entry in the audit: anybody can make an idp's error up, and
    /// each entry stays for more than a year. Those left out are in the access log and in the metric.
    pub fn is_told(&self, client: Option<IpAddr>, now: Timestamp) -> bool {
        let network = Network::of(client);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.nobody.room(&network, TOLD, TELLING, now).is_ok();
        all.nobody.add(network, TELLING, now);
        told
    }

    /// The try was never made, and not by the person's fault.
    pub fn undone(&self, attempt: &Attempt) {
        let Some((account, network)) = attempt.counted else {
            return;
        };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.here.take_one(&(account, network));
        all.give_back(account, network);
    }
}

impl All {
    fn allowed(
        &self,
        rate: Rate,
        account: Digest,
        network: Network,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let wide = rate.count.saturating_mul(WIDE);
        let here = (account, network);
        self.here.room(&here, rate.count, rate.window, now)?;
        // Where nobody says who asks, everybody would share one count.
        if network.is_known() {
            self.network.room(&network, wide, rate.window, now)?;
        }
        // R60: the person's own place is never slowed down by what others do.
        if self.known.is_within(&here, KNOWN, now) {
            return Ok(());
        }
        match self.account.room(&account, wide, rate.window, now) {
            Ok(()) => Ok(()),
            // R60: many networks together cannot shut an account for the whole window.
            Err(_until_the_window_ends) => self.account.pause(&account, SLOW, now),
        }
    }

    fn count(&mut self, window: Duration, account: Digest, network: Network, now: Timestamp) {
        self.here.add((account, network), window, now);
        self.account.add(account, window, now);
        if network.is_known() {
            self.network.add(network, window, now);
        }
    }

    fn give_back(&mut self, account: Digest, network: Network) {
        self.account.take_one(&account);
        self.network.take_one(&network);
    }
}

impl Network {
    /// Whether somebody said who asks.
    pub const fn is_known(self) -> bool {
        self.0.is_some()
    }

    /// The network of an address.
    pub fn of(client: Option<IpAddr>) -> Self {
        let whole = |address: Ipv6Addr| {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        };
        // A person's line has a /64 of IPv6: 2^64 addresses are one network.
        Self(client.map(|client| match client.to_canonical() {
            IpAddr::V6(address) => whole(address),
            v4 @ IpAddr::V4(_) => v4,
        }))
    }
}

/// Whether `limits.exempt_networks` holds the address.
pub fn is_exempt(limits: &Limits, client: IpAddr) -> bool {
    let client = client.to_canonical();
    limits
        .exempt_networks
        .iter()
        .any(|network| network.contains(&client))
}

#[cfg(test)]
mod tests;
