//! The app's own session must never outlive or override ours.
//!
//! A cookie of the app's session passes only when the app issued it under the current session of ours: else
//! another person on the same browser, a sign-out or a deactivation would leave the old person inside (several
//! apps believe their cookie before the header, or without it). Without a session none passes.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Method};

use super::app_answer::{MAX_EXPIRED, Stale, expire};
use super::leads::Leads;
use crate::clock::Timestamp;
use crate::config::{self, Mistake};
use crate::session::Live;
use crate::web::{PathError, PathPattern, RequestPath};

/// What a session of ours remembers of the app's cookies.
pub trait Issued {
    /// Public id of the session.
    fn id(&self) -> &str;
    /// Whether the app issued this cookie under this session.
    fn issued(&self, name: &str, value: &str) -> bool;
    /// Remembers a cookie that the app issued under this session.
    fn remember_issued(&self, name: &str, value: &str);
}

impl Issued for Live {
    fn id(&self) -> &str {
        &self.record.id
    }

    fn issued(&self, name: &str, value: &str) -> bool {
        Self::issued(self, name, value)
    }

    fn remember_issued(&self, name: &str, value: &str) {
        Self::remember_issued(self, name, value);
    }
}

/// `[upstream.app_session]`, ready to be asked.
#[derive(Debug, Default)]
pub struct AppSessions {
    pub(super) cookies: Vec<CookieName>,
    pub(super) login: Option<RequestPath>,
    pub(super) logout: Vec<Leaving>,
    pub(super) leads: Leads,
}

#[derive(Debug)]
pub(super) enum CookieName {
    Exact(String),
    StartsWith(String),
}

/// A logout link of the app: a glob, and what must stand in the query.
#[derive(Debug)]
pub(super) struct Leaving {
    path: PathPattern,
    query: Vec<(String, String)>,
}

impl Leaving {
    fn parse(text: &str) -> Result<Self, PathError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        Ok(Self {
            path: PathPattern::parse(path)?,
            query: pairs(query),
        })
    }

    fn is(&self, asked: &RequestPath) -> bool {
        let has = |query: &str| {
            let theirs = pairs(query);
            self.query.iter().all(|pair| theirs.contains(pair))
        };
        let query = asked.target().query().unwrap_or_default();
        self.path.matches(asked) && (self.query.is_empty() || has(query))
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

impl CookieName {
    /// As the settings write it.
    pub(super) fn of(name: &str) -> Self {
        match name.strip_suffix('*') {
            Some(start) => Self::StartsWith(start.to_owned()),
            None => Self::Exact(name.to_owned()),
        }
    }

    pub(super) fn fits(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(its) => its.as_bytes() == name,
            Self::StartsWith(start) => name.starts_with(start.as_bytes()),
        }
    }
}

/// A request, before it goes to the app.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path.
    pub path: &'a RequestPath,
    /// Fields as the client sent them.
    pub headers: &'a HeaderMap,
    /// Whether a browser loads a page ([`crate::web::Visit::is_navigation`]).
    pub navigation: bool,
    /// Whether the person's identity goes to the app ([`crate::policy::Grant::identified`]).
    pub identified: bool,
    /// Now.
    pub now: Timestamp,
}

