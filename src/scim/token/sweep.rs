//! The minute's work: last uses, what is over, and a word before a token ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::live::Live;
use super::{Tokens, store};
use crate::clock::Timestamp;
use crate::metrics::TokenLabels;
use crate::storage::StorageError;

const DAY: Duration = Duration::from_hours(24);
/// The log is told from then on, once a day.
const WARN_BEFORE: Duration = Duration::from_hours(24 * 30);
/// A revoked token is listed, and told apart from an unknown one, for this long.
const KEEP_REVOKED: Duration = Duration::from_hours(24 * 90);

impl Tokens {
    /// Writes last uses, removes what is over, and warns of tokens that end soon; to be called about once a minute.
    ///
    /// # Errors
    ///
    /// The store failed; the next call tries again.
    pub async fn sweep(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        self.remembered.pin().retain(|_, its| now < its.until);
        self.measure();
        self.warn();
        let (written, gone, access) =
            tokio::join!(self.write_uses(), self.drop_revoked(), self.drop_access());
        written.and(gone).and(access)
    }

    /// Tells the metric how long each token has left.
    pub(super) fn measure(&self) {
        let now = self.clock.now();
        let family = &self.metrics.scim_token_expiry;
        for live in self.all.pin().values() {
            let record = &live.record;
            let labels = TokenLabels {
                tenant: record.tenant.to_string(),
                token: record.id.clone(),
                name: record.name.clone(),
            };
            match record.expires {
                Some(end) if live.revoked().is_none() => {
                    let left = i64::try_from(end.since(now).as_secs()).unwrap_or(i64::MAX);
                    family.get_or_create(&labels).set(left);
                }
                _ => drop(family.remove(&labels)),
            }
        }
    }

    fn warn(&self) {
        let now = self.clock.now();
        for live in self.all.pin().values() {
            let record = &live.record;
            let Some(end) = record.expires.filter(|_| live.revoked().is_none()) else {
                continue;
            };
            let left = end.since(now);
            let warned = Timestamp::from_secs(live.warned.load(Ordering::Relaxed));
            if left > WARN_BEFORE || now.since(warned) < DAY {
                continue;
            }
            // One that ended long ago and is not used any more needs no word.
            if left.is_zero() && live.used().is_none_or(|used| now.since(used) > WARN_BEFORE) {
                continue;
            }
            live.warned.store(now.as_secs(), Ordering::Relaxed);
            let (token, name, tenant) = (&record.id, &record.name, record.tenant.as_str());
            let (expires, days) = (end.to_rfc3339(), left.as_secs().div_euclid(DAY.as_secs()));
            if left.is_zero() {
                tracing::warn!(token, name, tenant, expires, "a SCIM token has expired");
            } else {
                tracing::warn!(token, name, tenant, expires, days, "a SCIM token ends soon");
            }
        }
    }

    async fn write_uses(&self) -> Result<(), StorageError> {
        let unwritten = |live: &&Arc<Live>| {
            let used = live.used().map_or(0, Timestamp::as_secs);
            used > live.written.load(Ordering::Relaxed)
        };
        let used: Vec<_> = {
            let all = self.all.pin();
            all.values().filter(unwritten).map(Arc::clone).collect()
        };
        if used.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = used
            .iter()
            .filter_map(|live| Some((live.record.id.clone(), live.used()?)))
            .collect();
        store::put_used(&self.store, seen.clone()).await?;
        for (live, (_, at)) in used.iter().zip(seen) {
            live.written.store(at.as_secs(), Ordering::Relaxed);
        }
        Ok(())
    }

    async fn drop_revoked(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let old: Vec<_> = {
            let all = self.all.pin();
            let old = all.values().filter(|live| {
                let revoked = live.revoked();
                revoked.is_some_and(|revoked| now.since(revoked) > KEEP_REVOKED)
            });
            old.map(|live| live.record.id.clone()).collect()
        };
        if old.is_empty() {
            return Ok(());
        }
        store::remove(&self.store, old.clone()).await?;
        let all = self.all.pin();
        for id in &old {
            all.remove(id);
        }
        Ok(())
    }
}
