//! How much longer than itself a document becomes in canonical form. Exclusive canonicalisation declares a namespace anew
//! wherever its prefix comes back (Exclusive XML Canonicalization 1.0, 3), so a name of 90 KiB that ten thousand elements
//! use is a gigabyte to digest, before anybody knows whether the signature is worth it.

use roxmltree::{Document, Node};

use super::scan::Limits;
use crate::saml::refusal::{Check, Refusal};

/// What a declaration needs beside prefix and name: ` xmlns:=""`.
const AROUND: usize = 10;

/// Refuses a document whose declarations in canonical form exceed what a document may have in bytes.
pub(super) fn check(document: &Document<'_>, limits: &Limits) -> Result<(), Refusal> {
    let mut written = Written {
        text: document.input_text(),
        declared: Vec::new(),
        left: limits.bytes,
    };
    if written.element(document.root_element()) {
        return Ok(());
    }
    Err(Refusal::new(
        Check::Limits,
        format!(
            "at most {} bytes of namespaces in canonical form",
            limits.bytes
        ),
        "more",
    ))
}

/// What canonical form has declared around the element at hand.
struct Written<'a> {
    text: &'a str,
    declared: Vec<(&'a str, &'a str)>,
    left: usize,
}

impl<'a> Written<'a> {
    /// Whether the element and what is in it fit. As deep as the document, which is bounded.
    fn element<'i: 'a>(&mut self, node: Node<'a, 'i>) -> bool {
        let around = self.declared.len();
        let name = node.range().start.saturating_add(1);
        let own = self.prefix(name, node.tag_name().namespace());
        let fits = self.declare(own)
            && node.attributes().all(|its| {
                // An attribute without prefix has no namespace.
                its.namespace().is_none()
                    || self.declare(self.prefix(its.range().start, its.namespace()))
            })
            && node
                .children()
                .filter(Node::is_element)
                .all(|child| self.element(child));
        self.declared.truncate(around);
        fits
    }

    fn prefix(&self, at: usize, namespace: Option<&'a str>) -> (&'a str, &'a str) {
        let name = self.text.get(at..).unwrap_or_default();
        let end =
            name.find(|c: char| matches!(c, ':' | '=' | '/' | '>') || c.is_ascii_whitespace());
        let prefix = end
            .filter(|end| name.get(*end..).is_some_and(|rest| rest.starts_with(':')))
            .and_then(|end| name.get(..end));
        (prefix.unwrap_or_default(), namespace.unwrap_or_default())
    }

    /// Counts a declaration unless one around it holds.
    fn declare(&mut self, (prefix, name): (&'a str, &'a str)) -> bool {
        let known = self.declared.iter().rev().find(|its| its.0 == prefix);
        if prefix == "xml" || known.map_or(name.is_empty(), |its| its.1 == name) {
            return true;
        }
        self.declared.push((prefix, name));
        let length = prefix.len().saturating_add(name.len());
        let left = self.left.checked_sub(length.saturating_add(AROUND));
        self.left = left.unwrap_or_default();
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `check` counts, found by the least limit that it lets through.
    fn counted(text: &str) -> usize {
        let document = Document::parse(text).unwrap();
        (0..1000)
            .find(|bytes| {
                let limits = Limits {
                    bytes: *bytes,
                    ..crate::saml::screen::MESSAGE
                };
                check(&document, &limits).is_ok()
            })
            .unwrap()
    }

    #[test]
    fn r46_declarations_are_counted_where_canonical_form_has_them() {
        for (text, want) in [
            ("<a><b c='d'/></a>", 0),
            ("<a xmlns='uuuu'><b/><b c='d'/></a>", 14),
            // Declared but not used: canonical form leaves it out.
            ("<a xmlns:p='uuuu'><b/></a>", 0),
            // Each time it comes back.
            ("<a xmlns:p='uuuu'><p:b/><p:b/><p:b/></a>", 45),
            ("<p:a xmlns:p='uuuu'><p:b/><p:b/><p:b/></p:a>", 15),
            (
                "<a xmlns:p='uuuu'><b p:c='' p:d=''/><p:b p:c=''><p:c/></p:b></a>",
                30,
            ),
            // Two prefixes of one name are two.
            ("<p:a xmlns:p='uuuu' xmlns:q='uuuu'><q:b/><q:b/></p:a>", 45),
            // A prefix that means something else inside.
            (
                "<p:a xmlns:p='uuuu'><p:b xmlns:p='vvvv'><p:c/></p:b></p:a>",
                30,
            ),
            ("<a xmlns='uuuu'><b xmlns=''><c/></b></a>", 24),
            ("<a xml:lang='de'><b xml:lang='de'/></a>", 0),
        ] {
            assert_eq!(counted(text), want, "{text}");
        }
    }
}
