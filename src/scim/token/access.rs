//! Access tokens (RFC 6749 1.4): opaque, two hours, and never longer than what they were given for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::federation::VerifiedAssertion;
use super::verify::checked;
use super::{ACCESS_LIFETIME, ACCESS_PREFIX, TokenError, Tokens, Verified, store};
use crate::clock::Timestamp;
use crate::crypto::{Digest, random_token, sha256};
use crate::identity::TenantSlug;
use crate::secret::Secret;
use crate::storage::StorageError;

/// Live access tokens of one credential; the one that ends first makes room.
const MOST: usize = 1000;

/// What an access token is given for.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A token.
    Token(&'a Verified),
    /// An assertion of a `[[scim.federation]]`.
    Assertion(&'a VerifiedAssertion),
}

/// What an access token was given for.
#[derive(Debug)]
pub enum Holder {
    /// A token, checked anew: revoked or expired, it opens nothing.
    Token(Verified),
    /// An assertion of the `[[scim.federation]]` of this name, for the tenant that was asked for. Whether that still
    /// stands in the settings is the caller's check.
    Federation(String),
}

/// An access token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccessRecord {
    credential: Credential,
    tenant: TenantSlug,
    expires: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Credential {
    Token(String),
    Federation(String),
}

impl Tokens {
    /// Gives a new access token and how long it is good; durable when it returns.
    ///
    /// # Errors
    ///
    /// The store failed; then there is none.
    pub async fn issue(&self, proof: Proof<'_>) -> Result<(Secret, Duration), StorageError> {
        let now = self.clock.now();
        let (credential, tenant) = match proof {
            Proof::Token(token) => (Credential::Token(token.id().to_owned()), token.tenant()),
            Proof::Assertion(its) => (Credential::Federation(its.name().to_owned()), its.tenant()),
        };
        let gone = self.room_for(&credential);
        let record = AccessRecord {
            credential,
            tenant: tenant.clone(),
            expires: now.plus(ACCESS_LIFETIME),
        };
        let text = format!("{ACCESS_PREFIX}{}", random_token());
        let key = sha256(text.as_bytes());
        store::put_access(&self.store, key, &record, gone.clone()).await?;
        let access = self.access.pin();
        access.insert(key, record);
        for key in gone {
            access.remove(&key);
        }
        Ok((Secret::new(text), ACCESS_LIFETIME))
    }

    /// Whose access token this is, for this tenant.
    ///
    /// # Errors
    ///
    /// Why it is not taken.
    pub fn holder(&self, text: &str, tenant: Option<&TenantSlug>) -> Result<Holder, TokenError> {
        let now = self.clock.now();
        let access = self.access.pin();
        // R28: found by SHA-256 of 256 random bits.
        let record = access.get(&sha256(text.trim().as_bytes()));
        let record = record.ok_or(TokenError::Unknown)?;
        match &record.credential {
            Credential::Token(id) => {
                let all = self.all.pin();
                let live = all.get(id).ok_or(TokenError::Unknown)?;
                if now >= record.expires {
                    return Err(TokenError::Expired(id.clone()));
                }
                Ok(Holder::Token(checked(live, tenant, now)?))
            }
            Credential::Federation(name) => {
                if now >= record.expires {
                    return Err(TokenError::Expired(name.clone()));
                }
                if tenant != Some(&record.tenant) {
                    return Err(TokenError::Tenant {
                        id: name.clone(),
                        tenant: record.tenant.clone(),
                    });
                }
                Ok(Holder::Federation(name.clone()))
            }
        }
    }

    /// Removes access tokens that are over, or whose token is.
    pub(super) async fn drop_access(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let all = |id: &String| {
            let all = self.all.pin();
            all.get(id)
                .is_none_or(|live| live.revoked().is_some() || live.is_expired(now))
        };
        let over = |record: &AccessRecord| match &record.credential {
            _ if now >= record.expires => true,
            Credential::Token(id) => all(id),
            Credential::Federation(_) => false,
        };
        let gone: Vec<_> = {
            let access = self.access.pin();
            let over = access.iter().filter(|(_, record)| over(record));
            over.map(|(key, _)| *key).collect()
        };
        if gone.is_empty() {
            return Ok(());
        }
        store::remove_access(&self.store, gone.clone()).await?;
        let access = self.access.pin();
        for key in gone {
            access.remove(&key);
        }
        Ok(())
    }

    fn room_for(&self, credential: &Credential) -> Vec<Digest> {
        let access = self.access.pin();
        let mut its: Vec<_> = access
            .iter()
            .filter(|(_, record)| record.credential == *credential)
            .map(|(key, record)| (record.expires, *key))
            .collect();
        let over = its.len().saturating_add(1).saturating_sub(MOST);
        its.sort_unstable();
        its.into_iter().take(over).map(|(_, key)| key).collect()
    }
}
