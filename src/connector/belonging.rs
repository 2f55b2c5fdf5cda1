//! Whose accounts the ledger's are: an id of one app is somebody else's in another.

use redb::{ReadableTable as _, ReadableTableMetadata as _, TableDefinition};

use super::ledger::{INTENTS, LINKS, Ledger, OWNERS};
use crate::storage::StorageError;

/// What the app is called whose records these are.
const APP: TableDefinition<'_, (), &str> = TableDefinition::new("connector_app");

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It holds links to accounts of another app.
    #[error(
        "the store links people to accounts of {before:?}, and the connector's [api] is now called {app:?}; \
         name it as before, or set connector.forget = {before:?} to have those links forgotten"
    )]
    Other {
        /// What the app was called.
        before: String,
        /// What it is called now.
        app: String,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

macro_rules! through_storage {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for LedgerError {
            fn from(error: redb::$error) -> Self {
                Self::Storage(error.into())
            }
        }
    )+};
}

through_storage!(StorageError, TableError);

impl Ledger {
    /// Whose records these are from now on: an id of one app is somebody else's in another. `forget` names an app whose
    /// records may be forgotten.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Other`]: they are of another app; the store failed.
    pub async fn belong(&self, app: &str, forget: &str) -> Result<(), LedgerError> {
        let (app, forget) = (app.to_owned(), forget.to_owned());
        let job = move |transaction: &redb::WriteTransaction| {
            let mut names = transaction.open_table(APP)?;
            let before = names.get(())?.map(|name| name.value().to_owned());
            if before.as_deref() == Some(app.as_str()) {
                return Ok(());
            }
            let mut links = transaction.open_table(LINKS)?;
            if let Some(before) = before.filter(|before| *before != forget)
                && !links.is_empty()?
            {
                return Err(LedgerError::Other { before, app });
            }
            links.retain(|_, _| false)?;
            transaction.open_table(OWNERS)?.retain(|_, _| false)?;
            transaction.open_table(INTENTS)?.retain(|_, _| false)?;
            names.insert((), app.as_str())?;
            Ok(())
        };
        self.store.write(job).await
    }
}
