//! Changes that leave a document well-formed, so that they get past the parser: what wrapping attacks are made of.

use std::ops::Range;

use roxmltree::{Document, Node};

/// More changes than any attack needs.
const MAX: usize = 8;
/// Longer than what is let in: copies of copies grow without end, and would be the fuzzer's own work.
const LONG: usize = 512 * 1024;
/// What is put around elements.
const WRAPPERS: [(&str, &str); 8] = [
    ("<x>", "</x>"),
    (
        "<samlp:Extensions xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
        "</samlp:Extensions>",
    ),
    (
        "<a:Advice xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
        "</a:Advice>",
    ),
    (
        "<a:Assertion xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_w\">",
        "</a:Assertion>",
    ),
    (
        "<ds:Object xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">",
        "</ds:Object>",
    ),
    (
        "<r:Response xmlns:r=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_w\">",
        "</r:Response>",
    ),
    (
        "<a:Subject xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
        "</a:Subject>",
    ),
    (
        "<x xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:p=\"urn:x\">",
        "</x>",
    ),
];
/// What is put into texts and attributes.
const TEXTS: [&str; 24] = [
    "",
    "eve@example.com",
    "<!--x-->",
    "<![CDATA[x]]>",
    "&#13;",
    "&#9;",
    "&amp;&lt;",
    " ",
    "2.0",
    "_w",
    "#_w",
    "#",
    "#xpointer(/)",
    "2026-11-22T12:00:00Z",
    "2026-11-22T24:00:00.123456789+14:00",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "-1",
    "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "\u{10ffff}\u{85}\u{2028}",
];

/// The document after the changes that the bytes stand for, as far as it could still be read; and what is left of the bytes.
pub fn moved<'b>(text: &str, donor: &str, mut bytes: &'b [u8]) -> (String, &'b [u8]) {
    let mut text = text.to_owned();
    for _change in 0..MAX {
        let [kind @ 0..=0x7f, a, b, c, rest @ ..] = bytes else {
            break;
        };
        bytes = rest;
        let Some(changed) = change(&text, donor, [*kind, *a, *b, *c]) else {
            break;
        };
        if changed.len() > LONG {
            break;
        }
        text = changed;
    }
    (text, bytes.get(1..).unwrap_or_default())
}

fn change(text: &str, donor: &str, [kind, a, b, c]: [u8; 4]) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let one = element(&document, a)?;
    let other = element(&document, b)?;
    let put = |at: Range<usize>, new: &str| {
        let (before, after) = (text.get(..at.start)?, text.get(at.end..)?);
        Some([before, new, after].concat())
    };
    let word = TEXTS[usize::from(c) % TEXTS.len()];
    let source = text.get(one.range())?;
    match kind % 12 {
        0 => put(one.range(), ""),
        1 => put(other.range().start..other.range().start, source),
        2 => put(inner(text, other)?.start..inner(text, other)?.start, source),
        3 => put(inner(text, other)?.end..inner(text, other)?.end, source),
        4 => {
            let (open, close) = WRAPPERS[usize::from(c) % WRAPPERS.len()];
            put(one.range(), &[open, source, close].concat())
        }
        5 => put(inner(text, one)?, word),
        6 => {
            let inner = inner(text, one)?;
            let at = inner.start + usize::from(b) % inner.len().max(1);
            text.is_char_boundary(at)
                .then(|| put(at..at, word))
                .flatten()
        }
        7 => put(attribute(one, b)?, word),
        8 => put(attribute(one, b)?, text.get(attribute(other, c)?)?),
        9 => {
            let name_ends = one.range().start + 1 + source.get(1..)?.find([' ', '>', '/'])?;
            let more = [
                "ID=\"_w\"",
                "Id=\"_w\"",
                "xml:id=\"_w\"",
                "xmlns:q=\"urn:q\"",
                "Version=\"2.0\"",
                "NotOnOrAfter=\"2026-11-22T12:05:00Z\"",
            ];
            put(
                name_ends..name_ends,
                &format!(" {}", more[usize::from(c) % more.len()]),
            )
        }
        // Out of another document: an element with another signature, or none.
        10 => {
            let from = Document::parse(donor).ok()?;
            let theirs = donor.get(element(&from, a)?.range())?;
            put(other.range().start..other.range().start, theirs)
        }
        _ => {
            let root = document.root_element();
            let (open, close) = WRAPPERS[usize::from(c) % WRAPPERS.len()];
            put(
                root.range(),
                &[open, text.get(root.range())?, close].concat(),
            )
        }
    }
}

fn element<'a, 'i>(document: &'a Document<'i>, number: u8) -> Option<Node<'a, 'i>> {
    let all: Vec<_> = document.descendants().filter(Node::is_element).collect();
    all.get(usize::from(number) % all.len().max(1)).copied()
}

/// What stands between the tags.
fn inner(text: &str, node: Node<'_, '_>) -> Option<Range<usize>> {
    let (first, last) = (node.first_child()?, node.last_child()?);
    let range = first.range().start..last.range().end;
    text.get(range.clone()).map(|_| range)
}

/// The value of an attribute, between its quotes.
fn attribute(node: Node<'_, '_>, number: u8) -> Option<Range<usize>> {
    let all: Vec<_> = node.attributes().collect();
    all.get(usize::from(number) % all.len().max(1))
        .map(roxmltree::Attribute::range_value)
}

/// The text without any signature.
pub fn unsigned(text: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let mut out = text.to_owned();
    let signatures: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "Signature")
        .map(|node| node.range())
        .collect();
    for range in signatures.into_iter().rev() {
        out.replace_range(range, "");
    }
    Some(out)
}

/// The text with a template of a signature in its assertion, or in its root, behind the issuer.
pub fn with_template(text: &str, of_root: bool) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let carrier = if of_root {
        document.root_element()
    } else {
        document
            .descendants()
            .find(|node| node.tag_name().name() == "Assertion")?
    };
    let issuer = carrier
        .children()
        .find(|node| node.tag_name().name() == "Issuer")?;
    let template = TEMPLATE.replace("{id}", carrier.attribute("ID")?);
    let mut out = text.to_owned();
    out.insert_str(issuer.range().end, &template);
    Some(out)
}

const TEMPLATE: &str = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod \
Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><ds:SignatureMethod \
Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform \
Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform \
Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms><ds:DigestMethod \
Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>";
