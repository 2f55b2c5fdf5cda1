//! How a person is signed in to the app: its session cookies, or fields of our own. In memory, and gone with our session.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::Timestamp;
use crate::web::KeptCookies;

/// An app that says again and again that its session has ended is believed so often within a minute.
const RENEWALS: u32 = 6;
const MINUTE: Duration = Duration::from_mins(1);

/// What signs a person in to the app.
pub struct Held {
    /// Of which settings it is.
    pub settings: u64,
    /// [`super::Live::stamp`] when it was made, where it tells of the person.
    pub stamp: Option<u64>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cookies: Mutex<KeptCookies>,
    worked: AtomicBool,
}

/// The place for it in a session.
#[derive(Default)]
pub struct AppSlot {
    held: ArcSwapOption<Held>,
    renewed: Mutex<(Timestamp, u32)>,
}

impl Held {
    /// With these fields and cookies.
    pub fn new(
        settings: u64,
        stamp: Option<u64>,
        headers: Vec<(HeaderName, HeaderValue)>,
        cookies: KeptCookies,
    ) -> Self {
        Self {
            settings,
            stamp,
            headers,
            cookies: Mutex::new(cookies),
            worked: AtomicBool::new(false),
        }
    }

    /// Signs a request.
    pub fn sign(&self, request: &mut HeaderMap) {
        for (name, value) in &self.headers {
            request.insert(name, value.clone());
        }
        self.cookies().add_to(request);
    }

    /// What the app says of its cookies in an answer.
    pub fn take_in(&self, answer: &HeaderMap, now: Timestamp, keeps: impl Fn(&[u8]) -> bool) {
        self.cookies().take_in(answer, now, keeps);
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether the app has answered with it.
    pub fn has_worked(&self) -> bool {
        self.worked.load(Ordering::Relaxed)
    }

    fn cookies(&self) -> MutexGuard<'_, KeptCookies> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AppSlot {
    /// What is held.
    pub fn held(&self) -> Option<Arc<Held>> {
        self.held.load_full()
    }

    /// Holds it from now on.
    pub fn keep(&self, held: Arc<Held>) {
        self.held.store(Some(held));
    }

    /// It is of no use any more; what others hold already stays.
    pub fn forget(&self, held: &Arc<Held>) {
        let current = self.held.load();
        if current.as_ref().is_some_and(|its| Arc::ptr_eq(its, held)) {
            self.held.store(None);
        }
    }

    /// Nothing is held.
    pub fn clear(&self) {
        self.held.store(None);
    }

    /// The app says that its session has ended: whether to sign in once more. It is, unless the app says so again and
    /// again; where somebody else was faster, what they made is used.
    pub fn renew(&self, held: &Arc<Held>, now: Timestamp) -> bool {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.held.load();
        if !current.as_ref().is_some_and(|its| Arc::ptr_eq(its, held)) {
            return true;
        }
        if now.since(renewed.0) >= MINUTE {
            *renewed = (now, 0);
        }
        if renewed.1 >= RENEWALS {
            return false;
        }
        renewed.1 = renewed.1.saturating_add(1);
        self.held.store(None);
        true
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}

impl fmt::Debug for AppSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSlot(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Live;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn held() -> Arc<Held> {
        Arc::new(Held::new(1, None, Vec::new(), KeptCookies::default()))
    }

    #[test]
    fn it_goes_with_the_session() {
        let live = Live::sample();
        live.hold(held()).unwrap();
        assert!(live.app().held().is_some());
        live.end();
        assert!(live.app().held().is_none());
        // A sign-in that was under way.
        assert!(live.hold(held()).is_none());
        assert!(live.app().held().is_none());
    }

    #[test]
    fn what_others_renewed_is_not_forgotten() {
        let slot = AppSlot::default();
        let (old, new) = (held(), held());
        slot.keep(Arc::clone(&new));
        slot.forget(&old);
        assert!(slot.held().is_some());
        slot.forget(&new);
        assert!(slot.held().is_none());
    }

    #[test]
    fn an_app_that_always_says_ended_is_not_believed_for_ever() {
        let slot = AppSlot::default();
        let times = |now| {
            let renewed = (0..20).filter(|_| {
                let current = held();
                slot.keep(Arc::clone(&current));
                slot.renew(&current, now)
            });
            renewed.count()
        };
        assert_eq!(times(NOW), 6);
        assert_eq!(times(NOW.plus(MINUTE)), 6);
        // Of many requests that meet it at once, one renews.
        let slot = AppSlot::default();
        let current = held();
        slot.keep(Arc::clone(&current));
        assert!((0..20).all(|_| slot.renew(&current, NOW)));
    }
}
