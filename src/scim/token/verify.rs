//! From what a client showed to the token that it is. The only way to a [`Verified`].

use std::sync::Arc;
use std::time::Duration;

use super::live::Live;
use super::{PREFIX, Record, TokenError, Tokens};
use crate::clock::Timestamp;
use crate::crypto::{Digest, PasswordError, sha256};
use crate::identity::{TenantSlug, fold};
use crate::secret::Secret;

/// How long a token that was right is not checked again.
const REMEMBER: Duration = Duration::from_mins(1);
/// Tokens of one name that are tried: an old and a new one, and some to spare.
const SAME_NAME: usize = 4;

/// What a client showed; white space around it does not count.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    /// `sgt_<id>_<secret>`
    Token(&'a str),
    /// A name or id, and the secret or the whole token.
    Pair(&'a str, &'a str),
}

/// A token that was right a moment ago.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) token: Arc<Live>,
    pub(super) until: Timestamp,
}

/// Proof that a token of this tenant was shown, neither revoked nor expired. Not `Clone`.
#[derive(Debug)]
pub struct Verified {
    token: Arc<Live>,
}

impl Verified {
    /// The token's id.
    pub fn id(&self) -> &str {
        &self.token.record.id
    }

    /// What the operator calls it.
    pub fn name(&self) -> &str {
        &self.token.record.name
    }

    /// Whose directory it opens.
    pub fn tenant(&self) -> &TenantSlug {
        &self.token.record.tenant
    }

    /// The only roles it may give (R53); none is any of `roles.allowed`.
    pub fn roles(&self) -> Option<&[String]> {
        self.token.record.roles.as_deref()
    }
}

/// Whom a client claims to be, and the secret that shall prove it.
struct Claim {
    candidates: Vec<Arc<Live>>,
    secret: Secret,
}

impl Tokens {
    /// The token, when it was shown within the last minute and is still good: no bcrypt. None says nothing.
    pub fn recall(&self, shown: Shown<'_>, tenant: Option<&TenantSlug>) -> Option<Verified> {
        let claim = self.claim(shown, tenant).ok()?;
        let now = self.clock.now();
        claim.candidates.iter().find_map(|live| {
            let key = key(live, &claim.secret);
            let remembered = self.remembered.pin();
            // The map finds by SHA-256 of 256 random bits: how long it takes tells nothing of the token (R28).
            let its = remembered.get(&key).filter(|its| now < its.until)?;
            checked(&its.token, tenant, now).ok()
        })
    }

    /// The token that was shown, for this tenant; none stands for a tenant that does not exist. Takes one bcrypt
    /// whether or not there is such a token.
    ///
    /// # Errors
    ///
    /// Why it is not taken.
    pub async fn verify(
        &self,
        shown: Shown<'_>,
        tenant: Option<&TenantSlug>,
    ) -> Result<Verified, TokenError> {
        let Claim { candidates, secret } = self.claim(shown, tenant)?;
        let Some(first) = candidates.first() else {
            // R28: who tries ids learns nothing from the time it takes.
            self.fits(&secret, None).await?;
            return Err(TokenError::Unknown);
        };
        let wrong = TokenError::Secret(first.record.id.clone());
        for live in &candidates {
            if self.fits(&secret, Some(&live.record.hash)).await? {
                let now = self.clock.now();
                let verified = checked(live, tenant, now)?;
                let until = now.plus(REMEMBER);
                let token = Arc::clone(live);
                let remembered = self.remembered.pin();
                remembered.insert(key(live, &secret), Remembered { token, until });
                return Ok(verified);
            }
        }
        Err(wrong)
    }

    async fn fits(&self, secret: &Secret, hash: Option<&Secret>) -> Result<bool, TokenError> {
        let fits = self.passwords.verify(secret, hash).await;
        fits.map_err(|error: PasswordError| TokenError::Busy(error))
    }

    fn claim(&self, shown: Shown<'_>, tenant: Option<&TenantSlug>) -> Result<Claim, TokenError> {
        let (who, secret) = match shown {
            Shown::Token(text) => ("", text.trim()),
            Shown::Pair(who, secret) => (who.trim(), secret.trim()),
        };
        let all = self.all.pin();
        if let Some(rest) = secret.strip_prefix(PREFIX) {
            let (id, secret) = rest.split_once('_').ok_or(TokenError::Form)?;
            return Ok(Claim {
                candidates: all.get(id).map(Arc::clone).into_iter().collect(),
                secret: Secret::new(secret),
            });
        }
        if who.is_empty() || secret.is_empty() {
            return Err(TokenError::Form);
        }
        let id = who.strip_prefix(PREFIX).unwrap_or(who);
        let mut candidates: Vec<_> = all.get(id).map(Arc::clone).into_iter().collect();
        if candidates.is_empty() {
            candidates = self.named(who, tenant);
        }
        Ok(Claim {
            candidates,
            secret: Secret::new(secret),
        })
    }

    /// Tokens of this tenant with this name, newest first, those that are good before the others.
    fn named(&self, name: &str, tenant: Option<&TenantSlug>) -> Vec<Arc<Live>> {
        let name = fold(name);
        let fits = |record: &Record| Some(&record.tenant) == tenant && fold(&record.name) == name;
        let all = self.all.pin();
        let mut named: Vec<_> = all
            .values()
            .filter(|live| fits(&live.record))
            .map(Arc::clone)
            .collect();
        let order = |live: &Arc<Live>| (live.revoked().is_none(), live.record.created);
        named.sort_by_key(|live| std::cmp::Reverse(order(live)));
        named.truncate(SAME_NAME);
        named
    }
}

/// What may have changed since the secret was right.
pub(super) fn checked(
    live: &Arc<Live>,
    tenant: Option<&TenantSlug>,
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let Record {
        id, tenant: its, ..
    } = &live.record;
    if live.revoked().is_some() {
        return Err(TokenError::Revoked(id.clone()));
    }
    if live.is_expired(now) {
        return Err(TokenError::Expired(id.clone()));
    }
    if tenant != Some(its) {
        return Err(TokenError::Tenant {
            id: id.clone(),
            tenant: its.clone(),
        });
    }
    live.mark_used(now);
    Ok(Verified {
        token: Arc::clone(live),
    })
}

fn key(live: &Live, secret: &Secret) -> Digest {
    sha256(format!("{PREFIX}{}_{}", live.record.id, secret.expose()).as_bytes())
}
