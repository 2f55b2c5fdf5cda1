//! HTTP-Redirect, inwards (Bindings 3.4): the message in a query, and whether the query is signed.

use std::io::Read as _;

use flate2::read::DeflateDecoder;
use openssl::hash::MessageDigest;

use super::Role;
use super::query::{check, piece};
use crate::clock::Timestamp;
use crate::saml::certificate::Certificate;
use crate::saml::decode::{base64, document};
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::KeyKind;

/// Longest query that is looked at, bytes.
const MAX_QUERY: usize = 64 * 1024;
/// Longest message, inflated (R39, R46).
const MAX_INFLATED: u64 = 64 * 1024;
const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";

/// A message that came in a query; nobody has verified it.
#[derive(Debug)]
pub struct RedirectQuery {
    pub(super) role: Role,
    pub(super) xml: String,
    pub(super) relay_state: Option<String>,
    signed: Option<Signed>,
}

#[derive(Debug)]
struct Signed {
    data: String,
    algorithm: String,
    signature: Vec<u8>,
}

impl RedirectQuery {
    /// Reads the raw query, without the question mark.
    ///
    /// # Errors
    ///
    /// A parameter is missing or there twice, too long, or not deflated base64.
    pub fn read(query: &str) -> Result<Self, Refusal> {
        if query.len() > MAX_QUERY {
            return Err(Refusal::new(
                Check::Limits,
                format!("at most {MAX_QUERY} bytes"),
                "more",
            ));
        }
        check(query)?;
        let request = piece(query, Role::Request.parameter())?;
        let response = piece(query, Role::Response.parameter())?;
        let (role, message) = match (request, response) {
            (Some(request), None) => (Role::Request, request),
            (None, Some(response)) => (Role::Response, response),
            (None, None) | (Some(_), Some(_)) => {
                return Err(refuse("SAMLRequest or SAMLResponse", "none or both"));
            }
        };
        let encoding = piece(query, "SAMLEncoding")?
            .map(|its| its.text())
            .transpose()?;
        if let Some(other) = encoding.filter(|its| its != DEFLATE) {
            return Err(refuse(DEFLATE, &other));
        }
        let relay_state = piece(query, "RelayState")?;
        let algorithm = piece(query, "SigAlg")?;
        let signature = piece(query, "Signature")?;
        let signed = match (algorithm, signature) {
            (None, None) => None,
            (Some(algorithm), Some(signature)) => {
                // 3.4.4.1: in this order, as they were encoded, whatever order they came in.
                let covered = [Some(message), relay_state, Some(algorithm)];
                let covered = covered.into_iter().flatten().map(|its| its.whole);
                let value = base64(&signature.base64_text()?);
                Some(Signed {
                    data: covered.collect::<Vec<_>>().join("&"),
                    algorithm: algorithm.text()?,
                    signature: value.ok_or_else(|| refuse("a Signature in base64", "another"))?,
                })
            }
            _ => return Err(refuse("SigAlg and Signature, or neither", "one of them")),
        };
        Ok(Self {
            role,
            xml: inflated(&message.base64_text()?)?,
            relay_state: relay_state.map(|its| its.text()).transpose()?,
            signed,
        })
    }

    /// What it is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// `RelayState`.
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }

    /// Whether it carries a signature at all.
    pub const fn is_signed(&self) -> bool {
        self.signed.is_some()
    }

    /// Checks the signature over the query with the certificates that are valid at `now`.
    pub(super) fn verify(
        &self,
        certificates: &[Certificate],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(signed) = &self.signed else {
            return Err(Refusal::new(
                Check::Signed,
                "a signature by the idp",
                "none",
            ));
        };
        let (kind, digest) = algorithm(&signed.algorithm)?;
        let made_it = |its: &Certificate| {
            its.kind() == kind
                && its.is_valid(now)
                && its.verifies(digest, &signed.signature, signed.data.as_bytes())
        };
        if certificates.iter().any(made_it) {
            Ok(())
        } else {
            Err(Refusal::new(
                Check::Signature,
                "a signature by a valid certificate of the idp's metadata",
                "another",
            ))
        }
    }
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Parameters, expected, came)
}

fn algorithm(name: &str) -> Result<(KeyKind, MessageDigest), Refusal> {
    Ok(
        match name.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#") {
            Some("rsa-sha256") => (KeyKind::Rsa, MessageDigest::sha256()),
            Some("rsa-sha384") => (KeyKind::Rsa, MessageDigest::sha384()),
            Some("rsa-sha512") => (KeyKind::Rsa, MessageDigest::sha512()),
            Some("ecdsa-sha256") => (KeyKind::Ec, MessageDigest::sha256()),
            Some("ecdsa-sha384") => (KeyKind::Ec, MessageDigest::sha384()),
            Some("ecdsa-sha512") => (KeyKind::Ec, MessageDigest::sha512()),
            _ => {
                return Err(Refusal::new(
                    Check::Algorithm,
                    "a signature by RSA or ECDSA with SHA-256, SHA-384 or SHA-512",
                    name,
                ));
            }
        },
    )
}

fn inflated(field: &str) -> Result<String, Refusal> {
    let bytes = base64(field).ok_or_else(|| Refusal::new(Check::Encoding, "base64", "another"))?;
    let mut inflated = Vec::new();
    let mut decoder = DeflateDecoder::new(bytes.as_slice()).take(MAX_INFLATED.saturating_add(1));
    decoder
        .read_to_end(&mut inflated)
        .map_err(|_broken| Refusal::new(Check::Encoding, "DEFLATE (RFC 1951)", "another"))?;
    if u64::try_from(inflated.len()).unwrap_or(u64::MAX) > MAX_INFLATED {
        return Err(Refusal::new(
            Check::Limits,
            format!("at most {MAX_INFLATED} bytes inflated"),
            "more",
        ));
    }
    Ok(document(&inflated)?.to_owned())
}
