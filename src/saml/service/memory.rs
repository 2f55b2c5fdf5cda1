//! What outlives a reload: assertions that were used, arrivals on their way to their browser, sign-outs under way, what was
//! refused.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redb::{ReadableTable as _, TableDefinition};
use tokio::runtime::Handle;

use crate::clock::Timestamp;
use crate::crypto::{Digest, random_token, sha256};
use crate::identity::{IdpName, Principal};
use crate::saml::once::{OneTime, UsedAssertions};
use crate::saml::refused::RefusedAnswers;
use crate::secret::Secret;
use crate::storage::{Embedded, StorageError, table};

/// SHA-256 of issuer and ID to seconds since 1970.
const USED: TableDefinition<'_, &[u8], u64> = TableDefinition::new("saml_used");
/// A browser needs one redirect to come back.
const ARRIVAL: Duration = Duration::from_mins(2);
/// A person at the idp's sign-out pages.
const SIGN_OUT: Duration = Duration::from_mins(15);
const SWEEP: Duration = Duration::from_hours(1);
/// Only what an idp signed, or a session of ours began, gets in.
const MOST: usize = 20_000;

/// Shared by all idps; to be kept as long as the process runs.
pub struct Memory {
    store: Embedded,
    used: UsedAssertions,
    /// Seconds since 1970.
    swept: AtomicU64,
    arrivals: Mutex<Waiting<Digest, Arrival>>,
    sign_outs: Mutex<Waiting<String, SignOut>>,
    refused: RefusedAnswers,
}

/// Somebody whom an idp proved, before their browser has shown that it is theirs.
pub(super) struct Arrival {
    pub(super) idp: IdpName,
    /// Host that the answer came to (R23).
    pub(super) host: String,
    /// The sign-in that it answers; none when the idp began.
    pub(super) handle: Option<String>,
    /// Where the idp wants the person, when it began.
    pub(super) return_to: Option<String>,
    pub(super) principal: Principal,
}

/// A request to sign out that the idp has not answered.
#[derive(Clone)]
pub(super) struct SignOut {
    pub(super) idp: IdpName,
    /// `ID` of the request.
    pub(super) id: String,
    pub(super) return_to: String,
}

struct Waiting<K, V> {
    all: HashMap<K, (Timestamp, V)>,
    life: Duration,
}

impl<K: Eq + Hash, V> Waiting<K, V> {
    fn new(life: Duration) -> Mutex<Self> {
        Mutex::new(Self {
            all: HashMap::new(),
            life,
        })
    }

    fn put(&mut self, key: K, value: V, now: Timestamp) {
        if self.all.len() >= MOST {
            let life = self.life;
            self.all.retain(|_, (since, _)| now.since(*since) < life);
        }
        if self.all.len() < MOST {
            self.all.insert(key, (now, value));
        }
    }

    fn take(&mut self, key: &K, now: Timestamp) -> Option<V> {
        let (since, value) = self.all.remove(key)?;
        (now.since(since) < self.life).then_some(value)
    }
}

impl Memory {
    /// With what was used before the last end of the process.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn load(store: Embedded, now: Timestamp) -> Result<Self, StorageError> {
        let before = store.read(used_before).await?;
        let used = UsedAssertions::default();
        for (key, until) in before {
            used.first_use(key, until, now);
        }
        Ok(Self {
            store,
            used,
            swept: AtomicU64::new(0),
            arrivals: Waiting::new(ARRIVAL),
            sign_outs: Waiting::new(SIGN_OUT),
            refused: RefusedAnswers::default(),
        })
    }

    /// The last answers that were refused.
    pub fn refused(&self) -> &RefusedAnswers {
        &self.refused
    }

    /// Keeps an arrival, and gives the one word that fetches it.
    pub(super) fn arrived(&self, arrival: Arrival, now: Timestamp) -> Secret {
        let word = random_token();
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.put(sha256(word.as_bytes()), arrival, now);
        Secret::new(word)
    }

    pub(super) fn take_arrival(&self, word: &str, now: Timestamp) -> Option<Arrival> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.take(&sha256(word.as_bytes()), now)
    }

    /// Keeps a sign-out, and gives the `RelayState` that names it.
    pub(super) fn signing_out(&self, sign_out: SignOut, now: Timestamp) -> String {
        let handle = random_token();
        let mut all = self
            .sign_outs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.put(handle.clone(), sign_out, now);
        handle
    }

    pub(super) fn take_sign_out(&self, handle: &str, now: Timestamp) -> Option<SignOut> {
        let mut all = self
            .sign_outs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.take(&handle.to_owned(), now)
    }

    /// Forgets on the disk what could not be used anyway, once an hour whoever asks.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), StorageError> {
        let swept = Timestamp::from_secs(self.swept.load(Ordering::Relaxed));
        if now.since(swept) < SWEEP {
            return Ok(());
        }
        self.swept.store(now.as_secs(), Ordering::Relaxed);
        self.store
            .write(move |transaction| -> Result<(), StorageError> {
                let mut table = transaction.open_table(USED)?;
                table.retain(|_, until| until > now.as_secs())?;
                Ok(())
            })
            .await
    }
}

fn used_before(snapshot: &redb::ReadTransaction) -> Result<Vec<(Digest, Timestamp)>, StorageError> {
    let Some(table) = table(snapshot, USED)? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for row in table.iter()? {
        let (key, until) = row?;
        if let Ok(key) = <[u8; 32]>::try_from(key.value()) {
            all.push((Digest(key), Timestamp::from_secs(until.value())));
        }
    }
    Ok(all)
}

/// Durable before it says yes: for a blocking thread inside the runtime, where verification runs.
impl OneTime for Memory {
    fn first_use(&self, key: Digest, until: Timestamp, now: Timestamp) -> bool {
        if !self.used.first_use(key, until, now) {
            return false;
        }
        let written = self
            .store
            .write(move |transaction| -> Result<(), StorageError> {
                let mut table = transaction.open_table(USED)?;
                table.insert(key.0.as_slice(), until.as_secs())?;
                Ok(())
            });
        match Handle::current().block_on(written) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "a used assertion cannot be remembered");
                false
            }
        }
    }
}
