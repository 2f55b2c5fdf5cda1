//! What a message says of itself.

use super::{Fact, Section, said, signatures, when};
use crate::clock::Timestamp;
use crate::identity::IdpKind;
use crate::login::explain;
use crate::saml::screen::Screened;
use crate::saml::verify::status;
use crate::saml::xml::{ASSERTION, PROTOCOL, attribute, is, optional, text};

/// The outermost element. None of it is verified.
pub(super) fn section(screened: &Screened<'_>, now: Timestamp) -> Section {
    let root = screened.root();
    let mut facts = vec![Fact::new("kind", root.tag_name().name())];
    if is(root, ASSERTION, "Assertion") {
        return Section {
            title: "It is an assertion without the response that carries it".to_owned(),
            facts,
        };
    }
    facts.extend(said(root, &[("version", "Version"), ("id", "ID")]));
    if let Ok(Some(issuer)) = optional(root, ASSERTION, "Issuer") {
        facts.push(Fact::new("issuer", text(issuer).unwrap_or_default()));
    }
    facts.extend(said(
        root,
        &[
            ("destination", "Destination"),
            ("in response to", "InResponseTo"),
        ],
    ));
    if let Some(issued) = attribute(root, "IssueInstant") {
        facts.push(Fact::new("issued", when(issued, now)));
    }
    facts.extend(outcome(screened));
    facts.extend(signatures::facts(root, now));
    Section {
        title: "It says of itself, and nobody has vouched for it".to_owned(),
        facts,
    }
}

/// What became of the request, where the message is an answer.
fn outcome(screened: &Screened<'_>) -> Vec<Fact> {
    let root = screened.root();
    if !matches!(optional(root, PROTOCOL, "Status"), Ok(Some(_))) {
        return Vec::new();
    }
    let Err(no) = status::check(root) else {
        return vec![Fact::new("status", "Success")];
    };
    let mut facts = vec![Fact::new("status", no.came())];
    if let Some(error) = explain(no.came(), IdpKind::Saml) {
        facts.push(Fact::new(error.code(), error.hint));
    }
    facts
}
