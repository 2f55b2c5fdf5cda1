//! Clients without a secret of ours: somebody else signs who they are.
//!
//! Workload identity federation (RFC 7523 2.2; Entra) at the token endpoint, and Entra's own tokens where
//! `scim.entra_tenants` opens a tenant to them. Refuses what another issuer signed, for others, of others, too old or
//! too new. Only issuers of the settings are ever asked for keys.

mod assertion;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::clock::{Clock, Timestamp};
use crate::config::{Federation, FederationKeys, SafeUrl, Settings};
use crate::crypto::claimed;
use crate::identity::TenantSlug;
use crate::outbound::{Outbound, OutboundError};
use assertion::{Expected, check};
use keys::IssuerKeys;

pub use assertion::{AssertionError, AssertionRefused};
pub use keys::FetchError;

/// Where Entra's keys are.
pub(super) const ENTRA: &str = "https://login.microsoftonline.com";
/// `aud` of the tokens that Entra ID's provisioning service gets for itself, whatever app it is for.
const ENTRA_AUDIENCE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
/// An issuer has this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Proof that a trusted issuer signed for a client of this tenant. Made here alone; not `Clone`.
#[derive(Debug)]
pub struct VerifiedAssertion {
    name: String,
    credential: String,
    tenant: TenantSlug,
    roles: Option<Vec<String>>,
}

impl VerifiedAssertion {
    /// What changes are made as.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client's public id.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// The one tenant that it opens.
    pub const fn tenant(&self) -> &TenantSlug {
        &self.tenant
    }

    /// The only roles that it may give; none is any of `roles.allowed`.
    pub fn roles(&self) -> Option<&[String]> {
        self.roles.as_deref()
    }

    /// That of this federation: from an assertion, or from an access token that one was traded for.
    pub(super) fn of(federation: &Federation) -> Self {
        let roles = &federation.roles;
        Self {
            name: federation.name.clone(),
            credential: format!("federation:{}", federation.name),
            tenant: federation.tenant.clone(),
            roles: (!roles.is_empty()).then(|| roles.clone()),
        }
    }
}

/// Whom the settings trust to sign for clients.
pub struct Trust {
    federations: Vec<(Federation, IssuerKeys)>,
    entra: Vec<Entra>,
    clock: Arc<dyn Clock>,
}

struct Entra {
    id: String,
    issuer: String,
    tenant: TenantSlug,
    keys: IssuerKeys,
}

impl Trust {
    /// Asks nobody yet.
    ///
    /// # Errors
    ///
    /// The machine's trusted certificates cannot be read.
    pub(super) fn new(
        settings: &Settings,
        clock: &Arc<dyn Clock>,
        entra: &str,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(None, TIMEOUT)?;
        let keys = |place| IssuerKeys::new(place, outbound.clone(), Arc::clone(clock));
        let scim = &settings.scim;
        let federations = scim.federations.iter();
        let tenants = scim.entra_tenants.iter().filter_map(|it| {
            let address = format!("{entra}/{}/discovery/keys", it.id);
            let address: SafeUrl = address.parse().ok()?;
            Some(Entra {
                issuer: format!("https://sts.windows.net/{}/", it.id),
                id: it.id.clone(),
                tenant: it.tenant.clone(),
                keys: keys(FederationKeys::Url(address)),
            })
        });
        Ok(Self {
            entra: tenants.collect(),
            federations: federations
                .map(|it| (it.clone(), keys(it.keys.clone())))
                .collect(),
            clock: Arc::clone(clock),
        })
    }

    /// The federation of this tenant that an assertion proves; `client_id` chooses where it is the name of one.
    ///
    /// # Errors
    ///
    /// None, and why.
    pub(super) async fn federation(
        &self,
        assertion: &str,
        client_id: Option<&str>,
        tenant: Option<&TenantSlug>,
    ) -> Result<VerifiedAssertion, AssertionRefused> {
        let claims = claimed(assertion);
        let issuer = claims
            .as_ref()
            .and_then(|it| it.get("iss"))
            .and_then(Value::as_str);
        let named = |it: &Federation| Some(it.name.as_str()) == client_id;
        let by_name = self.federations.iter().any(|(it, _)| named(it));
        let mut why = AssertionError::NoFederation;
        for (federation, keys) in &self.federations {
            let fits = Some(&federation.tenant) == tenant
                && Some(federation.issuer.as_str()) == issuer
                && (!by_name || named(federation));
            if !fits {
                continue;
            }
            let expected = Expected {
                issuer: &federation.issuer,
                audiences: &federation.audiences,
                subjects: Some(&federation.subjects),
                tenant_ids: &federation.tenant_ids,
                now: self.now(),
            };
            match verify(assertion, keys, &expected).await {
                Ok(()) => return Ok(VerifiedAssertion::of(federation)),
                Err(error) => why = error,
            }
        }
        Err(AssertionRefused::new(why, claims.as_ref()))
    }

    /// The client that a token of Entra's own proves.
    ///
    /// # Errors
    ///
    /// It does not, and why.
    pub(super) async fn entra(
        &self,
        token: &str,
        tenant: Option<&TenantSlug>,
    ) -> Result<VerifiedAssertion, AssertionRefused> {
        let claims = claimed(token);
        let issuer = claims
            .as_ref()
            .and_then(|it| it.get("iss"))
            .and_then(Value::as_str);
        let fits = |it: &&Entra| Some(&it.tenant) == tenant && Some(it.issuer.as_str()) == issuer;
        let checked = match self.entra.iter().find(fits) {
            Some(entra) => {
                let expected = Expected {
                    issuer: &entra.issuer,
                    audiences: &[ENTRA_AUDIENCE.to_owned()],
                    subjects: None,
                    tenant_ids: std::slice::from_ref(&entra.id),
                    now: self.now(),
                };
                let checked = verify(token, &entra.keys, &expected).await;
                checked.map(|()| entra)
            }
            None => Err(AssertionError::NoEntraTenant),
        };
        match checked {
            Ok(entra) => Ok(VerifiedAssertion {
                name: "entra".to_owned(),
                credential: format!("entra:{}", entra.id),
                tenant: entra.tenant.clone(),
                roles: None,
            }),
            Err(why) => Err(AssertionRefused::new(why, claims.as_ref())),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

async fn verify(
    assertion: &str,
    keys: &IssuerKeys,
    expected: &Expected<'_>,
) -> Result<(), AssertionError> {
    let known = keys.current().await?;
    match check(assertion, &known, expected) {
        Err(AssertionError::Jws(error)) if error.is_key() => match keys.newer(&known).await {
            Some(newer) => check(assertion, &newer, expected),
            None => Err(error.into()),
        },
        checked => checked,
    }
}

#[cfg(test)]
mod tests;
