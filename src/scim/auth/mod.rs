//! From the head of a request to the [`ScimClient`] that sent it.
//!
//! Refuses clients of other networks, whoever shows no token or two, tokens in the query, tokens that are not of the
//! tenant that is asked for, more requests than `scim.rate`, and networks that failed too often. Whoever is refused
//! learns the same whatever is wrong: which tenants and tokens there are is nobody's business.

mod client;
mod credentials;
mod failures;
mod rate;
mod refusal;

use std::sync::Arc;

use crate::config::{Settings, Tenant};
use crate::crypto::{Digest, sha256};
use crate::metrics::{Kind, Metrics};
use crate::web::Visit;

use super::token::{Holder, Shown, TokenError, Tokens, Verified};
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
    lanes: Vec<tokio::sync::Mutex<()>>,
}

impl Access {
    /// With what it works on.
    pub fn new(
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
            Credentials::Access(text) => {
                let slug = tenant.map(|tenant| &tenant.slug);
                let holder = self.tokens.holder(text.expose(), slug);
                self.noting(visit, text.expose(), holder.map_err(Refusal::from))
                    .and_then(|holder| self.client_of(holder))?
            }
        };
        if self
            .rates
            .take(client.credential(), self.settings.scim.rate, visit.now)
        {
            Ok(client)
        } else {
            Err(Refusal::Rate)
        }
    }

    /// The token that was shown: remembered, or checked once however many ask at this moment.
    pub(super) async fn token(
        &self,
        visit: &Visit,
        shown: Shown<'_>,
        tenant: Option<&Tenant>,
    ) -> Result<Verified, Refusal> {
        let slug = tenant.map(|tenant| &tenant.slug);
        if let Some(verified) = self.tokens.recall(shown, slug) {
            return Ok(verified);
        }
        let what = digest(shown);
        let Digest([lane, ..]) = what;
        // A job that sends twenty requests at once costs one bcrypt, and is one try.
        let _turn = match self.lanes.get(usize::from(lane)) {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        if let Some(verified) = self.tokens.recall(shown, slug) {
            return Ok(verified);
        }
        let limits = &self.settings.limits;
        let attempt = self
            .failures
            .attempt(limits, what, visit.origin.client, visit.now)
            .map_err(Refusal::Throttled)?;
        let verified = self.tokens.verify(shown, slug).await;
        match &verified {
            Ok(_right) => self.failures.succeeded(&attempt, visit.now),
            Err(TokenError::Busy(_)) => self.failures.undone(&attempt),
            Err(_wrong) => {}
        }
        Ok(verified?)
    }

    /// Counts what failed without costing anything, so that nobody may go on guessing.
    pub(super) fn noting<T>(
        &self,
        visit: &Visit,
        text: &str,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if result.is_err() {
            let (limits, client) = (&self.settings.limits, visit.origin.client);
            let what = sha256(text.as_bytes());
            let _counts_as_failed = self
                .failures
                .attempt(limits, what, client, visit.now)
                .map_err(Refusal::Throttled)?;
        }
        result
    }

    fn client_of(&self, holder: Holder) -> Result<ScimClient, Refusal> {
        match holder {
            Holder::Token(token) => Ok(token.into()),
            Holder::Federation { .. } => Err(TokenError::Unknown.into()),
        }
    }

    pub(super) fn check_network(&self, visit: &Visit) -> Result<(), Refusal> {
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

    pub(super) fn tenant(&self, name: &str) -> Option<&Tenant> {
        let mut tenants = self.settings.tenants.iter();
        tenants.find(|tenant| tenant.slug.as_str() == name)
    }

    pub(super) fn count(&self, refusal: &Refusal) {
        let kind = refusal.word();
        self.metrics
            .scim_refused
            .get_or_create(&Kind { kind })
            .inc();
    }
}

fn digest(shown: Shown<'_>) -> Digest {
    match shown {
        Shown::Token(text) => sha256(text.trim().as_bytes()),
        Shown::Pair(who, secret) => sha256(format!("{}\n{}", who.trim(), secret.trim()).as_bytes()),
    }
}

#[cfg(test)]
mod tests;
