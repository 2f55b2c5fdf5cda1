//! The chain in the store: one row an entry, the hash before the first one and the last one's beside them.

use redb::{
    AccessGuard, ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition, WriteTransaction,
};
use serde::Serialize;

use super::{Entry, Event, Filter, Verdict};
use crate::clock::Timestamp;
use crate::crypto::sha256;
use crate::storage::{StorageError, table};

/// Entries as lines of JSON.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// `first`: what the first entry follows, once entries were pruned. `last`: the last entry, so that
/// a cut at the end shows.
const ENDS: TableDefinition<'_, &str, (u64, &str)> = TableDefinition::new("audit_ends");
/// Person and number of the entry, for everybody's history.
const PEOPLE: TableDefinition<'_, (&str, u64), ()> = TableDefinition::new("audit_people");
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How a line ends: the hash and what stands around it.
const TAIL: usize = r#","hash":""}"#.len() + ZEROS.len();

/// An entry without its hash.
#[derive(Serialize)]
struct Hashed<'e> {
    number: u64,
    at: Timestamp,
    event: &'e Event,
}

/// An entry's place in the chain.
struct Place {
    number: u64,
    hash: String,
}

impl Place {
    fn read(
        ends: &impl ReadableTable<&'static str, (u64, &'static str)>,
        which: &str,
    ) -> Result<Self, StorageError> {
        let row = ends.get(which)?;
        let (number, hash) = row.as_ref().map_or((0, ZEROS), AccessGuard::value);
        Ok(Self {
            number,
            hash: hash.to_owned(),
        })
    }
}

pub(super) fn append(
    transaction: &WriteTransaction,
    at: Timestamp,
    event: &Event,
) -> Result<(), StorageError> {
    let mut ends = transaction.open_table(ENDS)?;
    let last = Place::read(&ends, "last")?;
    let number = last.number.saturating_add(1);
    let hashed = serde_json::to_string(&Hashed { number, at, event })?;
    let body = hashed.strip_suffix('}').unwrap_or(&hashed);
    let hash = follow(&last.hash, body.as_bytes());
    let line = format!(r#"{body},"hash":"{hash}"}}"#);
    transaction
        .open_table(ENTRIES)?
        .insert(number, line.as_bytes())?;
    ends.insert("last", (number, hash.as_str()))?;
    let mut people = transaction.open_table(PEOPLE)?;
    for person in event.people() {
        people.insert((person, number), ())?;
    }
    Ok(())
}

pub(super) fn find(
    snapshot: &ReadTransaction,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Entry>, StorageError> {
    let Some(entries) = table(snapshot, ENTRIES)? else {
        return Ok(Vec::new());
    };
    if let Some(person) = &filter.user {
        return of_person(snapshot, &entries, person, filter, limit);
    }
    let mut found = Vec::new();
    for row in entries.range(..filter.before.unwrap_or(u64::MAX))?.rev() {
        if found.len() >= limit {
            break;
        }
        let entry: Entry = serde_json::from_slice(row?.1.value())?;
        // Entries are as old as their numbers say, but for a clock that was set back.
        if filter.since.is_some_and(|since| entry.at < since) {
            break;
        }
        if filter.fits(&entry) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// A person's history, by index.
fn of_person(
    snapshot: &ReadTransaction,
    entries: &ReadOnlyTable<u64, &'static [u8]>,
    person: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Entry>, StorageError> {
    let Some(people) = table(snapshot, PEOPLE)? else {
        return Ok(Vec::new());
    };
    let before = filter.before.unwrap_or(u64::MAX);
    let mut found = Vec::new();
    for row in people.range((person, 0)..(person, before))?.rev() {
        if found.len() >= limit {
            break;
        }
        let (_, number) = row?.0.value();
        let Some(line) = entries.get(number)? else {
            continue;
        };
        let entry: Entry = serde_json::from_slice(line.value())?;
        if filter.since.is_some_and(|since| entry.at < since) {
            break;
        }
        if filter.fits(&entry) {
            found.push(entry);
        }
    }
    Ok(found)
}

pub(super) fn lines(
    snapshot: &ReadTransaction,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, String)>, StorageError> {
    let Some(entries) = table(snapshot, ENTRIES)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for row in entries.range(after.saturating_add(1)..)?.take(limit) {
        let (number, line) = row?;
        let line = String::from_utf8_lossy(line.value()).into_owned();
        found.push((number.value(), line));
    }
    Ok(found)
}

/// The number of the last entry.
pub(super) fn last(snapshot: &ReadTransaction) -> Result<u64, StorageError> {
    match table(snapshot, ENDS)? {
        Some(ends) => Ok(Place::read(&ends, "last")?.number),
        None => Ok(0),
    }
}

pub(super) fn verify(snapshot: &ReadTransaction) -> Result<Verdict, StorageError> {
    let (Some(entries), Some(ends)) = (table(snapshot, ENTRIES)?, table(snapshot, ENDS)?) else {
        return Ok(Verdict::Whole { entries: 0 });
    };
    let mut place = Place::read(&ends, "first")?;
    let last = Place::read(&ends, "last")?;
    let mut checked: u64 = 0;
    for row in entries.iter()? {
        let (number, line) = row?;
        let next = place.number.saturating_add(1);
        match hash_of(line.value(), &place.hash) {
            Some(hash) if number.value() == next && numbered(line.value(), next) => {
                place = Place { number: next, hash };
            }
            _ => return Ok(Verdict::Broken { number: next }),
        }
        checked = checked.saturating_add(1);
    }
    if (place.number, &place.hash) != (last.number, &last.hash) {
        let number = place.number.saturating_add(1);
        return Ok(Verdict::Broken { number });
    }
    Ok(Verdict::Whole { entries: checked })
}

/// Whether the first entry is.
pub(super) fn is_older(
    snapshot: &ReadTransaction,
    before: Timestamp,
) -> Result<bool, StorageError> {
    let Some(entries) = table(snapshot, ENTRIES)? else {
        return Ok(false);
    };
    let Some((_, line)) = entries.first()? else {
        return Ok(false);
    };
    let first: Entry = serde_json::from_slice(line.value())?;
    Ok(first.at < before)
}

pub(super) fn prune(
    transaction: &WriteTransaction,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StorageError> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut people = transaction.open_table(PEOPLE)?;
    let mut old = Vec::new();
    for row in entries.iter()?.take(limit) {
        let entry: Entry = serde_json::from_slice(row?.1.value())?;
        if entry.at >= before {
            break;
        }
        for person in entry.event.people() {
            people.remove((person, entry.number))?;
        }
        old.push(Place {
            number: entry.number,
            hash: entry.hash,
        });
    }
    if let Some(newest) = old.last() {
        let mut ends = transaction.open_table(ENDS)?;
        ends.insert("first", (newest.number, newest.hash.as_str()))?;
    }
    for place in &old {
        entries.remove(place.number)?;
    }
    Ok(old.len() as u64)
}

/// The hash that a line carries, when it follows from the one before.
fn hash_of(line: &[u8], before: &str) -> Option<String> {
    let (body, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let hash = follow(before, body);
    (tail == format!(r#","hash":"{hash}"}}"#).as_bytes()).then_some(hash)
}

fn numbered(line: &[u8], number: u64) -> bool {
    line.starts_with(format!(r#"{{"number":{number},"#).as_bytes())
}

fn follow(before: &str, body: &[u8]) -> String {
    sha256(&[before.as_bytes(), body].concat()).to_hex()
}
