//! What at the door is one answer for everything, for whoever has the message, the key and the metadata in hand.

use openssl::x509::X509;
use roxmltree::Node;

use super::assertion::opened;
use super::finding::{Finding, State};
use crate::clock::Timestamp;
use crate::saml::decode::base64;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::Screened;
use crate::saml::signature;
use crate::saml::verify::{Outcome, Trust};
use crate::saml::xml::{ASSERTION, DSIG, is, optional, text};

/// More about the check after which nothing could be read.
pub(super) fn of(
    screened: &Screened<'_>,
    outcome: &Outcome,
    trust: &Trust<'_>,
    at: Timestamp,
) -> Option<Finding> {
    let why = if outcome.check == Check::Decryption {
        inside(screened, trust, at)?
    } else if matches!(outcome.check, Check::Signature | Check::Certificate) {
        brought(screened.root(), trust)?.to_owned()
    } else {
        return None;
    };
    let about = format!("in detail: {why}");
    Some(Finding::new(State::Refused, outcome.check.as_str(), about))
}

/// Behind a decryption that failed.
fn inside(screened: &Screened<'_>, trust: &Trust<'_>, at: Timestamp) -> Option<String> {
    let sealed = optional(screened.root(), ASSERTION, "EncryptedAssertion");
    let plaintext = match opened(sealed.ok().flatten()?, trust) {
        Ok(plaintext) => plaintext,
        Err(why) => return Some(why),
    };
    let within = |why: Refusal| format!("our key opens it; what is inside is refused: {why}");
    let inner = match Screened::assertion(&plaintext) {
        Ok(inner) => inner,
        Err(refusal) => return Some(within(refusal)),
    };
    let refusal = signature::verify(&inner, trust.certificates, at).err()?;
    let more = brought(inner.root(), trust).map_or_else(String::new, |more| format!("; {more}"));
    Some(within(refusal) + &more)
}

/// Whether the certificate that a message brings, which nobody believes, is one that somebody does.
fn brought(root: Node<'_, '_>, trust: &Trust<'_>) -> Option<&'static str> {
    let certificates = root
        .descendants()
        .filter(|node| is(*node, DSIG, "X509Certificate"));
    let ders: Vec<_> = certificates
        .filter_map(|node| base64(&text(node).ok()?))
        .filter(|der| X509::from_der(der).is_ok())
        .collect();
    let is_known = |der: &Vec<u8>| trust.certificates.iter().any(|its| its.der() == der);
    if ders.is_empty() {
        return None;
    }
    Some(if ders.iter().any(is_known) {
        "the certificate that it brings is one of the metadata: it was changed after it was signed, or somebody else signed it and brings a certificate that everybody can have"
    } else {
        "the certificate that it brings is none of the metadata: the metadata is old or another application's, or somebody else signed it"
    })
}
