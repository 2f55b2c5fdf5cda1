//! All tokens: loaded at the start, made, listed, revoked.

use std::sync::Arc;
use std::time::Duration;

use papaya::HashMap;

use super::access::AccessRecord;
use super::live::Live;
use super::verify::Remembered;
use super::{PREFIX, Record, TokenInfo, store};
use crate::clock::Clock;
use crate::crypto::{Digest, PasswordError, Passwords, random_bytes, random_token};
use crate::identity::TenantSlug;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::storage::{Embedded, StorageError};

/// bcrypt's cost. 256 random bits cannot be guessed at any cost; this is what bcrypt itself takes at least.
pub(super) const COST: u32 = 10;
/// bcrypts of tokens at once.
const AT_ONCE: usize = 2;
/// Longest name, bytes.
const MAX_NAME: usize = 64;

/// A token to make.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose directory it opens; the caller knows that it exists.
    pub tenant: TenantSlug,
    /// What it is called; none calls it by its id. Two may have one name while a client changes over.
    pub name: Option<String>,
    /// How long it is good; none is for ever.
    pub lifetime: Option<Duration>,
    /// The only roles it may give (R53); none is any of `roles.allowed`.
    pub roles: Option<Vec<String>>,
}

/// A new token, and the only time that its secret is seen (R55).
#[derive(Debug)]
pub struct Created {
    /// As in listings.
    pub token: TokenInfo,
    /// `sgt_<id>_<secret>`
    pub whole: Secret,
    /// The secret alone: the OAuth client secret.
    pub secret: Secret,
}

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Empty, too long, or with a colon or control characters.
    #[error("the name must have 1 to {MAX_NAME} bytes, no colon and no control characters")]
    Name,
    /// The secret could not be hashed.
    #[error("the secret cannot be hashed")]
    Hash(#[from] PasswordError),
    /// The store failed; then there is no token.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// All tokens.
pub struct Tokens {
    pub(super) all: HashMap<String, Arc<Live>>,
    /// By SHA-256 of the whole token.
    pub(super) remembered: HashMap<Digest, Remembered>,
    /// By SHA-256 of the access token.
    pub(super) access: HashMap<Digest, AccessRecord>,
    pub(super) passwords: Passwords,
    pub(super) store: Embedded,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
}

impl Tokens {
    /// Loads what is stored.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn load(
        store: Embedded,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StorageError> {
        Self::load_with(store, clock, metrics, COST).await
    }

    pub(in crate::scim) async fn load_with(
        store: Embedded,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        cost: u32,
    ) -> Result<Self, StorageError> {
        let loaded = store::load(&store).await?;
        let tokens = Self {
            all: HashMap::new(),
            remembered: HashMap::new(),
            access: HashMap::new(),
            passwords: Passwords::new(cost, 1, AT_ONCE),
            store,
            clock,
            metrics,
        };
        for (record, used) in loaded.tokens {
            let live = Live::new(record, used);
            let id = live.record.id.clone();
            tokens.all.pin().insert(id, Arc::new(live));
        }
        for (key, record) in loaded.access {
            tokens.access.pin().insert(key, record);
        }
        tokens.measure();
        Ok(tokens)
    }

    /// Makes a token; durable when it returns.
    ///
    /// # Errors
    ///
    /// The name cannot be one, too much bcrypt at once, or the store failed.
    pub async fn create(&self, new: NewToken) -> Result<Created, CreateError> {
        let name = new.name.map(|name| name.trim().to_owned());
        let odd = |name: &String| {
            name.is_empty()
                || name.len() > MAX_NAME
                || name.contains(|c: char| c == ':' || c.is_control())
        };
        if name.as_ref().is_some_and(odd) {
            return Err(CreateError::Name);
        }
        let id = random_bytes::<6>()
            .map(|byte| format!("{byte:02x}"))
            .concat();
        let secret = Secret::new(random_token());
        let now = self.clock.now();
        let record = Record {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            tenant: new.tenant,
            hash: self.passwords.hash(&secret).await?,
            created: now,
            expires: new.lifetime.map(|lifetime| now.plus(lifetime)),
            revoked: None,
            roles: new.roles,
        };
        store::put(&self.store, &record).await?;
        let live = Arc::new(Live::new(record, None));
        let token = live.info();
        self.all.pin().insert(token.id.clone(), live);
        self.measure();
        Ok(Created {
            whole: Secret::new(format!("{PREFIX}{}_{}", token.id, secret.expose())),
            token,
            secret,
        })
    }

    /// All tokens, revoked and expired ones too, oldest first.
    pub fn list(&self) -> Vec<TokenInfo> {
        let mut list: Vec<_> = self.all.pin().values().map(|live| live.info()).collect();
        list.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        list
    }
}
