//! Names of the vocabularies, and how elements are read: by namespace and name, never by position or prefix.

use roxmltree::Node;

use super::refusal::{Check, Refusal};

pub(super) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(super) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(super) const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
pub(super) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Whether it is this element.
pub(super) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element()
        && node.tag_name().namespace() == Some(namespace)
        && node.tag_name().name() == name
}

/// Child elements of any name.
pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// Child elements of one name.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &str,
    name: &str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| is(*child, namespace, name))
}

/// The child of this name, if there is one; two are a mistake.
pub(super) fn optional<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &str,
    name: &str,
) -> Result<Option<Node<'a, 'i>>, Refusal> {
    let mut found = children(node, namespace, name);
    let first = found.next();
    if found.next().is_some() {
        return Err(Refusal::new(
            Check::Structure,
            format!("one {name} in {}", node.tag_name().name()),
            "several",
        ));
    }
    Ok(first)
}

/// The one child of this name.
pub(super) fn required<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &str,
    name: &str,
) -> Result<Node<'a, 'i>, Refusal> {
    optional(node, namespace, name)?.ok_or_else(|| {
        Refusal::new(
            Check::Structure,
            format!("{name} in {}", node.tag_name().name()),
            "none",
        )
    })
}

/// The text of an element that holds nothing but text, without white space around it.
pub(super) fn text(node: Node<'_, '_>) -> Result<String, Refusal> {
    let mut text = String::new();
    for child in node.children() {
        if !child.is_text() {
            return Err(Refusal::new(
                Check::Structure,
                format!("only text in {}", node.tag_name().name()),
                child.tag_name().name(),
            ));
        }
        text.push_str(child.text().unwrap_or_default());
    }
    Ok(trim(&text).to_owned())
}

/// Without XML's white space at both ends (XML 1.0, 2.3).
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// XML's white space.
pub(super) const fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// An attribute of no namespace.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes()
        .find(|its| its.namespace().is_none() && its.name() == name)
        .map(|its| its.value())
}

/// The algorithm that an element names.
pub(super) fn algorithm<'a>(node: Node<'a, '_>) -> &'a str {
    attribute(node, "Algorithm").unwrap_or_default()
}

/// A text for a place between quotes, as canonical form writes it (Canonical XML 1.0, 2.3).
pub(super) fn in_attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    out
}

/// A text for a place between tags, as canonical form writes it.
pub(super) fn in_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    out
}
