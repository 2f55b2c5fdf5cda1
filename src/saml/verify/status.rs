//! What the idp says became of the request (Core 3.2.2).

use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{PROTOCOL, attribute, children, optional, required, text};

/// Of details.
const MAX_WORDS: usize = 100;

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const PARTIAL_LOGOUT: &str = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
const PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:status:";

/// Success, or the idp's codes and words for the operator.
pub(in crate::saml) fn check(response: Node<'_, '_>) -> Result<(), Refusal> {
    let status = required(response, PROTOCOL, "Status")?;
    let code = required(status, PROTOCOL, "StatusCode")?;
    let first = attribute(code, "Value").unwrap_or_default();
    let second = optional(code, PROTOCOL, "StatusCode")?;
    let second = second.and_then(|code| attribute(code, "Value"));
    // 3.7.3.2: Shibboleth and SimpleSAMLphp say below Success that somebody is still signed in elsewhere.
    if first == SUCCESS && second != Some(PARTIAL_LOGOUT) {
        return Ok(());
    }
    let message = optional(status, PROTOCOL, "StatusMessage")?;
    let message = message.map(text).transpose()?.unwrap_or_default();
    let short = |code: &str| code.strip_prefix(PREFIX).unwrap_or(code).to_owned();
    let codes = [Some(first), second].into_iter().flatten().map(short);
    let codes = codes.collect::<Vec<_>>().join(" / ");
    let words = [codes, message, details(status)];
    let words: Vec<_> = words.into_iter().filter(|its| !its.is_empty()).collect();
    Err(Refusal::new(Check::Status, "Success", words.join(": ")))
}

/// The texts in `StatusDetail` (Core 3.2.2.4), which is of any vocabulary.
fn details(status: Node<'_, '_>) -> String {
    let texts = children(status, PROTOCOL, "StatusDetail")
        .flat_map(|detail| detail.descendants())
        .filter_map(|node| node.text().filter(|_| node.is_text()));
    let words = texts.flat_map(str::split_whitespace);
    words.take(MAX_WORDS).collect::<Vec<_>>().join(" ")
}
