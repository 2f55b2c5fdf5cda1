//! All live sessions: found by token, ended by id, person, idp session or tenant.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use papaya::HashMap;

use super::index::Index;
use super::{End, Live, Session, SessionStore, Ticket};
use crate::clock::{Clock, Timestamp};
use crate::crypto::{Digest, sha256};
use crate::identity::{TenantSlug, UserId};
use crate::metrics::{Kind, Metrics};
use crate::problem::Problem;
use crate::storage::StorageError;

/// Bearer uses that are remembered at once; the one that expires first makes room.
const BEARERS: usize = 10_000;

/// Why a session did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The person's sessions were ended while they signed in: deactivated, deleted, a new password.
    #[error("sessions were ended while the person signed in")]
    Ended,
    /// The token was used before.
    #[error("token is not new")]
    Reused,
    /// The store failed; then there is no session.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Ended => Self::new(
                StatusCode::FORBIDDEN,
                "sign_in.interrupted",
                "Your account was changed while you signed in. Please try again.",
            )
            .because(error),
            StartError::Reused => Self::internal(error),
            StartError::Storage(error) => error.into(),
        }
    }
}

/// All live sessions.
pub struct Sessions {
    pub(super) live: HashMap<Digest, Arc<Live>>,
    pub(super) bearers: HashMap<Digest, Arc<Live>>,
    state: Mutex<State>,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    idle: AtomicU64,
}

/// What changes when a session starts or ends; both maps are written under its lock alone.
#[derive(Default)]
pub(super) struct State {
    pub(super) index: Index,
    bearer_ends: BTreeSet<(Timestamp, Digest)>,
    /// Ended, and perhaps still in the store.
    ended: BTreeSet<Digest>,
}

