//! Header names that no client may send to the app, in any spelling that an app may fold to the same (R7).

use http::{HeaderMap, HeaderName};

/// Why a field does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserved {
    /// It belongs to one connection (RFC 9110 7.6.1).
    Hop,
    /// It claims where a request came from or what it was for; where the app needs that, we say it (R1).
    Way,
    /// It claims who is asking.
    Identity,
    /// It passes under its own name, but not under another spelling of it.
    Alias,
}

const HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];
/// `Proxy` is here because CGI makes `HTTP_PROXY` of it, which programs take for their proxy setting.
const WAY: &[&str] = &[
    "forwarded",
    "x-forwarded",
    "x-original-uri",
    "x-original-url",
    "x-original-host",
    "x-original-method",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-http-path-override",
    "x-host",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-envoy-original-path",
    "proxy",
];
const ALIAS: &[&str] = &[
    "host",
    "cookie",
    "authorization",
    "content-length",
    "content-type",
    "content-encoding",
    "x-request-id",
    "origin",
    "referer",
];
const FAMILIES: &[(&str, Reserved)] = &[
    ("x-forwarded-", Reserved::Way),
    ("x-sidegate-", Reserved::Identity),
];
/// An oddly spelled name that is longer does not pass at all, bytes. Reserved names are far shorter.
const MAX_NAME: usize = 128;

/// All reserved names, by length.
#[derive(Debug)]
pub(super) struct Names {
    by_length: Vec<Vec<(Box<[u8]>, Reserved)>>,
}

impl Names {
    /// Reserves what is always reserved, and these names of ours.
    pub(super) fn new<'a>(ours: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        let mut names = Self {
            by_length: Vec::new(),
        };
        // What we set for a person comes first: it counts as a claim of identity whatever else it is called.
        for name in ours {
            names.add(name.as_str(), Reserved::Identity);
        }
        for (list, why) in [
            (HOP, Reserved::Hop),
            (WAY, Reserved::Way),
            (ALIAS, Reserved::Alias),
        ] {
            for name in list {
                names.add(name, why);
            }
        }
        names
    }

    fn add(&mut self, name: &str, why: Reserved) {
        let folded: Box<[u8]> = name.bytes().map(fold_byte).collect();
        if self.by_length.len() <= folded.len() {
            self.by_length
                .resize_with(folded.len().saturating_add(1), Vec::new);
        }
        if let Some(same_length) = self.by_length.get_mut(folded.len()) {
            same_length.push((folded, why));
        }
    }

    /// Why a field of this name does not pass; none when it does.
    pub(super) fn find(&self, name: &HeaderName) -> Option<Reserved> {
        let bytes = name.as_str().as_bytes();
        if bytes.iter().all(|byte| fold_byte(*byte) == *byte) {
            return match self.find_folded(bytes) {
                Some(Reserved::Alias) => None,
                found => found,
            };
        }
        self.find_anywhere(name)
    }

    /// The same where even names that pass as fields have no place: among trailers.
    pub(super) fn find_anywhere(&self, name: &HeaderName) -> Option<Reserved> {
        let name = name.as_str().as_bytes();
        // R7: an app that makes CGI variables of fields cannot tell `x_forwarded-user` from `x-forwarded-user`.
        let mut space = [0; MAX_NAME];
        let Some(folded) = space.get_mut(..name.len()) else {
            return Some(Reserved::Alias);
        };
        for (to, from) in folded.iter_mut().zip(name) {
            *to = fold_byte(*from);
        }
        self.find_folded(folded)
    }

    /// Drops what trailers may not say: servers that put trailers among the fields of the head (RFC 9110 6.5.1
    /// leaves it open) would take them for ours. Of `Host`, `Cookie` and their like no spelling passes here.
    pub(super) fn strip_trailers(&self, trailers: &mut HeaderMap) -> usize {
        let folded = |name: &HeaderName| name.as_str().bytes().map(fold_byte).collect::<Vec<_>>();
        let goes: Vec<HeaderName> = trailers
            .keys()
            .filter(|name| self.find_folded(&folded(name)).is_some())
            .cloned()
            .collect();
        for name in &goes {
            trailers.remove(name);
        }
        goes.len()
    }

    fn find_folded(&self, folded: &[u8]) -> Option<Reserved> {
        let same_length = self.by_length.get(folded.len());
        same_length
            .into_iter()
            .flatten()
            .find(|(its, _)| **its == *folded)
            .map(|(_, why)| *why)
            .or_else(|| {
                FAMILIES
                    .iter()
                    .find(|(start, _)| folded.starts_with(start.as_bytes()))
                    .map(|(_, why)| *why)
            })
    }
}

/// The most that apps fold: case, and everything that is no letter or digit to one character.
pub(super) const fn fold_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

/// Whether a setting may not use this name, and why.
pub(super) fn is_taken(name: &HeaderName) -> Option<&'static str> {
    let name: Vec<u8> = name.as_str().bytes().map(fold_byte).collect();
    let is = |list: &[&str]| list.iter().any(|its| its.as_bytes() == name);
    if is(HOP) || is(&["trailer"]) {
        Some("belongs to one connection and never reaches the app")
    } else if is(&["host", "cookie", "expect", "date", "range", "via"])
        || name.starts_with(b"content-")
    {
        Some("is part of the request itself")
    } else if is(WAY) || is(&["x-request-id"]) || is(WAY_WE_SET) {
        Some("tells the app where the request came from; set by us from trusted proxies alone")
    } else {
        None
    }
}

const WAY_WE_SET: &[&str] = &[
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-uri",
    "x-forwarded-prefix",
    "x-forwarded-path",
    "x-forwarded-method",
    "x-forwarded-server",
    "x-forwarded-scheme",
];
