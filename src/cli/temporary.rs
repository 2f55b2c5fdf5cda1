//! A temporary folder of our own that goes when its owner does.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::output::Output;
use crate::crypto::random_token;

/// Mode 0700.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new one; `purpose` is a part of its name.
    pub(super) fn new(purpose: &str) -> anyhow::Result<Self> {
        let random: String = random_token().chars().take(12).collect();
        let path = std::env::temp_dir().join(format!("sidegate-{purpose}-{random}"));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            Output::stderr().line(&format!("{}: {error}", self.0.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_its_owner() {
        let folder = Folder::new("test").unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("x"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
