//! RSA-OAEP: how the content's key travels (XML Encryption 1.1, 5.5.2).

use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use roxmltree::Node;

use crate::saml::refusal::{Check, Refusal};
use crate::saml::xml::{DSIG, XENC11, algorithm, attribute, elements, is, optional};
use crate::secret::Secret;

/// Shortest key that decrypts, bits.
const MIN_BITS: u32 = 2048;

/// Why a private key cannot decrypt.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a private key in PEM without a passphrase.
    #[error("private key cannot be read; PEM without a passphrase is needed")]
    Unreadable(#[source] ErrorStack),
    /// Another kind of key, or a short one.
    #[error("private key must be RSA of {MIN_BITS} bits or more")]
    Kind,
}

/// A private key of ours that content is encrypted to. `Debug` shows nothing of it.
pub struct DecryptionKey(PKey<Private>);

impl DecryptionKey {
    /// From PEM: PKCS #8 or PKCS #1, without a passphrase.
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn from_pem(pem: &Secret) -> Result<Self, KeyError> {
        // With an empty passphrase nobody is asked for one on the terminal.
        let key = PKey::private_key_from_pem_passphrase(pem.expose().as_bytes(), b"")
            .map_err(KeyError::Unreadable)?;
        if key.id() == Id::RSA && key.bits() >= MIN_BITS {
            Ok(Self(key))
        } else {
            Err(KeyError::Kind)
        }
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey(…)")
    }
}

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

    pub(super) fn unwrap(&self, key: &DecryptionKey) -> Option<Vec<u8>> {
        let mut decrypter = Decrypter::new(&key.0).ok()?;
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
        Check::Algorithm,
        "a key carried by RSA-OAEP with SHA-1, SHA-256, SHA-384 or SHA-512",
        came,
    )
}
