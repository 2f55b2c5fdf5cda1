//! Cryptography as the rest needs it: random tokens, digests, passwords, sealed secrets, signing keys,
//! signed tokens of others. All of it from libraries.

#[cfg(test)]
pub(crate) mod fake;
mod jwks;
mod jws;
mod password;
mod seal;
mod sign;
mod token;

pub use jwks::{ASYMMETRIC, KeySet, KeysError};
pub use jws::{JwsError, claimed, number, signed};
pub use password::{MAX_PASSWORD, PasswordError, Passwords};
pub use seal::{SealError, SealKey, SealKeys, Sealed};
pub use sign::{SignAlgorithm, SignError, SigningKey};
pub use token::{Digest, hmac_sha256, random_bytes, random_token, sha256};
