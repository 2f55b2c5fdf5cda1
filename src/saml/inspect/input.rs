//! What people capture: XML, base64, a form body, an address.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use url::form_urlencoded;

use super::MAX_FILE;
use crate::saml::decode::base64;
use crate::saml::shown::shown;

/// Longest message that is inflated, bytes; more than is ever read.
const MAX_INFLATED: u64 = 512 * 1024;
/// What a file is shown of that is nothing that is known, bytes.
const SAMPLE: usize = 60;

/// Why there is nothing to explain.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// More than [`MAX_FILE`].
    #[error("it has more than {MAX_FILE} bytes; no message of SAML does")]
    Large,
    /// Neither of the forms.
    #[error(
        "it is neither XML nor base64 of it, nor a form or address with SAMLResponse=… or SAMLRequest=…; it begins with {0:?}"
    )]
    Unknown(String),
}

/// A message as the form field that it would be.
#[derive(Debug)]
pub(super) struct Captured {
    pub(super) field: String,
    pub(super) relay_state: Option<String>,
    pub(super) read_as: String,
    /// As messages in an address are, and responses in a form must not be.
    pub(super) deflated: bool,
}

/// Finds the message.
pub(super) fn read(file: &[u8]) -> Result<Captured, InputError> {
    if file.len() > MAX_FILE {
        return Err(InputError::Large);
    }
    let bytes = file
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(file)
        .trim_ascii();
    if bytes.is_empty() {
        return Err(InputError::Empty);
    }
    if bytes.starts_with(b"<") {
        return Ok(captured("XML", STANDARD.encode(bytes), None));
    }
    if let Some(found) = form(bytes) {
        return Ok(found);
    }
    let text = String::from_utf8_lossy(bytes);
    // Copied out of a form body, with its escapes.
    let text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
    match base64(&text) {
        Some(decoded) => Ok(of_base64("base64", &text, &decoded, None)),
        None => Err(InputError::Unknown(shown(&text, SAMPLE))),
    }
}

/// A body or an address: whatever stands before the parameter.
fn form(bytes: &[u8]) -> Option<Captured> {
    let query = bytes
        .split(|byte| *byte == b'?')
        .next_back()
        .unwrap_or(bytes);
    let mut message = None;
    let mut relay_state = None;
    for (name, value) in form_urlencoded::parse(query) {
        match &*name {
            "SAMLResponse" | "SAMLRequest" if message.is_none() => message = Some((name, value)),
            "RelayState" if relay_state.is_none() => relay_state = Some(value.into_owned()),
            _ => {}
        }
    }
    let (name, value) = message?;
    let read_as = format!("form with {name}");
    // A plus that nobody escaped.
    let value = value.replace(' ', "+");
    match base64(&value) {
        Some(decoded) => Some(of_base64(&read_as, &value, &decoded, relay_state)),
        None => Some(captured(&read_as, value, relay_state)),
    }
}

/// What travels in an address is deflated (Bindings 3.4.4.1).
fn of_base64(read_as: &str, field: &str, decoded: &[u8], relay_state: Option<String>) -> Captured {
    let looks_like_xml =
        decoded.trim_ascii_start().starts_with(b"<") || decoded.starts_with(b"\xef");
    if !looks_like_xml {
        let mut inflated = Vec::new();
        let mut inflating = DeflateDecoder::new(decoded).take(MAX_INFLATED);
        if inflating.read_to_end(&mut inflated).is_ok() && inflated.starts_with(b"<") {
            let read_as = format!("{read_as}, deflated");
            return Captured {
                deflated: true,
                ..captured(&read_as, STANDARD.encode(inflated), relay_state)
            };
        }
    }
    captured(read_as, field.to_owned(), relay_state)
}

fn captured(read_as: &str, field: String, relay_state: Option<String>) -> Captured {
    Captured {
        field,
        relay_state,
        read_as: read_as.to_owned(),
        deflated: false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn a_message_is_found_in_whatever_people_copy() {
        let xml = "<a b='>>>???'/>";
        let plain = STANDARD.encode(xml);
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(xml.as_bytes()).unwrap();
        let deflated = STANDARD.encode(deflated.finish().unwrap());
        let escaped: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let escaped_deflated: String =
            form_urlencoded::byte_serialize(deflated.as_bytes()).collect();
        let wrapped = plain
            .as_bytes()
            .chunks(5)
            .map(|part| String::from_utf8_lossy(part));
        let wrapped = wrapped.collect::<Vec<_>>().join("\r\n");
        for (name, file, read_as, relay) in [
            ("XML", format!("\u{feff}\n{xml}\n"), "XML", None),
            ("base64", format!("{plain}\n"), "base64", None),
            ("lines", wrapped, "base64", None),
            ("escaped", escaped.clone(), "base64", None),
            (
                "body",
                format!("RelayState=x%26y&SAMLResponse={escaped}"),
                "form with SAMLResponse",
                Some("x&y"),
            ),
            (
                "unescaped body",
                format!("SAMLResponse={plain}"),
                "form with SAMLResponse",
                None,
            ),
            (
                "address",
                format!("https://app.test/slo?SAMLRequest={escaped_deflated}&SigAlg=x"),
                "form with SAMLRequest, deflated",
                None,
            ),
        ] {
            let found = read(file.as_bytes()).unwrap();
            assert_eq!(found.read_as, read_as, "{name}");
            assert_eq!(found.relay_state.as_deref(), relay, "{name}");
            assert_eq!(
                base64(&found.field).unwrap().trim_ascii(),
                xml.as_bytes(),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none() {
        assert!(matches!(read(b" \n"), Err(InputError::Empty)));
        let large = vec![b'<'; MAX_FILE + 1];
        assert!(matches!(read(&large), Err(InputError::Large)));
        let error = read(b"Dear operator,\x1b[2J").unwrap_err().to_string();
        assert!(error.contains("Dear operator"), "{error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
