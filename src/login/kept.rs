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
    /// The mark of who wrote it; none where nobody had signed in before.
    pub writer: Option<String>,
    /// When it met the ended session.
    pub at: Timestamp,
}

/// Who asks for what waits.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Value of the browser cookie.
    pub browser: Option<&'a str>,
    /// The mark of the person who is signed in.
    pub person: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Why nothing is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Unknown, sent already, too old, or of another browser.
    #[error("nothing waits under this handle")]
    Gone,
    /// Another person wrote it in this browser.
    #[error("it was written by another person")]
    Others,
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
    ///
    /// # Errors
    ///
    /// See [`Missing`].
    pub fn peek(&self, handle: &str, asker: Asker<'_>) -> Result<Kept, Missing> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.find(handle, asker).cloned()
    }

    /// Takes it out, once.
    ///
    /// # Errors
    ///
    /// See [`Missing`].
    pub fn take(&self, handle: &str, asker: Asker<'_>) -> Result<Kept, Missing> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.find(handle, asker)?;
        all.remove(handle).ok_or(Missing::Gone)
    }
}

impl All {
    fn find(&self, handle: &str, asker: Asker<'_>) -> Result<&Kept, Missing> {
        let kept = self.by_handle.get(handle).ok_or(Missing::Gone)?;
        // R22: another browser must not send what this one wrote.
        let browser = asker.browser.ok_or(Missing::Gone)?;
        let own = same(&sha256(browser.as_bytes()).0, &kept.browser.0);
        if !own || asker.now.since(kept.at) >= LIFE {
            return Err(Missing::Gone);
        }
        // R22: nor another person in the same browser.
        match kept.writer.as_deref() {
            Some(writer) if asker.person != Some(writer) => Err(Missing::Others),
            Some(_) | None => Ok(kept),
        }
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

    const MINE: Asker<'_> = Asker {
        browser: Some("mine"),
        person: None,
        now: NOON,
    };

    fn kept(browser: &str, size: usize) -> Kept {
        Kept {
            method: Method::POST,
            target: "/save".to_owned(),
            content_type: "application/json".to_owned(),
            body: vec![b'x'; size].into(),
            browser: sha256(browser.as_bytes()),
            writer: None,
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
            let asker = Asker {
                browser,
                person: None,
                now,
            };
            assert_eq!(all.peek(handle, asker).err(), Some(Missing::Gone), "{name}");
            assert_eq!(all.take(handle, asker).err(), Some(Missing::Gone), "{name}");
        }
        assert!(all.peek(&handle, MINE).is_ok());
        assert!(all.take(&handle, MINE).is_ok());
        assert_eq!(all.take(&handle, MINE).err(), Some(Missing::Gone), "once");
    }

    #[test]
    fn r22_a_body_waits_for_who_wrote_it() {
        let all = KeptBodies::default();
        for (writer, person, ok) in [
            (Some("ada"), Some("ada"), true),
            (Some("ada"), Some("bob"), false),
            (Some("ada"), None, false),
            (None, Some("bob"), true),
        ] {
            let name = format!("{writer:?} wrote, {person:?} asks");
            let handle = all.put(Kept {
                writer: writer.map(str::to_owned),
                ..kept("mine", 10)
            });
            let asker = Asker { person, ..MINE };
            let want = (!ok).then_some(Missing::Others);
            assert_eq!(all.peek(&handle, asker).err(), want, "{name}");
            assert_eq!(all.take(&handle, asker).err(), want, "{name}");
        }
    }

    #[test]
    fn they_never_take_more_than_32_mib() {
        let all = KeptBodies::default();
        let first = all.put(kept("mine", MAX_KEPT));
        let handles: Vec<_> = (0..600).map(|_| all.put(kept("mine", MAX_KEPT))).collect();
        assert!(all.all.lock().unwrap().bytes <= MAX_ALL);
        assert!(all.peek(&first, MINE).is_err(), "the oldest went");
        let last = handles.last().unwrap();
        assert!(all.peek(last, MINE).is_ok());
        let large = all.put(kept("mine", MAX_KEPT + 1));
        assert!(all.peek(&large, MINE).is_err());
    }
}
