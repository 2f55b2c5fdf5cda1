//! Our own metadata, for idps that read it (Metadata 2.4.4). Without an end: it is true as long as it is published.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::saml::certificate::Certificate;
use crate::saml::xml::in_attribute;

/// What we decrypt, best first: Shibboleth picks from this list.
const DECRYPTED: [&str; 8] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];

/// What we say of ourselves to one idp.
#[derive(Clone, Copy, Debug)]
pub struct OurMetadata<'a> {
    /// Our entity ID.
    pub entity_id: &'a str,
    /// Our assertion consumer service.
    pub acs: &'a str,
    /// Our address for sign-out.
    pub slo: Option<&'a str>,
    /// Certificates of keys that sign, old and new while they roll.
    pub signing: &'a [Certificate],
    /// Certificates to encrypt to; the new one alone, once both keys decrypt.
    pub encryption: &'a [Certificate],
    /// We sign requests.
    pub signs_requests: bool,
}

impl OurMetadata<'_> {
    /// The document.
    pub fn to_xml(&self) -> String {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\">\
             <md:SPSSODescriptor AuthnRequestsSigned=\"{}\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
            in_attribute(self.entity_id),
            self.signs_requests
        );
        for certificate in self.signing {
            xml.push_str(&key("signing", certificate, ""));
        }
        let methods = DECRYPTED
            .map(|name| format!("<md:EncryptionMethod Algorithm=\"{name}\"/>"))
            .concat();
        for certificate in self.encryption {
            xml.push_str(&key("encryption", certificate, &methods));
        }
        if let Some(slo) = self.slo {
            for binding in ["HTTP-Redirect", "HTTP-POST"] {
                xml.push_str(&service("SingleLogoutService", binding, slo, ""));
            }
        }
        let only = " index=\"0\" isDefault=\"true\"";
        xml.push_str(&service(
            "AssertionConsumerService",
            "HTTP-POST",
            self.acs,
            only,
        ));
        xml.push_str("</md:SPSSODescriptor></md:EntityDescriptor>\n");
        xml
    }
}

fn key(purpose: &str, certificate: &Certificate, methods: &str) -> String {
    format!(
        "<md:KeyDescriptor use=\"{purpose}\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>",
        STANDARD.encode(certificate.der())
    )
}

fn service(name: &str, binding: &str, location: &str, more: &str) -> String {
    format!(
        "<md:{name} Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{binding}\" Location=\"{}\"{more}/>",
        in_attribute(location)
    )
}
