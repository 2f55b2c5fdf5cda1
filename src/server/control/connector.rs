//! The app behind the directory, for the operator.

use serde::{Deserialize, Serialize};

use super::execute::{Asked, Refusal, done};
use super::{Answer, MAX_ROWS};
use crate::audit::Event;
use crate::connector::Kind;
use crate::identity::TenantSlug;
use crate::provision::{Drift, DriftKind, Owed, Plan, Planned};

/// What becomes of the app's accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AccountsRow {
    /// How many of each.
    pub counts: Vec<(Plan, usize)>,
    /// Those that somebody must look at, and new ones; at most [`MAX_ROWS`].
    pub rows: Vec<Planned>,
}

/// Something that the app has yet to follow. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwedRow {
    /// Of what.
    pub kind: Kind,
    /// Whose.
    pub tenant: String,
    /// Our id.
    pub id: String,
    /// A record that was being made; else the app follows the record.
    pub making: bool,
    /// Since when.
    pub since: String,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What was met last.
    pub why: String,
}

impl From<Owed> for OwedRow {
    fn from(owed: Owed) -> Self {
        let Owed { owner, intent } = owed;
        Self {
            kind: owner.kind,
            tenant: owner.tenant.to_string(),
            id: owner.id,
            making: intent.create.is_some(),
            since: intent.since.to_rfc3339(),
            attempts: intent.attempts,
            why: intent.why,
        }
    }
}

impl Asked<'_> {
    pub(super) async fn user_import_accounts(
        &self,
        tenant: &TenantSlug,
        apply: bool,
    ) -> Result<Answer, Refusal> {
        self.known(tenant)?;
        let planned = self
            .app
            .provision
            .import_accounts(tenant, apply, &self.actor)
            .await?;
        let mut answer = AccountsRow::default();
        for row in planned {
            match answer.counts.iter_mut().find(|(plan, _)| *plan == row.plan) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => answer.counts.push((row.plan, 1)),
            }
            let plain = matches!(row.plan, Plan::Linked | Plan::Exact);
            if !plain && answer.rows.len() < MAX_ROWS {
                answer.rows.push(row);
            }
        }
        answer.counts.sort();
        done(&answer)
    }

    pub(super) async fn connector_drift(&self, mend: &[DriftKind]) -> Result<Answer, Refusal> {
        let mut found: Vec<Drift> = self.app.provision.drift(mend).await?;
        if !mend.is_empty() {
            let mended = found.iter().filter(|drift| drift.mended).count();
            let event = Event {
                action: "connector.mended".to_owned(),
                actor: self.actor.name.clone(),
                reason: Some(format!("{mended} accounts and groups")),
                ..Event::default()
            };
            self.app.audit.write(event).await?;
        }
        found.truncate(MAX_ROWS);
        done(&found)
    }

    pub(super) async fn connector_owed(&self, retry: bool) -> Result<Answer, Refusal> {
        if retry {
            self.app.provision.pay(true).await?;
        }
        let owed = self.app.provision.owed().await?;
        let rows: Vec<_> = owed.into_iter().take(MAX_ROWS).map(OwedRow::from).collect();
        done(&rows)
    }
}
