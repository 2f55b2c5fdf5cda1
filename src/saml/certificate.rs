//! Certificates: containers for a pinned key and the time it may be used. Who signed them says nothing.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sign::Verifier;
use openssl::x509::X509;

use super::screen::KeyKind;
use crate::clock::Timestamp;
use crate::crypto::{Digest, sha256};

/// Shortest RSA key that is trusted, bits (NIST SP 800-131A).
const MIN_RSA_BITS: u32 = 2048;
/// Longest: a signature by a longer one is work that nobody asked for.
const MAX_RSA_BITS: u32 = 8192;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not X.509 in DER or PEM.
    #[error("certificate cannot be read")]
    Unreadable(#[from] ErrorStack),
    /// Its validity is not a time.
    #[error("certificate's validity cannot be read")]
    Validity,
    /// Neither RSA of 2048 to 8192 bits nor one of the curves P-256, P-384, P-521.
    #[error(
        "certificate's key is {0}; RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521 is needed"
    )]
    Key(String),
}

/// A certificate of an idp, or of ours.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    kind: KeyKind,
    signature_bytes: usize,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// From DER, as it stands in `X509Certificate` after base64.
    ///
    /// # Errors
    ///
    /// It cannot be read, or its key is weak or of a kind that signs nothing here.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Self::new(&X509::from_der(der)?)
    }

    /// From PEM, as it stands in files.
    ///
    /// # Errors
    ///
    /// As [`Self::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        Self::new(&X509::from_pem(pem.as_bytes())?)
    }

    fn new(x509: &X509) -> Result<Self, CertificateError> {
        let key = x509.public_key()?;
        let (kind, signature_bytes) = kind(&key)?;
        Ok(Self {
            der: x509.to_der()?,
            kind,
            signature_bytes,
            not_before: seconds(x509.not_before())?,
            not_after: seconds(x509.not_after())?,
        })
    }

    /// As it is passed on.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// From when it may be used.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Until when it may be used.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// SHA-256 of the DER, as idps show it.
    pub fn fingerprint(&self) -> Digest {
        sha256(&self.der)
    }

    /// Inside its validity; Entra's gallery demands that no other counts.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    pub(super) fn has_key_of(&self, private: &PKey<Private>) -> bool {
        let key = X509::from_der(&self.der).and_then(|its| its.public_key());
        key.is_ok_and(|key| key.public_eq(private))
    }

    /// Whether its key made the signature of `data`: PKCS #1 v1.5, or ECDSA as both numbers or in DER.
    pub(super) fn verifies(&self, digest: MessageDigest, signature: &[u8], data: &[u8]) -> bool {
        let verified = || -> Result<bool, ErrorStack> {
            let key = X509::from_der(&self.der)?.public_key()?;
            let mut verifier = Verifier::new(digest, &key)?;
            let (r, s) = signature.split_at(signature.len().div_euclid(2));
            if self.kind == KeyKind::Ec && signature.len() == self.signature_bytes {
                let both = (BigNum::from_slice(r)?, BigNum::from_slice(s)?);
                let der = EcdsaSig::from_private_components(both.0, both.1)?.to_der()?;
                return verifier.verify_oneshot(&der, data);
            }
            verifier.verify_oneshot(signature, data)
        };
        verified().unwrap_or(false)
    }

    /// Whether its key signed the other: then it is an authority, and the other is what it vouches for.
    pub(super) fn vouches_for(&self, other: &Self) -> bool {
        let signed = || -> Result<bool, ErrorStack> {
            let key = X509::from_der(&self.der)?.public_key()?;
            X509::from_der(&other.der)?.verify(&key)
        };
        self.der != other.der && signed().unwrap_or(false)
    }

    pub(super) const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Bytes of a signature's value in XML: the modulus, or both numbers (RFC 4051 2.3.6).
    pub(super) const fn signature_bytes(&self) -> usize {
        self.signature_bytes
    }
}

fn kind(key: &PKey<Public>) -> Result<(KeyKind, usize), CertificateError> {
    let bits = key.bits();
    match key.id() {
        Id::RSA if (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) => Ok((KeyKind::Rsa, key.size())),
        Id::EC => match key.ec_key()?.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => Ok((KeyKind::Ec, 64)),
            Some(Nid::SECP384R1) => Ok((KeyKind::Ec, 96)),
            Some(Nid::SECP521R1) => Ok((KeyKind::Ec, 132)),
            _ => Err(CertificateError::Key(format!("on a curve of {bits} bits"))),
        },
        Id::RSA => Err(CertificateError::Key(format!("RSA of {bits} bits"))),
        other => Err(CertificateError::Key(format!("of kind {}", other.as_raw()))),
    }
}

fn seconds(time: &Asn1TimeRef) -> Result<Timestamp, CertificateError> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since.days)
        .saturating_mul(86_400)
        .saturating_add(i64::from(since.secs));
    // One from before 1970 begins in 1970.
    u64::try_from(seconds.max(0))
        .map(Timestamp::from_secs)
        .map_err(|_negative| CertificateError::Validity)
}
