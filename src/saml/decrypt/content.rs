//! AES: how the content itself is encrypted (XML Encryption 1.1, 5.2).

use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead};

use crate::saml::refusal::{Check, Refusal};

const BLOCK: usize = 16;
const GCM_IV: usize = 12;
const GCM_TAG: usize = 16;

/// An allowed algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    mode: Chaining,
    key_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chaining {
    Cbc,
    Gcm,
}

impl Content {
    /// By its name.
    pub(super) fn read(algorithm: &str) -> Result<Self, Refusal> {
        let (mode, key_bytes) = match algorithm {
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => (Chaining::Cbc, 16),
            "http://www.w3.org/2001/04/xmlenc#aes192-cbc" => (Chaining::Cbc, 24),
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => (Chaining::Cbc, 32),
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => (Chaining::Gcm, 16),
            "http://www.w3.org/2009/xmlenc11#aes192-gcm" => (Chaining::Gcm, 24),
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => (Chaining::Gcm, 32),
            other => {
                return Err(Refusal::new(
                    Check::EncryptionAlgorithm,
                    "content encrypted by AES in CBC or GCM",
                    other,
                ));
            }
        };
        Ok(Self { mode, key_bytes })
    }

    pub(super) const fn key_bytes(self) -> usize {
        self.key_bytes
    }

    pub(super) fn decrypt(self, key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        match self.mode {
            Chaining::Cbc => self.cbc(key, ciphertext),
            Chaining::Gcm => self.gcm(key, ciphertext),
        }
    }

    fn gcm(self, key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let cipher = match self.key_bytes {
            16 => Cipher::aes_128_gcm(),
            24 => Cipher::aes_192_gcm(),
            _ => Cipher::aes_256_gcm(),
        };
        let (iv, rest) = ciphertext.split_at_checked(GCM_IV)?;
        let (data, tag) = rest.split_at_checked(rest.len().checked_sub(GCM_TAG)?)?;
        decrypt_aead(cipher, key, Some(iv), &[], data, tag).ok()
    }

    fn cbc(self, key: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let cipher = match self.key_bytes {
            16 => Cipher::aes_128_cbc(),
            24 => Cipher::aes_192_cbc(),
            _ => Cipher::aes_256_cbc(),
        };
        let (iv, data) = ciphertext.split_at_checked(BLOCK)?;
        if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut crypter = Crypter::new(cipher, Mode::Decrypt, key, Some(iv)).ok()?;
        // XML's padding is not PKCS #7: all but its last byte are anything.
        crypter.pad(false);
        let mut out = vec![0; data.len().checked_add(BLOCK)?];
        let length = crypter.update(data, &mut out).ok()?;
        let more = crypter.finalize(out.get_mut(length..)?).ok()?;
        out.truncate(length.checked_add(more)?);
        let padding = usize::from(*out.last()?);
        if !(1..=BLOCK).contains(&padding) {
            return None;
        }
        out.truncate(out.len().checked_sub(padding)?);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r48_short_and_odd_ciphertexts_are_no_panic() {
        for name in [
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        ] {
            let content = Content::read(name).unwrap();
            let key = vec![7; content.key_bytes()];
            for length in 0..100 {
                let found = content.decrypt(&key, &vec![0x5a; length]);
                assert!(
                    found.is_none_or(|text| text.len() < length),
                    "{name} {length}"
                );
            }
        }
    }

    #[test]
    fn weak_ciphers_are_refused() {
        for name in [
            "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
            "http://www.w3.org/2001/04/xmlenc#aes256-gcm",
            "",
        ] {
            assert_eq!(
                Content::read(name).unwrap_err().check(),
                Check::EncryptionAlgorithm
            );
        }
    }
}
