//! What a signed assertion must say (RFC 7523 3), and what it said when it was refused.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use super::keys::FetchError;
use crate::clock::Timestamp;
use crate::crypto::{JwsError, KeySet, number, signed};

/// How far clocks may differ.
const SKEW: Duration = Duration::from_secs(90);
/// Longest claim that the log shows, characters.
const SHOWN: usize = 200;

/// Why an assertion counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// It is none, or nobody we know signed it.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The issuer's keys cannot be had.
    #[error("keys of the issuer cannot be had")]
    Keys(#[from] FetchError),
    /// None of this tenant, under this name.
    #[error("no [[scim.federation]] of this tenant has this issuer")]
    NoFederation,
    /// None of this tenant.
    #[error("no scim.entra_tenants entry of this tenant has this issuer")]
    NoEntraTenant,
    /// A claim that is needed.
    #[error("{0} is missing or of the wrong type")]
    Missing(&'static str),
    /// Of somebody else.
    #[error("issuer is another one")]
    Issuer,
    /// Made for somebody else.
    #[error("aud is not among the audiences")]
    Audience,
    /// Of somebody else at the issuer.
    #[error("sub is not among the subjects")]
    Subject,
    /// Of another Entra tenant.
    #[error("tid is not among the tenant_ids")]
    Tenant,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    Early,
    /// A person got it, not a program for itself.
    #[error("it speaks for a person")]
    Person,
}

/// A refusal with what the assertion claimed: the admin compares it with the settings.
#[derive(Debug, thiserror::Error)]
#[error("assertion is refused, which claims {claimed}")]
pub struct AssertionRefused {
    claimed: Claimed,
    #[source]
    pub(super) why: AssertionError,
}

impl AssertionRefused {
    pub(super) fn new(why: AssertionError, claims: Option<&Map<String, Value>>) -> Self {
        Self {
            claimed: Claimed(claims.cloned()),
            why,
        }
    }

    /// The issuer's keys could not be had: it is not the client's fault.
    pub const fn is_ours(&self) -> bool {
        matches!(self.why, AssertionError::Keys(_))
    }
}

/// What it must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audiences: &'a [String],
    /// None is anybody's.
    pub(super) subjects: Option<&'a [String]>,
    /// Empty asks for none.
    pub(super) tenant_ids: &'a [String],
    pub(super) now: Timestamp,
}

/// Checks signature and claims. `jti` may come again: senders keep an assertion and retry with it (scim-facts 2.3).
pub(super) fn check(
    assertion: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<(), AssertionError> {
    // R35: an unknown type is refused. Entra says JWT; draft-ietf-oauth-rfc7523bis has its own.
    let claims = signed(assertion, keys, &["jwt", "client-authentication+jwt"])?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // RFC 7523 3, 1 to 4.
    if text("iss") != Some(expected.issuer) {
        return Err(AssertionError::Issuer);
    }
    let ours = |one: &Value| {
        let one = one.as_str();
        expected
            .audiences
            .iter()
            .any(|our| Some(our.as_str()) == one)
    };
    let fits = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if !fits {
        return Err(AssertionError::Audience);
    }
    let subject = text("sub").ok_or(AssertionError::Missing("sub"))?;
    let among = |all: &[String], one: &str| all.iter().any(|its| its == one);
    if expected.subjects.is_some_and(|all| !among(all, subject)) {
        return Err(AssertionError::Subject);
    }
    let tid = text("tid").unwrap_or_default();
    if !expected.tenant_ids.is_empty() && !among(expected.tenant_ids, tid) {
        return Err(AssertionError::Tenant);
    }
    times(&claims, expected.now)?;
    // Entra: a token that a person got for an app holds what they consented to, and a person is nobody's client.
    if expected.subjects.is_none() && claims.contains_key("scp") {
        return Err(AssertionError::Person);
    }
    Ok(())
}

fn times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), AssertionError> {
    // RFC 7523 3, 5: it ends.
    let expires = number(claims, "exp").ok_or(AssertionError::Missing("exp"))?;
    if now >= expires.plus(SKEW) {
        return Err(AssertionError::Expired);
    }
    for name in ["nbf", "iat"] {
        match (claims.contains_key(name), number(claims, name)) {
            (true, None) => return Err(AssertionError::Missing("nbf or iat")),
            (_, Some(from)) if from > now.plus(SKEW) => return Err(AssertionError::Early),
            _ => {}
        }
    }
    Ok(())
}

/// The claims that settings name, cut and escaped; nothing else of an assertion is written (R41).
#[derive(Debug)]
struct Claimed(Option<Map<String, Value>>);

impl fmt::Display for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(claims) = &self.0 else {
            return f.write_str("nothing that can be read");
        };
        for (number, name) in ["iss", "aud", "sub", "tid"].into_iter().enumerate() {
            let gap = if number > 0 { ", " } else { "" };
            let value = claims.get(name).map(ToString::to_string);
            let value: String = value
                .as_deref()
                .unwrap_or("-")
                .chars()
                .take(SHOWN)
                .collect();
            write!(f, "{gap}{name}={value}")?;
        }
        Ok(())
    }
}
