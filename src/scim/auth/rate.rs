//! Requests per second of each token.

use std::sync::atomic::{AtomicU64, Ordering};

use papaya::HashMap;

use crate::clock::Timestamp;

/// A bucket for each credential, full again with every second; there are as many as there are credentials.
#[derive(Default)]
pub(super) struct Rates(HashMap<String, AtomicU64>);

impl Rates {
    /// Takes one of this second's requests; whether there was one left.
    pub(super) fn take(&self, who: &str, rate: u32, now: Timestamp) -> bool {
        let buckets = self.0.pin();
        let bucket = match buckets.get(who) {
            Some(bucket) => bucket,
            None => buckets.get_or_insert_with(who.to_owned(), AtomicU64::default),
        };
        // The second in the upper half, what it has used in the lower one.
        let second = now.as_secs() << 32;
        let next = |held: u64| {
            let used = if held & !LOWER == second {
                held & LOWER
            } else {
                0
            };
            (used < u64::from(rate)).then(|| second | used.saturating_add(1))
        };
        let taken = bucket.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        taken.is_ok()
    }
}

const LOWER: u64 = 0xFFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_so_many_requests_each_second() {
        let rates = Rates::default();
        let at = |secs: u64| Timestamp::from_secs(1_800_000_000 + secs);
        let taken = |who, secs| (0..10).filter(|_| rates.take(who, 3, at(secs))).count();
        assert_eq!(taken("one", 0), 3);
        assert_eq!(taken("one", 0), 0);
        assert_eq!(taken("other", 0), 3, "each its own");
        assert_eq!(taken("one", 1), 3);
        assert_eq!(taken("one", 100), 3, "what was not used is not kept");
    }
}
