//! The one shape of signature that is let through to C code (Core 5.4): enveloped, right behind the issuer, with one
//! reference to the element that carries it. So nothing is fetched, no stylesheet runs, and nobody has to ask what is signed.

use roxmltree::{Document, Node};

use super::algorithms::{KeyKind, canonicalization, digest, signed_by, transforms};
use super::shape::{only, refuse};
use crate::saml::decode::base64;
use crate::saml::refusal::Refusal;
use crate::saml::xml::{ASSERTION, DSIG, PROTOCOL, attribute, is, optional, required, text};

/// What of the signature vocabulary may stand below other vocabularies.
const OUTER: [&str; 3] = ["Signature", "KeyInfo", "DigestMethod"];

/// A signature of the allowed shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::saml) struct SignatureShape {
    /// It stands in the document's root, and covers it.
    pub(in crate::saml) of_root: bool,
    /// By the algorithm that it names.
    pub(in crate::saml) key: KeyKind,
    /// Bytes of the value.
    pub(in crate::saml) value_bytes: usize,
}

/// All signatures of the document, each of the allowed shape and in its place.
pub(super) fn check(document: &Document<'_>) -> Result<Vec<SignatureShape>, Refusal> {
    let root = document.root_element();
    let mut found = Vec::new();
    for node in root.descendants() {
        if node.tag_name().namespace() != Some(DSIG) {
            continue;
        }
        let parent = node.parent_element();
        let inside = parent.is_some_and(|its| its.tag_name().namespace() == Some(DSIG));
        if !inside && !OUTER.contains(&node.tag_name().name()) {
            return Err(refuse(
                "pieces of a signature inside one",
                node.tag_name().name(),
            ));
        }
        if node.tag_name().name() == "Signature" {
            let parent =
                parent.ok_or_else(|| refuse("a signature inside what it covers", "alone"))?;
            found.push(signature(node, parent, root)?);
        }
    }
    Ok(found)
}

fn signature(
    signature: Node<'_, '_>,
    parent: Node<'_, '_>,
    root: Node<'_, '_>,
) -> Result<SignatureShape, Refusal> {
    let of_root = parent == root;
    let of_assertion = is(parent, ASSERTION, "Assertion")
        && parent.parent_element() == Some(root)
        && is(root, PROTOCOL, "Response");
    if !of_root && !of_assertion {
        return Err(refuse(
            "signatures of the message and of its assertion",
            parent.tag_name().name(),
        ));
    }
    // Two in one element, or one behind anything but the issuer, is nobody's way to write.
    optional(parent, DSIG, "Signature")?;
    if signature
        .prev_siblings()
        .skip(1)
        .any(|before| before.is_element() && !is(before, ASSERTION, "Issuer"))
    {
        return Err(refuse("the signature right behind the issuer", "elsewhere"));
    }
    only(signature, &["SignedInfo", "SignatureValue", "KeyInfo"])?;
    let info = required(signature, DSIG, "SignedInfo")?;
    only(
        info,
        &["CanonicalizationMethod", "SignatureMethod", "Reference"],
    )?;
    canonicalization(required(info, DSIG, "CanonicalizationMethod")?)?;
    let key = signed_by(required(info, DSIG, "SignatureMethod")?)?;
    reference(required(info, DSIG, "Reference")?, parent)?;
    if let Some(key_info) = optional(signature, DSIG, "KeyInfo")? {
        // R49: never used; an address in it must not be either.
        only(key_info, &["KeyName", "KeyValue", "X509Data"])?;
    }
    let value = text(required(signature, DSIG, "SignatureValue")?)?;
    let value = base64(&value).ok_or_else(|| refuse("a SignatureValue in base64", &value))?;
    Ok(SignatureShape {
        of_root,
        key,
        value_bytes: value.len(),
    })
}

/// One same-document reference, to the element that carries the signature (R43).
fn reference(reference: Node<'_, '_>, parent: Node<'_, '_>) -> Result<(), Refusal> {
    only(reference, &["Transforms", "DigestMethod", "DigestValue"])?;
    let id = attribute(parent, "ID").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| refuse("an ID on what is signed", "none"))?;
    let uri = attribute(reference, "URI").unwrap_or_default();
    if uri.strip_prefix('#') != Some(id) {
        return Err(refuse(&format!("a reference to #{id}"), uri));
    }
    digest(required(reference, DSIG, "DigestMethod")?)?;
    text(required(reference, DSIG, "DigestValue")?)?;
    transforms(required(reference, DSIG, "Transforms")?)
}
