//! From what a browser posted to the text of a document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refusal::{Check, Refusal};

/// Longest message in base64, bytes (R46). An assertion with Entra's most groups has 21 KiB.
pub(super) const MAX_ENCODED: usize = 256 * 1024;

/// The text of the document in a form field (Bindings 3.5.4): base64, UTF-8, without byte order mark and declaration.
pub(super) fn posted(field: &str) -> Result<String, Refusal> {
    if field.len() > MAX_ENCODED {
        return Err(Refusal::new(
            Check::Limits,
            format!("at most {MAX_ENCODED} bytes"),
            format!("{} bytes", field.len()),
        ));
    }
    let bytes =
        base64(field).ok_or_else(|| Refusal::new(Check::Encoding, "base64", "something else"))?;
    Ok(document(&bytes)?.to_owned())
}

/// Strict base64, in lines of any length (RFC 2045 6.8).
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let compact: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD.decode(compact).ok()
}

/// The document in these bytes, without byte order mark and declaration: no parser is told of another encoding.
pub(super) fn document(bytes: &[u8]) -> Result<&str, Refusal> {
    let text = str::from_utf8(bytes)
        .map_err(|_not_utf8| Refusal::new(Check::Encoding, "UTF-8", "other bytes"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.strip_prefix("<?xml") {
        Some(rest) => after_declaration(rest),
        None => Ok(text),
    }
}

/// R47: XML 1.0 in UTF-8, and nothing else.
fn after_declaration(rest: &str) -> Result<&str, Refusal> {
    let (declaration, document) = rest
        .split_once("?>")
        .ok_or_else(|| Refusal::new(Check::Xml, "a declaration that ends", "none"))?;
    let wrong = || {
        Refusal::new(
            Check::Encoding,
            "version=\"1.0\" encoding=\"UTF-8\"",
            declaration,
        )
    };
    let mut parts = Vec::new();
    let mut left = declaration;
    while let Some((name, value)) = left.split_once('=') {
        let value = value.trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or_else(wrong)?;
        let (value, rest) = value
            .get(1..)
            .and_then(|value| value.split_once(quote))
            .ok_or_else(wrong)?;
        parts.push((name.trim_ascii(), value));
        left = rest;
    }
    let known = match parts.as_slice() {
        [("version", "1.0")] | [("version", "1.0"), ("standalone", "yes" | "no")] => true,
        [("version", "1.0"), ("encoding", encoding)]
        | [
            ("version", "1.0"),
            ("encoding", encoding),
            ("standalone", "yes" | "no"),
        ] => encoding.eq_ignore_ascii_case("utf-8"),
        _ => false,
    };
    if known
        && left.trim_ascii().is_empty()
        && declaration.starts_with(|c: char| c.is_ascii_whitespace())
    {
        Ok(document)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r47_only_xml_1_0_in_utf_8() {
        for (text, want) in [
            ("<a/>", Some("<a/>")),
            ("\u{feff}<a/>", Some("<a/>")),
            ("<?xml version=\"1.0\"?><a/>", Some("<a/>")),
            (
                "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='no' ?>\n<a/>",
                Some("\n<a/>"),
            ),
            (
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>",
                Some("<a/>"),
            ),
            ("<?xml version=\"1.1\"?><a/>", None),
            ("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", None),
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", None),
            (
                "<?xml version=\"1.0\" encoding=\"utf-8\" encoding=\"utf-16\"?><a/>",
                None,
            ),
            ("<?xml encoding=\"UTF-8\"?><a/>", None),
            ("<?xml-stylesheet version=\"1.0\"?><a/>", None),
            ("<?xml version=\"1.0\" x?><a/>", None),
            ("<?xml version=\"1.0\"", None),
        ] {
            assert_eq!(document(text.as_bytes()).ok(), want, "{text}");
        }
        assert!(document(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn r46_a_long_field_is_not_decoded() {
        let refusal = posted(&"A".repeat(MAX_ENCODED + 1)).unwrap_err();
        assert_eq!(refusal.check(), Check::Limits);
        assert_eq!(posted("!!").unwrap_err().check(), Check::Encoding);
        assert_eq!(posted("PGEv\r\nPg==").unwrap(), "<a/>");
    }
}
