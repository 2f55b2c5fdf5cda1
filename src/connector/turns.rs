//! One change of a record of the app at a time: where a change is read, changed and written back, another one in between
//! would be lost.

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use super::ledger::Kind;
use crate::identity::fold;

/// Locks; two records may share one.
const STRIPES: usize = 256;

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Turns {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Turns {
    /// Waits, first come first served. Whoever holds one must not wait for another.
    pub(super) async fn take(&self, kind: Kind, id: &str) -> Option<MutexGuard<'_, ()>> {
        // Some ids are names, and found in any letters.
        let hash = self.hasher.hash_one((kind, fold(id)));
        let number = usize::try_from(hash).unwrap_or_default() % STRIPES;
        Some(self.stripes.get(number)?.lock().await)
    }
}
