//! Cookies: ours are read and never reach the upstream; the app's pass.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// More bytes of cookies than this are none at all (R24).
const MAX_BYTES: usize = 16 * 1024;
/// More cookies than this are none at all (R24).
const MAX_COOKIES: usize = 200;
/// So many cookies of one name of ours are looked at: an attacker on a sibling host can add some.
const MAX_SAME: usize = 4;

/// The cookies of one request (RFC 6265 5.4), every `Cookie` field together.
#[derive(Debug, Default)]
pub struct CookieJar {
    pairs: Vec<(String, String)>,
}

impl CookieJar {
    /// Reads all `Cookie` fields. What cannot be read is no cookie (R12); more than 16 KiB or
    /// 200 cookies are none at all (R24).
    pub fn read(headers: &HeaderMap) -> Self {
        if is_too_much(headers) {
            return Self::default();
        }
        let pairs = pieces(headers)
            .filter_map(|piece| {
                let (name, value) = split(piece)?;
                let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
                Some((text(name)?, text(value)?))
            })
            .collect();
        Self { pairs }
    }

    /// Values of all cookies of this name, in the order sent: an attacker on a sibling host can add one.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(its, _)| its == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The names that are ours, so that they are found fast, and never go to the app or come from it.
#[derive(Clone, Debug)]
pub struct OwnCookies {
    base: String,
}

impl OwnCookies {
    /// All cookies named `base` or `base-…`, with or without `__Host-` or `__Secure-` before it.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
        }
    }

    /// Whether a cookie of this name is ours. Browsers take the prefixes in any case (RFC 6265bis 4.1.3),
    /// and some apps fold names, so case makes no difference.
    pub fn are(&self, name: &[u8]) -> bool {
        let name = strip_prefix(name, b"__host-")
            .or_else(|| strip_prefix(name, b"__secure-"))
            .unwrap_or(name);
        match strip_prefix(name, self.base.as_bytes()) {
            Some(rest) => matches!(rest, [] | [b'-', ..]),
            None => false,
        }
    }

    /// Values of the cookies of exactly this name on the wire, at most four, in the order sent. Nothing is
    /// copied. None are read where the cookies are too many or too long (R24).
    pub fn values<'a>(headers: &'a HeaderMap, wire_name: &'a str) -> impl Iterator<Item = &'a str> {
        let too_much = is_too_much(headers);
        pieces(headers)
            .take_while(move |_| !too_much)
            .filter_map(move |piece| match split(piece) {
                Some((name, value)) if name == wire_name.as_bytes() => {
                    std::str::from_utf8(value).ok()
                }
                _ => None,
            })
            .take(MAX_SAME)
    }

    /// Removes ours from a request; the app's stay byte for byte.
    pub fn strip(&self, headers: &mut HeaderMap) {
        strip_cookies(headers, |name, _| self.are(name));
    }

    /// Removes `Set-Cookie` fields of the app that would set one of ours. Gives how many.
    pub fn strip_set(&self, headers: &mut HeaderMap) -> usize {
        use http::header::SET_COOKIE;
        let ours = |value: &HeaderValue| self.are(set_cookie_pair(value.as_bytes()).0);
        if !headers.get_all(SET_COOKIE).iter().any(ours) {
            return 0;
        }
        let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        headers.remove(SET_COOKIE);
        let mut dropped = 0_usize;
        for value in all {
            if ours(&value) {
                dropped = dropped.saturating_add(1);
            } else {
                headers.append(SET_COOKIE, value);
            }
        }
        dropped
    }
}

/// Removes the cookies that `goes` names from a request. Several `Cookie` fields become one, as HTTP/1.1
/// wants it (RFC 9113 8.2.3); one field without such a cookie stays untouched.
pub fn strip_cookies(headers: &mut HeaderMap, mut goes: impl FnMut(&[u8], &[u8]) -> bool) {
    let mut fields = headers.get_all(COOKIE).iter();
    let (Some(first), second) = (fields.next(), fields.next()) else {
        return;
    };
    let mut leaves = |piece: &[u8]| {
        let (name, value) = split(piece).unwrap_or((trim(piece), &[]));
        goes(name, value)
    };
    if second.is_none() && !first.as_bytes().split(|b| *b == b';').any(&mut leaves) {
        return;
    }
    let mut kept: Vec<u8> = Vec::new();
    let mut between: &[u8] = b"";
    for field in headers.get_all(COOKIE) {
        for piece in field.as_bytes().split(|byte| *byte == b';') {
            if !leaves(piece) {
                let piece = if kept.is_empty() {
                    piece.trim_ascii_start()
                } else {
                    piece
                };
                kept.extend_from_slice(if kept.is_empty() { b"" } else { between });
                kept.extend_from_slice(piece);
            }
            between = b";";
        }
        between = b"; ";
    }
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)) {
        Ok(value) if !value.is_empty() => {
            headers.insert(COOKIE, value);
        }
        _ => {
            headers.remove(COOKIE);
        }
    }
}

/// Name and value that a browser takes from a `Set-Cookie` field. A field without a name counts by its value,
/// because `=x=1` comes back as `Cookie: x=1` (RFC 6265bis 5.5).
pub fn set_cookie_pair(field: &[u8]) -> (&[u8], &[u8]) {
    let pair = field.split(|byte| *byte == b';').next().unwrap_or(field);
    let mut rest = trim(pair);
    while let [b'=', after @ ..] = rest {
        rest = trim(after);
    }
    split(rest).unwrap_or((rest, &[]))
}

fn pieces(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
}

fn is_too_much(headers: &HeaderMap) -> bool {
    let fields = || headers.get_all(COOKIE).iter();
    let bytes: usize = fields().map(HeaderValue::len).sum();
    // A cookie takes three bytes at least, `a=;`: a short field needs no counting.
    bytes > MAX_BYTES || (bytes > MAX_COOKIES && pieces(headers).count() > MAX_COOKIES)
}

fn split(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = piece.iter().position(|byte| *byte == b'=')?;
    let (name, rest) = piece.split_at_checked(at)?;
    let (_, value) = rest.split_first()?;
    let name = trim(name);
    (!name.is_empty()).then_some((name, trim(value)))
}

const fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

fn strip_prefix<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
#[path = "cookie_tests.rs"]
mod tests;
