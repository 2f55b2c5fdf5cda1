//! Sessions in the embedded store.

use std::collections::HashMap;

use async_trait::async_trait;
use redb::{ReadableTable as _, TableDefinition};

use super::{Session, SessionStore};
use crate::clock::Timestamp;
use crate::crypto::Digest;
use crate::storage::{Embedded, StorageError, table};

const SESSIONS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("sessions");
/// Last uses, apart because they are written far more often.
const SEEN: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("sessions_seen");

/// Sessions in the embedded store.
pub struct EmbeddedSessions {
    store: Embedded,
}

impl EmbeddedSessions {
    /// In this store.
    pub const fn new(store: Embedded) -> Self {
        Self { store }
    }
}

#[async_trait]
impl SessionStore for EmbeddedSessions {
    async fn load(&self) -> Result<Vec<Session>, StorageError> {
        self.store
            .read(|snapshot| {
                let Some(sessions) = table(snapshot, SESSIONS)? else {
                    return Ok(Vec::new());
                };
                let mut seen = HashMap::new();
                if let Some(rows) = table(snapshot, SEEN)? {
                    for row in rows.iter()? {
                        let (key, at) = row?;
                        seen.insert(*key.value(), Timestamp::from_secs(at.value()));
                    }
                }
                let mut loaded = Vec::new();
                for row in sessions.iter()? {
                    let (key, value) = row?;
                    match serde_json::from_slice::<Session>(value.value()) {
                        Ok(mut session) => {
                            let seen = seen.get(key.value()).copied();
                            session.last_seen = session.last_seen.max(seen.unwrap_or_default());
                            loaded.push(session);
                        }
                        // One person signs in again; everybody else stays signed in.
                        Err(error) => tracing::error!(%error, "a stored session cannot be read"),
                    }
                }
                Ok(loaded)
            })
            .await
    }

    async fn put(&self, session: &Session) -> Result<(), StorageError> {
        let key = session.key;
        let value = serde_json::to_vec(session)?;
        self.store
            .write(move |transaction| {
                let mut sessions = transaction.open_table(SESSIONS)?;
                sessions.insert(&key.0, value.as_slice())?;
                Ok(())
            })
            .await
    }

    async fn update(&self, sessions: Vec<Session>) -> Result<(), StorageError> {
        let values = sessions
            .iter()
            .map(|session| Ok((session.key, serde_json::to_vec(session)?)))
            .collect::<Result<Vec<_>, StorageError>>()?;
        self.store
            .write(move |transaction| {
                let mut sessions = transaction.open_table(SESSIONS)?;
                for (key, value) in values {
                    // R25: one that was ended meanwhile must not come back.
                    if sessions.get(&key.0)?.is_some() {
                        sessions.insert(&key.0, value.as_slice())?;
                    }
                }
                Ok(())
            })
            .await
    }

    async fn seen(&self, uses: Vec<(Digest, Timestamp)>) -> Result<(), StorageError> {
        self.store
            .write(move |transaction| {
                let sessions = transaction.open_table(SESSIONS)?;
                let mut seen = transaction.open_table(SEEN)?;
                for (key, at) in uses {
                    if sessions.get(&key.0)?.is_some() {
                        seen.insert(&key.0, at.as_secs())?;
                    }
                }
                Ok(())
            })
            .await
    }

    async fn remove(&self, keys: Vec<Digest>) -> Result<(), StorageError> {
        self.store
            .write(move |transaction| {
                let mut sessions = transaction.open_table(SESSIONS)?;
                let mut seen = transaction.open_table(SEEN)?;
                for Digest(key) in keys {
                    sessions.remove(&key)?;
                    seen.remove(&key)?;
                }
                Ok(())
            })
            .await
    }
}
