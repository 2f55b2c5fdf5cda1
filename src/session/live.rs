//! A session in memory: its record, its last use, its kill switch, and what the app is told, prepared once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;

use super::{AppSlot, Held, Session};
use crate::clock::Timestamp;
use crate::crypto::{Digest, sha256};
use crate::identity::Identity;

/// Values that are remembered of one app cookie: an app may set it anew while old requests still run.
const VALUES_PER_COOKIE: usize = 4;
/// App cookies that are remembered of one session, all names together.
const APP_COOKIES: usize = 64;

/// A session, or the use of one bearer token, in memory.
#[derive(Debug)]
pub struct Live {
    /// The record as it was when the session started.
    pub record: Session,
    /// Whether it is a cookie session; else the use of a bearer token, which no cookie reaches and no store keeps.
    pub bearer: bool,
    last_seen: AtomicU64,
    pub(super) written: AtomicU64,
    stamp: AtomicU64,
    prepared: ArcSwapOption<Prepared>,
    app_cookies: Mutex<Vec<(String, Digest)>>,
    pub(super) cookies_changed: AtomicBool,
    app: AppSlot,
    ended: AtomicBool,
    stop: CancellationToken,
}

/// What policy and the app are told of a person, made once and renewed when it ages or the person changes.
#[derive(Debug)]
pub struct Prepared {
    /// [`Live::stamp`] when the directory was read.
    pub stamp: u64,
    /// Number of the settings that it was made by: of others it is not true (R27).
    pub settings: u64,
    /// Headers must be made again from then on (the assertion's age).
    pub renew_at: Timestamp,
    /// What policy sees.
    pub identity: Arc<Identity>,
    /// What is set on the request; every other spelling of these names was dropped before.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Live {
    pub(super) fn new(mut record: Session, bearer: bool) -> Self {
        let app_cookies = std::mem::take(&mut record.app_cookies);
        let last_seen = record.last_seen.as_secs();
        Self {
            record,
            bearer,
            last_seen: AtomicU64::new(last_seen),
            written: AtomicU64::new(last_seen),
            stamp: AtomicU64::new(0),
            prepared: ArcSwapOption::empty(),
            app_cookies: Mutex::new(app_cookies),
            cookies_changed: AtomicBool::new(false),
            app: AppSlot::default(),
            ended: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }
    }

    /// Ends when the session does: streams and upgraded connections wait for it.
    pub const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Whether it has ended. Cheaper to ask than [`Self::stop`], for what asks again and again.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends it: everything that runs under it stops at once.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.stop.cancel();
        self.app.clear();
    }

    /// What signs the person in to the app.
    pub const fn app(&self) -> &AppSlot {
        &self.app
    }

    /// Holds what signs the person in to the app; nothing where the session has ended meanwhile.
    pub fn hold(&self, held: Arc<Held>) -> Option<Arc<Held>> {
        self.app.keep(Arc::clone(&held));
        if self.ended() {
            self.app.clear();
            return None;
        }
        Some(held)
    }

    /// Changes whenever the person's record, groups or roles may have changed. Read it before the directory.
    pub fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// What was prepared, when it is still true and young enough.
    pub fn prepared(&self, now: Timestamp) -> Option<Arc<Prepared>> {
        let prepared = self.prepared.load();
        let prepared = prepared.as_ref()?;
        // R27: what was read before the last change is not used.
        (prepared.stamp == self.stamp() && now < prepared.renew_at).then(|| Arc::clone(prepared))
    }

    /// Keeps what was prepared; it is used only while its stamp is the current one.
    pub fn keep(&self, prepared: Arc<Prepared>) {
        if prepared.stamp == self.stamp() {
            self.prepared.store(Some(prepared));
        }
    }

    /// Whether the app issued this cookie under this session.
    pub fn issued(&self, name: &str, value: &str) -> bool {
        let digest = sha256(value.as_bytes());
        let cookies = self.cookies();
        cookies
            .iter()
            .any(|(its, value)| its == name && *value == digest)
    }

    /// Remembers a cookie that the app issued under this session; the newest four of a name.
    pub fn remember_issued(&self, name: &str, value: &str) {
        let issued = (name.to_owned(), sha256(value.as_bytes()));
        let mut cookies = self.cookies();
        if cookies.contains(&issued) {
            return;
        }
        let of_name = cookies.iter().filter(|(its, _)| its == name).count();
        if of_name >= VALUES_PER_COOKIE
            && let Some(oldest) = cookies.iter().position(|(its, _)| its == name)
        {
            cookies.remove(oldest);
        }
        if cookies.len() >= APP_COOKIES {
            cookies.remove(0);
        }
        cookies.push(issued);
        self.cookies_changed.store(true, Ordering::Release);
    }

    /// When it was last used.
    pub fn last_seen(&self) -> Timestamp {
        Timestamp::from_secs(self.last_seen.load(Ordering::Relaxed))
    }

    /// Marks it used: for streams, which nothing looks up again while they last.
    pub fn mark_used(&self, now: Timestamp) {
        if now > self.last_seen() {
            self.last_seen.fetch_max(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// How much later the last use is than the stored one.
    pub(super) fn unwritten(&self) -> Duration {
        self.last_seen()
            .since(Timestamp::from_secs(self.written.load(Ordering::Relaxed)))
    }

    /// Why it is over, when it is.
    pub(super) fn over(&self, now: Timestamp, idle: Duration) -> Option<&'static str> {
        if now >= self.record.absolute_until {
            return Some("absolute");
        }
        (!self.bearer && now >= self.last_seen().plus(idle)).then_some("idle")
    }

    /// The person may have changed.
    pub(super) fn outdate(&self) {
        self.stamp.fetch_add(1, Ordering::AcqRel);
        self.prepared.store(None);
    }

    /// Frees what would have to be made again anyway.
    pub(super) fn drop_stale(&self, now: Timestamp) {
        let stale = |prepared: &Arc<Prepared>| now >= prepared.renew_at;
        if self.prepared.load().as_ref().is_some_and(stale) {
            self.prepared.store(None);
        }
    }

    /// The record with its last use and app cookies, as it is stored.
    pub(super) fn to_record(&self) -> Session {
        Session {
            last_seen: self.last_seen(),
            app_cookies: self.cookies().clone(),
            ..self.record.clone()
        }
    }

    fn cookies(&self) -> MutexGuard<'_, Vec<(String, Digest)>> {
        self.app_cookies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Live {
    /// One that is in no store.
    pub(crate) fn sample() -> Arc<Self> {
        Arc::new(Self::new(super::sample("ada"), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::sample;

    #[test]
    fn r27_what_was_kept_a_moment_too_late_is_not_used() {
        let live = Live::new(sample("ada"), false);
        let user = serde_json::json!({
            "id": "ada", "tenant": "default", "user_name": "ada", "external_id": null, "active": true,
            "managed_by": "scim", "created": 0, "modified": 0, "version": 1
        });
        let identity = Identity {
            user: serde_json::from_value(user).unwrap(),
            groups: Vec::new(),
            roles: Vec::new(),
            account: None,
        };
        let prepared = Arc::new(Prepared {
            settings: 0,
            stamp: live.stamp(),
            renew_at: Timestamp::from_secs(1),
            identity: Arc::new(identity),
            headers: Vec::new(),
        });
        live.outdate();
        // As `keep` does when the change comes between its look and its store.
        live.prepared.store(Some(prepared));
        assert!(live.prepared(Timestamp::from_secs(0)).is_none());
    }
}
