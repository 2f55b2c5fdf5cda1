//! The key that seals kept secrets: a file beside the store, made at the first start. Whoever has the store alone,
//! such as an old backup of it, can open none of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::StorageError;
use crate::crypto::SealKey;

/// Longest key file that is read, bytes.
const MAX_FILE: u64 = 1024;

/// The key of the store in `file`: in `file` with `.key` behind it, mode 0600. To be called by whoever has the store
/// open: nobody else makes one at the same time.
///
/// # Errors
///
/// [`StorageError::SealKey`]: it cannot be read, made, or is no key. A key is never replaced.
pub fn seal_key(file: &Path) -> Result<SealKey, StorageError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".key");
    let path = Path::new(&name);
    read_or_make(path).map_err(|error| StorageError::SealKey(path.display().to_string(), error))
}

fn read_or_make(path: &Path) -> Result<SealKey, Box<dyn std::error::Error + Send + Sync>> {
    match File::open(path) {
        Ok(file) => {
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                tracing::warn!(path = %path.display(), "others on this machine can read this key; chmod 600 it");
            }
            let mut text = String::new();
            file.take(MAX_FILE).read_to_string(&mut text)?;
            Ok(SealKey::parse(&text)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = SealKey::random();
            make(path, key.to_text().expose())?;
            tracing::info!(path = %path.display(), "key for kept secrets made; back it up apart from the store");
            Ok(key)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whole or not at all, whenever the machine stops.
fn make(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    if let Err(error) = fs::remove_file(new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(new)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)?;
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::storage::Folder;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let folder = Folder::new();
        let store = folder.path("sidegate.redb");
        // Of a start that was cut off.
        fs::write(folder.path("sidegate.redb.key.new"), "half").unwrap();
        let sealed = seal_key(&store)
            .unwrap()
            .seal(&Secret::new("x"), "")
            .unwrap();
        let mode = fs::metadata(folder.path("sidegate.redb.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!folder.path("sidegate.redb.key.new").exists());
        let again = seal_key(&store).unwrap();
        assert_eq!(again.open(&sealed, "").unwrap().expose(), "x");
    }

    #[test]
    fn what_is_no_key_stays_as_it_is() {
        let folder = Folder::new();
        let (store, key) = (folder.path("s.redb"), folder.path("s.redb.key"));
        fs::write(&key, "not a key").unwrap();
        let error = seal_key(&store).unwrap_err();
        assert!(matches!(error, StorageError::SealKey(..)), "{error}");
        assert_eq!(fs::read_to_string(&key).unwrap(), "not a key");
    }
}
