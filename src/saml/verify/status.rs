//! What the idp says became of the request (Core 3.2.2).

use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{PROTOCOL, attribute, optional, required, text};

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
    let codes: Vec<_> = codes.collect();
    Err(Refusal::new(
        Check::Status,
        "Success",
        format!("{} {message}", codes.join(" / ")),
    ))
}
