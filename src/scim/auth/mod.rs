//! From the head of a request to the [`ScimClient`] that sent it.
//!
//! Refuses clients of other networks, whoever shows no token or two, tokens in the query, tokens that are not of the
//! tenant that is asked for, more requests than `scim.rate`, and networks that failed too often. Whoever is refused
//! learns the same whatever is wrong: which tenants and tokens there are is nobody's business.

mod check;
mod client;
mod credentials;
mod failures;
mod rate;
mod refusal;

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Settings, Tenant};
use crate::identity::TenantSlug;
use crate::metrics::{Kind, Metrics};
use crate::outbound::OutboundError;
use crate::web::Visit;

use super::federation::{ENTRA, Trust, VerifiedAssertion};
use super::token::{Holder, Shown, TokenError, Tokens};
use credentials::Credentials;
use rate::Rates;

pub use client::ScimClient;
pub use failures::{Attempt, Failures};
pub use refusal::{Denied, Refusal};

/// Checks of the same token wait for each other; so many different ones may go on at once.
const LANES: usize = 256;

/// Who may come in as a SCIM client. Made anew at a reload around the same tokens and failures.
pub struct Access {
    settings: Arc<Settings>,
    tokens: Arc<Tokens>,
    failures: Arc<Failures>,
    rates: Rates,
    metrics: Arc<Metrics>,
    trust: Trust,
    lanes: Vec<tokio::sync::Mutex<()>>,
}

impl Access {
    /// With what it works on. Asks nobody yet.
    ///
    /// # Errors
    ///
    /// The machine's trusted certificates cannot be read.
    pub fn new(
        settings: &Arc<Settings>,
        tokens: &Arc<Tokens>,
        failures: &Arc<Failures>,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, OutboundError> {
        let trust = Trust::new(settings, clock, ENTRA)?;
        Ok(Self::trusting(trust, settings, tokens, failures, metrics))
    }

    fn trusting(
        trust: Trust,
        settings: &Arc<Settings>,
        tokens: &Arc<Tokens>,
        failures: &Arc<Failures>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let lane = || tokio::sync::Mutex::new(());
        Self {
            settings: Arc::clone(settings),
            tokens: Arc::clone(tokens),
            failures: Arc::clone(failures),
            rates: Rates::default(),
            metrics: Arc::clone(metrics),
            trust,
            lanes: std::iter::repeat_with(lane).take(LANES).collect(),
        }
    }

    /// The client that sent this request for the tenant of this name, `default` where the path names none. A tenant
    /// that does not exist is refused as a token of another one is.
    ///
    /// # Errors
    ///
    /// What the client is answered. The cause is for the log alone.
    pub async fn authenticate(&self, visit: &Visit, tenant: &str) -> Result<ScimClient, Denied> {
        let checked = self.check(visit, tenant).await;
        checked.map_err(|refusal| {
            self.count(&refusal);
            refusal.into()
        })
    }

    async fn check(&self, visit: &Visit, tenant: &str) -> Result<ScimClient, Refusal> {
        self.check_network(visit)?;
        let tenant = self.tenant(tenant);
        let client = match Credentials::read(visit)? {
            Credentials::Shown(who, secret) => {
                let shown = Shown::Pair(&who, secret.expose());
                ScimClient::from(self.token(visit, shown, tenant).await?)
            }
            Credentials::Signed(text) => {
                let slug = tenant.map(|tenant| &tenant.slug);
                let proved = self.trust.entra(text.expose(), slug).await;
                self.noting(visit, text.expose(), proved.map_err(Refusal::from))?
                    .into()
            }
            Credentials::Access(text) => {
                let slug = tenant.map(|tenant| &tenant.slug);
                let holder = self.tokens.holder(text.expose(), slug);
                self.noting(visit, text.expose(), holder.map_err(Refusal::from))
                    .and_then(|holder| self.client_of(holder, slug))?
            }
        };
        self.within_rate(client.credential(), visit)?;
        Ok(client)
    }

    /// One more request with this credential.
    pub(in crate::scim) fn within_rate(
        &self,
        credential: &str,
        visit: &Visit,
    ) -> Result<(), Refusal> {
        let rate = self.settings.scim.rate;
        if self.rates.take(credential, rate, visit.now) {
            Ok(())
        } else {
            Err(Refusal::Rate)
        }
    }

    fn client_of(
        &self,
        holder: Holder,
        tenant: Option<&TenantSlug>,
    ) -> Result<ScimClient, Refusal> {
        match holder {
            Holder::Token(token) => Ok(token.into()),
            Holder::Federation(name) => {
                let all = &self.settings.scim.federations;
                // What a reload took out of the settings opens nothing.
                let its = all
                    .iter()
                    .find(|it| it.name == name && Some(&it.tenant) == tenant);
                let its = its.ok_or(TokenError::Revoked(name))?;
                Ok(VerifiedAssertion::of(its).into())
            }
        }
    }

    pub(in crate::scim) fn check_network(&self, visit: &Visit) -> Result<(), Refusal> {
        let allowed = &self.settings.scim.allowed_networks;
        let client = visit.origin.client.map(|client| client.to_canonical());
        // R5: where nobody can say who asks, nobody of an allowed network does.
        let fits = client.is_some_and(|client| allowed.iter().any(|net| net.contains(&client)));
        if allowed.is_empty() || fits {
            Ok(())
        } else {
            Err(Refusal::Network)
        }
    }

    pub(in crate::scim) fn tenant(&self, name: &str) -> Option<&Tenant> {
        let mut tenants = self.settings.tenants.iter();
        tenants.find(|tenant| tenant.slug.as_str() == name)
    }

    /// All tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(in crate::scim) const fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(in crate::scim) fn count(&self, refusal: &Refusal) {
        let kind = refusal.word();
        self.metrics
            .scim_refused
            .get_or_create(&Kind { kind })
            .inc();
    }
}

#[cfg(test)]
pub(super) mod tests;
