//! An assertion that nobody signed, to be checked in place of a plaintext that is none: so that a failed decryption
//! takes as long as a failed signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::sha256;
use crate::saml::certificate::Certificate;
use crate::saml::screen::KeyKind;

/// In canonical form around the signature, of the size of a small one.
const HEAD: &str = "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_decoy\" Version=\"2.0\"><Issuer>decoy</Issuer>";
const PADDING: usize = 3000;

/// Its digest holds and its signature does not, by a key of the kind and size of the idp's.
pub(super) fn assertion(certificates: &[Certificate]) -> String {
    let tail = format!(
        "<Advice><AssertionURIRef>urn:{}</AssertionURIRef></Advice></Assertion>",
        "x".repeat(PADDING)
    );
    let digest = STANDARD.encode(sha256(format!("{HEAD}{tail}").as_bytes()).0);
    let (method, length) = match certificates.first() {
        Some(first) if first.kind() == KeyKind::Ec => ("ecdsa-sha256", first.signature_bytes()),
        Some(first) => ("rsa-sha256", first.signature_bytes()),
        None => ("rsa-sha256", 256),
    };
    let value = STANDARD.encode(vec![0x01; length]);
    format!(
        "{HEAD}<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>\
         <CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
         <SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#{method}\"/>\
         <Reference URI=\"#_decoy\"><Transforms>\
         <Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></Transforms>\
         <DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <DigestValue>{digest}</DigestValue></Reference></SignedInfo>\
         <SignatureValue>{value}</SignatureValue></Signature>{tail}"
    )
}
