//! One change of a record at a time: clients send many small ones at once.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Locks; two records may share one.
const STRIPES: usize = 1024;
const MASK: u64 = STRIPES as u64 - 1;

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Turns {
    stripes: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

/// It is ours until this goes.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held, not read")] Option<OwnedMutexGuard<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Arc::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Turns {
    /// Waits, first come first served. Whoever holds one must not wait for another.
    pub(super) async fn take(&self, record: impl Hash) -> Turn {
        let number = self.hasher.hash_one(record) & MASK;
        let number = usize::try_from(number).unwrap_or_default();
        let stripe = self.stripes.get(number);
        match stripe {
            Some(stripe) => Turn(Some(Arc::clone(stripe).lock_owned().await)),
            None => Turn(None),
        }
    }
}
