//! The one place that makes a [`VerifiedAssertion`]: screen, signature, decryption, and every condition of the Web
//! Browser SSO Profile (Profiles 4.1.4), read from nothing but the bytes that a pinned key signed.

mod attributes;
mod conditions;
mod decoy;
mod message;
mod proof;
mod statements;
pub(super) mod status;
mod subject;

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
pub use subject::NameId;

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

/// An assertion whose checks all held. Not `Clone`: one sign-in each. Only [`verify`] makes it.
#[derive(Debug)]
pub struct VerifiedAssertion {
    issuer: String,
    id: String,
    name_id: NameId,
    request_id: Option<String>,
    session_index: Option<String>,
    session_ends: Option<Timestamp>,
    authenticated_at: Option<Timestamp>,
    attributes: Vec<Attribute>,
}

impl VerifiedAssertion {
    /// The idp's entity ID.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `ID` of the assertion.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whom it is about.
    pub const fn name_id(&self) -> &NameId {
        &self.name_id
    }

    /// The request that it answers; none when the idp began. To be taken out of the requests that are open.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The idp's session, for logout from there.
    pub fn session_index(&self) -> Option<&str> {
        self.session_index.as_deref()
    }

    /// Our session must end then.
    pub const fn session_ends(&self) -> Option<Timestamp> {
        self.session_ends
    }

    /// When the person proved who they are at the idp; in the past.
    pub const fn authenticated_at(&self) -> Option<Timestamp> {
        self.authenticated_at
    }

    /// What else it says, in the order that it came in, each name once.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The values of one attribute, by its whole name.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        let found = self.attributes.iter().find(|its| its.name == name);
        found.map(|its| its.values.as_slice())
    }
}

#[cfg(test)]
impl VerifiedAssertion {
    /// One that nobody verified, for tests of what comes after.
    pub(in crate::saml) fn sample(name_id: NameId, attributes: &[(&str, &[&str])]) -> Self {
        Self {
            issuer: "https://idp.test/".to_owned(),
            id: "_1".to_owned(),
            name_id,
            request_id: None,
            session_index: Some("_s".to_owned()),
            session_ends: Some(Timestamp::from_secs(2000)),
            authenticated_at: Some(Timestamp::from_secs(900)),
            attributes: attributes
                .iter()
                .map(|(name, values)| Attribute {
                    name: (*name).to_owned(),
                    values: values.iter().map(|&value| value.to_owned()).collect(),
                })
                .collect(),
        }
    }

    /// Of another issuer.
    pub(in crate::saml) fn issued_by(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }
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
    let posted = posted(field)?;
    let raw = Screened::message(&posted, "Response")?;
    if expected.signed_response && !raw.root_is_signed() {
        return Err(Refusal::new(
            Check::Signed,
            "a signed response",
            "an unsigned one",
        ));
    }
    let proof = proof::prove(&raw, trust, expected.now)?;
    proof.message.check(trust, expected)?;
    let read = proof.read()?;
    let assertion = proof::assertion(&read)?;

    // Core 2.3.3.
    if attribute(assertion, "Version") != Some("2.0") {
        return Err(Refusal::new(
            Check::Version,
            "2.0",
            attribute(assertion, "Version").unwrap_or_default(),
        ));
    }
    let issuer = text(required(assertion, ASSERTION, "Issuer")?)?;
    if issuer != trust.entity_id {
        return Err(Refusal::new(Check::Issuer, trust.entity_id, issuer));
    }
    let id = attribute(assertion, "ID").unwrap_or_default().to_owned();
    let forgotten = message::issued_lately(assertion, expected.now)?;
    conditions::check(assertion, expected)?;
    let (name_id, request_id) = subject::read(assertion, &proof.message, trust, expected)?;
    let signed_in = statements::read(assertion, expected)?;
    let attributes = attributes::read(assertion)?;

    // R42, last: only what is good in everything else is remembered.
    let key = sha256(format!("{issuer}\n{id}").as_bytes());
    let until = forgotten.plus(SKEW).plus(SKEW);
    if !expected.used.first_use(key, until, expected.now) {
        return Err(Refusal::new(Check::Replay, "an assertion that is new", id));
    }
    Ok(VerifiedAssertion {
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
