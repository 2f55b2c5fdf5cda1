//! Cryptography as the rest needs it: random tokens, digests, passwords, signing keys. All of it from libraries.

mod password;
mod sign;
mod token;

pub use password::{MAX_PASSWORD, PasswordError, Passwords};
pub use sign::{SignAlgorithm, SignError, SigningKey};
pub use token::{Digest, random_bytes, random_token, sha256};
