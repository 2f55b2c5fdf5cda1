//! Tokens of SCIM clients: made and shown once, listed without their secret (R55), revoked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::execute::{Asked, Refusal, done};
use super::{Answer, CreateToken};
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::identity::TenantSlug;
use crate::scim::token::{NewToken, TokenInfo};
use crate::secret::Secret;

/// A token that was used within this is in use: idps come by every 20 to 40 minutes.
const IN_USE: Duration = Duration::from_hours(24);

/// A token in a listing. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRow {
    /// Public id; also the OAuth client id.
    pub id: String,
    /// Whose directory it opens.
    pub tenant: TenantSlug,
    /// What the operator calls it.
    pub name: String,
    /// `active`, `expired` or `revoked`.
    pub state: String,
    /// Used within the last day.
    pub in_use: bool,
    /// When it was made.
    pub created: String,
    /// Last use.
    pub last_used: Option<String>,
    /// Its end.
    pub expires: Option<String>,
    /// When it was revoked.
    pub revoked: Option<String>,
    /// The only roles it may give; none is any of `roles.allowed`.
    pub roles: Option<Vec<String>>,
}

/// A token that was just made; its secret is never seen again.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewTokenRow {
    /// As in listings.
    #[serde(flatten)]
    pub row: TokenRow,
    /// What the idp's admin pastes as secret token.
    pub token: Secret,
    /// What the idp's admin pastes as Tenant URL.
    pub tenant_url: String,
    /// For OAuth 2.0 client credentials.
    pub token_endpoint: String,
    /// The same as `id`.
    pub client_id: String,
    /// The token's secret alone.
    pub client_secret: Secret,
}

impl TokenRow {
    fn of(token: TokenInfo, now: Timestamp) -> Self {
        let state = match (token.revoked, token.expires) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if now >= end => "expired",
            (None, _) => "active",
        };
        let shown = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        let used = |at: Timestamp| now.since(at) < IN_USE;
        Self {
            id: token.id,
            tenant: token.tenant,
            name: token.name,
            state: state.to_owned(),
            in_use: state == "active" && token.used.is_some_and(used),
            created: token.created.to_rfc3339(),
            last_used: shown(token.used),
            expires: shown(token.expires),
            revoked: shown(token.revoked),
            roles: token.roles,
        }
    }
}

impl Asked<'_> {
    pub(super) async fn token_create(&self, new: CreateToken) -> Result<Answer, Refusal> {
        self.known(&new.tenant)?;
        self.check_roles(&new.tenant, new.roles.as_deref().unwrap_or_default())?;
        let new = NewToken {
            tenant: new.tenant,
            name: new.name,
            lifetime: new.expires_seconds.map(Duration::from_secs),
            roles: new.roles,
        };
        let created = self.app.tokens.create(new).await?;
        let row = TokenRow::of(created.token, self.app.clock.now());
        self.token_event("token.created", &row).await?;
        let tenant_url = tenant_url(&self.app.settings, &row.tenant);
        done(&NewTokenRow {
            token: created.whole,
            token_endpoint: format!("{tenant_url}/oauth2/token"),
            tenant_url,
            client_id: row.id.clone(),
            client_secret: created.secret,
            row,
        })
    }

    pub(super) fn token_list(&self, tenant: Option<&TenantSlug>) -> Result<Answer, Refusal> {
        if let Some(tenant) = tenant {
            self.known(tenant)?;
        }
        let now = self.app.clock.now();
        let all = self.app.tokens.list().into_iter();
        let its = all.filter(|token| tenant.is_none_or(|tenant| token.tenant == *tenant));
        let rows: Vec<_> = its.map(|token| TokenRow::of(token, now)).collect();
        done(&rows)
    }

    pub(super) async fn token_revoke(
        &self,
        tenant: Option<&TenantSlug>,
        token: &str,
    ) -> Result<Answer, Refusal> {
        let revoked = self.app.tokens.revoke(tenant, token).await?;
        let row = TokenRow::of(revoked, self.app.clock.now());
        self.token_event("token.revoked", &row).await?;
        done(&row)
    }

    async fn token_event(&self, action: &str, row: &TokenRow) -> Result<(), Refusal> {
        let event = Event {
            action: action.to_owned(),
            actor: self.actor.name.clone(),
            tenant: Some(row.tenant.as_str().to_owned()),
            reason: Some(format!("{} {}", row.id, row.name)),
            ..Event::default()
        };
        Ok(self.app.audit.write(event).await?)
    }
}

/// What an idp's admin pastes: the tenant `default` has the short one.
fn tenant_url(settings: &Settings, tenant: &TenantSlug) -> String {
    let prefix = &settings.paths.scim;
    if *tenant == TenantSlug::default() {
        settings.public_url.join(prefix)
    } else {
        settings.public_url.join(&format!("{prefix}/{tenant}"))
    }
}
