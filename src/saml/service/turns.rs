//! Verifications take turns: a few at once, each on a thread of its own, and the others wait a moment. Nobody's network
//! has more than half of the turns, so that a flood from one does not shut out the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::login::Network;
use crate::problem::Problem;

/// Verifications at once, of each idp and of each kind of message; a thread each.
const AT_ONCE: usize = 4;
/// Of these, those of one network, where somebody says who asks.
const OF_ONE: usize = 2;
/// Messages of one network that wait or are verified: an office at nine, and not what fills the memory.
const IN_LINE: usize = 256;
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
    _share: OwnedSemaphorePermit,
    _place: Place,
}

/// The turns of one kind of message.
pub(super) struct Turns {
    free: Arc<Semaphore>,
    lines: Arc<Lines>,
    wait: Duration,
}

/// Of each network that has somebody here.
#[derive(Default)]
struct Lines(Mutex<HashMap<Network, Line>>);

struct Line {
    length: usize,
    share: Arc<Semaphore>,
}

/// Somebody's place in their network's line.
struct Place {
    lines: Arc<Lines>,
    network: Network,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(AT_ONCE)),
            lines: Arc::default(),
            wait: WAIT,
        }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self, client: Option<IpAddr>) -> Result<Turn, Busy> {
        let (place, share) = Place::new(&self.lines, Network::of(client)).ok_or(Busy)?;
        let free = Arc::clone(&self.free);
        let turn = async {
            let share = share.acquire_owned().await.ok()?;
            Some((free.acquire_owned().await.ok()?, share))
        };
        match tokio::time::timeout(self.wait, turn).await {
            Ok(Some((permit, share))) => Ok(Turn {
                _permit: permit,
                _share: share,
                _place: place,
            }),
            Ok(None) | Err(_) => Err(Busy),
        }
    }
}

impl Place {
    /// At the end of the line, unless that is too long already.
    fn new(lines: &Arc<Lines>, network: Network) -> Option<(Self, Arc<Semaphore>)> {
        let mut all = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = all.entry(network).or_insert_with(|| Line {
            length: 0,
            share: Arc::new(Semaphore::new(if network.is_known() {
                OF_ONE
            } else {
                AT_ONCE
            })),
        });
        if line.length >= IN_LINE {
            return None;
        }
        line.length = line.length.saturating_add(1);
        let place = Self {
            lines: Arc::clone(lines),
            network,
        };
        Some((place, Arc::clone(&line.share)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = all.get_mut(&self.network) {
            line.length = line.length.saturating_sub(1);
            if line.length == 0 {
                all.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hurried() -> Turns {
        Turns {
            wait: Duration::ZERO,
            ..Turns::new()
        }
    }

    fn at(address: &str) -> Option<IpAddr> {
        address.parse().ok()
    }

    #[tokio::test]
    async fn r48_more_than_a_few_at_once_are_turned_away() {
        let turns = hurried();
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.take(None).await.unwrap());
        }
        let problem = Problem::from(turns.take(None).await.err().unwrap());
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        taken.pop();
        assert!(turns.take(None).await.is_ok());
    }

    #[tokio::test]
    async fn r48_one_network_leaves_turns_to_others() {
        let turns = hurried();
        let mut taken = Vec::new();
        // Addresses of one subscriber's network are one.
        for address in ["2001:db8::1", "2001:db8::2"] {
            taken.push(turns.take(at(address)).await.unwrap());
        }
        assert!(turns.take(at("2001:db8::3")).await.is_err());
        assert!(turns.take(at("192.0.2.1")).await.is_ok());
        taken.pop();
        assert!(turns.take(at("2001:db8::3")).await.is_ok());
        taken.clear();
        assert!(turns.lines.0.lock().unwrap().is_empty(), "nobody is kept");
    }

    #[tokio::test]
    async fn r48_a_line_has_an_end() {
        let turns = hurried();
        let network = Network::of(at("192.0.2.1"));
        let places: Vec<_> = (0..IN_LINE)
            .map(|_| Place::new(&turns.lines, network).unwrap())
            .collect();
        assert!(turns.take(at("192.0.2.1")).await.is_err());
        assert!(turns.take(at("192.0.2.2")).await.is_ok());
        drop(places);
        assert!(turns.take(at("192.0.2.1")).await.is_ok());
    }
}
