//! Changes posted to a receiver: signed (Standard Webhooks 1.0), tried again, in order for each person or group, and put
//! aside when nobody takes them.

mod deliver;
mod queue;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::config;
use crate::metrics::Metrics;
use crate::outbound::{Outbound, OutboundError};
use crate::storage::Embedded;

pub use queue::{Message, Queued};

/// Largest answer that is read, bytes: nothing in it is looked at.
const MAX_ANSWER: usize = 64 * 1024;

/// Where changes are posted, and what waits.
pub struct Webhook {
    settings: config::Webhook,
    outbound: Outbound,
    store: Embedded,
    woken: Notify,
    metrics: Arc<Metrics>,
}

impl Webhook {
    /// With these settings, on what this store holds.
    ///
    /// # Errors
    ///
    /// Trusted certificates cannot be read.
    pub fn new(
        settings: config::Webhook,
        store: Embedded,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(None, settings.timeout)?;
        let outbound = outbound.answers_up_to(MAX_ANSWER).trusting(&settings.url);
        Ok(Self {
            settings,
            outbound,
            store,
            woken: Notify::new(),
            metrics,
        })
    }

    /// Waits until there may be something to post.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }
}
