//! Our own metadata, for idps that read it (Metadata 2.3.2, 2.4.4): in canonical form, so that it can be signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use openssl::error::ErrorStack;

use crate::clock::Timestamp;
use crate::crypto::sha256;
use crate::saml::certificate::Certificate;
use crate::saml::private_key::PrivateKey;
use crate::saml::seal::signature;
use crate::saml::xml::{in_attribute, in_text};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// What names a person to us, best first: `SimpleSAMLphp` and Shibboleth take the first that they can make.
const NAME_IDS: [&str; 4] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
];

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
    /// The only format of `NameID` that is wanted; none tells all that are understood.
    pub name_id_format: Option<&'a str>,
    /// An idp must not use it afterwards.
    pub valid_until: Timestamp,
}

impl OurMetadata<'_> {
    /// The document, unsigned.
    pub fn to_xml(&self) -> String {
        format!("{DECLARATION}{}{}\n", self.head(), self.tail())
    }

    /// The document with a signature by our key, which is the first of those that sign.
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn signed_xml(
        &self,
        key: &PrivateKey,
        certificate: &Certificate,
    ) -> Result<String, ErrorStack> {
        let (head, tail) = (self.head(), self.tail());
        let signature = signature(&self.id(), &format!("{head}{tail}"), key, certificate)?;
        Ok(format!("{DECLARATION}{head}{signature}{tail}\n"))
    }

    /// A letter that XML wants, and another one than any other entity's in an aggregate.
    fn id(&self) -> String {
        let digest = sha256(self.entity_id.as_bytes()).0;
        digest
            .iter()
            .fold(String::from("_"), |id, byte| format!("{id}{byte:02x}"))
    }

    /// Up to where a signature belongs.
    fn head(&self) -> String {
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"{}\" entityID=\"{}\" \
             validUntil=\"{}\">",
            self.id(),
            in_attribute(self.entity_id),
            self.valid_until.to_rfc3339(),
        )
    }

    fn tail(&self) -> String {
        let mut xml = format!(
            "<md:SPSSODescriptor AuthnRequestsSigned=\"{}\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">",
            self.signs_requests
        );
        for certificate in self.signing {
            xml.push_str(&key("signing", certificate, ""));
        }
        let methods = DECRYPTED
            .map(|name| format!("<md:EncryptionMethod Algorithm=\"{name}\"></md:EncryptionMethod>"))
            .concat();
        for certificate in self.encryption {
            xml.push_str(&key("encryption", certificate, &methods));
        }
        if let Some(slo) = self.slo {
            for binding in ["HTTP-Redirect", "HTTP-POST"] {
                xml.push_str(&service("SingleLogoutService", binding, slo, ""));
            }
        }
        let wanted = self.name_id_format.as_slice();
        let formats = if wanted.is_empty() {
            &NAME_IDS[..]
        } else {
            wanted
        };
        for format in formats {
            for part in ["<md:NameIDFormat>", &in_text(format), "</md:NameIDFormat>"] {
                xml.push_str(part);
            }
        }
        xml.push_str(&service(
            "AssertionConsumerService",
            "HTTP-POST",
            self.acs,
            " index=\"0\" isDefault=\"true\"",
        ));
        xml.push_str("</md:SPSSODescriptor></md:EntityDescriptor>");
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
        "<md:{name} Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{binding}\" Location=\"{}\"{more}></md:{name}>",
        in_attribute(location)
    )
}
