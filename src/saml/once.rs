//! What may be used one time: an assertion is a key to a door, and whoever saw it has a copy.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;
use crate::crypto::Digest;

/// Assertions that are remembered at once in memory. Only ones that were good get in: nobody without the idp's key fills it.
const MAX: usize = 200_000;

/// Remembers what was used. Several replicas need one memory.
pub trait OneTime: Send + Sync {
    /// Whether `key` comes for the first time, and remembers it until `until`. Answers no when it cannot remember.
    fn first_use(&self, key: Digest, until: Timestamp, now: Timestamp) -> bool;
}

/// In memory; to be kept as long as the process runs.
#[derive(Debug, Default)]
pub struct UsedAssertions(Mutex<HashMap<Digest, Timestamp>>);

impl OneTime for UsedAssertions {
    fn first_use(&self, key: Digest, until: Timestamp, now: Timestamp) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MAX {
            used.retain(|_, until| *until > now);
        }
        // R42: when none can be remembered, none is taken.
        if used.len() >= MAX {
            return false;
        }
        if used.get(&key).is_some_and(|until| *until > now) {
            return false;
        }
        used.insert(key, until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sha256;

    #[test]
    fn r42_a_second_use_is_refused_until_it_could_not_be_used_anyway() {
        let used = UsedAssertions::default();
        let at = Timestamp::from_secs;
        assert!(used.first_use(sha256(b"one"), at(100), at(10)));
        assert!(!used.first_use(sha256(b"one"), at(100), at(11)));
        assert!(used.first_use(sha256(b"two"), at(100), at(11)));
        assert!(!used.first_use(sha256(b"one"), at(100), at(99)));
        assert!(used.first_use(sha256(b"one"), at(200), at(100)));
    }
}
