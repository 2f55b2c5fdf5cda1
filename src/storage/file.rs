//! The database file: made for its owner alone, checked for its format, opened again after a failure.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, ReadTransaction, ReadableDatabase as _, TableDefinition};
use redb::{DatabaseError, WriteTransaction};

use super::{StorageError, table};

/// The format that this release writes.
const FORMAT: u64 = 1;
/// Pages kept in memory, bytes. The kernel caches the file besides.
const CACHE: usize = 8 * 1024 * 1024;
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The open database.
pub(super) struct File {
    name: String,
    open: Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>,
    database: RwLock<Option<Database>>,
    stopping: AtomicBool,
}

impl File {
    pub(super) fn at(path: &Path) -> Result<Self, StorageError> {
        let name = path.display().to_string();
        make_private(path).map_err(|error| StorageError::Open(name.clone(), error))?;
        let path = path.to_owned();
        Self::new(name, move || {
            Builder::new().set_cache_size(CACHE).create(&path)
        })
    }

    pub(super) fn in_memory() -> Result<Self, StorageError> {
        Self::new("in memory".to_owned(), || {
            Builder::new().create_with_backend(InMemoryBackend::new())
        })
    }

    pub(super) fn new(
        name: String,
        open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, StorageError> {
        let file = Self {
            name,
            open: Box::new(open),
            database: RwLock::new(None),
            stopping: AtomicBool::new(false),
        };
        file.open_again()?;
        file.check_format()?;
        Ok(file)
    }

    pub(super) fn snapshot(&self) -> Result<ReadTransaction, StorageError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(StorageError::Closed)?;
        Ok(database.begin_read()?)
    }

    pub(super) fn begin(&self) -> Result<WriteTransaction, StorageError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(StorageError::Closed)?;
        let mut transaction = database.begin_write()?;
        // The free pages are saved with each commit, so that nothing is walked after kill -9.
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// After a failed write redb does nothing more with an open file.
    pub(super) fn open_again(&self) -> Result<(), StorageError> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
        let opened = (self.open)();
        *database =
            Some(opened.map_err(|error| StorageError::Open(self.name.clone(), error.into()))?);
        Ok(())
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = database.take()
            && let Err(error) = database.close()
        {
            tracing::error!(%error, store = self.name, "the store was not closed cleanly");
        }
    }

    fn check_format(&self) -> Result<(), StorageError> {
        let found = match table(&self.snapshot()?, META)? {
            Some(meta) => meta.get("format")?.map(|format| format.value()),
            None => None,
        };
        match found {
            Some(found) if found > FORMAT => Err(StorageError::Format {
                found,
                known: FORMAT,
            }),
            Some(_) => Ok(()),
            None => {
                let transaction = self.begin()?;
                transaction.open_table(META)?.insert("format", FORMAT)?;
                Ok(transaction.commit()?)
            }
        }
    }
}

/// Makes the file for its owner alone, and says so when others can read one that exists.
fn make_private(path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(format!("folder {} does not exist", folder.display()).into());
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "everybody on this machine can open the store; chmod 600 it");
    }
    Ok(())
}
