//! Signed tokens of others (RFC 7515, RFC 7519): the signature, and nothing of what they say.
//!
//! Refuses what no key of the set signed, algorithms that anybody could sign with, and unknown types.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::jwks::{ASYMMETRIC, KeySet};
use crate::clock::Timestamp;

/// Longest token that is looked at, bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// Why a token counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// Not three parts of base64, or too long.
    #[error("token is no JWS")]
    Form,
    /// Made for something else.
    #[error("token is of another type: {0:?}")]
    Type(String),
    /// `none`, symmetric or unknown (R35), or `crit`.
    #[error("token is signed with an algorithm that is not accepted, or asks for an extension")]
    Algorithm,
    /// None of this id for this algorithm.
    #[error("no key of the issuer fits the token")]
    Key,
    /// Somebody else signed it.
    #[error("signature is wrong")]
    Signature,
}

impl JwsError {
    /// Whether keys that are newer than ours could make it good.
    pub const fn is_key(&self) -> bool {
        matches!(self, Self::Key | Self::Signature)
    }
}

/// What a token claims, unchecked: only to find who shall check it, and for the log.
pub fn claimed(token: &str) -> Option<Map<String, Value>> {
    if token.len() > MAX_TOKEN || token.split('.').count() != 3 {
        return None;
    }
    jsonwebtoken::dangerous::insecure_decode_claims(token).ok()
}

/// Claims that the owner of these keys signed, in a token of one of these types (small letters) or of none. Times,
/// issuer and audience are the caller's checks.
///
/// # Errors
///
/// Why not.
pub fn signed(token: &str, keys: &KeySet, types: &[&str]) -> Result<Map<String, Value>, JwsError> {
    if token.len() > MAX_TOKEN {
        return Err(JwsError::Form);
    }
    let header = decode_header(token).map_err(|_no_jws| JwsError::Form)?;
    check_header(&header, types)?;
    let mut validation = Validation::new(header.alg);
    // They are checked by the caller, with our clock and our words.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let mut result = Err(JwsError::Key);
    // The keys are the issuer's alone; `jwk`, `jku` and `x5u` of a token are nobody's word.
    for key in keys.fitting(header.kid.as_deref(), header.alg) {
        match decode::<Map<String, Value>>(token, key, &validation) {
            Ok(data) => return Ok(data.claims),
            Err(_) => result = Err(JwsError::Signature),
        }
    }
    result
}

fn check_header(header: &Header, types: &[&str]) -> Result<(), JwsError> {
    // R35: `none` and unknown algorithms are no header that can be read; HS* would make a public key a secret.
    let algorithm: Algorithm = header.alg;
    // RFC 7515 4.1.11: an extension that must be understood and is not.
    if !ASYMMETRIC.contains(&algorithm) || header.crit.is_some() {
        return Err(JwsError::Algorithm);
    }
    match &header.typ {
        None => Ok(()),
        Some(named) => {
            let folded = named.to_ascii_lowercase();
            let short = folded.strip_prefix("application/").unwrap_or(&folded);
            if types.contains(&short) {
                return Ok(());
            }
            Err(JwsError::Type(named.chars().take(40).collect()))
        }
    }
}

/// A `NumericDate` (RFC 7519 2); some idps send fractions.
pub fn number(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    let value = claims.get(name)?;
    let whole = value.as_u64();
    whole
        .or_else(|| fraction(value.as_f64()?))
        .map(Timestamp::from_secs)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "kept between 0 and the year 5138 first"
)]
fn fraction(value: f64) -> Option<u64> {
    (0.0..1e11).contains(&value).then_some(value as u64)
}
