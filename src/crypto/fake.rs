//! For tests: keys that sign whatever they are given.

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// A private key of an issuer.
pub(crate) struct Signer {
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
    pub(crate) jwk: Value,
}

impl Signer {
    pub(crate) fn rsa(id: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({
            "kty": "RSA", "use": "sig", "kid": id,
            "n": part(public.modulus().big_endian_without_leading_zero()),
            "e": part(public.exponent().big_endian_without_leading_zero()),
        });
        let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair);
        Self::new(
            id,
            Algorithm::RS256,
            // The key itself stands behind 26 bytes of PKCS#8.
            EncodingKey::from_rsa_der(&der.unwrap().as_ref()[26..]),
            jwk,
        )
    }

    pub(crate) fn ec(id: &str) -> Self {
        let alg = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::generate(alg).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "kid": id, "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        let der = pair.to_pkcs8v1().unwrap();
        let key = EncodingKey::from_ec_der(der.as_ref());
        Self::new(id, Algorithm::ES256, key, jwk)
    }

    pub(crate) fn ed(id: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x });
        let der = pair.to_pkcs8v1().unwrap();
        let key = EncodingKey::from_ed_der(der.as_ref());
        Self::new(id, Algorithm::EdDSA, key, jwk)
    }

    fn new(id: &str, algorithm: Algorithm, key: EncodingKey, jwk: Value) -> Self {
        Self {
            id: id.to_owned(),
            algorithm,
            key,
            jwk,
        }
    }

    /// Signs with a plain header: `alg`, `kid`, `typ` JWT.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(claims, |_| {})
    }

    /// Signs with a header of the test's choice.
    pub(crate) fn sign_as(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        change(&mut header);
        encode(&header, claims, &self.key).unwrap()
    }
}

/// A token whose header and signature are the test's own words.
pub(crate) fn forged(header: &Value, claims: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&message));
    format!("{message}.{signature}")
}

/// `HS256` with the bytes of the public key as the secret.
pub(crate) fn hmac(secret: &[u8], message: &str) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message.as_bytes())
        .as_ref()
        .to_vec()
}

/// Claims with changes; the word `absent` takes one out.
pub(crate) fn with(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
