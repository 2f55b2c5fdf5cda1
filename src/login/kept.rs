//! Bodies of requests that met an ended session, until the person is back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;

use crate::clock::Timestamp;
use crate::crypto::{Digest, random_token, sha256};
use crate::secret::same;

/// Largest body that is kept, bytes.
pub const MAX_KEPT: usize = 64 * 1024;
/// All bodies and targets together, bytes.
const MAX_ALL: usize = 32 * 1024 * 1024;
/// How long one waits.
const LIFE: Duration = Duration::from_mins(15);

/// One request that waits for its person.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// `Content-Type`: a form, or JSON.
    pub content_type: String,
    /// Body, at most [`MAX_KEPT`].
    pub body: Bytes,
    /// Digest of the browser cookie's value.
    pub browser: Digest,
    /// When it met the ended session.
    pub at: Timestamp,
}

/// All that wait; at most 32 MiB together and 15 minutes each, the oldest go first.
#[derive(Default)]
pub struct KeptBodies {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    by_handle: HashMap<String, Kept>,
    order: VecDeque<(Timestamp, String)>,
    bytes: usize,
}

impl KeptBodies {
    /// Keeps one and gives the handle. A body over [`MAX_KEPT`] is not kept: its handle leads to nothing.
    pub fn put(&self, kept: Kept) -> String {
        let handle = random_token();
        if kept.body.len() > MAX_KEPT {
            return handle;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.forget_old(kept.at);
        all.bytes = all.bytes.saturating_add(size(&kept));
        all.order.push_back((kept.at, handle.clone()));
        all.by_handle.insert(handle.clone(), kept);
        while all.bytes > MAX_ALL && all.drop_oldest() {}
        handle
    }

    /// What waits under this handle for this browser, without taking it: for the page that asks.
    pub fn peek(&self, handle: &str, browser: Option<&str>, now: Timestamp) -> Option<Kept> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.find(handle, browser, now).cloned()
    }

    /// Takes it out, once.
    pub fn take(&self, handle: &str, browser: Option<&str>, now: Timestamp) -> Option<Kept> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.find(handle, browser, now)?;
        all.remove(handle)
    }
}

impl All {
    fn find(&self, handle: &str, browser: Option<&str>, now: Timestamp) -> Option<&Kept> {
        let kept = self.by_handle.get(handle)?;
        // R22: another browser must not send what this one wrote.
        let own = same(&sha256(browser?.as_bytes()).0, &kept.browser.0);
        (own && now.since(kept.at) < LIFE).then_some(kept)
    }

    fn remove(&mut self, handle: &str) -> Option<Kept> {
        let kept = self.by_handle.remove(handle)?;
        self.bytes = self.bytes.saturating_sub(size(&kept));
        Some(kept)
    }

    fn drop_oldest(&mut self) -> bool {
        match self.order.pop_front() {
            Some((_, handle)) => {
                self.remove(&handle);
                true
            }
            None => false,
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= LIFE)
        {
            self.drop_oldest();
        }
    }
}

/// What one costs: an empty body costs its head, or millions of them would be free.
fn size(kept: &Kept) -> usize {
    let texts = kept.target.len().saturating_add(kept.content_type.len());
    kept.body.len().saturating_add(texts).saturating_add(512)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn kept(browser: &str, size: usize) -> Kept {
        Kept {
            method: Method::POST,
            target: "/save".to_owned(),
            content_type: "application/json".to_owned(),
            body: vec![b'x'; size].into(),
            browser: sha256(browser.as_bytes()),
            at: NOON,
        }
    }

    #[test]
    fn r22_a_body_comes_back_once_to_its_own_browser() {
        let all = KeptBodies::default();
        let handle = all.put(kept("mine", 10));
        let late = NOON.plus(LIFE);
        for (name, handle, browser, now) in [
            ("no browser", handle.as_str(), None, NOON),
            ("another browser", handle.as_str(), Some("theirs"), NOON),
            ("another handle", "x", Some("mine"), NOON),
            ("too late", handle.as_str(), Some("mine"), late),
        ] {
            assert!(all.peek(handle, browser, now).is_none(), "{name}");
            assert!(all.take(handle, browser, now).is_none(), "{name}");
        }
        assert!(all.peek(&handle, Some("mine"), NOON).is_some());
        assert!(all.take(&handle, Some("mine"), NOON).is_some());
        assert!(all.take(&handle, Some("mine"), NOON).is_none(), "once");
    }

    #[test]
    fn they_never_take_more_than_32_mib() {
        let all = KeptBodies::default();
        let first = all.put(kept("mine", MAX_KEPT));
        let handles: Vec<_> = (0..600).map(|_| all.put(kept("mine", MAX_KEPT))).collect();
        assert!(all.all.lock().unwrap().bytes <= MAX_ALL);
        assert!(
            all.peek(&first, Some("mine"), NOON).is_none(),
            "the oldest went"
        );
        let last = handles.last().unwrap();
        assert!(all.peek(last, Some("mine"), NOON).is_some());
        let large = all.put(kept("mine", MAX_KEPT + 1));
        assert!(all.peek(&large, Some("mine"), NOON).is_none());
    }
}
