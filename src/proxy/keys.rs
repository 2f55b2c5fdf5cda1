//! Keys of the assertion: kept in the store, rolled, published before their use and after.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::Timestamp;
use crate::config::Algorithm;
use crate::crypto::{SignAlgorithm, SignError, SigningKey};
use crate::secret::Secret;
use crate::storage::{Embedded, StorageError, table};

/// A key signs for this long.
const ROLL: Duration = Duration::from_hours(24 * 30);
/// A key is published for this long before it signs: longer than any app should keep the set.
const AHEAD: Duration = Duration::from_hours(24);
/// A key stays published for this long after it signed last: the longest `headers.assertion.lifetime`, and clocks that differ.
const KEEP: Duration = Duration::from_mins(65);

/// Private keys by key id; the store's file is readable by its owner alone.
const TABLE: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("assertion_keys");

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A key could not be made or read.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The thread that made a key broke off.
    #[error("making a key broke off")]
    Thread(#[source] tokio::task::JoinError),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    algorithm: SignAlgorithm,
    private: Secret,
    from: Timestamp,
}

#[derive(Clone, Debug)]
struct Key {
    key: Arc<SigningKey>,
    from: Timestamp,
}

#[derive(Debug, Default)]
struct Ring {
    keys: Vec<Key>,
    document: Bytes,
}

/// The keys that sign now, soon, and lately.
pub struct AssertionKeys {
    store: Embedded,
    algorithm: SignAlgorithm,
    ring: ArcSwap<Ring>,
}

impl std::fmt::Debug for AssertionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssertionKeys")
            .field("ring", &self.ring.load())
            .finish_non_exhaustive()
    }
}

impl AssertionKeys {
    /// Reads what is stored, and makes the first key when there is none.
    ///
    /// # Errors
    ///
    /// The store failed, or a stored key cannot be read.
    pub async fn load(
        store: Embedded,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        let rows: Vec<Row> = store.read(read_rows).await?;
        let keys = rows
            .iter()
            .map(|row| {
                let key = SigningKey::from_private(row.algorithm, &row.private)?;
                Ok(Key {
                    key: Arc::new(key),
                    from: row.from,
                })
            })
            .collect::<Result<Vec<_>, SignError>>()?;
        let loaded = Self {
            store,
            algorithm: match algorithm {
                Algorithm::Es256 => SignAlgorithm::Es256,
                Algorithm::EdDsa => SignAlgorithm::EdDsa,
                Algorithm::Rs256 => SignAlgorithm::Rs256,
            },
            ring: ArcSwap::from_pointee(Ring::of(keys)),
        };
        loaded.refresh(now).await?;
        Ok(loaded)
    }

    /// Makes the next key when it is time to publish it, and drops those that nothing valid is signed with.
    /// To be called about once an hour; calling it late only makes a key sign for longer.
    ///
    /// # Errors
    ///
    /// The store failed or no key could be made; what was there goes on.
    pub async fn refresh(&self, now: Timestamp) -> Result<(), KeysError> {
        let ring = self.ring.load_full();
        let next = next_from(&ring.keys, self.algorithm, now);
        let (keep, gone): (Vec<Key>, Vec<Key>) = ring
            .keys
            .iter()
            .cloned()
            .partition(|key| !is_over(key, &ring.keys, self.algorithm, now));
        let mut keys = keep;
        let mut added = None;
        if let Some(from) = next {
            let algorithm = self.algorithm;
            // An RSA key takes a tenth of a second or more.
            let key = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
                .await
                .map_err(KeysError::Thread)??;
            let row = Row {
                algorithm,
                private: key.private().clone(),
                from,
            };
            added = Some((key.kid().to_owned(), row));
            keys.push(Key {
                key: Arc::new(key),
                from,
            });
        }
        if added.is_none() && gone.is_empty() {
            return Ok(());
        }
        let gone: Vec<String> = gone.iter().map(|key| key.key.kid().to_owned()).collect();
        // Durable before anything is signed with it: else a restart would leave tokens that nobody can verify.
        self.store
            .write(move |transaction| write_rows(transaction, added.as_ref(), &gone))
            .await?;
        self.ring.store(Arc::new(Ring::of(keys)));
        Ok(())
    }

    /// The key that signs now.
    pub fn signer(&self, now: Timestamp) -> Option<Arc<SigningKey>> {
        let ring = self.ring.load();
        current(&ring.keys, self.algorithm, now).map(|key| Arc::clone(&key.key))
    }

    /// The JWK set (RFC 7517 5): keys that sign, that will, and that lately did.
    pub fn document(&self) -> Bytes {
        self.ring.load().document.clone()
    }
}

impl Ring {
    fn of(keys: Vec<Key>) -> Self {
        let set: Vec<_> = keys.iter().map(|key| key.key.jwk()).collect();
        Self {
            keys,
            document: json!({ "keys": set }).to_string().into(),
        }
    }
}

/// The youngest of this algorithm whose time has come.
fn current(keys: &[Key], algorithm: SignAlgorithm, now: Timestamp) -> Option<&Key> {
    keys.iter()
        .filter(|key| key.key.algorithm() == algorithm && key.from <= now)
        .max_by_key(|key| key.from)
}

/// From when a key that has to be made now will sign.
fn next_from(keys: &[Key], algorithm: SignAlgorithm, now: Timestamp) -> Option<Timestamp> {
    let Some(current) = current(keys, algorithm, now) else {
        return Some(now);
    };
    let is_made = keys
        .iter()
        .any(|key| key.key.algorithm() == algorithm && key.from > current.from);
    let due = current.from.plus(ROLL);
    (!is_made && now.plus(AHEAD) >= due).then(|| due.max(now.plus(AHEAD)))
}

/// Whether nothing valid can be signed with it any more, and nothing will be.
fn is_over(key: &Key, keys: &[Key], algorithm: SignAlgorithm, now: Timestamp) -> bool {
    // Of an algorithm that was set before: when it signed last is not known, only that no key signs for longer.
    if key.key.algorithm() != algorithm {
        return key.from.plus(ROLL).plus(AHEAD).plus(KEEP) <= now;
    }
    current(keys, algorithm, now)
        .is_some_and(|current| key.from < current.from && current.from.plus(KEEP) <= now)
}

fn read_rows(transaction: &redb::ReadTransaction) -> Result<Vec<Row>, StorageError> {
    let Some(table) = table(transaction, TABLE)? else {
        return Ok(Vec::new());
    };
    let mut rows = Vec::new();
    for entry in table.iter()? {
        let (_, value) = entry?;
        rows.push(serde_json::from_slice(value.value())?);
    }
    Ok(rows)
}

fn write_rows(
    transaction: &redb::WriteTransaction,
    added: Option<&(String, Row)>,
    gone: &[String],
) -> Result<(), StorageError> {
    let mut table = transaction.open_table(TABLE)?;
    if let Some((kid, row)) = added {
        let row = serde_json::to_vec(row)?;
        table.insert(kid.as_str(), row.as_slice())?;
    }
    for kid in gone {
        table.remove(kid.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
