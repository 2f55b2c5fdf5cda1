//! The fuse: so many deactivations by SCIM within an hour, and no more. A wrong filter at the idp must not
//! shut everybody out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redb::{ReadableTable as _, TableDefinition, WriteTransaction};

use crate::clock::Timestamp;
use crate::identity::TenantSlug;
use crate::storage::{Along, Embedded, StorageError, table};

/// Of one second, at most: no limit is higher.
const MOST: usize = 1_000_000;
const HOUR: Duration = Duration::from_hours(1);

/// How many were deactivated, by tenant and second.
const SPENT: TableDefinition<'_, (&str, u64), u64> = TableDefinition::new("provision_fuse");

/// Deactivations of the last hour, by tenant. Kept in the store as well: a restart does not mend a fuse.
#[derive(Debug, Default)]
pub(super) struct Fuse(Mutex<HashMap<TenantSlug, Spent>>);

#[derive(Debug, Default)]
struct Spent {
    at: VecDeque<Timestamp>,
    told: bool,
}

/// One deactivation, counted; given back unless it is kept.
#[derive(Debug)]
pub(super) struct Counted {
    fuse: Arc<Fuse>,
    tenant: TenantSlug,
    at: Timestamp,
    kept: bool,
}

/// There were as many as allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Blown {
    /// Nobody was told yet.
    pub(super) first: bool,
}

impl Fuse {
    /// As it was when the process ended.
    pub(super) async fn load(store: &Embedded) -> Result<Self, StorageError> {
        let read = |snapshot: &redb::ReadTransaction| {
            let mut all: HashMap<TenantSlug, Spent> = HashMap::new();
            let Some(rows) = table(snapshot, SPENT)? else {
                return Ok::<_, StorageError>(all);
            };
            for row in rows.iter()? {
                let (key, count) = row?;
                let (tenant, second) = key.value();
                let Ok(tenant) = TenantSlug::try_from(tenant) else {
                    continue;
                };
                let count = usize::try_from(count.value()).unwrap_or(usize::MAX);
                let at = std::iter::repeat_n(Timestamp::from_secs(second), count.min(MOST));
                all.entry(tenant).or_default().at.extend(at);
            }
            Ok(all)
        };
        Ok(Self(Mutex::new(store.read(read).await?)))
    }

    /// Counts one more.
    pub(super) fn count(
        self: &Arc<Self>,
        tenant: &TenantSlug,
        limit: u32,
        now: Timestamp,
    ) -> Result<Counted, Blown> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut all = self.lock();
        let spent = all.entry(tenant.clone()).or_default();
        while spent.at.front().is_some_and(|at| at.plus(HOUR) <= now) {
            spent.at.pop_front();
        }
        if limit > 0 && spent.at.len() >= limit {
            let first = !std::mem::replace(&mut spent.told, true);
            return Err(Blown { first });
        }
        spent.told = false;
        // Without a limit nothing is kept.
        if limit > 0 {
            spent.at.push_back(now);
        }
        Ok(Counted {
            fuse: Arc::clone(self),
            tenant: tenant.clone(),
            at: now,
            kept: limit == 0,
        })
    }

    /// The same in the store; [`Self::reset`] when that is done.
    pub(super) fn forget(tenant: &TenantSlug) -> Along {
        let tenant = tenant.clone();
        Along::new(move |transaction| remove(transaction, &tenant, u64::MAX))
    }

    /// Counts from zero again.
    pub(super) fn reset(&self, tenant: &TenantSlug) {
        self.lock().remove(tenant);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantSlug, Spent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// What is written of it, with what it counts.
    pub(super) fn along(&self) -> Along {
        if self.kept {
            return Along::default();
        }
        let (tenant, at) = (self.tenant.clone(), self.at);
        Along::new(move |transaction| {
            remove(transaction, &tenant, at.minus(HOUR).as_secs())?;
            let mut rows = transaction.open_table(SPENT)?;
            let key = (tenant.as_str(), at.as_secs());
            let before = rows.get(key)?.map_or(0, |count| count.value());
            rows.insert(key, before.saturating_add(1))?;
            Ok(())
        })
    }

    /// It happened.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.kept
            && let Some(spent) = self.fuse.lock().get_mut(&self.tenant)
        {
            spent.at.pop_back();
        }
    }
}

/// Removes what is older than this second, or of it.
fn remove(
    transaction: &WriteTransaction,
    tenant: &TenantSlug,
    second: u64,
) -> Result<(), StorageError> {
    let mut rows = transaction.open_table(SPENT)?;
    let old = (tenant.as_str(), 0)..=(tenant.as_str(), second);
    Ok(rows.retain_in(old, |_, _| false)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_an_hour_and_no_more() {
        let fuse = Arc::new(Fuse::default());
        let (own, acme) = (TenantSlug::default(), TenantSlug::try_from("acme").unwrap());
        let at = |minute: u64| Timestamp::from_secs(minute.saturating_mul(60));
        let spend = |tenant: &TenantSlug, minute, keep: bool| {
            let counted = fuse.count(tenant, 2, at(minute))?;
            if keep {
                counted.keep();
            }
            Ok(())
        };
        let blown = |first| Err(Blown { first });
        assert_eq!(spend(&own, 0, true), Ok(()));
        assert_eq!(spend(&own, 1, false), Ok(()), "it did not happen");
        assert_eq!(spend(&own, 2, true), Ok(()));
        assert_eq!(spend(&own, 3, true), blown(true));
        assert_eq!(spend(&own, 4, true), blown(false));
        assert_eq!(spend(&acme, 4, true), Ok(()), "of its own");
        assert_eq!(spend(&own, 59, true), blown(false));
        assert_eq!(spend(&own, 60, true), Ok(()), "the first is an hour old");
        assert_eq!(spend(&own, 61, true), blown(true));
        fuse.reset(&own);
        assert_eq!(spend(&own, 61, true), Ok(()));
        for _ in 0..100 {
            fuse.count(&own, 0, at(61)).unwrap().keep();
        }
    }
}
