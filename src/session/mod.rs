//! Our sessions: an opaque token in the cookie, its SHA-256 in the store, the session itself in memory.
//!
//! Refuses unknown, idle, over-aged and ended ones. A look-up touches no disk and no lock. A sign-in
//! that was under way when its person's sessions were ended does not become a session ([`Ticket`]).

mod app_slot;
mod claims;
mod embedded;
mod index;
mod live;
mod refresh;
mod sessions;
mod sweep;

use std::net::IpAddr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::crypto::Digest;
use crate::identity::{ClaimedGroups, IdpKind, IdpName, TenantSlug, UserId};
use crate::secret::Secret;
use crate::storage::StorageError;

pub use app_slot::{AppSlot, Held};
pub use claims::Claims;
pub use embedded::EmbeddedSessions;
pub use index::{End, Ticket};
pub use live::{Live, Prepared};
pub use sessions::{Sessions, StartError};

/// One session as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Public identifier, for listings and logs; tells nothing about the token.
    pub id: String,
    /// SHA-256 of the cookie's value.
    pub key: Digest,
    /// The host it was started on; another host has no session (R23).
    pub host: String,
    /// Whose directory the person is in.
    pub tenant: TenantSlug,
    /// The person.
    pub user: UserId,
    /// Which idp signed them in; `local` for local accounts.
    pub idp: IdpName,
    /// How that idp speaks.
    pub kind: IdpKind,
    /// What the idp calls the person.
    pub subject: String,
    /// SAML NameID.
    pub name_id: Option<String>,
    /// The idp's session, for logout from there.
    pub idp_session: Option<String>,
    /// Hint for RP-initiated logout.
    pub id_token: Option<Secret>,
    /// Groups as the idp named them at sign-in.
    pub groups: ClaimedGroups,
    /// All claims at sign-in, for header templates.
    #[serde(default)]
    pub claims: Claims,
    /// When it started.
    pub created: Timestamp,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// Last use, to the minute.
    pub last_seen: Timestamp,
    /// Its end, whatever happens.
    pub absolute_until: Timestamp,
    /// Client address at sign-in.
    pub client: Option<IpAddr>,
    /// `User-Agent` at sign-in, cut at 256 bytes.
    pub user_agent: String,
    /// Cookies of the app issued under this session: name and SHA-256 of the value.
    #[serde(default)]
    pub app_cookies: Vec<(String, Digest)>,
}

/// Where sessions last.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// All that are stored, at start.
    async fn load(&self) -> Result<Vec<Session>, StorageError>;
    /// Writes a new one; durable when it returns.
    async fn put(&self, session: &Session) -> Result<(), StorageError>;
    /// Writes changed ones, those that are still there, in one commit.
    async fn update(&self, sessions: Vec<Session>) -> Result<(), StorageError>;
    /// Writes last uses, of those that are still there, in one commit.
    async fn seen(&self, uses: Vec<(Digest, Timestamp)>) -> Result<(), StorageError>;
    /// Removes; durable when it returns. Unknown ones are no error.
    async fn remove(&self, keys: Vec<Digest>) -> Result<(), StorageError>;
}

#[cfg(test)]
mod race_tests;
#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
#[cfg(test)]
pub(crate) use tests::sample;
