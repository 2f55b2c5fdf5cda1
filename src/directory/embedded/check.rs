//! Every index and counter against the records. The rows of a kind stand together and records come before
//! what is made from them, so one pass tells what must come and whether it did.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use redb::{ReadTransaction, ReadableTable as _};
use serde::de::DeserializeOwned;

use super::apply::mark_of;
use super::order::{Count, GROUPS, Mark, Order, USERS, bucket, number, text};
use super::read::Buried;
use super::rows::{Key, ROWS, Row, rows_of_group, rows_of_link, rows_of_member, rows_of_user};
use super::tombstones::rows_of_tombstone;
use crate::directory::DirectoryError;
use crate::identity::{Group, IdpName, Link, TenantSlug, User};
use crate::storage::{StorageError, table};

/// Findings that are told.
const TOLD: usize = 100;

/// Tells each row that disagrees.
pub(super) fn check(snapshot: &ReadTransaction) -> Result<Vec<String>, DirectoryError> {
    let Some(rows) = table(snapshot, ROWS)? else {
        return Ok(Vec::new());
    };
    let mut ledger = Ledger::default();
    for row in rows.iter().map_err(StorageError::from)? {
        let (key, value) = row.map_err(StorageError::from)?;
        ledger.enter(key.value(), value.value())?;
    }
    ledger.close();
    if ledger.due.is_empty() {
        return Ok(ledger.told);
    }
    // What did not come has to be named: once more, over what it is made from.
    let mut names = Ledger {
        missing: Some(std::mem::take(&mut ledger.due)),
        hasher: ledger.hasher.clone(),
        ..Ledger::default()
    };
    for row in rows.iter().map_err(StorageError::from)? {
        let (key, value) = row.map_err(StorageError::from)?;
        names.enter(key.value(), value.value())?;
    }
    let told = names.told.into_iter().filter(|it| it.ends_with(MISSING));
    ledger.told.extend(told);
    ledger.told.truncate(TOLD);
    Ok(ledger.told)
}

const MISSING: &str = "is missing";

/// What was seen, and what must still come; as hashes, so that a million people fit.
#[derive(Default)]
struct Ledger {
    hasher: RandomState,
    /// Keys and values of rows that must come.
    due: HashSet<u64>,
    /// People and groups: key of the record.
    known: HashSet<u64>,
    counts: HashMap<Vec<u8>, Count>,
    /// Behind the last place, by the key of the row that holds it.
    ends: HashMap<Vec<u8>, u64>,
    told: Vec<String>,
    /// On the second pass: what did not come on the first.
    missing: Option<HashSet<u64>>,
}

