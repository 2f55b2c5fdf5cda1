//! Comments: harmless between elements, deadly inside a value (R44).

use roxmltree::{Document, Node};

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::trim;

/// Lets a comment stand only where white space could: canonicalisation drops it, and a reader that stops at it would
/// read `admin@example.com` out of `admin@example.com<!---->.evil.test`.
pub(super) fn check(document: &Document<'_>) -> Result<(), Refusal> {
    for node in document.descendants() {
        if node.is_pi() {
            return Err(Refusal::new(
                Check::Xml,
                "no processing instructions",
                "one",
            ));
        }
        // Each parent once: to look around every comment would take as long as their number squared.
        let holds_one = !node.is_root() && node.children().any(|child| child.is_comment());
        if holds_one && !is_between_elements(node) {
            return Err(Refusal::new(
                Check::Comment,
                "comments only between elements",
                format!("one in {}", node.tag_name().name()),
            ));
        }
    }
    Ok(())
}

fn is_between_elements(parent: Node<'_, '_>) -> bool {
    parent.children().any(|child| child.is_element())
        && parent
            .children()
            .filter(Node::is_text)
            .all(|text| trim(text.text().unwrap_or_default()).is_empty())
}
