//! Group commits, faults, closing and opening again.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, ReadableDatabase as _};
use redb::{ReadableTable as _, StorageBackend};

use super::*;
use crate::storage::Folder;

const ROWS: TableDefinition<'_, u64, u64> = TableDefinition::new("rows");

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new())
}

async fn put(store: &Embedded, row: u64) -> Result<(), StorageError> {
    store
        .write(move |transaction| {
            transaction.open_table(ROWS)?.insert(row, row)?;
            Ok(())
        })
        .await
}

async fn rows(store: &Embedded) -> Vec<u64> {
    let read = |snapshot: &ReadTransaction| -> Result<Vec<u64>, StorageError> {
        let Some(table) = table(snapshot, ROWS)? else {
            return Ok(Vec::new());
        };
        let keys = table.iter()?.map(|row| Ok(row?.0.value()));
        keys.collect()
    };
    store.read(read).await.unwrap()
}

#[tokio::test]
async fn parallel_writes_share_commits_and_all_last() {
    let folder = Folder::new();
    let counted = metrics();
    let store = Embedded::open(&folder.path("store"), Arc::clone(&counted)).unwrap();
    let writes: Vec<_> = (0..64)
        .map(|row| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, row).await.unwrap() })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    assert_eq!(counted.store_writes.get(), 64);
    assert!(
        counted.store_commits.get() < 32,
        "{}",
        counted.store_commits.get()
    );
    drop(store);
    let store = Embedded::open(&folder.path("store"), metrics()).unwrap();
    assert_eq!(rows(&store).await, (0..64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refusal_is_answered_and_its_neighbours_stay() {
    let store = Embedded::in_memory(metrics()).unwrap();
    let refuse = |_: &WriteTransaction| Err::<(), _>(StorageError::Closed);
    let (one, refused, other) = tokio::join!(put(&store, 1), store.write(refuse), put(&store, 2));
    assert!(one.is_ok() && other.is_ok());
    assert!(matches!(refused, Err(StorageError::Closed)));
    assert_eq!(rows(&store).await, [1, 2]);
}

#[tokio::test]
async fn a_panic_leaves_nothing_and_the_writer_goes_on() {
    let store = Embedded::in_memory(metrics()).unwrap();
    put(&store, 1).await.unwrap();
    let panics = |transaction: &WriteTransaction| -> Result<(), StorageError> {
        transaction.open_table(ROWS)?.insert(2, 2)?;
        panic!("a fault in a job, on purpose");
    };
    let panicked = store.write(panics).await;
    assert!(
        matches!(panicked, Err(StorageError::BrokenOff)),
        "{panicked:?}"
    );
    put(&store, 3).await.unwrap();
    assert_eq!(rows(&store).await, [1, 3]);
    let panics = |_: &ReadTransaction| -> Result<(), StorageError> { panic!("on purpose") };
    assert!(matches!(
        store.read(panics).await,
        Err(StorageError::BrokenOff)
    ));
    assert_eq!(rows(&store).await, [1, 3]);
}

#[tokio::test]
async fn a_write_goes_on_when_nobody_waits() {
    let store = Embedded::in_memory(metrics()).unwrap();
    {
        let mut write = Box::pin(put(&store, 1));
        // Asked once, then left; the writer may have been faster.
        tokio::select! {
            biased;
            _ = &mut write => {}
            () = std::future::ready(()) => {}
        }
    }
    put(&store, 2).await.unwrap();
    assert_eq!(rows(&store).await, [1, 2]);
}

#[tokio::test]
async fn closing_keeps_what_waits_and_refuses_the_rest() {
    let folder = Folder::new();
    let store = Embedded::open(&folder.path("store"), metrics()).unwrap();
    let (written, ()) = tokio::join!(put(&store, 1), store.close());
    written.unwrap();
    assert!(matches!(put(&store, 2).await, Err(StorageError::Closed)));
    let read = store.read(|_| Ok::<_, StorageError>(())).await;
    assert!(matches!(read, Err(StorageError::Closed)));
    let again = Embedded::open(&folder.path("store"), metrics()).unwrap();
    assert_eq!(rows(&again).await, [1]);
}

#[tokio::test]
async fn the_file_is_its_owners_and_opened_once() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = Embedded::open(&path, metrics()).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = Embedded::open(&path, metrics()).map(drop).unwrap_err();
    assert!(matches!(&second, StorageError::Open(name, _) if *name == path.display().to_string()));
    drop(store);
    Embedded::open(&path, metrics()).unwrap();
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = Folder::new();
    let cause = |path: &str| {
        let error = Embedded::open(&folder.path(path), metrics())
            .map(drop)
            .unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let missing = cause("missing/store");
    assert!(missing.ends_with("missing does not exist"), "{missing}");
    std::fs::write(
        folder.path("text"),
        "no store, but a text that is long enough",
    )
    .unwrap();
    cause("text");
    std::fs::create_dir(folder.path("folder")).unwrap();
    cause("folder");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = Folder::new();
    let path = folder.path("store");
    let meta: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    let database = Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(meta).unwrap().insert("format", 2).unwrap();
    write.commit().unwrap();
    drop(database);
    let refused = Embedded::open(&path, metrics()).map(drop).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "store is of format 2, this release knows up to 1"
    );
    let database = Database::create(&path).unwrap();
    let read = database.begin_read().unwrap();
    assert_eq!(
        read.list_tables().unwrap().count(),
        1,
        "nothing was written"
    );
}

/// A disk that can be full; what was written stays when it is opened again.
#[derive(Clone, Debug)]
struct Disk {
    memory: Arc<InMemoryBackend>,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> std::io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.check()?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.check()?;
        self.memory.write(offset, data)
    }
}

#[tokio::test]
async fn a_disk_that_was_full_needs_no_restart() {
    let disk = Disk {
        memory: Arc::new(InMemoryBackend::new()),
        full: Arc::new(AtomicBool::new(false)),
    };
    let opened = disk.clone();
    let open = move || -> Result<Database, DatabaseError> {
        Builder::new().create_with_backend(opened.clone())
    };
    let store = Embedded::start(File::new("disk".to_owned(), open).unwrap(), metrics()).unwrap();
    put(&store, 1).await.unwrap();
    disk.full.store(true, Ordering::Relaxed);
    for row in [2, 3] {
        put(&store, row).await.unwrap_err();
    }
    disk.full.store(false, Ordering::Relaxed);
    put(&store, 4).await.unwrap();
    assert_eq!(rows(&store).await, [1, 4]);
}
