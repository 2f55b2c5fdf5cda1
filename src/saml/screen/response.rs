//! Which elements a response and an assertion may consist of (Core 3.3.3, 2.3.3): what is not named is refused, so
//! nothing can hide beside what is read.

use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{ASSERTION, DSIG, PROTOCOL, elements};

/// Names with their vocabulary.
type Allowed = &'static [(&'static str, &'static str)];

const RESPONSE: Allowed = &[
    (ASSERTION, "Issuer"),
    (DSIG, "Signature"),
    (PROTOCOL, "Extensions"),
    (PROTOCOL, "Status"),
    (ASSERTION, "Assertion"),
    (ASSERTION, "EncryptedAssertion"),
];
const ASSERTED: Allowed = &[
    (ASSERTION, "Issuer"),
    (DSIG, "Signature"),
    (ASSERTION, "Subject"),
    (ASSERTION, "Conditions"),
    (ASSERTION, "Advice"),
    (ASSERTION, "Statement"),
    (ASSERTION, "AuthnStatement"),
    (ASSERTION, "AuthzDecisionStatement"),
    (ASSERTION, "AttributeStatement"),
];
const SUBJECT: Allowed = &[
    (ASSERTION, "NameID"),
    (ASSERTION, "EncryptedID"),
    (ASSERTION, "SubjectConfirmation"),
];
/// What must not stand anywhere else, in whatever vocabulary.
const ROOTS: [&str; 3] = ["Response", "Assertion", "EncryptedAssertion"];

/// A response: known children, at most one assertion, none deeper (R43).
pub(super) fn check(root: Node<'_, '_>) -> Result<(), Refusal> {
    only(root, RESPONSE)?;
    let held: Vec<_> = elements(root)
        .filter(|child| ROOTS.contains(&child.tag_name().name()))
        .collect();
    if held.len() > 1 {
        return Err(Refusal::new(
            Check::Structure,
            "one assertion",
            format!("{} assertions", held.len()),
        ));
    }
    for node in root.descendants().filter(|node| *node != root) {
        if ROOTS.contains(&node.tag_name().name()) && !held.contains(&node) {
            return Err(misplaced(node));
        }
    }
    for child in held {
        if child.tag_name().name() == "Assertion" {
            check_assertion(child)?;
        }
    }
    Ok(())
}

/// An assertion: known children, one subject of known children, no other assertion inside.
pub(super) fn check_assertion(assertion: Node<'_, '_>) -> Result<(), Refusal> {
    only(assertion, ASSERTED)?;
    for node in assertion.descendants().filter(|node| *node != assertion) {
        if ROOTS.contains(&node.tag_name().name()) {
            return Err(misplaced(node));
        }
    }
    for subject in elements(assertion).filter(|child| child.tag_name().name() == "Subject") {
        only(subject, SUBJECT)?;
    }
    Ok(())
}

fn misplaced(node: Node<'_, '_>) -> Refusal {
    Refusal::new(
        Check::Structure,
        "no assertion inside other elements",
        format!(
            "{} of {}",
            node.tag_name().name(),
            node.tag_name().namespace().unwrap_or("nothing")
        ),
    )
}

fn only(node: Node<'_, '_>, allowed: Allowed) -> Result<(), Refusal> {
    for child in elements(node) {
        let tag = child.tag_name();
        let namespace = tag.namespace().unwrap_or_default();
        if !allowed.contains(&(namespace, tag.name())) {
            return Err(Refusal::new(
                Check::Structure,
                format!("known elements in {}", node.tag_name().name()),
                format!("{} of {namespace:?}", tag.name()),
            ));
        }
    }
    Ok(())
}
