//! The keys in an idp's metadata (Metadata 2.4.1.1).

use roxmltree::Node;

use crate::clock::Timestamp;
use crate::saml::certificate::Certificate;
use crate::saml::decode::base64;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{DSIG, METADATA, attribute, children, text};

/// More than an idp lists; Entra keeps old ones.
const MAX: usize = 32;

/// The certificates for signatures, and why others are none. At least one is valid now: without one, nothing could be
/// verified, and that must never be found out at a sign-in.
pub(super) fn read(
    role: Node<'_, '_>,
    now: Timestamp,
) -> Result<(Vec<Certificate>, Vec<String>), Refusal> {
    let mut found: Vec<Certificate> = Vec::new();
    let mut ignored = Vec::new();
    for descriptor in children(role, METADATA, "KeyDescriptor") {
        // Without `use` it is for both.
        if attribute(descriptor, "use").is_some_and(|its| its != "signing") {
            continue;
        }
        let data =
            children(descriptor, DSIG, "KeyInfo").flat_map(|info| children(info, DSIG, "X509Data"));
        for data in data {
            for certificate in leaves(data, &mut ignored) {
                if !found.iter().any(|its| its.der() == certificate.der()) {
                    found.push(certificate);
                }
            }
        }
    }
    if found.len() > MAX {
        return Err(refuse(
            &format!("at most {MAX} certificates"),
            &found.len().to_string(),
        ));
    }
    if found.iter().any(|its| its.is_valid(now)) {
        return Ok((found, ignored));
    }
    let why = match (found.is_empty(), ignored.is_empty()) {
        (false, _) => "only expired ones, or ones that are not valid yet".to_owned(),
        (true, false) => ignored.join("; "),
        (true, true) => "none".to_owned(),
    };
    Err(refuse("a valid certificate for signatures", &why))
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Metadata, expected, came)
}

/// The certificates in one `X509Data` without the authorities that vouch for them (XML Signature 4.5.4): whoever has
/// an authority's key may sign certificates, and nobody in.
fn leaves(data: Node<'_, '_>, ignored: &mut Vec<String>) -> Vec<Certificate> {
    let mut all = Vec::new();
    for node in children(data, DSIG, "X509Certificate").take(MAX) {
        let der = text(node).ok().and_then(|text| base64(&text));
        match der.map(|der| Certificate::from_der(&der)) {
            Some(Ok(certificate)) => all.push(certificate),
            Some(Err(why)) => ignored.push(why.to_string()),
            None => ignored.push("certificate is not base64".to_owned()),
        }
    }
    let vouches = |its: &Certificate| all.iter().any(|other| its.vouches_for(other));
    all.iter().filter(|its| !vouches(its)).cloned().collect()
}
