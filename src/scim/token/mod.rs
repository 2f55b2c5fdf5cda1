//! Tokens of SCIM clients: `sgt_<id>_<secret>`, shown once, bcrypt of the secret in the store (R55).
//!
//! Refuses unknown, revoked and expired ones, those of another tenant, and more bcrypt at once than the machine can
//! do. Why is for the log alone: whoever asks learns that it was not taken. Besides them stand access tokens
//! (`sga_…`, RFC 6749 1.4), of which the store holds the SHA-256; they end with what they were given for.

mod access;
mod live;
mod revoke;
mod store;
mod sweep;
mod tokens;
mod verify;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::PasswordError;
use crate::identity::TenantSlug;
use crate::secret::Secret;

pub use access::{Holder, Proof};
pub use revoke::RevokeError;
pub use tokens::{CreateError, Created, NewToken, Tokens};
pub use verify::{Shown, Verified};

/// What a token starts with, so that scanners for leaked secrets find it.
pub const PREFIX: &str = "sgt_";
/// What an access token starts with.
pub const ACCESS_PREFIX: &str = "sga_";
/// How long an access token is good; Entra ID wants an hour to six (gallery validation, `Validate_Credentials_Test`).
pub const ACCESS_LIFETIME: std::time::Duration = std::time::Duration::from_hours(2);

/// Why a token was not taken. For the log; no variant repeats what was sent, because it may be a secret (R41).
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not what a token of ours looks like.
    #[error("not a token of ours")]
    Form,
    /// No token has this id, this name or this text.
    #[error("token is unknown")]
    Unknown,
    /// The id exists, and its secret is another one.
    #[error("token {0}: the secret is another one")]
    Secret(String),
    /// An operator revoked it.
    #[error("token {0} is revoked")]
    Revoked(String),
    /// Its time is over.
    #[error("token {0} has expired")]
    Expired(String),
    /// It opens another tenant.
    #[error("token {id} is of tenant {tenant}")]
    Tenant {
        /// The token.
        id: String,
        /// Its own tenant.
        tenant: TenantSlug,
    },
    /// Too many are being checked.
    #[error("token cannot be checked now")]
    Busy(#[source] PasswordError),
}

/// A token as listings show it: never its secret, nor the hash (R55).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// Public identifier; also the OAuth client id.
    pub id: String,
    /// Whose directory it opens.
    pub tenant: TenantSlug,
    /// What the operator calls it; changes made with it are `scim:NAME`'s.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Last use; none when it was never used.
    pub used: Option<Timestamp>,
    /// Its end; none is never.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// The only roles it may give (R53); none is any of `roles.allowed`.
    pub roles: Option<Vec<String>>,
}

/// A token as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    id: String,
    tenant: TenantSlug,
    name: String,
    /// bcrypt of the secret.
    hash: Secret,
    created: Timestamp,
    expires: Option<Timestamp>,
    revoked: Option<Timestamp>,
    roles: Option<Vec<String>>,
}

#[cfg(test)]
mod tests;