impl Sessions {
    /// Loads what is stored and still valid.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn load(
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        idle: Duration,
    ) -> Result<Self, StorageError> {
        let sessions = Self {
            live: HashMap::new(),
            bearers: HashMap::new(),
            state: Mutex::default(),
            store,
            clock,
            metrics,
            idle: AtomicU64::new(idle.as_secs()),
        };
        let now = sessions.clock.now();
        for record in sessions.store.load().await? {
            let live = Arc::new(Live::new(record, false));
            if live.over(now, idle).is_some() {
                sessions.state().ended.insert(live.record.key);
            } else {
                sessions.insert(&mut sessions.state(), live);
            }
        }
        Ok(sessions)
    }

    /// A session unused for this long is over, from now on.
    pub fn set_idle(&self, idle: Duration) {
        self.idle.store(idle.as_secs(), Ordering::Relaxed);
    }

    /// The live session of a cookie's value on this host, and marks it used.
    pub fn find(&self, token: &str, host: &str, now: Timestamp) -> Option<Arc<Live>> {
        let key = sha256(token.as_bytes());
        let sessions = self.live.pin();
        let live = sessions.get(&key)?;
        // R23: a cookie of another host is no session here.
        if live.record.host != host || live.over(now, self.idle()).is_some() {
            return None;
        }
        live.mark_used(now);
        Some(Arc::clone(live))
    }

    /// To be taken before the person's record is read, and shown to [`Self::start`].
    pub fn ticket(&self, tenant: &TenantSlug, user: &UserId) -> Ticket {
        self.state().index.ticket(tenant, user)
    }

    /// Starts a session under a new token, the cookie's value (R22); durable when it returns.
    ///
    /// # Errors
    ///
    /// An end since the ticket was taken names this session; the token was used before; the store
    /// failed. Then there is no session.
    pub async fn start(
        &self,
        mut session: Session,
        token: &str,
        ticket: &Ticket,
    ) -> Result<Arc<Live>, StartError> {
        session.key = sha256(token.as_bytes());
        let key = session.key;
        // R22: a token starts one session.
        if self.live.pin().contains_key(&key) || self.state().ended.contains(&key) {
            return Err(StartError::Reused);
        }
        self.check(ticket, &session)?;
        self.store.put(&session).await?;
        let live = Arc::new(Live::new(session, false));
        let checked = {
            let mut state = self.state();
            // R26: whoever ended the person's sessions meanwhile meant this one too.
            let void = state.index.is_void(ticket, &live.record);
            if void {
                state.ended.insert(key);
            } else {
                self.insert(&mut state, Arc::clone(&live));
            }
            !void
        };
        if checked {
            return Ok(live);
        }
        self.forget_ended().await?;
        Err(StartError::Ended)
    }

    /// The use of a verified bearer token on this host; unknown or expired is none (R34).
    pub fn find_bearer(&self, token: &str, host: &str, now: Timestamp) -> Option<Arc<Live>> {
        let key = bearer_key(token, host);
        let bearers = self.bearers.pin();
        let live = bearers.get(&key)?;
        if live.over(now, self.idle()).is_some() {
            return None;
        }
        live.mark_used(now);
        Some(Arc::clone(live))
    }

    /// Keeps the use of a verified bearer token on the session's host until `absolute_until`; at
    /// most 10,000 at once.
    ///
    /// # Errors
    ///
    /// An end since the ticket was taken names it.
    pub fn present_bearer(
        &self,
        mut session: Session,
        token: &str,
        ticket: &Ticket,
    ) -> Result<Arc<Live>, StartError> {
        session.key = bearer_key(token, &session.host);
        let mut state = self.state();
        if state.index.is_void(ticket, &session) {
            return Err(StartError::Ended);
        }
        let bearers = self.bearers.pin();
        if let Some(known) = bearers.get(&session.key) {
            return Ok(Arc::clone(known));
        }
        let mut evicted = None;
        if state.bearer_ends.len() >= BEARERS
            && let Some((_, first)) = state.bearer_ends.first().copied()
        {
            evicted = self.take(&mut state, &first);
        }
        let live = Arc::new(Live::new(session, true));
        state.index.add(&live.record);
        let until = live.record.absolute_until;
        state.bearer_ends.insert((until, live.record.key));
        bearers.insert(live.record.key, Arc::clone(&live));
        drop(state);
        // What nobody can end any more must not go on.
        if let Some(evicted) = evicted {
            evicted.end();
        }
        Ok(live)
    }

    /// Ends sessions: streams stop at once, and the end is durable when it returns. Gives what ended.
    ///
    /// Everything in memory happens before the first wait. What the store could not remove is
    /// tried again by [`Self::sweep`].
    ///
    /// # Errors
    ///
    /// The store failed; the sessions have ended in memory all the same.
    pub async fn end(
        &self,
        which: &End,
        why: &'static str,
    ) -> Result<Vec<Arc<Live>>, StorageError> {
        self.end_all(std::slice::from_ref(which), why).await
    }

    /// As [`Self::end`], several at once.
    ///
    /// # Errors
    ///
    /// The store failed; the sessions have ended in memory all the same.
    pub async fn end_all(
        &self,
        which: &[End],
        why: &'static str,
    ) -> Result<Vec<Arc<Live>>, StorageError> {
        let mut ended = Vec::new();
        for which in which {
            let mut state = self.state();
            let mut keys = state.index.end(which);
            if matches!(which, End::Tenant(_)) {
                keys.extend(self.live.pin().keys().chain(self.bearers.pin().keys()));
            }
            ended.extend(self.take_all(&mut state, keys, |live| which.fits(&live.record)));
        }
        self.stop_all(&ended, why);
        self.forget_ended().await?;
        Ok(ended)
    }

    /// All live cookie sessions, for listings; oldest first.
    pub fn list(&self) -> Vec<Arc<Live>> {
        let now = self.clock.now();
        let sessions = self.live.pin();
        let valid = |live: &&Arc<Live>| live.over(now, self.idle()).is_none();
        let mut list: Vec<_> = sessions.values().filter(valid).map(Arc::clone).collect();
        list.sort_by(|a, b| {
            let key = |live: &Live| (live.record.created, live.record.key);
            key(a).cmp(&key(b))
        });
        list
    }

    /// Takes those out that are over, and stops them.
    pub(super) fn end_over(&self, keys: Vec<Digest>, now: Timestamp) {
        let idle = self.idle();
        let ended = {
            let mut state = self.state();
            self.take_all(&mut state, keys, |live| live.over(now, idle).is_some())
        };
        for live in ended {
            let why = live.over(now, idle).unwrap_or("idle");
            self.stop_all(std::slice::from_ref(&live), why);
        }
    }

    /// Removes ended sessions from the store.
    pub(super) async fn forget_ended(&self) -> Result<(), StorageError> {
        let ended: Vec<_> = self.state().ended.iter().copied().collect();
        if ended.is_empty() {
            return Ok(());
        }
        self.store.remove(ended.clone()).await?;
        let mut state = self.state();
        for key in ended {
            state.ended.remove(&key);
        }
        Ok(())
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle.load(Ordering::Relaxed))
    }

    fn check(&self, ticket: &Ticket, session: &Session) -> Result<(), StartError> {
        if self.state().index.is_void(ticket, session) {
            return Err(StartError::Ended);
        }
        Ok(())
    }

    fn insert(&self, state: &mut State, live: Arc<Live>) {
        state.index.add(&live.record);
        self.live.pin().insert(live.record.key, live);
        self.metrics.sessions.inc();
    }

    fn take_all(
        &self,
        state: &mut State,
        keys: Vec<Digest>,
        ends: impl Fn(&Live) -> bool,
    ) -> Vec<Arc<Live>> {
        let known = |key: &Digest| {
            let live = self.live.pin().get(key).map(Arc::clone);
            live.or_else(|| self.bearers.pin().get(key).map(Arc::clone))
        };
        keys.into_iter()
            .filter(|key| known(key).is_some_and(|live| ends(&live)))
            .filter_map(|key| self.take(state, &key))
            .collect()
    }

    fn take(&self, state: &mut State, key: &Digest) -> Option<Arc<Live>> {
        let taken = self.live.pin().remove(key).map(Arc::clone);
        if let Some(live) = taken {
            state.index.remove(&live.record);
            state.ended.insert(*key);
            self.metrics.sessions.dec();
            return Some(live);
        }
        let live = self.bearers.pin().remove(key).map(Arc::clone)?;
        state.index.remove(&live.record);
        state
            .bearer_ends
            .remove(&(live.record.absolute_until, *key));
        Some(live)
    }

    fn stop_all(&self, ended: &[Arc<Live>], why: &'static str) {
        for live in ended {
            live.end();
            if !live.bearer {
                self.metrics
                    .sessions_ended
                    .get_or_create(&Kind { kind: why })
                    .inc();
            }
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// R23: a token that was let in on one host, and so into one tenant, is unknown on another.
fn bearer_key(token: &str, host: &str) -> Digest {
    sha256(format!("{host}\n{token}").as_bytes())
}
