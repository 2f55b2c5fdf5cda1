//! The chain holds, and shows each way of tampering with it; the file follows it.

use redb::TableDefinition;

use super::*;
use crate::clock::ManualClock;
use crate::metrics::Metrics;
use crate::storage::Folder;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_hours(24);
const TEN_DAYS: Duration = Duration::from_hours(240);
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
const ENDS: TableDefinition<'_, &str, (u64, &str)> = TableDefinition::new("audit_ends");

struct World {
    audit: Audit,
    store: Embedded,
    clock: Arc<ManualClock>,
}

impl World {
    fn new(file: Option<PathBuf>) -> Self {
        let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
        Self::on(store, file)
    }

    fn on(store: Embedded, file: Option<PathBuf>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let audit = Audit::new(store.clone(), clock.clone(), file, TEN_DAYS).unwrap();
        Self {
            audit,
            store,
            clock,
        }
    }

    async fn write(&self, action: &str, user_name: &str) {
        let event = Event {
            action: action.to_owned(),
            actor: "system".to_owned(),
            user_name: Some(user_name.to_owned()),
            reason: Some("quotes \" and ,\"hash\":\"".to_owned()),
            ..Event::default()
        };
        self.audit.write(event).await.unwrap();
    }

    async fn numbers(&self, filter: Filter, limit: usize) -> Vec<u64> {
        let found = self.audit.find(filter, limit).await.unwrap();
        found.into_iter().map(|entry| entry.number).collect()
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn entries_are_numbered_chained_and_found() {
    let world = World::new(None);
    assert_eq!(
        world.audit.verify().await.unwrap(),
        Verdict::Whole { entries: 0 }
    );
    for (action, name) in [
        ("user.created", "ada"),
        ("sign_in.ok", "ada"),
        ("sign_in.ok", "bob"),
    ] {
        world.write(action, name).await;
        world.clock.advance(DAY);
    }
    assert_eq!(
        world.audit.verify().await.unwrap(),
        Verdict::Whole { entries: 3 }
    );
    let newest = world.audit.newest(1).await.unwrap();
    assert_eq!((newest[0].number, newest[0].at), (3, NOW.plus(DAY * 2)));
    let text = |text: &str| Some(text.to_owned());
    for (name, filter, limit, want) in [
        ("all", Filter::default(), 10, vec![3, 2, 1]),
        ("limit", Filter::default(), 2, vec![3, 2]),
        (
            "next page",
            Filter {
                before: Some(2),
                ..Filter::default()
            },
            2,
            vec![1],
        ),
        (
            "person",
            Filter {
                user_name: text("ada"),
                ..Filter::default()
            },
            9,
            vec![2, 1],
        ),
        (
            "action",
            Filter {
                action: text("sign_in."),
                ..Filter::default()
            },
            9,
            vec![3, 2],
        ),
        (
            "since",
            Filter {
                since: Some(NOW.plus(DAY)),
                ..Filter::default()
            },
            9,
            vec![3, 2],
        ),
        (
            "none",
            Filter {
                user_name: text("ad"),
                ..Filter::default()
            },
            9,
            vec![],
        ),
    ] {
        assert_eq!(world.numbers(filter, limit).await, want, "{name}");
    }
    let lines = world.audit.lines(1).await.unwrap();
    assert_eq!(
        lines.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        [2, 3]
    );
}

#[tokio::test]
async fn parallel_events_make_one_chain() {
    let world = Arc::new(World::new(None));
    let writes: Vec<_> = (0..50)
        .map(|n| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.write("x", &n.to_string()).await })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    assert_eq!(
        world.audit.verify().await.unwrap(),
        Verdict::Whole { entries: 50 }
    );
}

/// A row of the chain; none is a row that goes.
type Tampered = (u64, Option<&'static str>);
/// Name, rows, another last entry, the first that must be found broken.
type Case<'c> = (&'c str, &'c [Tampered], Option<(u64, &'c str)>, u64);

