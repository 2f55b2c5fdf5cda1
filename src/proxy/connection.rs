//! Fields that speak of one connection (RFC 9110 7.6.1).

use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TE, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// R8: fields that `Connection` names go first, so that it can never name one of ours.
pub(super) fn drop_named_by_connection(headers: &mut HeaderMap) {
    let Some(connection) = headers.get(CONNECTION) else {
        return;
    };
    // The common values name nothing that has to go besides.
    if ["keep-alive", "close", "upgrade"]
        .iter()
        .any(|word| connection.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
        && headers.get_all(CONNECTION).iter().nth(1).is_none()
    {
        return;
    }
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(tokens)
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        // Without these the app would see another request; nobody means them honestly (RFC 9110 7.6.1).
        .filter(|name| ![HOST, CONTENT_LENGTH, CONTENT_TYPE, COOKIE].contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// The value of `Upgrade`, when `Connection` names it (RFC 9110 7.8).
pub(super) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?;
    let named = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(tokens)
        .any(|token| token.eq_ignore_ascii_case(b"upgrade"));
    named.then(|| upgrade.clone())
}

/// Whether `TE` says that trailers are welcome (RFC 9110 10.1.4).
pub(super) fn wants_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(TE)
        .iter()
        .flat_map(tokens)
        .any(|token| token.eq_ignore_ascii_case(b"trailers"))
}

/// What a comma-separated list holds (RFC 9110 5.6.1).
pub(super) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}
