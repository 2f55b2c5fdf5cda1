//! Our own key.

use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;

use super::certificate::Certificate;
use crate::secret::Secret;

/// Shortest key of ours, bits.
const MIN_BITS: u32 = 2048;

/// Why a private key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a private key in PEM without a passphrase.
    #[error("private key cannot be read; PEM without a passphrase is needed")]
    Unreadable(#[source] ErrorStack),
    /// Another kind of key, or a short one.
    #[error("private key must be RSA of {MIN_BITS} bits or more")]
    Kind,
}

/// A private key of ours: content is encrypted to it, and it signs what we send. `Debug` shows nothing of it.
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
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

    /// Whether the certificate is this key's.
    pub fn fits(&self, certificate: &Certificate) -> bool {
        certificate.has_key_of(&self.0)
    }

    pub(super) fn decrypter(&self) -> Result<Decrypter<'_>, ErrorStack> {
        Decrypter::new(&self.0)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256: what every idp takes.
    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        signer.sign_oneshot_to_vec(data)
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}
