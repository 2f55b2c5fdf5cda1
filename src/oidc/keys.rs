//! An issuer's signing keys (RFC 7517), in the two forms that verification needs.

use jsonwebtoken::Algorithm;
use openidconnect::JsonWebKeySet;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use serde_json::Value;

use crate::crypto::{ASYMMETRIC, KeySet, KeysError};

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    oidc: Vec<CoreJsonWebKey>,
    /// For access tokens and logout tokens.
    pub(super) jws: KeySet,
}

impl Keys {
    /// Reads a key set; keys of kinds that we do not know are left out (RFC 7517 5).
    pub(super) fn parse(set: &[u8]) -> Result<Self, KeysError> {
        let jws = KeySet::parse(set)?;
        let core = |value: &Value| serde_json::from_value(value.clone()).ok();
        Ok(Self {
            oidc: jws.raw().iter().filter_map(core).collect(),
            jws,
        })
    }

    /// For ID tokens.
    pub(super) fn for_id_tokens(&self) -> JsonWebKeySet<CoreJsonWebKey> {
        JsonWebKeySet::new(self.oidc.clone())
    }
}

/// What ID tokens may be signed with: what the issuer names and we accept, else RS256 (Core 3.1.3.7, 7).
pub(super) fn id_token_algorithms(named: &[String]) -> Vec<CoreJwsSigningAlgorithm> {
    let accepted = |name: &&String| {
        name.parse::<Algorithm>()
            .is_ok_and(|algorithm| ASYMMETRIC.contains(&algorithm))
    };
    let mut algorithms: Vec<_> = named
        .iter()
        .filter(accepted)
        .filter_map(|name| serde_json::from_value(Value::String(name.clone())).ok())
        .collect();
    if algorithms.is_empty() {
        algorithms.push(CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256);
    }
    algorithms
}
