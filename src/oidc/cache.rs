//! What an issuer last said, on disk: a restart while the idp is down still lets people in.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::outbound::Outbound;

/// Both documents of one issuer as they were fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cached {
    pub(super) fetched: Timestamp,
    pub(super) metadata: Value,
    pub(super) keys: Value,
}

/// One file; nobody but us may read or write it.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    file: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self {
            file: folder.join(format!("{name}.json")),
        }
    }

    /// What was kept last; nothing when there is none or it cannot be read. Blocks.
    pub(super) fn load(&self) -> Option<Cached> {
        let most = u64::try_from(Outbound::MAX_ANSWER).ok()?.saturating_mul(3);
        let mut text = Vec::new();
        fs::File::open(&self.file)
            .ok()?
            .take(most)
            .read_to_end(&mut text)
            .ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps it: whole or not at all. Blocks.
    pub(super) fn store(&self, cached: &Cached) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let new = self.file.with_extension("json.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(cached)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.file)
    }
}
