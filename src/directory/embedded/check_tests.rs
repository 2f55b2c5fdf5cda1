//! Each way in which rows can disagree is told, and what agrees is not.

use std::sync::Arc;

use super::order::text;
use super::rows::{Key, ROWS, Row};
use super::*;
use crate::directory::sample::{group, join, link, new, new_group, own, person, remove};
use crate::metrics::Metrics;
use crate::storage::StorageError;

async fn world() -> (Embedded, EmbeddedDirectory) {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let directory = EmbeddedDirectory::new(store.clone());
    let (ada, staff) = (person("ada"), group("staff"));
    let changes = vec![
        new(ada.clone()),
        new(person("bob")),
        new(person("gone")),
        new_group(staff.clone()),
        join(&staff, &ada),
        Change::AddLink(link("1"), ada.id.clone()),
        Change::AddLink(link("2"), "id-gone".into()),
        remove(&person("gone")),
    ];
    directory.apply(changes).await.unwrap();
    (store, directory)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "most of it a table")]
async fn each_row_that_disagrees_is_told() {
    let key = |row: Row, names: &[&str]| {
        let (last, before) = names.split_last().unwrap_or((&"", &[]));
        let Key(mut key) = row.all(&own(), before).unwrap();
        key.extend_from_slice(last.as_bytes());
        key
    };
    let (zero, one) = (text(0), text(1));
    for (name, row, value, want) in [
        (
            "nothing",
            key(Row::User, &["id-ada"]),
            Some(""),
            "User default id-ada cannot be read",
        ),
        (
            "user name gone",
            key(Row::UserName, &["ada"]),
            None,
            "UserName default ada id-ada is missing",
        ),
        (
            "of another",
            key(Row::UserName, &["ada"]),
            Some("id-bob"),
            "UserName default ada belongs to no record, or says something else",
        ),
        (
            "stray",
            key(Row::Email, &["x@y.test", "id-ada"]),
            Some(""),
            "Email default x@y.test id-ada belongs to no record, or says something else",
        ),
        (
            "half a link",
            key(Row::LinkOf, &["id-ada", "entra"]),
            None,
            "LinkOf default id-ada entra 1 is missing",
        ),
        (
            "half a member",
            key(Row::MemberOf, &["id-ada", "group-staff"]),
            None,
            "MemberOf default id-ada group-staff is missing",
        ),
        (
            "member of nothing",
            key(Row::Member, &["none", "id-ada"]),
            Some(""),
            "Member default none id-ada leads to nobody",
        ),
        (
            "group gone",
            key(Row::Group, &["group-staff"]),
            None,
            "Member default group-staff id-ada leads to nobody",
        ),
        (
            "tombstone",
            key(Row::TombstoneName, &["gone", "id-gone"]),
            None,
            "TombstoneName default gone id-gone is missing",
        ),
        (
            "its link",
            key(Row::TombstoneLink, &["entra", "2"]),
            None,
            "TombstoneLink default entra 2 is missing",
        ),
        (
            "out of order",
            key(Row::UserAt, &[&zero]),
            None,
            "UserAt default mid-ada is missing",
        ),
        (
            "marked",
            key(Row::UserAt, &[&zero]),
            Some("oid-ada"),
            "UserAt default mid-ada is missing",
        ),
        (
            "place",
            key(Row::UserPlace, &["id-bob"]),
            Some(&zero),
            "UserPlace default id-bob belongs to no record, or says something else",
        ),
        (
            "count",
            key(Row::UserCount, &[&zero]),
            Some("3 3"),
            "UserCount default 0000000000000000 does not count what is there",
        ),
        (
            "no count",
            key(Row::UserCount, &[&zero]),
            None,
            "UserCount default 0000000000000000 is missing",
        ),
        (
            "next",
            key(Row::UserNext, &[]),
            Some(&one),
            "UserNext default would give a place again",
        ),
        (
            "a key of nothing",
            vec![99],
            Some(""),
            "[99] cannot be read",
        ),
    ] {
        let (store, directory) = world().await;
        assert_eq!(directory.check().await.unwrap(), Vec::<String>::new());
        let value = value.map(str::to_owned);
        let tamper = move |transaction: &redb::WriteTransaction| -> Result<(), StorageError> {
            let mut rows = transaction.open_table(ROWS)?;
            match value {
                Some(value) => drop(rows.insert(row.as_slice(), value.as_bytes())?),
                None => drop(rows.remove(row.as_slice())?),
            }
            Ok(())
        };
        store.write(tamper).await.unwrap();
        let told = directory.check().await.unwrap();
        assert!(told.iter().any(|it| it == want), "{name}: {told:?}");
    }
}
