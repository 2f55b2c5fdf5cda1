//! The one place that makes a [`VerifiedAssertion`]: screen, signature, decryption, and every condition of the Web
//! Browser SSO Profile (Profiles 4.1.4), read from nothing but the bytes that a pinned key signed.

pub(super) mod attributes;
mod conditions;
mod decoy;
mod message;
mod proof;
mod statements;
pub(super) mod status;
mod subject;
mod verified;
mod witness;

use super::certificate::Certificate;
use super::decode::posted;
use super::once::OneTime;
use super::private_key::PrivateKey;
use super::refusal::{Check, Refusal};
use super::screen::Screened;
use super::time::SKEW;
use super::xml::{ASSERTION, attribute, required, text};
use crate::clock::Timestamp;
use crate::crypto::sha256;
pub use attributes::Attribute;
pub(super) use message::MAX_AGE;
pub use subject::NameId;
use verified::Contents;
pub use verified::VerifiedAssertion;
pub(super) use witness::{Outcome, Part};
use witness::{Rehearsal, Strict, Witness};

/// Whom we believe, and how they reach us in secret.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The idp's entity ID, byte for byte.
    pub entity_id: &'a str,
    /// From its metadata. Those that are expired at the time of the check do not count; without any, nothing is accepted.
    pub certificates: &'a [Certificate],
    /// Ours, the newest first; two while they roll; none where nothing is encrypted.
    pub decryption_keys: &'a [PrivateKey],
}

/// What an assertion must fit.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Our entity ID: the audience.
    pub entity_id: &'a str,
    /// Our assertion consumer service, from the settings, never from the request's `Host`.
    pub acs: &'a str,
    /// IDs of requests that this browser sent and that are not answered yet (R42).
    pub requests: &'a [&'a str],
    /// The idp may begin a sign-in by itself: nobody asked, so nobody's browser is bound to it.
    pub idp_initiated: bool,
    /// Refuse a response that is not signed as a whole, whatever the assertion in it.
    pub signed_response: bool,
    /// The person signed in at the idp in one of these ways, as class references; empty takes every way.
    pub authn_context: &'a [String],
    /// Remembers which assertions came.
    pub used: &'a dyn OneTime,
    /// The time.
    pub now: Timestamp,
}

/// Whether the form field `SAMLResponse` signs somebody in. Work of about a millisecond: keep it off the async threads.
///
/// Does not check that the request was this browser's: the caller fills `expected.requests` with nothing else.
///
/// # Errors
///
/// The first check that does not hold. How long it took may tell of our decryption: answers go at fixed times.
pub fn verify(
    field: &str,
    trust: &Trust<'_>,
    expected: &Expected<'_>,
) -> Result<VerifiedAssertion, Refusal> {
    let mut witness = Strict;
    let contents = walk(field, trust, expected, &mut witness)?;
    Ok(VerifiedAssertion::seen_by(witness, contents))
}

/// What every check of [`verify`] would say, for an operator who asks why; the last is the one after which nothing could
/// be read any more. Signs nobody in.
pub(super) fn rehearse(field: &str, trust: &Trust<'_>, expected: &Expected<'_>) -> Vec<Outcome> {
    let mut witness = Rehearsal::default();
    let ended = walk(field, trust, expected, &mut witness).err();
    let mut outcomes = witness.0;
    outcomes.extend(ended.map(|refusal| Outcome {
        part: None,
        check: refusal.check(),
        refusal: Some(refusal),
    }));
    outcomes
}

fn walk(
    field: &str,
    trust: &Trust<'_>,
    expected: &Expected<'_>,
    witness: &mut dyn Witness,
) -> Result<Contents, Refusal> {
    let posted = posted(field)?;
    let raw = Screened::message(&posted, "Response")?;
    witness.saw(Part::Form, Check::Structure, Ok(()))?;
    let signed = if raw.root_is_signed() || !expected.signed_response {
        Ok(())
    } else {
        Err(refuse(
            Check::Signed,
            "a signed response",
            "an unsigned one",
        ))
    };
    witness.saw(Part::Response, Check::Signed, signed)?;
    let proof = proof::prove(&raw, trust, expected.now, witness)?;
    proof.message.check(trust, expected, witness)?;
    let read = proof.read()?;
    let assertion = proof::assertion(&read)?;

    // Core 2.3.3.
    let version = message::version(attribute(assertion, "Version"));
    witness.saw(Part::Assertion, Check::Version, version)?;
    let issuer = text(required(assertion, ASSERTION, "Issuer")?)?;
    let known = message::issuer(&issuer, trust);
    witness.saw(Part::Assertion, Check::Issuer, known)?;
    let id = attribute(assertion, "ID").unwrap_or_default().to_owned();
    let forgotten = message::issued_lately(assertion, expected.now, witness)?;
    conditions::check(assertion, expected, witness)?;
    let (name_id, request_id) = subject::read(assertion, &proof.message, trust, expected, witness)?;
    let signed_in = statements::read(assertion, expected, witness)?;
    let attributes = attributes::read(assertion)?;
    witness.saw(Part::Assertion, Check::Attributes, Ok(()))?;

    // R42, last: only what is good in everything else is remembered.
    let key = sha256(format!("{issuer}\n{id}").as_bytes());
    let until = forgotten.plus(SKEW).plus(SKEW);
    let first = if expected.used.first_use(key, until, expected.now) {
        Ok(())
    } else {
        Err(refuse(Check::Replay, "an assertion that is new", &id))
    };
    witness.saw(Part::Assertion, Check::Replay, first)?;
    Ok(Contents {
        issuer,
        id,
        name_id,
        request_id,
        session_index: signed_in.session_index,
        session_ends: signed_in.session_ends,
        authenticated_at: signed_in.authenticated_at,
        attributes,
    })
}

fn refuse(check: Check, expected: &str, came: &str) -> Refusal {
    Refusal::new(check, expected, came)
}