impl AppSessions {
    /// Prepares the settings.
    ///
    /// # Errors
    ///
    /// Paths that no request can have.
    pub fn new(settings: &config::AppSession) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let mut mistake = |key: &str, text: &str, why: &dyn std::fmt::Display| {
            mistakes.push(Mistake {
                key: format!("upstream.app_session.{key}"),
                why: format!("{text:?}: {why}"),
            });
        };
        let mut logout = Vec::new();
        for text in &settings.logout_paths {
            match Leaving::parse(text) {
                Ok(leaving) => logout.push(leaving),
                Err(why) => mistake("logout_paths", text, &why),
            }
        }
        let mut login = None;
        if !settings.login_path.is_empty() {
            let text = &settings.login_path;
            match text.parse().map(|uri| RequestPath::of(&uri)) {
                Ok(Ok(path)) => login = Some(path),
                Ok(Err(why)) => mistake("login_path", text, &why),
                Err(why) => mistake("login_path", text, &why),
            }
        }
        for name in &settings.cookies {
            let bare = name.strip_suffix('*').unwrap_or(name);
            let fits =
                |byte: u8| byte.is_ascii_graphic() && !b"*=;,\"\\()<>@:/[]?{}".contains(&byte);
            if bare.is_empty() || !bare.bytes().all(fits) {
                let why = "must be the name of a cookie; * may stand at its end";
                mistake("cookies", name, &why);
            }
        }
        let cookies = settings.cookies.iter().map(|name| CookieName::of(name));
        let cookies = cookies.collect();
        if mistakes.is_empty() {
            Ok(Self {
                cookies,
                login,
                logout,
                leads: Leads::default(),
            })
        } else {
            Err(mistakes)
        }
    }

    /// Whether a cookie belongs to the app's session.
    pub fn is_named(&self, name: &[u8]) -> bool {
        self.cookies.iter().any(|its| its.fits(name))
    }

    /// Whether one cookie of a request may pass; one that may not is noted in `stale`.
    pub(super) fn passes(
        &self,
        name: &[u8],
        value: &[u8],
        live: Option<&dyn Issued>,
        stale: &mut Stale,
    ) -> bool {
        if !self.is_named(name) {
            return true;
        }
        let text = std::str::from_utf8(name)
            .ok()
            .zip(std::str::from_utf8(value).ok());
        let Some((name, value)) = text else {
            return false;
        };
        if live.is_some_and(|live| live.issued(name, value)) {
            return true;
        }
        if stale.names.len() < MAX_EXPIRED && !stale.names.iter().any(|its| its == name) {
            stale.names.push(name.to_owned());
        }
        false
    }

    /// Where a person without a session in the app has to go first: the app's `login_path`, for a deep link
    /// that a browser loads, once for each link. The link is kept here until the app's answer.
    pub fn lead(&self, asked: &Before<'_>, live: &dyn Issued) -> Option<HeaderValue> {
        let login = self.login.as_ref()?;
        let leads = asked.identified
            && asked.navigation
            && *asked.method == Method::GET
            && asked.path.as_str() != login.as_str()
            && !self.is_logout(asked.path)
            && !self.has_session(asked.headers, live);
        let target = asked.path.target().as_str();
        // No endless loop: an app that sets no cookie, or one that does not come back, is asked once.
        if !leads || !self.leads.begin(live.id(), target, asked.now) {
            return None;
        }
        HeaderValue::from_str(login.target().as_str()).ok()
    }

    /// Expires the app's session cookies of this request, when our session ends in an answer of ours.
    pub fn farewell(
        &self,
        request: &HeaderMap,
        path: &RequestPath,
        https: bool,
        answer: &mut HeaderMap,
    ) {
        let mut names: Vec<String> = Vec::new();
        for (name, _) in self.named_in_request(request) {
            if names.len() < MAX_EXPIRED && !names.iter().any(|its| its == name) {
                names.push(name.to_owned());
            }
        }
        expire(names.iter(), path, https, answer);
    }

    /// Whether this is one of the app's own logout links.
    pub fn is_logout(&self, path: &RequestPath) -> bool {
        self.logout.iter().any(|leaving| leaving.is(path))
    }

    fn has_session(&self, headers: &HeaderMap, live: &dyn Issued) -> bool {
        self.named_in_request(headers)
            .any(|(name, value)| live.issued(name, value))
    }

    fn named_in_request<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|piece| std::str::from_utf8(piece).ok()?.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, _)| self.is_named(name.as_bytes()))
    }
}

#[cfg(test)]
#[path = "app_session_tests.rs"]
mod tests;
