//! Keys that sign the assertion header, and their public halves as a JWK set.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::Secret;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The stored key cannot be read.
    #[error("signing key cannot be read")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Signing failed.
    #[error("cannot sign")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a key signs (RFC 7518 3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    #[serde(rename = "RS256")]
    Rs256,
}

/// A private key for JWT signatures with its key id (RFC 7638 thumbprint).
pub struct SigningKey {
    kid: String,
    algorithm: SignAlgorithm,
    private: Secret,
    encoding: EncodingKey,
    header: Header,
    jwk: Value,
}

impl SigningKey {
    /// A new one.
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn generate(algorithm: SignAlgorithm) -> Result<Self, SignError> {
        let pkcs8 = match algorithm {
            SignAlgorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map_err(key_error)?
                    .as_ref()
                    .to_vec()
            }
            SignAlgorithm::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
                .map_err(key_error)?
                .as_ref()
                .to_vec(),
            SignAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(key_error)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(key_error)?;
                der.as_ref().to_vec()
            }
        };
        Self::from_private(algorithm, &Secret::new(STANDARD.encode(pkcs8)))
    }

    /// The key that [`Self::private`] gave.
    ///
    /// # Errors
    ///
    /// It is no such key.
    pub fn from_private(algorithm: SignAlgorithm, private: &Secret) -> Result<Self, SignError> {
        let der = STANDARD.decode(private.expose()).map_err(key_error)?;
        let encoding = match algorithm {
            SignAlgorithm::Es256 => EncodingKey::from_ec_der(&der),
            SignAlgorithm::EdDsa => EncodingKey::from_ed_der(&der),
            // The library wants PKCS#1 here, which it takes out of PKCS#8 only in PEM.
            SignAlgorithm::Rs256 => {
                let base64 = private.expose();
                let pem =
                    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
                EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(key_error)?
            }
        };
        let its = match algorithm {
            SignAlgorithm::Es256 => Algorithm::ES256,
            SignAlgorithm::EdDsa => Algorithm::EdDSA,
            SignAlgorithm::Rs256 => Algorithm::RS256,
        };
        let mut jwk = Jwk::from_encoding_key(&encoding, its).map_err(key_error)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(key_error)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let mut header = Header::new(its);
        header.kid = Some(kid.clone());
        Ok(Self {
            kid,
            algorithm,
            private: private.clone(),
            encoding,
            header,
            jwk: serde_json::to_value(jwk).map_err(key_error)?,
        })
    }

    /// Its id in tokens and in the JWK set.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// How it signs.
    pub const fn algorithm(&self) -> SignAlgorithm {
        self.algorithm
    }

    /// PKCS#8 in base64, for the store alone.
    pub const fn private(&self) -> &Secret {
        &self.private
    }

    /// The public half as a JWK (RFC 7517 4).
    pub fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    /// A signed JWT (RFC 7519).
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        jsonwebtoken::encode(&self.header, claims, &self.encoding)
            .map_err(|error| SignError::Sign(error.into()))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn key_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SignError {
    SignError::Key(error.into())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::json;

    use super::*;

    const ALL: [(SignAlgorithm, Algorithm); 3] = [
        (SignAlgorithm::Es256, Algorithm::ES256),
        (SignAlgorithm::EdDsa, Algorithm::EdDSA),
        (SignAlgorithm::Rs256, Algorithm::RS256),
    ];

    #[test]
    fn what_is_signed_verifies_with_the_published_key_alone() {
        for (algorithm, its) in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let again = SigningKey::from_private(algorithm, key.private()).unwrap();
            assert_eq!((again.kid(), again.jwk()), (key.kid(), key.jwk()));
            let token = again
                .sign(&json!({"sub": "ada", "aud": "https://app.test", "exp": 4_000_000_000_u64}))
                .unwrap();
            let jwk: Jwk = serde_json::from_value(key.jwk()).unwrap();
            let mut validation = Validation::new(its);
            validation.set_audience(&["https://app.test"]);
            let verify = |jwk: &Jwk| {
                let key = DecodingKey::from_jwk(jwk).unwrap();
                jsonwebtoken::decode::<Value>(&token, &key, &validation)
            };
            let read = verify(&jwk).unwrap();
            assert_eq!(read.header.kid.as_deref(), Some(key.kid()));
            assert_eq!(read.claims["sub"], "ada");
            let other = SigningKey::generate(algorithm).unwrap();
            assert!(verify(&serde_json::from_value(other.jwk()).unwrap()).is_err());
        }
    }

    #[test]
    fn r55_the_published_key_is_the_public_half() {
        for (algorithm, _) in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let jwk = key.jwk();
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert_eq!(jwk.get(private), None, "{algorithm:?} {private}");
            }
            assert_eq!(
                (&jwk["kid"], &jwk["use"]),
                (&json!(key.kid()), &json!("sig"))
            );
            assert!(!format!("{key:?}").contains(key.private().expose()));
        }
    }

    #[test]
    fn stored_keys_that_are_none_are_refused() {
        for (algorithm, _) in ALL {
            for text in ["", "!", "AAAA"] {
                assert!(SigningKey::from_private(algorithm, &Secret::new(text)).is_err());
            }
        }
    }
}
