//! The last answers of idps that were refused, for the operator whom a person tells their request id.
//!
//! In memory alone and bounded. Anybody may send an answer: those that fit a sign-in which waits are kept apart from those
//! that nobody asked for, equal ones are counted, and whoever fills the room drives out their own.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::hint::Purpose;
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::identity::IdpName;
use crate::login::Network;

/// Answers that are kept, of either kind.
const MOST: usize = 200;
/// Request ids that are kept of equal ones.
const IDS: usize = 5;

/// An answer that was refused, or several that are equal.
#[derive(Clone, Debug)]
pub struct RefusedAnswer {
    /// When the last one came.
    pub at: Timestamp,
    /// When the first one came.
    pub since: Timestamp,
    /// How many came.
    pub times: u64,
    /// At whose address.
    pub idp: IdpName,
    /// What it was for.
    pub purpose: Purpose,
    /// Why.
    pub refusal: Refusal,
    /// It fits a sign-in or a sign-out that was waiting for it.
    pub asked: bool,
    /// Who brought the last one.
    pub client: Option<IpAddr>,
    /// Of the last ones, the newest at the end.
    pub request_ids: VecDeque<String>,
}

/// Which ones are asked for.
#[derive(Clone, Debug, Default)]
pub struct AskedRefusals {
    /// Of this idp.
    pub idp: Option<IdpName>,
    /// The one that a person was told this request id of.
    pub request_id: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Both kinds.
#[derive(Debug, Default)]
pub struct RefusedAnswers {
    asked: Mutex<Room>,
    unasked: Mutex<Room>,
}

/// The oldest in front.
#[derive(Debug, Default)]
struct Room(VecDeque<RefusedAnswer>);

impl RefusedAnswer {
    pub(super) fn new(
        idp: IdpName,
        purpose: Purpose,
        refusal: Refusal,
        asked: bool,
        (client, request_id): (Option<IpAddr>, &str),
        now: Timestamp,
    ) -> Self {
        Self {
            at: now,
            since: now,
            times: 1,
            idp,
            purpose,
            refusal,
            asked,
            client,
            request_ids: VecDeque::from([request_id.to_owned()]),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        self.idp == other.idp
            && self.purpose == other.purpose
            && self.refusal == other.refusal
            && Network::of(self.client) == Network::of(other.client)
    }

    fn fits(&self, asked: &AskedRefusals) -> bool {
        let idp = asked.idp.as_ref().is_none_or(|idp| *idp == self.idp);
        let id = asked.request_id.as_ref();
        idp && id.is_none_or(|id| self.request_ids.contains(id))
    }
}

impl RefusedAnswers {
    pub(super) fn keep(&self, answer: RefusedAnswer) {
        let room = if answer.asked {
            &self.asked
        } else {
            &self.unasked
        };
        room.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(answer);
    }

    /// The newest that fit, newest first.
    pub fn find(&self, asked: &AskedRefusals) -> Vec<RefusedAnswer> {
        let mut found = Vec::new();
        for room in [&self.asked, &self.unasked] {
            let room = room.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = room.0.iter().rev().filter(|its| its.fits(asked));
            found.extend(fitting.take(asked.limit).cloned());
        }
        found.sort_by_key(|answer| std::cmp::Reverse(answer.at));
        found.truncate(asked.limit);
        found
    }
}

impl Room {
    fn keep(&mut self, mut answer: RefusedAnswer) {
        let equal = self.0.iter().position(|its| its.equals(&answer));
        if let Some(before) = equal.and_then(|place| self.0.remove(place)) {
            answer.since = before.since;
            answer.times = before.times.saturating_add(answer.times);
            let mut ids = before.request_ids;
            ids.append(&mut answer.request_ids);
            while ids.len() > IDS {
                ids.pop_front();
            }
            answer.request_ids = ids;
        } else if self.0.len() >= MOST {
            self.make_room();
        }
        self.0.push_back(answer);
    }

    /// The oldest of the network that takes most of the room goes.
    fn make_room(&mut self) {
        let mut of: HashMap<Network, usize> = HashMap::new();
        for its in &self.0 {
            let count = of.entry(Network::of(its.client)).or_default();
            *count = count.saturating_add(1);
        }
        let most = of.values().copied().max().unwrap_or(0);
        let crowds = |its: &RefusedAnswer| of.get(&Network::of(its.client)) == Some(&most);
        if let Some(place) = self.0.iter().position(crowds) {
            self.0.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::refusal::Check;

    fn answer(came: &str, asked: bool, client: &str, at: u64) -> RefusedAnswer {
        RefusedAnswer::new(
            IdpName::try_from("corp").unwrap(),
            Purpose::SignIn,
            Refusal::new(Check::Audience, "us", came),
            asked,
            (Some(client.parse().unwrap()), &format!("id-{at}")),
            Timestamp::from_secs(at),
        )
    }

    fn all(kept: &RefusedAnswers) -> Vec<RefusedAnswer> {
        kept.find(&AskedRefusals {
            limit: 1000,
            ..AskedRefusals::default()
        })
    }

    #[test]
    fn equal_ones_are_one_that_is_counted() {
        let kept = RefusedAnswers::default();
        for at in 1..=9 {
            kept.keep(answer("them", true, "192.0.2.1", at));
        }
        kept.keep(answer("them", true, "192.0.2.2", 10));
        kept.keep(answer("them", false, "192.0.2.1", 11));
        let found = all(&kept);
        let told: Vec<_> = found
            .iter()
            .map(|its| (its.at.as_secs(), its.times))
            .collect();
        assert_eq!(told, [(11, 1), (10, 1), (9, 9)]);
        let nine = &found[2];
        assert_eq!(nine.since, Timestamp::from_secs(1));
        assert_eq!(nine.request_ids, ["id-5", "id-6", "id-7", "id-8", "id-9"]);
        let named = |id: &str| {
            kept.find(&AskedRefusals {
                request_id: Some(id.to_owned()),
                limit: 1,
                ..AskedRefusals::default()
            })
        };
        assert_eq!(named("id-7").len(), 1);
        assert!(named("id-77").is_empty());
    }

    #[test]
    fn r48_a_flood_drives_out_itself() {
        let kept = RefusedAnswers::default();
        kept.keep(answer("genuine, asked", true, "192.0.2.1", 1));
        kept.keep(answer("genuine, unasked", false, "192.0.2.1", 2));
        for at in 3..5000 {
            // From one network of IPv6, with whatever it likes, and with sign-ins that it begins itself.
            let client = format!("2001:db8::{:x}", at % 5000);
            kept.keep(answer(&format!("{at}"), at % 2 == 0, &client, at));
        }
        let found = all(&kept);
        assert_eq!(found.len(), 2 * MOST);
        for came in ["genuine, asked", "genuine, unasked"] {
            let is = |its: &RefusedAnswer| its.refusal.came() == came;
            assert_eq!(found.iter().filter(|its| is(its)).count(), 1, "{came}");
        }
        // From everywhere, it cannot reach what was asked for.
        for at in 5000..6000 {
            let client = format!("2001:db8:{at:x}::1");
            kept.keep(answer(&format!("{at}"), false, &client, at));
        }
        let found = all(&kept);
        assert_eq!(found.len(), 2 * MOST);
        assert!(
            found
                .iter()
                .any(|its| its.refusal.came() == "genuine, asked")
        );
    }
}
