//! What outlives a reload of the settings: whose turn it is, the fuse, conflicts of sign-ins.

use std::sync::Arc;

use super::conflicts::Conflicts;
use super::fuse::Fuse;
use super::turns::Turns;
use crate::metrics::Metrics;

/// What outlives a reload of the settings.
#[derive(Debug, Default)]
pub struct State {
    pub(super) turns: Turns,
    pub(super) fuse: Arc<Fuse>,
    pub(super) conflicts: Conflicts,
    pub(super) metrics: Arc<Metrics>,
}

impl State {
    /// Counts in these metrics.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            ..Self::default()
        }
    }
}
