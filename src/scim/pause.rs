//! Provisioning stopped by the operator: clients are told to come back, and the stop outlives a restart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use redb::TableDefinition;

use super::ScimError;
use crate::storage::{Embedded, StorageError, table};

const TABLE: TableDefinition<'_, &str, bool> = TableDefinition::new("scim_switches");
const PAUSED: &str = "paused";
/// For `Retry-After`.
const COME_BACK: Duration = Duration::from_mins(5);

/// Whether provisioning is paused.
pub struct Pause {
    store: Embedded,
    on: AtomicBool,
}

impl Pause {
    /// As it was when the process ended.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn load(store: Embedded) -> Result<Self, StorageError> {
        let on = store
            .read(|snapshot| -> Result<bool, StorageError> {
                let Some(table) = table(snapshot, TABLE)? else {
                    return Ok(false);
                };
                Ok(table.get(PAUSED)?.is_some_and(|value| value.value()))
            })
            .await?;
        Ok(Self {
            store,
            on: AtomicBool::new(on),
        })
    }

    /// Whether clients are to come back later.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Refuses while it is on: asked at the door, again when the body has come, and before each operation of a bulk.
    ///
    /// # Errors
    ///
    /// 503 with `Retry-After`.
    pub(super) fn check(&self) -> Result<(), ScimError> {
        if !self.is_on() {
            return Ok(());
        }
        let why = "provisioning is paused by the operator";
        let mut error = ScimError::new(StatusCode::SERVICE_UNAVAILABLE, why);
        error.retry_after = Some(COME_BACK);
        Err(error)
    }

    /// Stops provisioning or lets it go on; durable when it returns.
    ///
    /// # Errors
    ///
    /// The store failed; then it is as it was.
    pub async fn set(&self, on: bool) -> Result<(), StorageError> {
        self.store
            .write(move |transaction| -> Result<(), StorageError> {
                let mut table = transaction.open_table(TABLE)?;
                table.insert(PAUSED, on)?;
                Ok(())
            })
            .await?;
        self.on.store(on, Ordering::Relaxed);
        Ok(())
    }
}
