//! The minute's work: ends what is over, writes last uses and app cookies.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Live, Sessions};
use crate::storage::StorageError;

/// A last use is written when the stored one is older by this.
const WRITE_AFTER: Duration = Duration::from_mins(1);

impl Sessions {
    /// Ends what is over, and writes last uses and app cookies that changed; to be called about once a minute.
    ///
    /// # Errors
    ///
    /// The store failed; the next call tries again.
    pub async fn sweep(&self) -> Result<(), StorageError> {
        let now = self.clock.now();
        let idle = self.idle();
        let mut over = Vec::new();
        let mut used = Vec::new();
        let mut changed = Vec::new();
        for (key, live) in &self.live.pin() {
            live.drop_stale(now);
            if live.over(now, idle).is_some() {
                over.push(*key);
            } else if live.cookies_changed.swap(false, Ordering::AcqRel) {
                changed.push(Arc::clone(live));
            } else if live.unwritten() >= WRITE_AFTER {
                used.push(Arc::clone(live));
            }
        }
        for (key, live) in &self.bearers.pin() {
            live.drop_stale(now);
            if live.over(now, idle).is_some() {
                over.push(*key);
            }
        }
        self.end_over(over, now);
        // Together, so that they share a commit.
        let (ended, used, changed) = tokio::join!(
            self.forget_ended(),
            self.write_uses(&used),
            self.write_changed(&changed)
        );
        ended.and(used).and(changed)
    }

    async fn write_uses(&self, used: &[Arc<Live>]) -> Result<(), StorageError> {
        if used.is_empty() {
            return Ok(());
        }
        let seen: Vec<_> = used
            .iter()
            .map(|live| (live.record.key, live.last_seen()))
            .collect();
        self.store.seen(seen.clone()).await?;
        for (live, (_, at)) in used.iter().zip(seen) {
            live.written.store(at.as_secs(), Ordering::Relaxed);
        }
        Ok(())
    }

    async fn write_changed(&self, changed: &[Arc<Live>]) -> Result<(), StorageError> {
        if changed.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = changed.iter().map(|live| live.to_record()).collect();
        let written = self.store.update(records).await;
        if written.is_err() {
            for live in changed {
                live.cookies_changed.store(true, Ordering::Release);
            }
        }
        written
    }
}
