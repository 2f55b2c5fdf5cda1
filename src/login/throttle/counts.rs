//! So many of each key since its first; bounded in number, the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use crate::clock::Timestamp;

/// Keys that are remembered.
const MOST: usize = 100_000;

/// How often each key was counted within a window.
pub struct Counts<K> {
    of: HashMap<K, Count>,
    /// Every key of `of` once, the one that began first in front.
    order: VecDeque<K>,
}

#[derive(Clone, Copy)]
struct Count {
    times: u32,
    first: Timestamp,
    last: Timestamp,
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self {
            of: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash> Counts<K> {
    /// Whether there are fewer than `most` within `window`.
    ///
    /// # Errors
    ///
    /// How long until the window ends.
    pub fn room(
        &self,
        key: &K,
        most: u32,
        window: Duration,
        now: Timestamp,
    ) -> Result<(), Duration> {
        match self.of.get(key) {
            Some(its) if its.times >= most => {
                let left = window.saturating_sub(now.since(its.first));
                if left.is_zero() { Ok(()) } else { Err(left) }
            }
            _ => Ok(()),
        }
    }

    /// Whether the last one is long enough ago.
    ///
    /// # Errors
    ///
    /// How long until it is.
    pub fn pause(&self, key: &K, pause: Duration, now: Timestamp) -> Result<(), Duration> {
        let last = self
            .of
            .get(key)
            .map_or(Timestamp::default(), |its| its.last);
        let left = pause.saturating_sub(now.since(last));
        if left.is_zero() { Ok(()) } else { Err(left) }
    }

    /// Whether there is one within `window`.
    pub fn is_within(&self, key: &K, window: Duration, now: Timestamp) -> bool {
        self.of
            .get(key)
            .is_some_and(|its| now.since(its.first) < window)
    }

    /// One more; the first after a window begins a new one.
    pub fn add(&mut self, key: K, window: Duration, now: Timestamp) {
        self.forget_old(window, now);
        if let Some(its) = self.of.get_mut(&key) {
            its.times = its.times.saturating_add(1);
            its.last = now;
            return;
        }
        if self.of.len() >= MOST {
            self.forget_first();
        }
        self.order.push_back(key);
        let count = Count {
            times: 1,
            first: now,
            last: now,
        };
        self.of.insert(key, count);
    }

    /// One less; the window stays.
    pub fn take_one(&mut self, key: &K) {
        if let Some(its) = self.of.get_mut(key) {
            its.times = its.times.saturating_sub(1);
        }
    }

    /// None any more; the window stays, and with it the key's one place in the order.
    pub fn clear(&mut self, key: &K) {
        if let Some(its) = self.of.get_mut(key) {
            its.times = 0;
        }
    }

    fn forget_old(&mut self, window: Duration, now: Timestamp) {
        let over = |its: &Count| now.since(its.first) >= window;
        while self
            .order
            .front()
            .is_some_and(|key| self.of.get(key).is_none_or(over))
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(key) = self.order.pop_front() {
            self.of.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut counts = Counts::default();
        let window = Duration::from_mins(15);
        for key in 0..250_000_u64 {
            counts.add(key, window, Timestamp::from_secs(1_000));
        }
        assert_eq!((counts.of.len(), counts.order.len()), (MOST, MOST));
        assert!(!counts.of.contains_key(&0) && counts.of.contains_key(&249_999));
        counts.add(1, window, Timestamp::from_secs(1_000 + 900));
        assert_eq!((counts.of.len(), counts.order.len()), (1, 1));
    }

    #[test]
    fn a_key_stands_once_in_the_order() {
        let mut counts = Counts::default();
        let window = Duration::from_mins(15);
        for _ in 0..5 {
            counts.add("ada", window, Timestamp::from_secs(1_000));
            counts.clear(&"ada");
        }
        assert_eq!(counts.order.len(), 1);
        assert_eq!(
            counts.room(&"ada", 1, window, Timestamp::from_secs(1_001)),
            Ok(())
        );
    }
}