impl Ledger {
    fn enter(&mut self, key: &[u8], value: &[u8]) -> Result<(), DirectoryError> {
        let Some((kind, tenant, names)) = read(key) else {
            self.tell(key, "cannot be read");
            return Ok(());
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match (kind, names.as_slice()) {
            (Row::User, _) => self.user(key, value),
            (Row::Group, _) => self.group(key, value),
            (Row::Tombstone, [id]) => self.tombstone(&tenant, id, key, value),
            (Row::Link, [idp, subject]) => self.link(&tenant, idp, subject, key, value),
            (Row::Member, [group, user]) => self.member(&tenant, group, user, key),
            (Row::UserAt, [at]) => self.place(&USERS, Row::User, &tenant, at, key, value),
            (Row::GroupAt, [at]) => self.place(&GROUPS, Row::Group, &tenant, at, key, value),
            (Row::UserCount | Row::GroupCount, _) => {
                let seen = self.counts.remove(key);
                let count = std::str::from_utf8(value).ok().and_then(Count::read);
                if seen.is_none() || seen != count {
                    self.tell(key, "does not count what is there");
                }
                Ok(())
            }
            (Row::UserNext | Row::GroupNext, _) => {
                let next = std::str::from_utf8(value).ok().and_then(number);
                let end = self.ends.remove(key);
                if next.is_none() || next < end {
                    self.tell(key, "would give a place again");
                }
                Ok(())
            }
            // A later tombstone may have taken it over: that it leads to one is enough.
            (Row::TombstoneLink, _) => {
                self.came(key, b"");
                Ok(())
            }
            _ => {
                self.came(key, value);
                Ok(())
            }
        }
    }

    /// Counters that should have come.
    fn close(&mut self) {
        let counts = std::mem::take(&mut self.counts).into_keys();
        let ends = std::mem::take(&mut self.ends).into_keys();
        for key in counts.chain(ends) {
            self.tell(&key, MISSING);
        }
    }

    fn user(&mut self, key: &[u8], value: &[u8]) -> Result<(), DirectoryError> {
        let Some(user) = self.record::<User>(key, value) else {
            return Ok(());
        };
        if Row::User.key(&user.tenant, [user.id.as_str()])?.0 != key {
            self.tell(key, "is another record's");
        }
        self.known.insert(self.hash(key, b""));
        for (row, holds) in rows_of_user(&user)? {
            self.must_come(&row.0, holds.unwrap_or_default().as_bytes());
        }
        if let Some(mark) = mark_of(&user) {
            self.must_stand(&USERS, &user.tenant, mark, user.id.as_str())?;
        }
        Ok(())
    }

    fn group(&mut self, key: &[u8], value: &[u8]) -> Result<(), DirectoryError> {
        let Some(group) = self.record::<Group>(key, value) else {
            return Ok(());
        };
        if Row::Group.key(&group.tenant, [group.id.as_str()])?.0 != key {
            self.tell(key, "is another record's");
        }
        self.known.insert(self.hash(key, b""));
        for (row, holds) in rows_of_group(&group)? {
            self.must_come(&row.0, holds.unwrap_or_default().as_bytes());
        }
        self.must_stand(&GROUPS, &group.tenant, Mark::Managed, group.id.as_str())
    }

    fn tombstone(
        &mut self,
        tenant: &TenantSlug,
        id: &str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), DirectoryError> {
        let Some(buried) = self.record::<Buried>(key, value) else {
            return Ok(());
        };
        for (row, _) in rows_of_tombstone(tenant, id, &buried)? {
            self.must_come(&row.0, b"");
        }
        Ok(())
    }

    fn link(
        &mut self,
        tenant: &TenantSlug,
        idp: &str,
        subject: &str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), DirectoryError> {
        let (Ok(idp), Ok(user)) = (IdpName::try_from(idp), std::str::from_utf8(value)) else {
            self.tell(key, "cannot be read");
            return Ok(());
        };
        self.must_be_known(&Row::User.key(tenant, [user])?, key);
        let link = Link {
            idp,
            subject: subject.to_owned(),
            tenant: tenant.clone(),
        };
        let [_, by_user] = rows_of_link(&link, &user.into())?;
        self.must_come(&by_user.0, subject.as_bytes());
        Ok(())
    }

    fn member(
        &mut self,
        tenant: &TenantSlug,
        group: &str,
        user: &str,
        key: &[u8],
    ) -> Result<(), DirectoryError> {
        self.must_be_known(&Row::Group.key(tenant, [group])?, key);
        self.must_be_known(&Row::User.key(tenant, [user])?, key);
        let [_, by_user] = rows_of_member(tenant, &group.into(), &user.into())?;
        self.must_come(&by_user.0, b"");
        Ok(())
    }

    /// A place in an order: leads to a record, which leads back.
    fn place(
        &mut self,
        order: &Order,
        record: Row,
        tenant: &TenantSlug,
        at: &str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), DirectoryError> {
        let row = std::str::from_utf8(value).ok().and_then(Mark::read);
        let (Some(place), Some((mark, id))) = (number(at), row) else {
            self.tell(key, "cannot be read");
            return Ok(());
        };
        self.must_be_known(&record.key(tenant, [id])?, key);
        // The record asked for it without knowing where.
        self.came(&order.at.key(tenant, [""])?.0, value);
        self.must_come(&order.place.key(tenant, [id])?.0, at.as_bytes());
        let bucket = order.count.key(tenant, [&text(bucket(place))])?.0;
        self.counts.entry(bucket).or_default().add(mark);
        let end = order.next.key(tenant, [])?.0;
        self.ends.insert(end, place.saturating_add(1));
        Ok(())
    }

    fn must_stand(
        &mut self,
        order: &Order,
        tenant: &TenantSlug,
        mark: Mark,
        id: &str,
    ) -> Result<(), DirectoryError> {
        let key = order.at.key(tenant, [""])?;
        self.must_come(&key.0, mark.row(id).as_bytes());
        Ok(())
    }

    fn must_be_known(&mut self, record: &Key, key: &[u8]) {
        if !self.known.contains(&self.hash(&record.0, b"")) {
            self.tell(key, "leads to nobody");
        }
    }

    fn must_come(&mut self, key: &[u8], value: &[u8]) {
        let hash = self.hash(key, value);
        match &self.missing {
            Some(missing) if missing.contains(&hash) => {
                let value = String::from_utf8_lossy(value);
                self.tell(key, &format!("{value} {MISSING}"));
            }
            Some(_) => {}
            None => drop(self.due.insert(hash)),
        }
    }

    fn came(&mut self, key: &[u8], value: &[u8]) {
        if self.missing.is_none() && !self.due.remove(&self.hash(key, value)) {
            self.tell(key, "belongs to no record, or says something else");
        }
    }

    fn record<T: DeserializeOwned>(&mut self, key: &[u8], value: &[u8]) -> Option<T> {
        let record = serde_json::from_slice(value).ok();
        if record.is_none() {
            self.tell(key, "cannot be read");
        }
        record
    }

    fn tell(&mut self, key: &[u8], what: &str) {
        if self.told.len() < TOLD {
            let row = match read(key) {
                Some((kind, tenant, names)) => format!("{kind:?} {tenant} {}", names.join(" ")),
                None => format!("{key:?}"),
            };
            self.told
                .push(format!("{} {}", row.trim_end(), what.trim_start()));
        }
    }

    fn hash(&self, key: &[u8], value: &[u8]) -> u64 {
        self.hasher.hash_one((key, value))
    }
}

/// What a row is for, its tenant and its names.
fn read(key: &[u8]) -> Option<(Row, TenantSlug, Vec<String>)> {
    let (kind, mut rest) = key.split_first()?;
    let kind = Row::ALL.into_iter().find(|row| *row as u8 == *kind)?;
    let mut names = Vec::new();
    // The tenant and all names but the last carry their length.
    for _ in 0..kind.names().max(1) {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (name, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        names.push(std::str::from_utf8(name).ok()?.to_owned());
        rest = after;
    }
    if kind.names() > 0 {
        names.push(std::str::from_utf8(rest).ok()?.to_owned());
    }
    let tenant = TenantSlug::try_from(names.remove(0)).ok()?;
    Some((kind, tenant, names))
}
