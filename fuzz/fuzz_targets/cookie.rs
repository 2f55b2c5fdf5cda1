//! Whatever cookies come: ours never stay, the app's never change (R12, R24).
#![no_main]

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sidegate::web::{CookieJar, OwnCookies};

fuzz_target!(|fields: Vec<Vec<u8>>| {
    let ours = OwnCookies::new("sidegate");
    let mut headers = HeaderMap::new();
    for field in fields.iter().take(8) {
        if let Ok(value) = HeaderValue::from_bytes(field) {
            headers.append(COOKIE, value.clone());
            headers.append(SET_COOKIE, value);
        }
    }
    let jar = CookieJar::read(&headers);
    let from_jar: Vec<_> = jar.all("sidegate").take(4).map(str::to_owned).collect();
    let fast: Vec<_> = OwnCookies::values(&headers, "sidegate").map(str::to_owned).collect();
    // One reads names that are no text as none, the other never looks at them.
    assert_eq!(from_jar, fast);

    let before = names(&headers);
    ours.strip(&mut headers);
    let after = names(&headers);
    assert!(headers.get_all(COOKIE).iter().count() <= 1);
    assert!(after.iter().all(|name| !ours.are(name)), "{after:?}");
    let kept: Vec<_> = before.into_iter().filter(|name| !ours.are(name)).collect();
    assert_eq!(kept, after);
    assert_eq!(OwnCookies::values(&headers, "sidegate").count(), 0);

    let all = headers.get_all(SET_COOKIE).iter().count();
    let dropped = ours.strip_set(&mut headers);
    assert_eq!(headers.get_all(SET_COOKIE).iter().count() + dropped, all);
    for value in headers.get_all(SET_COOKIE) {
        let text = value.as_bytes();
        let pair = text.split(|byte| *byte == b';').next().unwrap_or(text);
        let bare: Vec<u8> = pair.iter().copied().skip_while(|byte| b"= \t".contains(byte)).collect();
        let name = bare.split(|byte| *byte == b'=').next().unwrap_or(&bare).trim_ascii();
        assert!(!ours.are(name), "{text:?}");
    }
});

/// Names of all cookies that hold anything.
fn names(headers: &HeaderMap) -> Vec<Vec<u8>> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|field| field.as_bytes().split(|byte| *byte == b';'))
        .filter(|piece| !piece.trim_ascii().is_empty())
        .map(|piece| piece.split(|byte| *byte == b'=').next().unwrap_or(piece).trim_ascii().to_vec())
        .collect()
}
