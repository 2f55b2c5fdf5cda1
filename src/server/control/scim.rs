//! Provisioning, for the operator: its log, its stop.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::execute::{Asked, Refusal, done};
use super::{Answer, MAX_ROWS};
use crate::audit::Event;
use crate::identity::TenantSlug;
use crate::scim;

/// One exchange with a SCIM client. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExchangeRow {
    /// When it arrived.
    pub at: String,
    /// The token's id.
    pub token: Option<String>,
    /// What the operator calls it.
    pub client: Option<String>,
    /// Tenant.
    pub tenant: Option<String>,
    /// Method.
    pub method: String,
    /// Address below the prefix.
    pub target: String,
    /// Status of the answer.
    pub status: u16,
    /// User name or display name of the resource that was answered.
    pub subject: Option<String>,
    /// How we read what was sent, an operation a line.
    pub reading: Vec<String>,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// What an operator or the idp's admin can do about it.
    pub hint: Option<String>,
    /// Id of the request.
    pub request_id: String,
    /// `ActivityId` of Entra ID.
    pub activity_id: Option<String>,
    /// What was sent, without private values.
    pub body: Option<Value>,
}

impl Asked<'_> {
    pub(super) fn scim_log(
        &self,
        user: Option<String>,
        failed: bool,
        limit: usize,
    ) -> Result<Answer, Refusal> {
        let asked = scim::Asked {
            user,
            failed,
            limit: limit.min(MAX_ROWS),
        };
        let scim = &self.app.scim;
        let found = scim.exchanges().find(&asked);
        let rows: Vec<_> = found
            .into_iter()
            .map(|its| ExchangeRow {
                at: its.at.to_rfc3339(),
                reading: scim.reading(&its),
                hint: its.hint().map(str::to_owned),
                token: its.token,
                client: its.client,
                tenant: its.tenant,
                method: its.method,
                target: its.target,
                status: its.status,
                subject: its.subject,
                refusal: its.refusal,
                request_id: its.request_id,
                activity_id: its.activity_id,
                body: its.body,
            })
            .collect();
        done(&rows)
    }

    pub(super) async fn scim_pause(&self, on: bool) -> Result<Answer, Refusal> {
        self.app.scim.pause().set(on).await?;
        let action = if on { "scim.paused" } else { "scim.resumed" };
        self.scim_event(action).await
    }

    pub(super) async fn scim_reset_fuse(&self, tenant: &TenantSlug) -> Result<Answer, Refusal> {
        self.app.provision.reset_fuse(tenant, &self.actor).await?;
        done(&true)
    }

    async fn scim_event(&self, action: &str) -> Result<Answer, Refusal> {
        let event = Event {
            action: action.to_owned(),
            actor: self.actor.name.clone(),
            ..Event::default()
        };
        self.app.audit.write(event).await?;
        done(&true)
    }
}
