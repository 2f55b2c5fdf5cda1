//! Signed tokens that others bring: access tokens and logout tokens.
//!
//! Refuses what the issuer did not sign, what is made for others, and what is of another kind.

use serde_json::{Map, Value};
use url::Url;

use super::provider::Known;
use super::verify::SKEW;
use crate::clock::Timestamp;
use crate::crypto::{JwsError, claimed, number, signed};

/// The event of a logout token (Back-Channel Logout 1.0, 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How old a logout token may be, seconds.
const LOGOUT_AGE: std::time::Duration = std::time::Duration::from_mins(5);

/// Why a token counts for nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("{0} is missing or of the wrong type")]
    Missing(&'static str),
    #[error("issuer is another one")]
    Issuer,
    #[error("audience is another one")]
    Audience,
    #[error("token has expired")]
    Expired,
    #[error("token is not valid yet")]
    Early,
    #[error("token is too old")]
    Old,
    #[error("token speaks for a program, not for a person")]
    Program,
    #[error("token is a logout token, or none: {0}")]
    Purpose(&'static str),
}

impl TokenError {
    /// Whether keys that are newer than ours could make it good.
    pub(super) const fn is_key(&self) -> bool {
        matches!(self, Self::Jws(error) if error.is_key())
    }
}

/// An access token that may be used here. Not `Clone`.
#[derive(Debug)]
pub(super) struct VerifiedAccessToken {
    claims: Map<String, Value>,
    expires: Timestamp,
}

impl VerifiedAccessToken {
    /// Its `exp`.
    pub(super) const fn expires(&self) -> Timestamp {
        self.expires
    }

    pub(super) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

/// An order of the idp to end sessions.
#[derive(Debug)]
pub(super) struct VerifiedLogoutToken {
    pub(super) subject: Option<String>,
    pub(super) session: Option<String>,
    pub(super) id: String,
}

/// Whose token it claims to be, unchecked: only to find the idp that shall check it.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    let claims = claimed(token)?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// Whether this issuer of a token can be the configured one.
pub(super) fn same_issuer(claimed: &str, configured: &Url) -> bool {
    Url::parse(claimed).ok().as_ref() == Some(configured)
}

/// The only way to a [`VerifiedAccessToken`] (RFC 9068 4, RFC 8725).
pub(super) fn access_token(
    token: &str,
    known: &Known,
    audiences: &[String],
    now: Timestamp,
) -> Result<VerifiedAccessToken, TokenError> {
    // R35: an unknown type is refused. Entra, Keycloak and Okta say JWT or nothing.
    let claims = signed(token, &known.keys.jws, &["at+jwt", "jwt"])?;
    // R33: made for this app, and it ends.
    check_party(&claims, known, audiences)?;
    let expires = number(&claims, "exp").ok_or(TokenError::Missing("exp"))?;
    if now >= expires.plus(SKEW) {
        return Err(TokenError::Expired);
    }
    for name in ["nbf", "iat"] {
        match (claims.contains_key(name), number(&claims, name)) {
            (true, None) => return Err(TokenError::Missing("nbf or iat")),
            (_, Some(from)) if from > now.plus(SKEW) => return Err(TokenError::Early),
            _ => {}
        }
    }
    // A logout token for the same audience is no access token.
    if claims.contains_key("events") {
        return Err(TokenError::Purpose("it has events"));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // R33: an ID token is for us as a client and opens no app. Where an audience is our own client id (Entra), only
    // what it holds besides tells it apart: a nonce of ours, a hash, or Keycloak's `typ`.
    let holds = |name: &str| claims.contains_key(name);
    let nonce = holds("nonce") && text("typ") != Some("Bearer");
    if nonce || holds("at_hash") || holds("c_hash") || text("typ") == Some("ID") {
        return Err(TokenError::Purpose("it is an id token"));
    }
    let subject = text("sub").ok_or(TokenError::Missing("sub"))?;
    // RFC 9068 5: of a token that a program got for itself, `sub` is the program.
    let client = ["client_id", "azp", "appid", "cid"].map(text);
    if text("idtyp") == Some("app") || client.contains(&Some(subject)) {
        return Err(TokenError::Program);
    }
    Ok(VerifiedAccessToken { claims, expires })
}

/// The only way to a [`VerifiedLogoutToken`] (Back-Channel Logout 1.0, 2.6). That it comes once is the caller's check.
pub(super) fn logout_token(
    token: &str,
    known: &Known,
    client_id: &str,
    now: Timestamp,
) -> Result<VerifiedLogoutToken, TokenError> {
    let claims = signed(token, &known.keys.jws, &["logout+jwt", "jwt"])?;
    check_party(&claims, known, &[client_id.to_owned()])?;
    // R38: issued just now; an old one could be replayed.
    let issued = number(&claims, "iat").ok_or(TokenError::Missing("iat"))?;
    if issued > now.plus(SKEW) {
        return Err(TokenError::Early);
    }
    if now.since(issued) > LOGOUT_AGE {
        return Err(TokenError::Old);
    }
    match (claims.contains_key("exp"), number(&claims, "exp")) {
        (true, None) => return Err(TokenError::Missing("exp")),
        (_, Some(end)) if now >= end.plus(SKEW) => return Err(TokenError::Expired),
        _ => {}
    }
    let events = claims.get("events").and_then(|events| events.get(LOGOUT));
    if !events.is_some_and(Value::is_object) {
        return Err(TokenError::Purpose("the logout event is missing"));
    }
    // R38: a nonce marks an ID token, which must not end sessions.
    if claims.contains_key("nonce") {
        return Err(TokenError::Purpose("it has a nonce"));
    }
    let text = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (subject, session) = (text("sub"), text("sid"));
    if subject.is_none() && session.is_none() {
        return Err(TokenError::Missing("sub or sid"));
    }
    Ok(VerifiedLogoutToken {
        subject,
        session,
        // R38: remembered by its name, so it has one.
        id: text("jti").ok_or(TokenError::Missing("jti"))?,
    })
}

/// How long the name of a logout token must be remembered after it came.
pub(super) const REMEMBER: std::time::Duration = LOGOUT_AGE.saturating_add(SKEW.saturating_mul(2));

fn check_party(
    claims: &Map<String, Value>,
    known: &Known,
    audiences: &[String],
) -> Result<(), TokenError> {
    if claims.get("iss").and_then(Value::as_str) != Some(&known.metadata.issuer) {
        return Err(TokenError::Issuer);
    }
    let ours = |audience: &Value| {
        let audience = audience.as_str();
        audiences.iter().any(|our| Some(our.as_str()) == audience)
    };
    let fits = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if fits {
        Ok(())
    } else {
        Err(TokenError::Audience)
    }
}

#[cfg(test)]
#[path = "jws_tests.rs"]
mod tests;
