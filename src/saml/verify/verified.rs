//! The proof that every check held.

use super::witness::Strict;
use super::{Attribute, NameId};
use crate::clock::Timestamp;

/// What an assertion says, read from signed text.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) issuer: String,
    pub(super) id: String,
    pub(super) name_id: NameId,
    pub(super) request_id: Option<String>,
    pub(super) session_index: Option<String>,
    pub(super) session_ends: Option<Timestamp>,
    pub(super) authenticated_at: Option<Timestamp>,
    pub(super) attributes: Vec<Attribute>,
}

/// An assertion whose checks all held. Not `Clone`: one sign-in each. Only [`verify`](super::verify) makes it.
#[derive(Debug)]
pub struct VerifiedAssertion(Contents);

impl VerifiedAssertion {
    /// Of a witness that would have ended it.
    pub(super) const fn seen_by(_all_of_it: Strict, contents: Contents) -> Self {
        Self(contents)
    }

    /// The idp's entity ID.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// `ID` of the assertion.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Whom it is about.
    pub const fn name_id(&self) -> &NameId {
        &self.0.name_id
    }

    /// The request that it answers; none when the idp began. To be taken out of the requests that are open.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The idp's session, for logout from there.
    pub fn session_index(&self) -> Option<&str> {
        self.0.session_index.as_deref()
    }

    /// Our session must end then.
    pub const fn session_ends(&self) -> Option<Timestamp> {
        self.0.session_ends
    }

    /// When the person proved who they are at the idp; in the past.
    pub const fn authenticated_at(&self) -> Option<Timestamp> {
        self.0.authenticated_at
    }

    /// What else it says, in the order that it came in, each name once.
    pub fn attributes(&self) -> &[Attribute] {
        &self.0.attributes
    }

    /// The values of one attribute, by its whole name.
    pub fn values(&self, name: &str) -> Option<&[String]> {
        let found = self.attributes().iter().find(|its| its.name == name);
        found.map(|its| its.values.as_slice())
    }
}

#[cfg(test)]
impl VerifiedAssertion {
    /// One that nobody verified, for tests of what comes after.
    pub(in crate::saml) fn sample(name_id: NameId, attributes: &[(&str, &[&str])]) -> Self {
        Self(Contents {
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
        })
    }

    /// Of another issuer.
    pub(in crate::saml) fn issued_by(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.0.issuer);
        self
    }
}
