//! The signed assertion (a JWT, RFC 7519) for apps that verify.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use serde::Serialize;

use super::headers::RenderError;
use super::keys::AssertionKeys;
use super::told::Told;
use crate::clock::Timestamp;
use crate::config::{self, PublicUrl};
use crate::crypto::random_token;
use crate::identity::Identity;
use crate::session::Session;

/// Signs what the app is told.
#[derive(Debug)]
pub(super) struct Assertion {
    name: HeaderName,
    lifetime: Duration,
    issuer: String,
    keys: Option<Arc<AssertionKeys>>,
}

/// RFC 7519 4.1 and OpenID Connect Core 5.1 where they have a name for it.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    preferred_username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    name: String,
    groups: &'a [&'a str],
    roles: Vec<&'a str>,
    tenant: &'a str,
    idp: &'a str,
    sid: &'a str,
    auth_time: u64,
    iat: u64,
    exp: u64,
    jti: String,
}

impl Assertion {
    pub(super) fn new(
        settings: &config::Assertion,
        public_url: &PublicUrl,
        keys: Option<Arc<AssertionKeys>>,
    ) -> Self {
        Self {
            name: settings.name.clone(),
            lifetime: settings.lifetime,
            issuer: public_url.origin(),
            keys,
        }
    }

    pub(super) const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// At half its life, so that no request carries one that is about to expire.
    pub(super) const fn renew_at(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.lifetime.as_secs() / 2))
    }

    pub(super) fn sign(
        &self,
        identity: &Identity,
        told: &Told<'_>,
        session: &Session,
        now: Timestamp,
    ) -> Result<String, RenderError> {
        let keys = self.keys.as_ref().ok_or(RenderError::NoKey)?;
        let key = keys.signer(now).ok_or(RenderError::NoKey)?;
        let user = &identity.user;
        // No assertion outlives the session it speaks of.
        let until = now.plus(self.lifetime).min(session.absolute_until);
        Ok(key.sign(&Claims {
            iss: &self.issuer,
            aud: &self.issuer,
            sub: user.id.as_str(),
            preferred_username: &told.user_name,
            email: user.email(),
            name: user.display_name(),
            groups: &told.all_groups,
            roles: identity.roles.iter().map(|role| role.0.as_str()).collect(),
            tenant: user.tenant.as_str(),
            idp: session.idp.as_str(),
            sid: &session.id,
            auth_time: session.authenticated_at.as_secs(),
            iat: now.as_secs(),
            exp: until.as_secs(),
            jti: random_token(),
        })?)
    }
}
