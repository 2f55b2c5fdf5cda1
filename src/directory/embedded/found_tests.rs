//! One value of very many records.

use std::sync::Arc;

use super::rows::{ROWS, Row};
use super::*;
use crate::directory::MOST_FOUND;
use crate::directory::sample::own;
use crate::metrics::Metrics;
use crate::storage::StorageError;

#[tokio::test]
async fn more_than_can_be_looked_at_are_not_looked_at() {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let directory = EmbeddedDirectory::new(store.clone());
    // Rows of the index alone: whoever counts does not read the records.
    let write = |from: usize, to: usize| {
        store.write(move |transaction| -> Result<(), StorageError> {
            let mut rows = transaction.open_table(ROWS)?;
            let all = [Row::ExternalId, Row::Email, Row::GroupExternalId];
            for (number, row) in (from..to).flat_map(|number| all.map(|row| (number, row))) {
                let key = row.key(&own(), ["same", &number.to_string()]).unwrap();
                rows.insert(key.0.as_slice(), [].as_slice())?;
            }
            Ok(())
        })
    };
    let same = || "same".to_owned();
    for (from, to, fit) in [(0, MOST_FOUND, true), (MOST_FOUND, MOST_FOUND + 1, false)] {
        write(from, to).await.unwrap();
        for key in [UserKey::ExternalId(same()), UserKey::Email(same())] {
            let found = directory.find_users(&own(), &key).await;
            let many = matches!(found, Err(DirectoryError::TooMany));
            assert_eq!((found.is_ok(), many), (fit, !fit), "{key:?}, {to}");
        }
        let key = GroupKey::ExternalId(same());
        let found = directory.find_groups(&own(), &key).await;
        let many = matches!(found, Err(DirectoryError::TooMany));
        assert_eq!((found.is_ok(), many), (fit, !fit), "groups, {to}");
    }
}
