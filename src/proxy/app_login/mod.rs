//! Apps that read no header: we sign in there on the person's behalf, with the password that was made with the account.
//!
//! The app's session belongs to one session of ours, in memory alone, and goes with it. Its cookies never reach a
//! browser, and none of a browser's reaches the app. Passwords and cookies are in no log and no error.

mod attempts;
mod failure;
mod names;
mod page;
mod sign_in;
mod signs;
mod tags;
mod through;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::reserved::{fold_byte, is_taken};
use crate::config::{self, LoginKind, Mistake, Settings, UpstreamUrl};
use crate::provision::Provision;
use crate::session::{Held, Live};
use crate::web::{set_cookie_pair, strip_cookies};
use attempts::Attempts;
use names::SessionNames;
use signs::Signs;

/// The longest that a whole sign-in may take.
const LONGEST: Duration = Duration::from_secs(30);

/// `[upstream.login]`, ready to sign people in.
pub(super) struct AppLogin {
    settings: config::AppLogin,
    /// What is held of other settings is not used.
    number: u64,
    cookies: SessionNames,
    attempts: Attempts,
    signs: Signs,
    /// Of the pages that the app takes its forms to come from.
    origin: String,
    /// The whole sign-in: two answers, as long as the app may take for each.
    time: Duration,
    provision: Arc<Provision>,
}

impl AppLogin {
    /// Of these settings; none where the app reads headers.
    pub(super) fn new(
        settings: &Settings,
        upstream: &str,
        provision: &Arc<Provision>,
    ) -> Option<Self> {
        let login = settings.upstream.login.clone()?;
        let mut hasher = DefaultHasher::new();
        format!("{login:?} {:?}", settings.upstream.url).hash(&mut hasher);
        let origin = if settings.upstream.preserve_host {
            settings.public_url.origin()
        } else {
            let is_https = matches!(settings.upstream.url, UpstreamUrl::Https { .. });
            let scheme = if is_https { "https" } else { "http" };
            format!("{scheme}://{upstream}")
        };
        Some(Self {
            number: hasher.finish(),
            cookies: SessionNames::new(&login.cookies),
            attempts: Attempts::default(),
            signs: Signs::new(&login),
            origin,
            time: settings
                .upstream
                .response_timeout
                .saturating_mul(2)
                .min(LONGEST),
            provision: Arc::clone(provision),
            settings: login,
        })
    }

    fn is_named(&self, name: &[u8]) -> bool {
        self.cookies.are(name)
    }

    /// The app's session cookies are ours: whatever comes under their names, as any app reads them, is not for the app.
    fn strip(&self, request: &mut HeaderMap) {
        if !self.cookies.is_empty() {
            let is_ours =
                |name: &[u8], value: &[u8]| self.cookies.could_be(&[name, value].join(&b'='));
            strip_cookies(request, is_ours);
        }
    }

    /// Takes them out of an answer; several in one field, as RFC 2109 had it, go together.
    fn strip_set(&self, answer: &mut HeaderMap) {
        let is_ours = |field: &HeaderValue| {
            let field = field.as_bytes();
            self.is_named(set_cookie_pair(field).0) || self.cookies.could_be(field)
        };
        if !answer.get_all(SET_COOKIE).iter().any(is_ours) {
            return;
        }
        let all: Vec<_> = answer.get_all(SET_COOKIE).iter().cloned().collect();
        answer.remove(SET_COOKIE);
        for field in all.into_iter().filter(|field| !is_ours(field)) {
            answer.append(SET_COOKIE, field);
        }
    }

    /// What is held for a session, while it is true.
    fn held(&self, live: &Live) -> Option<Arc<Held>> {
        let held = live.app().held()?;
        let of_now = held.stamp.is_none_or(|stamp| stamp == live.stamp());
        (held.settings == self.number && of_now).then_some(held)
    }
}

/// Names of the fields that sign people in on every request: no client may send one of them, in any spelling (R7).
pub(super) fn names(settings: &Settings) -> Vec<HeaderName> {
    match &settings.upstream.login {
        Some(login) if login.kind == LoginKind::Basic => vec![AUTHORIZATION],
        Some(login) if login.kind == LoginKind::Header => {
            login.headers.iter().map(|(name, _)| name.clone()).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// R9: names that are not ours to set, or that the app could take for one of `[headers]`. A sign-in by form or JSON is a
/// request of ours with the person's own fields in it, so there it is the same.
pub(super) fn mistakes<'a>(
    settings: &Settings,
    others: impl IntoIterator<Item = &'a HeaderName>,
) -> Vec<Mistake> {
    let folded = |name: &HeaderName| -> Vec<u8> { name.as_str().bytes().map(fold_byte).collect() };
    let mut before: Vec<_> = others.into_iter().map(folded).collect();
    let mut mistakes = Vec::new();
    let Some(login) = &settings.upstream.login else {
        return mistakes;
    };
    let basic = (login.kind == LoginKind::Basic).then(|| ("kind".to_owned(), &AUTHORIZATION));
    let written = login.headers.iter();
    let written = written.map(|(name, _)| (format!("headers.{name}"), name));
    for (key, name) in basic.into_iter().chain(written) {
        let why = match is_taken(name) {
            Some(why) => Some(why),
            None if before.contains(&folded(name)) => {
                Some("looks like another one that we set to apps that fold - and _")
            }
            None => None,
        };
        mistakes.extend(why.map(|why| Mistake {
            key: format!("upstream.login.{key}"),
            why: format!("{name} {why}"),
        }));
        before.push(folded(name));
    }
    mistakes
}
