//! A signature inside what we write (XML Signature 1.1, enveloped, exclusive canonical form, RSA-SHA256). We write
//! canonical form, so the text that is digested is the text that stands there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;

use super::certificate::Certificate;
use super::private_key::PrivateKey;
use crate::crypto::sha256;

/// The `Signature` element over `element`, which carries this ID and is in canonical form; with our certificate, for
/// idps that look for it.
///
/// # Errors
///
/// The library failed.
pub(super) fn signature(
    id: &str,
    element: &str,
    key: &PrivateKey,
    certificate: &Certificate,
) -> Result<String, ErrorStack> {
    let digest = STANDARD.encode(sha256(element.as_bytes()).0);
    let info = format!(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    // On its own, the element declares its prefix itself.
    let alone = format!("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{info}");
    let value = STANDARD.encode(key.sign(alone.as_bytes())?);
    Ok(format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>{info}\
         <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        STANDARD.encode(certificate.der())
    ))
}