#[tokio::test]
async fn tampering_shows() {
    let hash = "a".repeat(64);
    let tamper: [Case<'_>; 7] = [
        ("changed", &[(2, Some("{\"number\":2,\"at\":1}"))], None, 2),
        ("changed first", &[(1, Some(""))], None, 1),
        ("cut out", &[(2, None)], None, 2),
        ("cut at the start", &[(1, None)], None, 1),
        ("cut at the end", &[(3, None)], None, 3),
        ("all gone", &[(1, None), (2, None), (3, None)], None, 1),
        ("another end", &[], Some((3, &hash)), 4),
    ];
    for (name, rows, end, broken) in tamper {
        let world = World::new(None);
        for _ in 0..3 {
            world.write("x", "ada").await;
        }
        let rows = rows.to_vec();
        let end = end.map(|(number, hash)| (number, hash.to_owned()));
        let change = move |transaction: &redb::WriteTransaction| -> Result<(), StorageError> {
            let mut entries = transaction.open_table(ENTRIES)?;
            for (number, line) in rows {
                match line {
                    Some(line) => drop(entries.insert(number, line.as_bytes())?),
                    None => drop(entries.remove(number)?),
                }
            }
            if let Some((number, hash)) = end {
                transaction
                    .open_table(ENDS)?
                    .insert("last", (number, hash.as_str()))?;
            }
            Ok(())
        };
        world.store.write(change).await.unwrap();
        let verdict = world.audit.verify().await.unwrap();
        assert_eq!(verdict, Verdict::Broken { number: broken }, "{name}");
    }
}

#[tokio::test]
async fn an_entry_that_moved_shows() {
    // Each line is as it was, in another row.
    for (name, moves, broken) in [
        ("change places", [(1, 2), (2, 1)], 1),
        ("to the end", [(3, 4), (4, 3)], 3),
    ] {
        let world = World::new(None);
        for user in ["ada", "bob", "carol"] {
            world.write("x", user).await;
        }
        let change = move |transaction: &redb::WriteTransaction| -> Result<(), StorageError> {
            let mut entries = transaction.open_table(ENTRIES)?;
            let mut lines = Vec::new();
            for (from, to) in moves {
                let line = entries.remove(from)?.map(|line| line.value().to_vec());
                lines.push((to, line.unwrap_or_default()));
            }
            for (to, line) in lines.into_iter().filter(|(_, line)| !line.is_empty()) {
                entries.insert(to, line.as_slice())?;
            }
            Ok(())
        };
        world.store.write(change).await.unwrap();
        let verdict = world.audit.verify().await.unwrap();
        assert_eq!(verdict, Verdict::Broken { number: broken }, "{name}");
    }
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_rest_stays_a_chain() {
    let world = World::new(None);
    for _ in 0..5 {
        world.write("x", "ada").await;
        world.clock.advance(DAY * 4);
    }
    for (advance, removed, left) in [(0, 3, 2), (0, 0, 2), (4, 1, 1), (400, 1, 0), (0, 0, 0)] {
        world.clock.advance(DAY * advance);
        assert_eq!(world.audit.prune().await.unwrap(), removed);
        assert_eq!(
            world.audit.verify().await.unwrap(),
            Verdict::Whole { entries: left }
        );
    }
    world.write("x", "ada").await;
    assert_eq!(world.audit.newest(1).await.unwrap()[0].number, 6);
    assert_eq!(
        world.audit.verify().await.unwrap(),
        Verdict::Whole { entries: 1 }
    );
}

/// What `audit export` and the file hold can be checked without us.
#[tokio::test]
async fn lines_can_be_checked_by_hand() {
    let world = World::new(None);
    world.write("x", "ada").await;
    world.write("y", "bob").await;
    let mut before = "0".repeat(64);
    for (_, line) in world.audit.lines(0).await.unwrap() {
        let (body, tail) = line.rsplit_once(",\"hash\":\"").unwrap();
        let hash = crate::crypto::sha256(format!("{before}{body}").as_bytes()).to_hex();
        assert_eq!(tail, format!("{hash}\"}}"));
        before = hash;
    }
}

fn lines(file: &std::path::Path) -> Vec<u64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    whole.map(|entry| entry.number).collect()
}

