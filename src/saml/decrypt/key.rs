//! RSA-OAEP: how the content's key travels (XML Encryption 1.1, 5.5.2).

use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use roxmltree::Node;

use crate::saml::private_key::PrivateKey;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{DSIG, XENC11, algorithm, attribute, elements, is, optional};

/// An `EncryptedKey` by an allowed algorithm.
pub(super) struct WrappedKey {
    value: Vec<u8>,
    digest: MessageDigest,
    mask: MessageDigest,
}

impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrappedKey({} bytes)", self.value.len())
    }
}

impl WrappedKey {
    /// `method` is its `EncryptionMethod`. RSA 1.5 is refused: answers to it give the key away (Bleichenbacher).
    pub(super) fn read(method: Node<'_, '_>, value: Vec<u8>) -> Result<Self, Refusal> {
        for child in elements(method) {
            if !is(child, DSIG, "DigestMethod") && !is(child, XENC11, "MGF") {
                return Err(refuse(child.tag_name().name()));
            }
        }
        let mask = match algorithm(method) {
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => MessageDigest::sha1(),
            "http://www.w3.org/2009/xmlenc11#rsa-oaep" => match optional(method, XENC11, "MGF")? {
                None => MessageDigest::sha1(),
                Some(mask) => match algorithm(mask) {
                    "http://www.w3.org/2009/xmlenc11#mgf1sha1" => MessageDigest::sha1(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha256" => MessageDigest::sha256(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha384" => MessageDigest::sha384(),
                    "http://www.w3.org/2009/xmlenc11#mgf1sha512" => MessageDigest::sha512(),
                    other => return Err(refuse(other)),
                },
            },
            other => return Err(refuse(other)),
        };
        let digest = match optional(method, DSIG, "DigestMethod")? {
            None => MessageDigest::sha1(),
            Some(digest) => match attribute(digest, "Algorithm").unwrap_or_default() {
                "http://www.w3.org/2000/09/xmldsig#sha1" => MessageDigest::sha1(),
                "http://www.w3.org/2001/04/xmlenc#sha256" => MessageDigest::sha256(),
                "http://www.w3.org/2001/04/xmldsig-more#sha384" => MessageDigest::sha384(),
                "http://www.w3.org/2001/04/xmlenc#sha512" => MessageDigest::sha512(),
                other => return Err(refuse(other)),
            },
        };
        Ok(Self {
            value,
            digest,
            mask,
        })
    }

    pub(super) fn unwrap(&self, key: &PrivateKey) -> Option<Vec<u8>> {
        let mut decrypter = key.decrypter().ok()?;
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
        decrypter.set_rsa_oaep_md(self.digest).ok()?;
        decrypter.set_rsa_mgf1_md(self.mask).ok()?;
        let mut out = vec![0; decrypter.decrypt_len(&self.value).ok()?];
        let length = decrypter.decrypt(&self.value, &mut out).ok()?;
        out.truncate(length);
        Some(out)
    }
}

fn refuse(came: &str) -> Refusal {
    Refusal::new(
        Check::EncryptionAlgorithm,
        "a key carried by RSA-OAEP with SHA-1, SHA-256, SHA-384 or SHA-512",
        came,
    )
}
