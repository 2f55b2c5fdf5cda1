//! What clients may not tell the app, and the app may not tell clients, is dropped here, on every path (R10).
//!
//! Refuses bodies whose end two readers could see at two places (R61).

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::app_answer::Stale;
use super::app_session::{AppSessions, Issued};
use super::connection::{drop_named_by_connection, tokens, wanted_upgrade, wants_trailers};
use super::framing::{self, FramingError};
use super::reserved::{Names, Reserved};
use crate::metrics::{Kind, Metrics};
use crate::web::{Inbound, Origin, OwnCookies, strip_cookies};

/// What was found while a request was sanitized.
#[derive(Debug, Default)]
pub struct Sanitized {
    /// The client wants to leave HTTP: the value of `Upgrade`, when `Connection` names it.
    pub upgrade: Option<HeaderValue>,
    /// How many fields claimed an identity.
    pub claims: usize,
    /// Cookies of the app that do not belong to this session: to be expired in the answer.
    pub stale: Stale,
}

/// Prepared once from the settings.
#[derive(Debug)]
pub struct Sanitizer {
    names: Arc<Names>,
    cookies: OwnCookies,
    app_sessions: Arc<AppSessions>,
    trusted: Vec<IpNet>,
    metrics: Arc<Metrics>,
}

impl Sanitizer {
    /// For these names that we may set, cookies of ours and of the app's session, and trusted proxies.
    pub fn new<'a>(
        ours: impl IntoIterator<Item = &'a HeaderName>,
        cookies: OwnCookies,
        app_sessions: Arc<AppSessions>,
        trusted: Vec<IpNet>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            names: Arc::new(Names::new(ours)),
            cookies,
            app_sessions,
            trusted,
            metrics,
        }
    }

    /// Whose cookies are ours.
    pub const fn cookies(&self) -> &OwnCookies {
        &self.cookies
    }

    /// What no trailer of a request may be called.
    pub(super) fn names(&self) -> Arc<Names> {
        Arc::clone(&self.names)
    }

    /// Makes a client's fields what the app may get: without fields of the connection, claims of identity and
    /// our cookies and those of another session of the app, and with `X-Forwarded-*` and `X-Request-Id` of ours. To be called before anything of ours is
    /// set (R8) and after session and bearer were read. `live` is the session the request came with.
    ///
    /// # Errors
    ///
    /// The framing is ambiguous.
    pub fn request(
        &self,
        headers: &mut HeaderMap,
        origin: &Origin,
        inbound: Inbound,
        live: Option<&dyn Issued>,
    ) -> Result<Sanitized, FramingError> {
        let mut sanitized = Sanitized::default();
        let mut trailers = false;
        // One look at the names, because most requests have none of these.
        if headers.keys().any(|name| OF_CONNECTION.contains(name)) {
            framing::check(headers)?;
            sanitized.upgrade = wanted_upgrade(headers);
            trailers = wants_trailers(headers);
            drop_named_by_connection(headers);
            sanitized.claims = self.drop_reserved_trailers(headers);
        }
        // R1: from a trusted proxy the way so far stays, to be continued below.
        let keep_way = inbound.is_trusted(&self.trusted);
        let mut goes = Vec::new();
        for name in headers.keys() {
            match self.names.find(name) {
                None | Some(Reserved::Way) if keep_way && *name == "x-forwarded-for" => {}
                None => {}
                Some(Reserved::Identity) => {
                    sanitized.claims = sanitized.claims.saturating_add(1);
                    goes.push(name.clone());
                }
                Some(Reserved::Hop | Reserved::Way | Reserved::Alias) => goes.push(name.clone()),
            }
        }
        for name in goes {
            headers.remove(name);
        }
        if sanitized.claims > 0 {
            let kind = Kind { kind: "inbound" };
            let claims = u64::try_from(sanitized.claims).unwrap_or(u64::MAX);
            self.metrics
                .headers_dropped
                .get_or_create(&kind)
                .inc_by(claims);
        }
        if trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        sanitized.stale = self.strip_cookies(headers, live);
        origin.tell(inbound, headers);
        Ok(sanitized)
    }

    /// Some apps take trailers for fields. Only those go on that `Trailer` names, so that what it may not name
    /// stays here (CVE-2013-5704 is what happens else). Gives how many claimed an identity.
    fn drop_reserved_trailers(&self, headers: &mut HeaderMap) -> usize {
        if !headers.contains_key(TRAILER) {
            return 0;
        }
        let mut claims = 0_usize;
        let mut kept = Vec::new();
        for token in headers.get_all(TRAILER).iter().flat_map(tokens) {
            let Ok(name) = HeaderName::from_bytes(token) else {
                continue;
            };
            match self.names.find_anywhere(&name) {
                None => kept.push(name),
                Some(Reserved::Identity) => claims = claims.saturating_add(1),
                Some(Reserved::Hop | Reserved::Way | Reserved::Alias) => {}
            }
        }
        headers.remove(TRAILER);
        for name in kept {
            headers.append(TRAILER, HeaderValue::from(name));
        }
        claims
    }

    fn strip_cookies(&self, headers: &mut HeaderMap, live: Option<&dyn Issued>) -> Stale {
        let mut stale = Stale::default();
        strip_cookies(headers, |name, value| {
            self.cookies.are(name) || !self.app_sessions.passes(name, value, live, &mut stale)
        });
        if !stale.is_empty() {
            stale.spare(headers);
        }
        stale
    }

    /// Makes the app's fields what the client may get: without fields of the connection, and never setting our
    /// cookies. `upgraded` keeps `Connection` and `Upgrade` of a 101.
    pub fn response(&self, headers: &mut HeaderMap, upgraded: bool) {
        let upgrade = upgraded.then(|| headers.get(UPGRADE).cloned()).flatten();
        drop_named_by_connection(headers);
        let is_hop = |name: &&HeaderName| RESPONSE_HOP.contains(name);
        while let Some(name) = headers.keys().find(is_hop).cloned() {
            headers.remove(name);
        }
        if let Some(upgrade) = upgrade {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, upgrade);
        }
        let dropped = self.cookies.strip_set(headers);
        if dropped > 0 {
            let kind = Kind { kind: "set_cookie" };
            let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
            self.metrics
                .headers_dropped
                .get_or_create(&kind)
                .inc_by(dropped);
        }
    }
}

/// What says how a request is framed, and what is of its connection alone.
static OF_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    UPGRADE,
    TE,
    TRAILER,
];

static RESPONSE_HOP: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authenticate"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

#[cfg(test)]
#[path = "sanitize_tests.rs"]
mod tests;
