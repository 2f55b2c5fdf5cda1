//! The embedded store: reads on blocking threads, writes through one thread that commits them in groups.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::WriteTransaction;
use redb::{Key, ReadOnlyTable, ReadTransaction, TableDefinition, TableError, Value};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::file::File;
use super::writer::{Answer, Job, Writer};
use crate::metrics::Metrics;
use crate::problem::Problem;

/// Writes that may wait; more wait outside.
const QUEUE: usize = 1024;
/// Reads at once; more wait.
const READERS: usize = 16;

/// Why the store could not do it. Nothing of a failed write stays.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file cannot be opened: missing folder, no right, or another process has it.
    #[error("store {0} cannot be opened")]
    Open(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key beside the store cannot be read or made.
    #[error("key {0} beside the store cannot be used")]
    SealKey(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A later release wrote the file.
    #[error("store is of format {found}, this release knows up to {known}")]
    Format {
        /// What the file says.
        found: u64,
        /// What we know.
        known: u64,
    },
    /// Reading or writing failed.
    #[error("store failed")]
    Redb(#[from] redb::Error),
    /// The group could not be committed.
    #[error("commit failed")]
    Commit(#[source] Arc<redb::Error>),
    /// The write, or one of its group, was broken off by a fault of ours or of the disk.
    #[error("store broke off")]
    BrokenOff,
    /// A stored value cannot be read.
    #[error("stored value cannot be read")]
    Value(#[from] serde_json::Error),
    /// The store has been closed.
    #[error("store is closed")]
    Closed,
}

macro_rules! through_redb {
    ($($error:ident),+) => {$(
        impl From<redb::$error> for StorageError {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        }
    )+};
}

through_redb!(StorageError, TableError, TransactionError, CommitError);

impl From<StorageError> for Problem {
    /// 503: it is ourselves who cannot.
    fn from(error: StorageError) -> Self {
        Self::new(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "store",
            "The service cannot reach its own store. Please try again in a moment.",
        )
        .because(error)
    }
}

/// A table as it was when the snapshot was taken; none before its first row.
///
/// # Errors
///
/// The store failed, or the table is of another type.
pub fn table<K: Key + 'static, V: Value + 'static>(
    snapshot: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, StorageError> {
    match snapshot.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A handle to the one store of this process.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

struct Inner {
    file: Arc<File>,
    jobs: mpsc::Sender<Job>,
    readers: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens or makes the file (mode 0600) and starts the writer.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is of a newer format.
    pub fn open(path: &Path, metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        Self::start(File::at(path)?, metrics)
    }

    /// A store that lasts as long as this handle: for tests.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub fn in_memory(metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        Self::start(File::in_memory()?, metrics)
    }

    pub(super) fn start(file: File, metrics: Arc<Metrics>) -> Result<Self, StorageError> {
        let file = Arc::new(file);
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer::new(Arc::clone(&file), waiting, metrics);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StorageError::Open("writer".to_owned(), Box::new(error)))?;
        let inner = Inner {
            file,
            jobs,
            readers: Arc::new(Semaphore::new(READERS)),
            writer: Mutex::new(Some(writer)),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Runs `job` on a snapshot, on a blocking thread.
    ///
    /// # Errors
    ///
    /// What the job says, or the store failed.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(&ReadTransaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let permit = Arc::clone(&self.inner.readers).acquire_owned().await;
        let permit = permit.map_err(|_closed| StorageError::Closed)?;
        let file = Arc::clone(&self.inner.file);
        let done = tokio::task::spawn_blocking(move || {
            let result = file
                .snapshot()
                .map_err(E::from)
                .and_then(|snapshot| job(&snapshot));
            drop(permit);
            result
        });
        done.await.map_err(|_panicked| StorageError::BrokenOff)?
    }

    /// Runs `job` on a snapshot, on this thread: for threads of our own, never for async ones.
    ///
    /// # Errors
    ///
    /// What the job says, or the store failed.
    pub fn read_here<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(&ReadTransaction) -> Result<T, E>,
        E: From<StorageError>,
    {
        job(&self.inner.file.snapshot()?)
    }

    /// Runs `job` in the next group commit and returns when it is durable.
    ///
    /// A job that refuses must leave nothing behind: its group is committed all the same. The job
    /// runs to its end even when the caller stops waiting.
    ///
    /// # Errors
    ///
    /// What the job says, or the store failed; then nothing of the group stays.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: FnOnce(&WriteTransaction) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job = Job::new(move |transaction| {
            let result = job(transaction);
            Answer::new(move |committed| {
                // Whoever asked may have gone; the write stays.
                drop(tell.send(committed.map_err(E::from).and(result)));
            })
        });
        let sent = self.inner.jobs.send(job).await;
        sent.map_err(|_closed| StorageError::Closed)?;
        told.await.map_err(|_dropped| StorageError::BrokenOff)?
    }

    /// Writes what waits, refuses what comes later, and closes the file.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let closed = tokio::task::spawn_blocking(move || inner.finish());
        if closed.await.is_err() {
            tracing::error!("the store could not be closed");
        }
    }
}

impl Inner {
    fn finish(&self) {
        self.file.stop();
        // Wakes the writer; when the queue is full it is awake.
        drop(self.jobs.try_send(Job::nothing()));
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.thread().id() != std::thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer ended by a fault");
        }
        self.file.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
#[path = "embedded_tests.rs"]
mod tests;
