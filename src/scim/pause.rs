//! Provisioning stopped by the operator: clients are told to come back, and the stop outlives a restart.

use std::sync::atomic::{AtomicBool, Ordering};

use redb::TableDefinition;

use crate::storage::{Embedded, StorageError, table};

const TABLE: TableDefinition<'_, &str, bool> = TableDefinition::new("scim_switches");
const PAUSED: &str = "paused";

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
