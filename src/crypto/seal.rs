//! Secrets that last and must be read again: AES-256-GCM (NIST SP 800-38D) under a key that is not in the store.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{random_bytes, sha256};
use crate::secret::{Secret, same};

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes that tell one key from another.
const NAME: usize = 8;

/// What cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not the Base64 of 32 bytes.
    #[error("must be the Base64 of 32 bytes: openssl rand -base64 32")]
    Key,
    /// Another key sealed it.
    #[error("is sealed with another key than the one in use")]
    OtherKey,
    /// Not what was sealed, or not for this place.
    #[error("is not what was sealed here")]
    Changed,
    /// The library refused.
    #[error("cannot be sealed")]
    Refused,
}

/// A key for AES-256-GCM.
#[derive(Clone)]
pub struct SealKey([u8; KEY]);

/// The key that seals, and the one before it, which opens what it has sealed.
#[derive(Clone, Debug)]
pub struct SealKeys {
    now: SealKey,
    previous: Option<SealKey>,
}

/// A sealed text: the name of its key, nonce, ciphertext and tag, in Base64. Nothing of it is told in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl SealKey {
    /// A new one.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// From a file or setting: Base64 of 32 bytes (RFC 4648 4).
    ///
    /// # Errors
    ///
    /// [`SealError::Key`].
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text.trim());
        let bytes = bytes.map_err(|_not_base64| SealError::Key)?;
        bytes.try_into().map(Self).map_err(|_length| SealError::Key)
    }

    /// As [`Self::parse`] reads it.
    pub fn to_text(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0))
    }

    fn name(&self) -> [u8; NAME] {
        let mut name = [0; NAME];
        let digest = sha256(&self.0);
        for (to, from) in name.iter_mut().zip(digest.0) {
            *to = from;
        }
        name
    }

    /// Whether it names this key as its own.
    fn is_of(&self, sealed: &Sealed) -> bool {
        let all = STANDARD.decode(&sealed.0).unwrap_or_default();
        all.starts_with(&self.name())
    }

    /// Seals a text for one place: nowhere else can it be opened.
    ///
    /// # Errors
    ///
    /// [`SealError::Refused`].
    pub fn seal(&self, text: &Secret, place: &str) -> Result<Sealed, SealError> {
        let refused = |_| SealError::Refused;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(refused)?;
        let mut inside = text.expose().as_bytes().to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(place), &mut inside)
            .map_err(refused)?;
        let mut all = self.name().to_vec();
        all.extend_from_slice(nonce.as_ref());
        all.extend(inside);
        Ok(Sealed(STANDARD.encode(all)))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    ///
    /// Another key sealed it; it was changed, or sealed for another place.
    pub fn open(&self, sealed: &Sealed, place: &str) -> Result<Secret, SealError> {
        let changed = |_| SealError::Changed;
        let all = STANDARD.decode(&sealed.0);
        let all = all.map_err(|_not_base64| SealError::Changed)?;
        let (name, rest) = all.split_at_checked(NAME).ok_or(SealError::Changed)?;
        if name != self.name() {
            return Err(SealError::OtherKey);
        }
        let (nonce, inside) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(changed)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(changed)?;
        let mut inside = inside.to_vec();
        let text = key
            .open_in_place(nonce, Aad::from(place), &mut inside)
            .map_err(changed)?;
        let text = std::str::from_utf8(text).map_err(|_not_text| SealError::Changed)?;
        Ok(Secret::new(text))
    }
}

impl SealKeys {
    /// The key of now, and the one before it while there is something of its.
    pub const fn new(now: SealKey, previous: Option<SealKey>) -> Self {
        Self { now, previous }
    }

    /// As [`SealKey::seal`], with the key of now.
    ///
    /// # Errors
    ///
    /// [`SealError::Refused`].
    pub fn seal(&self, text: &Secret, place: &str) -> Result<Sealed, SealError> {
        self.now.seal(text, place)
    }

