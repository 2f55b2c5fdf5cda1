//! What an idp last said, on disk: a restart while it is down still lets people in.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Outbound;
use crate::identity::IdpName;

/// One file; nobody but us may read or write it.
#[derive(Clone, Debug)]
pub struct Cache {
    file: PathBuf,
}

impl Cache {
    /// `NAME.json` in this folder, which is made when something is kept.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            file: folder.join(format!("{name}.json")),
        }
    }

    /// What was kept last; nothing when there is none or it cannot be read. Blocks.
    pub fn load<T: DeserializeOwned>(&self) -> Option<T> {
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
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be written.
    pub fn store(&self, cached: &impl Serialize) -> io::Result<()> {
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

    /// The same off the async threads; what fails is told in the log alone.
    pub async fn keep(&self, idp: &IdpName, cached: impl Serialize + Send + 'static) {
        let cache = self.clone();
        let kept = tokio::task::spawn_blocking(move || cache.store(&cached)).await;
        if let Err(error) = kept.unwrap_or_else(|panicked| Err(io::Error::other(panicked))) {
            let idp = idp.as_str();
            tracing::warn!(idp, %error, "idp metadata cannot be kept for the next start");
        }
    }
}
