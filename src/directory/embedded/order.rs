//! The order of making: who stands at which place, and how many in each bucket of places, so that a late
//! page costs what an early one does.

use super::read::{Questions as _, Rows};
use super::rows::Row;
use super::undo::Undo;
use crate::directory::DirectoryError;
use crate::identity::TenantSlug;

/// Places of one bucket, as a power of two.
const BUCKET_BITS: u32 = 10;
/// Places of one bucket.
pub(super) const BUCKET: usize = 1 << BUCKET_BITS;

/// The rows of one order.
pub(super) struct Order {
    pub(super) at: Row,
    pub(super) place: Row,
    pub(super) count: Row,
    pub(super) next: Row,
}

pub(super) const USERS: Order = Order {
    at: Row::UserAt,
    place: Row::UserPlace,
    count: Row::UserCount,
    next: Row::UserNext,
};
pub(super) const GROUPS: Order = Order {
    at: Row::GroupAt,
    place: Row::GroupPlace,
    count: Row::GroupCount,
    next: Row::GroupNext,
};

/// Whether SCIM manages what stands at a place; groups always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Managed,
    Other,
}

/// How many stand in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) all: usize,
    pub(super) managed: usize,
}

impl Mark {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "m",
            Self::Other => "o",
        }
    }

    /// What a row holds: the mark and the id.
    pub(super) fn row(self, id: &str) -> String {
        format!("{}{id}", self.as_str())
    }

    pub(super) fn read(row: &str) -> Option<(Self, &str)> {
        let managed = row.strip_prefix(Self::Managed.as_str());
        let other = || Some((Self::Other, row.strip_prefix(Self::Other.as_str())?));
        managed.map(|id| (Self::Managed, id)).or_else(other)
    }
}

impl Count {
    pub(super) fn add(&mut self, mark: Mark) {
        self.all = self.all.saturating_add(1);
        if mark == Mark::Managed {
            self.managed = self.managed.saturating_add(1);
        }
    }

    fn remove(&mut self, mark: Mark) {
        self.all = self.all.saturating_sub(1);
        if mark == Mark::Managed {
            self.managed = self.managed.saturating_sub(1);
        }
    }

    pub(super) const fn of(self, managed_only: bool) -> usize {
        if managed_only { self.managed } else { self.all }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let (all, managed) = text.split_once(' ')?;
        Some(Self {
            all: all.parse().ok()?,
            managed: managed.parse().ok()?,
        })
    }

    fn row(self) -> String {
        format!("{} {}", self.all, self.managed)
    }
}

/// A number as it stands in keys: sorts as a number does.
pub(super) fn text(number: u64) -> String {
    format!("{number:016x}")
}

pub(super) fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// The first place of a bucket.
pub(super) const fn first_of(bucket: u64) -> u64 {
    bucket << BUCKET_BITS
}

pub(super) const fn bucket(place: u64) -> u64 {
    place >> BUCKET_BITS
}

impl Order {
    /// Brings a record to where it belongs: a new one to the end, one that leaves the order out of it.
    pub(super) fn put(
        &self,
        rows: &mut Undo<'_>,
        tenant: &TenantSlug,
        id: &str,
        before: Option<Mark>,
        now: Option<Mark>,
    ) -> Result<(), DirectoryError> {
        match (before, now) {
            (None, Some(mark)) => self.enter(rows, tenant, id, mark),
            (Some(mark), None) => self.leave(rows, tenant, id, mark),
            (Some(before), Some(now)) if before != now => self.mark(rows, tenant, id, before, now),
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }

    /// How what has this id stands in the order, if it does.
    pub(super) fn mark_of(
        &self,
        rows: &impl Rows,
        tenant: &TenantSlug,
        id: &str,
    ) -> Result<Option<Mark>, DirectoryError> {
        let Some(at) = rows.name(&self.place.key(tenant, [id])?)? else {
            return Ok(None);
        };
        let row = rows.name(&self.at.key(tenant, [&at])?)?;
        Ok(row.as_deref().and_then(Mark::read).map(|(mark, _)| mark))
    }

    fn enter(
        &self,
        rows: &mut Undo<'_>,
        tenant: &TenantSlug,
        id: &str,
        mark: Mark,
    ) -> Result<(), DirectoryError> {
        let next = self.next.key(tenant, [])?;
        let place = rows.name(&next)?.as_deref().and_then(number).unwrap_or(0);
        let at = text(place);
        rows.put(next, text(place.saturating_add(1)).as_bytes())?;
        rows.put(self.place.key(tenant, [id])?, at.as_bytes())?;
        rows.put(self.at.key(tenant, [&at])?, mark.row(id).as_bytes())?;
        self.change(rows, tenant, place, |count| count.add(mark))
    }

    fn leave(
        &self,
        rows: &mut Undo<'_>,
        tenant: &TenantSlug,
        id: &str,
        mark: Mark,
    ) -> Result<(), DirectoryError> {
        let key = self.place.key(tenant, [id])?;
        let Some(place) = rows.name(&key)?.as_deref().and_then(number) else {
            return Ok(());
        };
        rows.remove(key)?;
        rows.remove(self.at.key(tenant, [&text(place)])?)?;
        self.change(rows, tenant, place, |count| count.remove(mark))
    }

    fn mark(
        &self,
        rows: &mut Undo<'_>,
        tenant: &TenantSlug,
        id: &str,
        before: Mark,
        now: Mark,
    ) -> Result<(), DirectoryError> {
        let key = self.place.key(tenant, [id])?;
        let Some(place) = rows.name(&key)?.as_deref().and_then(number) else {
            return Ok(());
        };
        let at = self.at.key(tenant, [&text(place)])?;
        rows.put(at, now.row(id).as_bytes())?;
        self.change(rows, tenant, place, |count| {
            count.remove(before);
            count.add(now);
        })
    }

    fn change(
        &self,
        rows: &mut Undo<'_>,
        tenant: &TenantSlug,
        place: u64,
        change: impl FnOnce(&mut Count),
    ) -> Result<(), DirectoryError> {
        let key = self.count.key(tenant, [&text(bucket(place))])?;
        let row = rows.name(&key)?;
        let mut count = row.as_deref().and_then(Count::read).unwrap_or_default();
        change(&mut count);
        if count == Count::default() {
            return Ok(rows.remove(key)?);
        }
        Ok(rows.put(key, count.row().as_bytes())?)
    }
}
