//! The app's answer, seen from its own session: what it issues, what has to go, where the person goes.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::app_session::{AppSessions, Issued};
use crate::clock::Timestamp;
use crate::web::{OwnCookies, RequestPath, set_cookie_pair};

/// More stale cookies than this are stripped like all, but not expired in one answer.
pub(super) const MAX_EXPIRED: usize = 16;

/// Cookies that were stripped from a request: to be expired in its answer.
#[derive(Debug, Default)]
pub struct Stale {
    pub(super) names: Vec<String>,
}

/// What the app answered.
#[derive(Clone, Copy, Debug)]
pub struct After<'a> {
    /// Method of the request.
    pub method: &'a Method,
    /// Path of the request.
    pub path: &'a RequestPath,
    /// Status of the answer.
    pub status: StatusCode,
    /// Whether a browser loads a page.
    pub navigation: bool,
    /// Whether people reach us by https.
    pub https: bool,
    /// Now.
    pub now: Timestamp,
}

/// What follows from the app's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send the answer.
    Pass,
    /// The person signed out in the app: end our session. `page` asks to answer with the signed-out page
    /// instead of the app's answer; its `Set-Cookie` fields go along.
    EndSession {
        /// Whether a person looks at it.
        page: bool,
    },
}

impl AppSessions {
    /// Looks at the app's answer: remembers the cookies that it issues, expires stale ones, and sends a person
    /// who was led to `login_path` back to their link. `live` is the session the request came with.
    pub fn after(
        &self,
        after: &After<'_>,
        live: Option<&dyn Issued>,
        stale: &Stale,
        headers: &mut HeaderMap,
    ) -> Next {
        if self.cookies.is_empty() && self.logout.is_empty() {
            return Next::Pass;
        }
        let set = self.named_in_answer(headers);
        if let Some(live) = live {
            for (name, value) in set.iter().filter(|(_, value)| !value.is_empty()) {
                live.remember_issued(name, value);
            }
        }
        let left = stale
            .names
            .iter()
            .filter(|name| !set.iter().any(|(its, _)| its == *name));
        expire(left, after.path, after.https, headers);
        if let Some(live) = live {
            self.come_back(after, live, !set.is_empty(), headers);
        }
        // The app refused the sign-out, as for a link that another site made somebody follow.
        if live.is_some() && self.is_logout(after.path) && !after.status.is_client_error() {
            let page = after.navigation && !after.status.is_server_error();
            return Next::EndSession { page };
        }
        Next::Pass
    }

    fn come_back(
        &self,
        after: &After<'_>,
        live: &dyn Issued,
        has_set: bool,
        headers: &mut HeaderMap,
    ) {
        let is_login = |login: &RequestPath| login.as_str() == after.path.as_str();
        if !after.navigation
            || *after.method != Method::GET
            || !self.login.as_ref().is_some_and(is_login)
        {
            return;
        }
        let Some(target) = self.leads.end(live.id(), after.now) else {
            return;
        };
        let redirects = after.status.is_redirection() && headers.contains_key(LOCATION);
        if has_set
            && redirects
            && let Ok(location) = HeaderValue::try_from(target)
        {
            headers.insert(LOCATION, location);
        }
    }

    fn named_in_answer(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|field| {
                let (name, value) = set_cookie_pair(field.as_bytes());
                self.is_named(name).then_some((text(name)?, text(value)?))
            })
            .collect()
    }
}

impl Stale {
    /// Whether there is nothing to expire.
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Expires them in an answer of ours, such as the way to `login_path`.
    pub fn expire(&self, path: &RequestPath, https: bool, answer: &mut HeaderMap) {
        expire(self.names.iter(), path, https, answer);
    }

    /// A cookie of the same name that may pass came along: expiring by name would take that one.
    pub(super) fn spare(&mut self, passed: &HeaderMap) {
        self.names
            .retain(|name| OwnCookies::values(passed, name).next().is_none());
    }
}

/// Expires cookies at `/` and at the first part of the path, where apps put theirs. A cookie with a `Domain`
/// stays in the browser; it is stripped from each request all the same.
pub(super) fn expire<'a>(
    names: impl Iterator<Item = &'a String>,
    path: &RequestPath,
    https: bool,
    headers: &mut HeaderMap,
) {
    let secure = if https { "; Secure" } else { "" };
    let mut places = vec![String::from("/")];
    // A `;` would end the attribute.
    match path.as_str().split('/').nth(1) {
        Some(first) if !first.is_empty() && !first.contains(';') => {
            places.extend([format!("/{first}"), format!("/{first}/")]);
        }
        _ => {}
    }
    for name in names {
        for place in &places {
            let field = format!("{name}=; Max-Age=0; Path={place}; HttpOnly{secure}");
            if let Ok(field) = HeaderValue::try_from(field) {
                headers.append(SET_COOKIE, field);
            }
        }
    }
}
