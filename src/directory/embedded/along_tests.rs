//! What goes along with changes lasts with them, or not at all.

use std::sync::Arc;

use redb::{ReadableTable as _, TableDefinition};

use super::*;
use crate::directory::sample::{ids, new, person};
use crate::metrics::Metrics;
use crate::storage::{StorageError, table};

const BESIDE: TableDefinition<'_, u64, u64> = TableDefinition::new("beside");

#[tokio::test]
async fn both_are_written_or_neither_is() {
    let row = |number: u64| {
        Along::new(move |transaction| {
            transaction.open_table(BESIDE)?.insert(number, number)?;
            Ok(())
        })
    };
    let fault = || Along::new(|_| Err(StorageError::BrokenOff));
    let taken = || vec![new(person("bob")), new(person("ada"))];
    let bob = || vec![new(person("bob"))];
    for (name, changes, along, ok, beside) in [
        ("one row", bob(), row(1), true, vec![1]),
        ("two rows", bob(), row(1).and(row(2)), true, vec![1, 2]),
        ("nothing", bob(), Along::default(), true, vec![]),
        ("refused", taken(), row(1), false, vec![]),
        ("a fault", bob(), fault(), false, vec![]),
    ] {
        let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
        let directory = EmbeddedDirectory::new(store.clone());
        directory.apply(vec![new(person("ada"))]).await.unwrap();
        let applied = directory.apply_with(changes, along).await;
        assert_eq!(applied.is_ok(), ok, "{name}: {applied:?}");
        let found = ids(&directory, UserKey::UserName("bob".to_owned())).await;
        assert_eq!(found.len(), usize::from(ok), "{name}");
        let read = |snapshot: &redb::ReadTransaction| -> Result<Vec<u64>, StorageError> {
            let Some(table) = table(snapshot, BESIDE)? else {
                return Ok(Vec::new());
            };
            table.iter()?.map(|row| Ok(row?.0.value())).collect()
        };
        assert_eq!(store.read(read).await.unwrap(), beside, "{name}");
        assert!(directory.check().await.unwrap().is_empty(), "{name}");
    }
}
