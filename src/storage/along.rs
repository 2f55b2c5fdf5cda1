//! What one area wants written in the commit of another's write, without either knowing what the other writes.

use redb::WriteTransaction;

use super::StorageError;

/// Writes one part.
type Part = Box<dyn FnOnce(&WriteTransaction) -> Result<(), StorageError> + Send>;

/// Rows that go along with somebody else's write: both last, or neither does. The default is nothing.
#[derive(Default)]
pub struct Along(Vec<Part>);

impl Along {
    /// Rows that `write` writes. It must not refuse: it fails only when the store does.
    pub fn new(
        write: impl FnOnce(&WriteTransaction) -> Result<(), StorageError> + Send + 'static,
    ) -> Self {
        Self(vec![Box::new(write)])
    }

    /// These, then those.
    #[must_use]
    pub fn and(mut self, those: Self) -> Self {
        self.0.extend(those.0);
        self
    }

    /// Writes them: last, when nothing else can refuse the write.
    ///
    /// # Errors
    ///
    /// The store failed; then the write that they go along with must not stay either.
    pub fn write(self, transaction: &WriteTransaction) -> Result<(), StorageError> {
        self.0.into_iter().try_for_each(|write| write(transaction))
    }
}
