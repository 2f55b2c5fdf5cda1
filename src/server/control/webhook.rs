//! Webhooks, for the operator.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::execute::{Asked, Refusal, done};
use super::{Answer, MAX_ROWS};
use crate::connector::{Queued, Webhook};

/// A message. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QueuedRow {
    /// `webhook-id`.
    pub id: String,
    /// When it happened.
    pub at: String,
    /// Of whom: kind, tenant and id.
    pub about: String,
    /// Tries so far.
    pub attempts: u32,
    /// Not before.
    pub due: String,
    /// What was met last.
    pub why: String,
    /// What is posted.
    pub body: String,
}

impl From<Queued> for QueuedRow {
    fn from(queued: Queued) -> Self {
        Self {
            id: queued.id,
            at: queued.at.to_rfc3339(),
            about: queued.about,
            attempts: queued.attempts,
            due: queued.due.to_rfc3339(),
            why: queued.why,
            body: queued.body,
        }
    }
}

impl Asked<'_> {
    fn webhook(&self) -> Result<&Arc<Webhook>, Refusal> {
        let webhook = self.app.provision.webhook();
        webhook.ok_or(Refusal::Usage("there is no [webhook] in the configuration"))
    }

    pub(super) async fn webhook_list(&self, dead: bool) -> Result<Answer, Refusal> {
        let webhook = self.webhook()?;
        let found = if dead {
            webhook.aside(MAX_ROWS).await?
        } else {
            webhook.waiting(MAX_ROWS).await?
        };
        done(&found.into_iter().map(QueuedRow::from).collect::<Vec<_>>())
    }

    pub(super) async fn webhook_retry(&self, id: Option<&str>) -> Result<Answer, Refusal> {
        done(&self.webhook()?.again(id, self.app.clock.now()).await?)
    }

    pub(super) async fn webhook_drop(&self, id: Option<&str>) -> Result<Answer, Refusal> {
        done(&self.webhook()?.forget(id).await?)
    }
}
