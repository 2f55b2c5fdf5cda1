//! A token in memory: its record, whether it was revoked, and its last use.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Record, TokenInfo};
use crate::clock::Timestamp;

#[derive(Debug)]
pub(super) struct Live {
    pub(super) record: Record,
    /// 0 is not.
    revoked: AtomicU64,
    /// 0 is never.
    used: AtomicU64,
    /// Last use as the store has it.
    pub(super) written: AtomicU64,
    /// When the log was last told that it ends soon.
    pub(super) warned: AtomicU64,
}

impl Live {
    pub(super) fn new(record: Record, used: Option<Timestamp>) -> Self {
        let secs = |at: Option<Timestamp>| AtomicU64::new(at.map_or(0, Timestamp::as_secs));
        Self {
            revoked: secs(record.revoked),
            used: secs(used),
            written: secs(used),
            warned: AtomicU64::new(0),
            record,
        }
    }

    pub(super) fn mark_used(&self, now: Timestamp) {
        self.used.fetch_max(now.as_secs(), Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> Option<Timestamp> {
        some(&self.used)
    }

    pub(super) fn revoke(&self, now: Timestamp) {
        self.revoked.store(now.as_secs().max(1), Ordering::Release);
    }

    pub(super) fn revoked(&self) -> Option<Timestamp> {
        let at = self.revoked.load(Ordering::Acquire);
        (at > 0).then(|| Timestamp::from_secs(at))
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.record.expires.is_some_and(|end| now >= end)
    }

    pub(super) fn info(&self) -> TokenInfo {
        let Record {
            id,
            tenant,
            name,
            created,
            expires,
            roles,
            ..
        } = &self.record;
        TokenInfo {
            id: id.clone(),
            tenant: tenant.clone(),
            name: name.clone(),
            created: *created,
            used: self.used(),
            expires: *expires,
            revoked: self.revoked(),
            roles: roles.clone(),
        }
    }
}

fn some(at: &AtomicU64) -> Option<Timestamp> {
    let at = at.load(Ordering::Relaxed);
    (at > 0).then(|| Timestamp::from_secs(at))
}
