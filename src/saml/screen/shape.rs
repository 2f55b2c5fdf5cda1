//! Shapes of elements inside a signature.

use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{DSIG, elements, trim};

pub(super) fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Reference, expected, came)
}

/// No child elements.
pub(super) fn empty(node: Node<'_, '_>) -> Result<(), Refusal> {
    match elements(node).next() {
        None => Ok(()),
        Some(child) => Err(refuse(
            &format!("nothing in {}", node.tag_name().name()),
            child.tag_name().name(),
        )),
    }
}

/// Only these children, no comment, and no text between them.
pub(super) fn only(node: Node<'_, '_>, names: &[&str]) -> Result<(), Refusal> {
    for child in node.children() {
        let name = child.tag_name().name();
        let fits = if child.is_element() {
            child.tag_name().namespace() == Some(DSIG) && names.contains(&name)
        } else {
            child.is_text() && trim(child.text().unwrap_or_default()).is_empty()
        };
        if !fits {
            return Err(refuse(
                &format!("{} in {}", names.join(", "), node.tag_name().name()),
                if name.is_empty() {
                    "text or a comment"
                } else {
                    name
                },
            ));
        }
    }
    Ok(())
}
