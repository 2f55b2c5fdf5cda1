//! ID tokens: unverified until every check of Core 3.1.3.7 held.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce,
    SignatureVerificationError,
};
use serde_json::{Map, Value};

use super::keys::id_token_algorithms;
use super::provider::Known;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// How far the idp's clock may be from ours.
pub(super) const SKEW: Duration = Duration::from_secs(90);
/// Longest ID token that is taken, bytes; it is kept with the session.
const MAX_TOKEN: usize = 128 * 1024;

/// Why an ID token proves nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdTokenError {
    /// Larger than any idp makes them.
    #[error("id token is larger than {MAX_TOKEN} bytes")]
    TooLarge,
    /// Signature, issuer, audience, time or nonce.
    #[error("id token is refused")]
    Claims(#[from] ClaimsVerificationError),
    /// The issuer's identifier is not one.
    #[error("issuer is no URL")]
    Issuer(#[from] url::ParseError),
    /// Made for several audiences and not to us, or to somebody else.
    #[error("id token was made for another party (azp)")]
    Party,
    /// Issued later than now.
    #[error("id token was issued in the future")]
    Future,
    /// Belongs to another access token.
    #[error("id token belongs to another access token (at_hash)")]
    AccessToken,
    /// The person did not prove again who they are.
    #[error("idp did not ask the person again: auth_time is {0}")]
    Old(&'static str),
    /// The signed part is no JSON object.
    #[error("id token holds no claims")]
    Empty,
}

impl IdTokenError {
    /// Whether keys that are newer than ours could make it good.
    pub(super) fn is_signature(&self) -> bool {
        matches!(
            self,
            Self::Claims(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                    | SignatureVerificationError::CryptoError(_)
                    | SignatureVerificationError::AmbiguousKeyId(_)
            ))
        )
    }
}

/// What an ID token must fit.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a AccessToken,
    /// The person must have proved who they are since then.
    pub(super) proved_since: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// An ID token whose checks all held. Not `Clone`: one sign-in each.
#[derive(Debug)]
pub(super) struct VerifiedIdToken {
    claims: Map<String, Value>,
    raw: Secret,
    auth_time: Option<Timestamp>,
}

impl VerifiedIdToken {
    /// Claims as sent.
    pub(super) const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// When the person proved who they are, where the idp says so.
    pub(super) const fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// Claims, and the token as received.
    pub(super) fn into_parts(self) -> (Map<String, Value>, Secret) {
        (self.claims, self.raw)
    }
}

/// The only way to a [`VerifiedIdToken`].
///
/// # Errors
///
/// The first check that does not hold.
pub(super) fn verify(
    token: &CoreIdToken,
    known: &Known,
    expected: &Expected<'_>,
) -> Result<VerifiedIdToken, IdTokenError> {
    let raw = token.to_string();
    if raw.len() > MAX_TOKEN {
        return Err(IdTokenError::TooLarge);
    }
    // Core 3.1.3.7, 9: `exp` has not passed, give or take the skew between two clocks.
    let earliest = at(expected.now.minus(SKEW));
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        // Core 3.1.3.7, 2: the issuer, byte for byte.
        IssuerUrl::new(known.metadata.issuer.clone())?,
        known.keys.for_id_tokens(),
    )
    // R35: what the issuer announces, asymmetric only; a public client's verifier takes no HS* either way.
    .set_allowed_algs(id_token_algorithms(&known.metadata.algorithms))
    // Core 3.1.3.7, 3: other audiences are judged below, by `azp`.
    .set_other_audience_verifier_fn(|_| true)
    .set_time_fn(move || earliest.into());
    let nonce = Nonce::new(expected.nonce.to_owned());
    let claims = token.claims(&verifier, &nonce)?;
    // Core 3.1.3.7, 4 and 5: made to us; with several audiences it must say so.
    match claims.authorized_party() {
        Some(party) if party.as_str() != expected.client_id => return Err(IdTokenError::Party),
        None if claims.audiences().len() > 1 => return Err(IdTokenError::Party),
        _ => {}
    }
    // Core 3.1.3.7, 10.
    if timestamp(claims.issue_time().timestamp()) > expected.now.plus(SKEW) {
        return Err(IdTokenError::Future);
    }
    // Core 3.1.3.8: the access token is the one that came with it.
    if let Some(hash) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(refused)?;
        let key = token.signing_key(&verifier).map_err(refused)?;
        let own = AccessTokenHash::from_token(expected.access_token, algorithm, key);
        if own.is_err() || own.ok().as_ref() != Some(hash) {
            return Err(IdTokenError::AccessToken);
        }
    }
    let auth_time = claims.auth_time().map(|time| timestamp(time.timestamp()));
    // Core 3.1.2.1, `max_age`: the claim is there, and says that the person was asked again.
    match (expected.proved_since, auth_time) {
        (Some(_), None) => return Err(IdTokenError::Old("missing")),
        (Some(since), Some(time)) if time < since.minus(SKEW) => {
            return Err(IdTokenError::Old("too long ago"));
        }
        _ => {}
    }
    Ok(VerifiedIdToken {
        claims: payload(&raw).ok_or(IdTokenError::Empty)?,
        raw: Secret::new(raw),
        auth_time: auth_time.map(|time| time.min(expected.now)),
    })
}

fn refused(error: SignatureVerificationError) -> IdTokenError {
    ClaimsVerificationError::SignatureVerification(error).into()
}

/// The signed part as JSON: the bytes whose signature was checked, with no claim lost to a type.
fn payload(raw: &str) -> Option<Map<String, Value>> {
    let part = raw.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn at(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(time.as_secs()))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