    /// As [`SealKey::open`], with the key that sealed it.
    ///
    /// # Errors
    ///
    /// Neither key sealed it; it was changed, or sealed for another place.
    pub fn open(&self, sealed: &Sealed, place: &str) -> Result<Secret, SealError> {
        match (self.now.open(sealed, place), &self.previous) {
            (Err(SealError::OtherKey), Some(previous)) => previous.open(sealed, place),
            (opened, _) => opened,
        }
    }

    /// Whether the key of now sealed it.
    pub fn seals(&self, sealed: &Sealed) -> bool {
        self.now.is_of(sealed)
    }

    /// Whether one of the keys sealed it.
    pub fn opens(&self, sealed: &Sealed) -> bool {
        let previous = self.previous.as_ref();
        self.seals(sealed) || previous.is_some_and(|key| key.is_of(sealed))
    }
}

impl From<SealKey> for SealKeys {
    fn from(now: SealKey) -> Self {
        Self::new(now, None)
    }
}

impl PartialEq for SealKey {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_with_its_key_alone() {
        let (key, other) = (SealKey::random(), SealKey::random());
        let text = Secret::new("canary");
        let sealed = key.seal(&text, "default\nada").unwrap();
        let again = key.seal(&text, "default\nada").unwrap();
        assert!(sealed != again, "no nonce twice");
        let same = SealKey::parse(key.to_text().expose()).unwrap();
        let opened = |key: &SealKey, sealed: &Sealed, place| {
            let opened = key.open(sealed, place);
            opened.map(|text| text.expose().to_owned())
        };
        let ada = "default\nada";
        assert_eq!(opened(&same, &sealed, ada).as_deref(), Ok("canary"));
        let mut bytes = STANDARD.decode(&sealed.0).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let flipped = Sealed(STANDARD.encode(&bytes));
        for (name, key, sealed, place, want) in [
            (
                "another row",
                &key,
                &sealed,
                "default\nbob",
                SealError::Changed,
            ),
            (
                "another tenant",
                &key,
                &sealed,
                "acme\nada",
                SealError::Changed,
            ),
            ("another key", &other, &sealed, ada, SealError::OtherKey),
            ("a bit", &key, &flipped, ada, SealError::Changed),
            (
                "nothing",
                &key,
                &Sealed(String::new()),
                ada,
                SealError::Changed,
            ),
            (
                "no Base64",
                &key,
                &Sealed("é".to_owned()),
                ada,
                SealError::Changed,
            ),
        ] {
            assert_eq!(opened(key, sealed, place), Err(want), "{name}");
        }
    }

    #[test]
    fn the_key_before_opens_and_does_not_seal() {
        let (old, new) = (SealKey::random(), SealKey::random());
        let text = Secret::new("canary");
        let (before, after) = (old.seal(&text, "a").unwrap(), new.seal(&text, "a").unwrap());
        let keys = SealKeys::new(new.clone(), Some(old));
        for sealed in [&before, &after] {
            assert_eq!(keys.open(sealed, "a").unwrap().expose(), "canary");
            assert_eq!(keys.open(sealed, "b").unwrap_err(), SealError::Changed);
            assert!(keys.opens(sealed));
        }
        assert!(new.open(&keys.seal(&text, "a").unwrap(), "a").is_ok());
        assert_eq!([keys.seals(&before), keys.seals(&after)], [false, true]);
        let alone = SealKeys::from(new);
        assert!(!alone.opens(&before));
        assert_eq!(alone.open(&before, "a").unwrap_err(), SealError::OtherKey);
    }

    #[test]
    fn keys_are_32_bytes_and_shown_nowhere() {
        for (text, ok) in [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", true),
            ("AAAAAAAAAAAAAAAAAAAAAA==", false),
            ("canary", false),
            ("", false),
        ] {
            assert_eq!(SealKey::parse(text).is_ok(), ok, "{text:?}");
        }
        let key = SealKey::random();
        let sealed = key.seal(&Secret::new("canary"), "").unwrap();
        assert_eq!(format!("{key:?} {sealed:?}"), "SealKey(…) Sealed(…)");
    }
}
