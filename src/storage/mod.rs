//! Where state lasts: one redb file with one writer, whose waiting writes are committed together.
//!
//! Refuses files of a newer format. A write is answered only after its commit is on the disk.

mod along;
mod embedded;
mod file;
#[cfg(test)]
mod folder;
mod seal_key;
mod writer;

pub use along::Along;
pub use embedded::{Embedded, StorageError, table};
#[cfg(test)]
pub(crate) use folder::Folder;
pub use seal_key::seal_key;
