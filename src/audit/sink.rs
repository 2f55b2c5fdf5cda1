//! The chain in a file besides: written behind the store's back, so that a slow disk holds up nobody.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Entry;
use super::chain;
use crate::storage::{Embedded, StorageError};

/// Entries written at once.
const BATCH: usize = 1000;
/// Of the file's end, what is looked through for its last entry, bytes.
const END: u64 = 16 * 1024;

#[derive(Debug, thiserror::Error)]
enum SinkError {
    #[error("audit file cannot be written")]
    File(#[from] io::Error),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Wakes the thread that writes.
pub(super) struct Sink {
    path: PathBuf,
    wake: SyncSender<()>,
}

impl Sink {
    pub(super) fn start(store: Embedded, path: &Path) -> Result<Self, StorageError> {
        let failed =
            |error: io::Error| StorageError::Open(path.display().to_string(), Box::new(error));
        let in_store = store.read_here(chain::last)?;
        let mut opened = open(path).map_err(failed)?;
        let in_file = last_number(&mut opened).map_err(failed)?;
        drop(opened);
        // A new file starts now; in an old one, what is missing since is added.
        let mut written = in_file.unwrap_or(in_store).min(in_store);
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new().name("audit-file".to_owned());
        let file = path.to_owned();
        let run = move || follow(&store, &file, &mut written, &woken);
        thread.spawn(run).map_err(failed)?;
        let path = path.to_owned();
        let sink = Self { path, wake };
        sink.wake();
        Ok(sink)
    }

    pub(super) fn wake(&self) {
        // When it is full, the thread is about to look anyway.
        let _full = self.wake.try_send(());
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn follow(store: &Embedded, path: &Path, written: &mut u64, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = catch_up(store, path, written) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, path = %path.display(), "audit file is behind; tried again with the next entry");
        }
    }
}

/// After a reload two of these may be at work for a moment: the file's lock and its last line keep
/// them apart.
fn catch_up(store: &Embedded, path: &Path, written: &mut u64) -> Result<(), SinkError> {
    let mut file = open(path)?;
    file.lock()?;
    if let Some(last) = last_number(&mut file)?
        && last <= store.read_here(chain::last)?
    {
        *written = last.max(*written);
    }
    loop {
        let after = *written;
        let lines = store.read_here(|snapshot| chain::lines(snapshot, after, BATCH))?;
        let Some((last, _)) = lines.last() else {
            return Ok(());
        };
        let last = *last;
        let mut text = String::new();
        for (_, line) in lines {
            text.push_str(&line);
            text.push('\n');
        }
        file.write_all(text.as_bytes())?;
        *written = last;
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The number of the last whole line; none in an empty file. Ends a line that was broken off.
fn last_number(file: &mut File) -> io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    if end.last().is_some_and(|byte| *byte != b'\n') {
        file.write_all(b"\n")?;
    }
    let whole = end.split(|byte| *byte == b'\n').rev();
    let mut entries = whole.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    Ok(entries.next().map(|entry| entry.number))
}
