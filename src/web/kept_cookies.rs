//! Cookies of the app that stay with us, as a browser would keep them, within limits.

use bytes::Bytes;
use cookie::Cookie;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use super::set_cookie_pair;
use crate::clock::Timestamp;

/// Cookies that are kept; more are not.
const MAX_COOKIES: usize = 32;
/// Longest name and value together, bytes (RFC 6265bis 5.6 has 4096).
const MAX_COOKIE: usize = 8192;

/// Names and values. Nothing of them is shown.
#[derive(Clone, Default)]
pub struct KeptCookies {
    pairs: Vec<(String, String)>,
}

impl KeptCookies {
    /// Takes in what an answer sets, of the names that are kept: new values take the place of old ones, what is expired
    /// or empty goes. Paths make no difference: every request gets them all.
    pub fn take_in(&mut self, answer: &HeaderMap, now: Timestamp, keeps: impl Fn(&[u8]) -> bool) {
        for field in answer.get_all(SET_COOKIE) {
            let (name, value) = set_cookie_pair(field.as_bytes());
            if !keeps(name) {
                continue;
            }
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
            let (Some(name), Some(value)) = (text(name), text(value)) else {
                continue;
            };
            self.pairs.retain(|(its, _)| *its != name);
            let fits = name.len().saturating_add(value.len()) <= MAX_COOKIE;
            let gone = value.is_empty() || is_expired(field, now);
            if fits && !gone && self.pairs.len() < MAX_COOKIES {
                self.pairs.push((name, value));
            }
        }
    }

    /// Forgets the others.
    pub fn retain(&mut self, keeps: impl Fn(&[u8]) -> bool) {
        self.pairs.retain(|(name, _)| keeps(name.as_bytes()));
    }

    /// The value of one.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Sends them along with a request, before the cookies that it has: of two that an app takes for one the first counts
    /// nearly everywhere, and a quote that a browser's cookie opens cannot swallow what stands before it.
    pub fn add_to(&self, request: &mut HeaderMap) {
        let mut all = Vec::new();
        for (name, value) in &self.pairs {
            if !all.is_empty() {
                all.extend_from_slice(b"; ");
            }
            all.extend_from_slice(format!("{name}={value}").as_bytes());
        }
        if let Some(theirs) = request.get(COOKIE) {
            if !all.is_empty() {
                all.extend_from_slice(b"; ");
            }
            all.extend_from_slice(theirs.as_bytes());
        }
        if let Ok(mut field) = HeaderValue::from_maybe_shared(Bytes::from(all))
            && !field.is_empty()
        {
            field.set_sensitive(true);
            request.insert(COOKIE, field);
        }
    }
}

impl std::fmt::Debug for KeptCookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptCookies({})", self.pairs.len())
    }
}

fn is_expired(field: &HeaderValue, now: Timestamp) -> bool {
    let text = String::from_utf8_lossy(field.as_bytes());
    let Ok(cookie) = Cookie::parse(text.as_ref()) else {
        return false;
    };
    // RFC 6265 5.3: Max-Age wins.
    match (cookie.max_age(), cookie.expires_datetime()) {
        (Some(age), _) => !age.is_positive(),
        (None, Some(at)) => {
            let at = u64::try_from(at.unix_timestamp()).unwrap_or_default();
            Timestamp::from_secs(at) <= now
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(fields: &[&str]) -> String {
        let mut kept = KeptCookies::default();
        for field in fields {
            let mut answer = HeaderMap::new();
            answer.append(SET_COOKIE, field.parse().unwrap());
            kept.take_in(&answer, NOW, |name| name.starts_with(b"S"));
        }
        let mut request = HeaderMap::new();
        request.insert(COOKIE, HeaderValue::from_static("theme=dark"));
        kept.add_to(&mut request);
        request[COOKIE].to_str().unwrap().to_owned()
    }

    #[test]
    fn they_are_kept_as_a_browser_keeps_them() {
        let long = format!("S={}", "x".repeat(MAX_COOKIE));
        for (fields, want) in [
            (&[][..], "theme=dark"),
            (&["S=1; Path=/; HttpOnly"], "S=1; theme=dark"),
            (&["S=1", "S=2"], "S=2; theme=dark"),
            (&["S=1", "S2=a=b"], "S=1; S2=a=b; theme=dark"),
            (&["other=1"], "theme=dark"),
            (&["S=1", "S=deleted; Max-Age=0"], "theme=dark"),
            (&["S=1", "S="], "theme=dark"),
            (
                &["S=1", "S=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                "theme=dark",
            ),
            (
                &["S=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT"],
                "S=1; theme=dark",
            ),
            (
                &["S=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
                "S=1; theme=dark",
            ),
            (&[long.as_str()], "theme=dark"),
        ] {
            assert_eq!(after(fields), want, "{fields:?}");
        }
        let many: Vec<_> = (0..100).map(|n| format!("S{n}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(after(&many).matches("=1; ").count(), MAX_COOKIES);
    }

    #[test]
    fn nothing_of_them_is_shown() {
        let mut kept = KeptCookies::default();
        let mut answer = HeaderMap::new();
        answer.append(SET_COOKIE, HeaderValue::from_static("S=canary"));
        kept.take_in(&answer, NOW, |_| true);
        assert_eq!(format!("{kept:?}"), "KeptCookies(1)");
        let mut request = HeaderMap::new();
        kept.add_to(&mut request);
        assert!(!format!("{request:?}").contains("canary"));
    }
}
