//! `X-Request-Id`: kept when it is short and plain, else new and unique.

use std::cell::Cell;
use std::sync::Arc;

use http::HeaderMap;
use uuid::Uuid;

use super::origin::X_REQUEST_ID;

/// Longest id that is kept, bytes.
const MAX_ID: usize = 128;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

thread_local! {
    /// Random at the thread's start, then counted up: unique without asking the system for each request.
    static NEXT: Cell<u128> = Cell::new(Uuid::new_v4().as_u128());
}

/// The id as sent when it stands once and is 1 to 128 of `A-Za-z0-9._-`, else a new one.
pub(super) fn kept_or_new(headers: &HeaderMap) -> Arc<str> {
    let mut sent = headers.get_all(&X_REQUEST_ID).iter();
    match (sent.next(), sent.next()) {
        (Some(id), None) => match id.to_str() {
            Ok(id) if is_plain(id) => id.into(),
            _ => new(),
        },
        _ => new(),
    }
}

/// A new id: 32 hexadecimal digits.
pub(super) fn new() -> Arc<str> {
    let number = NEXT.get();
    // Odd and far from 1: neighbours look different, and all 2^128 come before one comes again.
    NEXT.set(number.wrapping_add(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
    let mut text = [0; 32];
    let mut rest = number;
    for digit in &mut text {
        let index = usize::try_from(rest & 0xF).unwrap_or_default();
        *digit = DIGITS.get(index).copied().unwrap_or(b'0');
        rest >>= 4;
    }
    std::str::from_utf8(&text).unwrap_or_default().into()
}

fn is_plain(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn short_plain_ids_are_kept_and_others_made_anew() {
        for (sent, kept) in [
            (vec!["req-1.A_b"], true),
            (vec!["a"], true),
            (vec![""], false),
            (vec!["a b"], false),
            (vec!["<script>"], false),
            (vec!["a", "b"], false),
            (vec!["a,b"], false),
            (vec![], false),
        ] {
            let mut headers = HeaderMap::new();
            for id in &sent {
                headers.append(&X_REQUEST_ID, id.parse().unwrap());
            }
            let got = kept_or_new(&headers);
            let want = sent.first().copied().unwrap_or_default();
            assert_eq!(&*got == want, kept, "{sent:?}");
            assert!(is_plain(&got), "{got}");
        }
        assert!(is_plain(&"a".repeat(128)) && !is_plain(&"a".repeat(129)));
    }

    #[test]
    fn new_ids_are_unique() {
        let ids: HashSet<_> = (0..10_000).map(|_| new()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
