//! What outlives a reload of the settings: whose turn it is, the fuse, conflicts of sign-ins.

use std::sync::Arc;

use super::conflicts::Conflicts;
use super::fuse::Fuse;
use super::turns::Turns;
use crate::metrics::Metrics;
use crate::storage::{Embedded, StorageError};

/// What outlives a reload of the settings.
#[derive(Debug, Default)]
pub struct State {
    pub(super) turns: Turns,
    /// Of user names on their way into the app. Whoever has a record's turn may wait for one, never the other way round.
    pub(super) names: Turns,
    pub(super) fuse: Arc<Fuse>,
    pub(super) conflicts: Conflicts,
    pub(super) metrics: Arc<Metrics>,
}

impl State {
    /// With what lasts of an earlier process: the fuse. Counts in these metrics.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn load(store: &Embedded, metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        Ok(Self {
            fuse: Arc::new(Fuse::load(store).await?),
            metrics,
            ..Self::default()
        })
    }
}