/// The file is written by a thread of its own; this waits for it, not for time.
fn until(file: &std::path::Path, want: &[u64]) {
    for _ in 0..1_000_000 {
        if lines(file) == want {
            return;
        }
        std::thread::yield_now();
    }
    panic!("{:?}, not {want:?}", lines(file));
}

#[tokio::test]
async fn the_file_follows_the_chain() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let file = folder.path("audit.jsonl");
    let world = World::new(None);
    world.write("before", "ada").await;
    let store = world.store.clone();
    let world = World::on(store.clone(), Some(file.clone()));
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    world.write("x", "ada").await;
    world.write("x", "ada").await;
    until(&file, &[2, 3]);
    // Moved away by a rotation: the next entry makes a new one.
    std::fs::rename(&file, folder.path("old")).unwrap();
    world.write("x", "ada").await;
    until(&file, &[4]);
    drop(world);
    // Broken off in the middle of a line, and behind by one entry.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}{{\"number\":5,\"at")).unwrap();
    World::on(store.clone(), None).write("x", "ada").await;
    let old = World::on(store.clone(), Some(file.clone()));
    until(&file, &[4, 5]);
    // After a reload: requests of before write with the old one.
    let new = World::on(store, Some(file.clone()));
    for world in [&new, &old, &new, &old] {
        world.write("x", "ada").await;
    }
    until(&file, &[4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_holds_up_nobody() {
    let folder = Folder::new();
    let file = folder.path("audit.jsonl");
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let world = World::on(store, Some(file.clone()));
    be_unwritable(&file);
    world.write("x", "ada").await;
    world.write("x", "ada").await;
    assert_eq!(
        world.audit.verify().await.unwrap(),
        Verdict::Whole { entries: 2 }
    );
    std::fs::remove_dir(&file).unwrap();
    world.write("x", "ada").await;
    until(&file, &[1, 2, 3]);
    let missing = folder.path("none/audit.jsonl");
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let refused = Audit::new(store, Arc::new(ManualClock::at(NOW)), Some(missing), DAY);
    assert!(matches!(refused.map(drop), Err(StorageError::Open(..))));
}

/// A folder in the file's place, which the thread that writes may make again in between.
fn be_unwritable(file: &std::path::Path) {
    while std::fs::create_dir(file).is_err() {
        let _gone = std::fs::remove_file(file);
    }
}

/// A reload must not begin a new file where the old one was behind.
#[tokio::test]
async fn what_a_file_is_behind_outlives_a_reload() {
    let folder = Folder::new();
    let file = folder.path("audit.jsonl");
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    let old = World::on(store, Some(file.clone()));
    old.write("x", "ada").await;
    until(&file, &[1]);
    // As when the disk is full, and somebody makes room.
    be_unwritable(&file);
    old.write("x", "ada").await;
    std::fs::remove_dir(&file).unwrap();
    let audit = old.audit.renewed(Some(file.clone()), DAY).unwrap();
    let new = World {
        audit,
        store: old.store.clone(),
        clock: old.clock.clone(),
    };
    drop(old);
    new.write("x", "ada").await;
    until(&file, &[2, 3]);
    // Another file begins with what comes now.
    let other = folder.path("other.jsonl");
    let audit = new.audit.renewed(Some(other.clone()), DAY).unwrap();
    let last = World { audit, ..new };
    last.write("x", "ada").await;
    until(&other, &[4]);
    assert_eq!(lines(&file), [2, 3]);
}
