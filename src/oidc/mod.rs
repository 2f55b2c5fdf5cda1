//! OpenID Connect as a relying party: code flow with PKCE, bearer tokens, logout in both directions.
//!
//! Refuses tokens that the configured issuer did not sign, that are for others or too old, answers that no browser
//! of ours asked for, and repeated parameters. Nobody's request makes a call to the idp but a sign-in, and at most
//! once a minute an unknown key.
//!
//! The issuer is one exact issuer. Entra's `common` and `organizations` are none: their tokens name the person's
//! own tenant, which would let any company in. Configure one `[[idp]]` for each Entra tenant.

mod authorize;
mod bearer;
mod callback;
mod claims;
#[cfg(test)]
mod fake;
mod idp_error;
mod jws;
mod keys;
mod logout;
mod metadata;
mod params;
mod provider;
mod userinfo;
mod verify;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use claims::Mapping;
use logout::Seen;
use provider::Provider;

pub use logout::UsedTokens;

use crate::clock::Clock;
use crate::config::{self, IdpSettings, Protocol, Settings};
use crate::identity::{IdpKind, IdpName};
use crate::login::{BearerCheck, Begin, BeginRequest, Idp, Login, Logout};
use crate::metrics::Metrics;
use crate::outbound::{Cache, Outbound, OutboundError};
use crate::problem::Problem;
use crate::session::Session;
use crate::web::Visit;

/// An idp has this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes every configured OpenID Connect idp, with what the last run knew of it. Asks nobody: an idp that is down
/// keeps nothing from starting. What was used stays used: `used` outlives what is made here. Reads `cache_dir`, and writes one file for each idp there when it first answers.
///
/// # Errors
///
/// A `ca_file` cannot be read or holds no certificate.
pub fn build(
    settings: &Settings,
    cache_dir: &Path,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    used: &UsedTokens,
) -> Result<Vec<Arc<dyn Idp>>, OutboundError> {
    let mut idps: Vec<Arc<dyn Idp>> = Vec::new();
    for idp in &settings.idps {
        if let Protocol::Oidc(oidc) = &idp.protocol {
            idps.push(Arc::new(Oidc::new(
                settings, idp, oidc, cache_dir, clock, metrics, used,
            )?));
        }
    }
    Ok(idps)
}

/// One OpenID Connect idp.
struct Oidc {
    label: String,
    domains: Vec<String>,
    /// `[paths] oidc`
    prefix: String,
    /// A rule asks how long ago people proved who they are.
    wants_auth_time: bool,
    settings: config::Oidc,
    mapping: Mapping,
    provider: Provider,
    outbound: Outbound,
    seen: Arc<Seen>,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    fn new(
        settings: &Settings,
        idp: &IdpSettings,
        oidc: &config::Oidc,
        cache_dir: &Path,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        used: &UsedTokens,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(oidc.ca_file.as_deref(), TIMEOUT)?;
        let provider = Provider::new(
            idp.name.clone(),
            oidc.issuer.0.clone(),
            outbound.clone(),
            Cache::new(cache_dir, idp.name.as_str()),
            clock.clone(),
            metrics.clone(),
        );
        Ok(Self {
            label: idp.label.clone(),
            domains: idp.domains.clone(),
            prefix: settings.paths.oidc.clone(),
            wants_auth_time: settings
                .rules
                .iter()
                .any(|rule| rule.max_auth_age.is_some()),
            settings: oidc.clone(),
            mapping: Mapping {
                idp: idp.name.clone(),
                attributes: idp.attributes.clone(),
            },
            provider,
            outbound,
            seen: used.of(&idp.name),
            clock: clock.clone(),
        })
    }
}

#[async_trait]
impl Idp for Oidc {
    fn name(&self) -> &IdpName {
        &self.mapping.idp
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn kind(&self) -> IdpKind {
        IdpKind::Oidc
    }

    fn domains(&self) -> &[String] {
        &self.domains
    }

    async fn begin(&self, request: BeginRequest<'_>) -> Result<Begin, Problem> {
        let known = self.provider.current().await?;
        Ok(Begin::Redirect(self.authorization_url(&known, &request)?))
    }

    async fn logout(&self, session: &Session, return_to: &str) -> Logout {
        self.logout_url(session, return_to)
    }

    async fn bearer(&self, token: &str) -> BearerCheck {
        self.check_bearer(token).await
    }

    async fn answer(
        &self,
        login: &Login,
        visit: &Visit,
        rest: &str,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        match rest {
            "callback" => self.callback(login, visit).await,
            "backchannel-logout" => self.back_channel(login, visit, &body).await,
            "frontchannel-logout" => self.front_channel(login, visit).await,
            _ => Err(Problem::not_found()),
        }
    }

    async fn refresh(&self) {
        self.provider.refresh().await;
    }

    async fn ready(&self) -> Result<(), String> {
        self.provider.trouble().map_or(Ok(()), Err)
    }
}
