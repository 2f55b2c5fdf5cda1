//! Key sets (RFC 7517): public keys that others sign with.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// More keys than any issuer has.
const MAX_KEYS: usize = 64;

/// Why a key set is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Not JSON, or no key set.
    #[error("key set cannot be read")]
    Json(#[from] serde_json::Error),
    /// Nothing in it can check a signature that we accept.
    #[error("key set holds no key that can be used")]
    Empty,
}

/// The keys of one issuer.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    raw: Vec<Value>,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a key set; keys of kinds that we do not know are left out (RFC 7517 5).
    ///
    /// # Errors
    ///
    /// It cannot be read, or no key in it can be used.
    pub fn parse(set: &[u8]) -> Result<Self, KeysError> {
        let set: Set = serde_json::from_slice(set)?;
        let (mut keys, mut raw) = (Vec::new(), Vec::new());
        for value in set.keys.into_iter().take(MAX_KEYS) {
            if let Some(key) = Key::read(&value) {
                keys.push(key);
                raw.push(value);
            }
        }
        if keys.is_empty() {
            return Err(KeysError::Empty);
        }
        Ok(Self { keys, raw })
    }

    /// Those that can be used, as they were read.
    pub fn raw(&self) -> &[Value] {
        &self.raw
    }

    /// Keys that this header may mean: of this id when it names one, and fit for its algorithm.
    pub(super) fn fitting(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        self.keys
            .iter()
            .filter(move |key| id.is_none() || key.id.as_deref() == id)
            .filter(move |key| key.algorithms.contains(&algorithm))
            .map(|key| &key.public)
    }
}

impl Key {
    /// R35: a key is for the algorithms of its own kind; symmetric ones are no keys here.
    fn read(value: &Value) -> Option<Self> {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        if matches!(&jwk.common.public_key_use, Some(usage) if *usage != PublicKeyUse::Signature) {
            return None;
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "not exhaustive; a kind that we do not know is no key"
        )]
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                vec![ES256]
            }
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => {
                vec![ES384]
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                vec![EdDSA]
            }
            _ => return None,
        };
        if let Some(only) = value.get("alg").and_then(Value::as_str) {
            let only = only.parse::<Algorithm>().ok();
            algorithms.retain(|algorithm| Some(*algorithm) == only);
        }
        Some(Self {
            public: DecodingKey::from_jwk(&jwk).ok()?,
            id: jwk.common.key_id,
            algorithms,
        })
    }
}

/// R35: signatures that only the issuer can make; no `none`, no `HS*`, nothing unknown.
pub const ASYMMETRIC: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::fake::Signer;

    #[test]
    fn r35_a_key_is_for_its_own_algorithms() {
        use Algorithm::{ES256, ES384, EdDSA, HS256, PS256, RS256};
        let (rsa, ec, ed) = (Signer::rsa("r"), Signer::ec("e"), Signer::ed("d"));
        let with = |jwk: &Value, changes: Value| {
            let mut jwk = jwk.clone();
            for (name, value) in changes.as_object().unwrap() {
                jwk[name] = value.clone();
            }
            jwk
        };
        for (name, key, want) in [
            ("RSA", rsa.jwk.clone(), vec![RS256, PS256]),
            (
                "RSA for one",
                with(&rsa.jwk, json!({ "alg": "RS256" })),
                vec![RS256],
            ),
            (
                "RSA to encrypt",
                with(&rsa.jwk, json!({ "use": "enc" })),
                vec![],
            ),
            (
                "RSA-OAEP",
                with(&rsa.jwk, json!({ "alg": "RSA-OAEP" })),
                vec![],
            ),
            ("P-256", ec.jwk.clone(), vec![ES256]),
            (
                "P-256 called P-521",
                with(&ec.jwk, json!({ "crv": "P-521" })),
                vec![],
            ),
            (
                "P-256 for HS256",
                with(&ec.jwk, json!({ "alg": "HS256" })),
                vec![],
            ),
            ("Ed25519", ed.jwk.clone(), vec![EdDSA]),
            (
                "symmetric",
                json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" }),
                vec![],
            ),
            (
                "unknown kind",
                json!({ "kty": "AKP", "pub": "AAAA" }),
                vec![],
            ),
        ] {
            // Beside a good key, so that the set itself can be read.
            let set = json!({ "keys": [with(&ec.jwk, json!({ "kid": "other" })), with(&key, json!({ "kid": "k" }))] });
            let keys = KeySet::parse(&serde_json::to_vec(&set).unwrap()).unwrap();
            let fit = |algorithm| keys.fitting(Some("k"), algorithm).next().is_some();
            let all = [RS256, PS256, ES256, ES384, EdDSA, HS256];
            let fits: Vec<_> = all
                .into_iter()
                .filter(|algorithm| fit(*algorithm))
                .collect();
            assert_eq!(fits, want, "{name}");
        }
    }

    #[test]
    fn a_set_without_a_usable_key_is_none() {
        for set in [
            "{}",
            "[]",
            "{\"keys\":[]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",
        ] {
            assert!(KeySet::parse(set.as_bytes()).is_err(), "{set}");
        }
        let many = json!({ "keys": vec![Signer::ec("k").jwk; 500] });
        let keys = KeySet::parse(&serde_json::to_vec(&many).unwrap()).unwrap();
        assert_eq!(keys.keys.len(), MAX_KEYS);
    }
}
