//! Rows that are written and can be put back: a refused call leaves nothing in a commit it shares.

use redb::{Table, WriteTransaction};

use super::read::Rows;
use super::rows::{Key, ROWS};
use crate::storage::StorageError;

/// The table with what stood there before.
pub(super) struct Undo<'t> {
    table: Table<'t, &'static [u8], &'static [u8]>,
    before: Vec<(Key, Option<Vec<u8>>)>,
}

impl<'t> Undo<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StorageError> {
        Ok(Self {
            table: transaction.open_table(ROWS)?,
            before: Vec::new(),
        })
    }

    pub(super) fn put(&mut self, key: Key, value: &[u8]) -> Result<(), StorageError> {
        let before = self.table.insert(key.0.as_slice(), value)?;
        let before = before.map(|value| value.value().to_vec());
        self.before.push((key, before));
        Ok(())
    }

    pub(super) fn remove(&mut self, key: Key) -> Result<(), StorageError> {
        let before = self.table.remove(key.0.as_slice())?;
        let before = before.map(|value| value.value().to_vec());
        if before.is_some() {
            self.before.push((key, before));
        }
        Ok(())
    }

    /// Puts everything back. When this fails, the disk did, and the commit fails too.
    pub(super) fn undo(mut self) -> Result<(), StorageError> {
        while let Some((key, before)) = self.before.pop() {
            match before {
                Some(value) => drop(self.table.insert(key.0.as_slice(), value.as_slice())?),
                None => drop(self.table.remove(key.0.as_slice())?),
            }
        }
        Ok(())
    }
}

impl Rows for Undo<'_> {
    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.table.value(key)
    }

    fn list(
        &self,
        beginning: &Key,
        from: &Key,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        self.table.list(beginning, from, limit)
    }
}
