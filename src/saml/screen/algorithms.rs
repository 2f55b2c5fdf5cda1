//! The algorithms that are let through to C code, and nothing in them that could be work: no stylesheet, no path (Core 5.4.4).

use std::ops::ControlFlow;

use roxmltree::Node;

use super::shape::{empty, only, refuse};
use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{DSIG, EXC_C14N, algorithm, children, elements, is};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const C14N: [&str; 6] = [
    EXC_C14N,
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
];
const SIGNATURES: [(&str, KeyKind); 6] = [
    (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        KeyKind::Rsa,
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        KeyKind::Rsa,
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        KeyKind::Rsa,
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        KeyKind::Ec,
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        KeyKind::Ec,
    ),
    (
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        KeyKind::Ec,
    ),
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
/// What kind of key makes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::saml) enum KeyKind {
    /// PKCS #1 v1.5.
    Rsa,
    /// ECDSA.
    Ec,
}

/// The kind of key that a `SignatureMethod` asks for.
pub(super) fn signed_by(method: Node<'_, '_>) -> Result<KeyKind, Refusal> {
    empty(method)?;
    let name = algorithm(method);
    let known = SIGNATURES.iter().find(|(its, _)| *its == name);
    known.map(|(_, key)| *key).ok_or_else(|| {
        Refusal::new(
            Check::Algorithm,
            "a signature by RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
            name,
        )
    })
}

/// A known `DigestMethod`.
pub(super) fn digest(method: Node<'_, '_>) -> Result<(), Refusal> {
    empty(method)?;
    if DIGESTS.contains(&algorithm(method)) {
        return Ok(());
    }
    Err(Refusal::new(
        Check::Algorithm,
        "a digest by SHA-256, SHA-384 or SHA-512",
        algorithm(method),
    ))
}

/// Enveloped, then at most one canonicalisation (Core 5.4.4).
pub(super) fn transforms(transforms: Node<'_, '_>) -> Result<(), Refusal> {
    only(transforms, &["Transform"])?;
    let order = children(transforms, DSIG, "Transform").try_fold(0_u8, |place, transform| {
        match (place, algorithm(transform)) {
            (0, ENVELOPED) if empty(transform).is_ok() => ControlFlow::Continue(1),
            (1, name) if C14N.contains(&name) && canonicalization(transform).is_ok() => {
                ControlFlow::Continue(2)
            }
            (_, name) => ControlFlow::Break(name),
        }
    });
    match order {
        ControlFlow::Continue(1 | 2) => Ok(()),
        ControlFlow::Continue(_) => Err(transform("none")),
        ControlFlow::Break(name) => Err(transform(name)),
    }
}

fn transform(came: &str) -> Refusal {
    Refusal::new(
        Check::Algorithm,
        "the transforms enveloped-signature, then one canonicalisation",
        came,
    )
}

/// A known canonicalisation, with nothing in it but `InclusiveNamespaces`.
pub(super) fn canonicalization(method: Node<'_, '_>) -> Result<(), Refusal> {
    if !C14N.contains(&algorithm(method)) {
        return Err(Refusal::new(
            Check::Algorithm,
            "a canonicalisation",
            algorithm(method),
        ));
    }
    let known = |child: Node<'_, '_>| {
        is(child, EXC_C14N, "InclusiveNamespaces") && elements(child).next().is_none()
    };
    match elements(method).find(|child| !known(*child)) {
        None => Ok(()),
        Some(other) => Err(refuse("InclusiveNamespaces alone", other.tag_name().name())),
    }
}
