//! Tokens and access tokens in the embedded store.

use std::collections::HashMap;

use redb::TableDefinition;

use super::Record;
use super::access::AccessRecord;
use crate::clock::Timestamp;
use crate::crypto::Digest;
use crate::storage::{Embedded, StorageError, table};

const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("scim_tokens");
/// Last uses, apart because they are written far more often.
const USED: TableDefinition<'_, &str, u64> = TableDefinition::new("scim_tokens_used");
/// By the SHA-256 of the access token.
const ACCESS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("scim_access_tokens");

#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) tokens: Vec<(Record, Option<Timestamp>)>,
    pub(super) access: Vec<(Digest, AccessRecord)>,
}

pub(super) async fn load(store: &Embedded) -> Result<Loaded, StorageError> {
    store
        .read(|snapshot| {
            let mut used = HashMap::new();
            if let Some(rows) = table(snapshot, USED)? {
                for row in rows.range::<&str>(..)? {
                    let (id, at) = row?;
                    used.insert(id.value().to_owned(), Timestamp::from_secs(at.value()));
                }
            }
            let mut tokens = Vec::new();
            if let Some(rows) = table(snapshot, TOKENS)? {
                for row in rows.range::<&str>(..)? {
                    let (id, value) = row?;
                    match serde_json::from_slice::<Record>(value.value()) {
                        Ok(record) => tokens.push((record, used.get(id.value()).copied())),
                        // One client needs a new one; all others go on.
                        Err(error) => tracing::error!(%error, "a stored SCIM token cannot be read"),
                    }
                }
            }
            let mut access = Vec::new();
            if let Some(rows) = table(snapshot, ACCESS)? {
                for row in rows.range::<&[u8; 32]>(..)? {
                    let (key, value) = row?;
                    // Its client asks for a new one.
                    if let Ok(record) = serde_json::from_slice(value.value()) {
                        access.push((Digest(*key.value()), record));
                    }
                }
            }
            Ok(Loaded { tokens, access })
        })
        .await
}

pub(super) async fn put(store: &Embedded, record: &Record) -> Result<(), StorageError> {
    let (id, value) = (record.id.clone(), serde_json::to_vec(record)?);
    store
        .write(move |transaction| {
            let mut tokens = transaction.open_table(TOKENS)?;
            tokens.insert(id.as_str(), value.as_slice())?;
            Ok(())
        })
        .await
}

pub(super) async fn put_used(
    store: &Embedded,
    uses: Vec<(String, Timestamp)>,
) -> Result<(), StorageError> {
    store
        .write(move |transaction| {
            let mut last = transaction.open_table(USED)?;
            for (id, at) in uses {
                last.insert(id.as_str(), at.as_secs())?;
            }
            Ok(())
        })
        .await
}

pub(super) async fn remove(store: &Embedded, ids: Vec<String>) -> Result<(), StorageError> {
    store
        .write(move |transaction| {
            let mut tokens = transaction.open_table(TOKENS)?;
            let mut used = transaction.open_table(USED)?;
            for id in ids {
                tokens.remove(id.as_str())?;
                used.remove(id.as_str())?;
            }
            Ok(())
        })
        .await
}

/// Writes a new access token and removes those that make room for it.
pub(super) async fn put_access(
    store: &Embedded,
    key: Digest,
    record: &AccessRecord,
    gone: Vec<Digest>,
) -> Result<(), StorageError> {
    let value = serde_json::to_vec(record)?;
    store
        .write(move |transaction| {
            let mut access = transaction.open_table(ACCESS)?;
            access.insert(&key.0, value.as_slice())?;
            for Digest(key) in gone {
                access.remove(&key)?;
            }
            Ok(())
        })
        .await
}

pub(super) async fn remove_access(store: &Embedded, gone: Vec<Digest>) -> Result<(), StorageError> {
    store
        .write(move |transaction| {
            let mut access = transaction.open_table(ACCESS)?;
            for Digest(key) in gone {
                access.remove(&key)?;
            }
            Ok(())
        })
        .await
}
