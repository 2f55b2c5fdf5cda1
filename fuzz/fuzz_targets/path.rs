//! A path that is accepted has one spelling, and no dot segment at any depth of decoding (R14, R15).
#![no_main]

use http::Uri;
use http::uri::PathAndQuery;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode;
use sidegate::web::{PathPattern, RequestPath};

fuzz_target!(|raw: &str| {
    if let Ok(pattern) = PathPattern::parse(raw) {
        let again = PathPattern::parse(pattern.as_str()).expect("a pattern's spelling is a pattern");
        assert_eq!(pattern.as_str(), again.as_str());
        if let Ok(path) = RequestPath::parse(raw)
            && !raw.contains('*')
        {
            assert!(pattern.matches(&path), "a pattern without stars fits itself");
        }
    }
    let Ok(path) = RequestPath::parse(raw) else {
        return;
    };
    let text = path.as_str();
    assert!(text.is_ascii() && text.starts_with('/') && text.len() <= sidegate::web::MAX_PATH);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!text.contains(['\\', '#', '?', '"', '<', '>', '|']));

    let again = RequestPath::parse(text).expect("an accepted path is accepted again");
    assert_eq!(again.as_str(), text);
    assert_eq!(again.odd(), path.odd());
    assert_eq!((again.plain(), again.deepest()), (path.plain(), path.deepest()));

    // What comes out of the HTTP parser reads the same.
    if let Ok(target) = PathAndQuery::try_from(raw)
        && target.path() == raw
    {
        let read = RequestPath::of(&Uri::from(target)).expect("both ways accept");
        assert_eq!((read.as_str(), read.odd()), (text, path.odd()));
        assert_eq!((read.plain(), read.deepest()), (path.plain(), path.deepest()));
    }
    no_dot_segments(text.as_bytes());
    if let Some(deepest) = path.deepest() {
        no_dot_segments(deepest.as_bytes());
        assert!(deepest.starts_with('/') && !deepest.contains("//") && !deepest.contains(';'));
    }
});

/// However often it is decoded, and whatever counts as a slash or ends a segment.
fn no_dot_segments(path: &[u8]) {
    let mut text = path.to_vec();
    loop {
        for part in text.split(|byte| matches!(byte, b'/' | b'\\')) {
            let bare = part.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or(part);
            assert!(bare != b"." && bare != b"..", "dot segment in {path:?}");
        }
        assert!(!text.contains(&0), "NUL in {path:?}");
        let decoded: Vec<u8> = percent_decode(&text).collect();
        if decoded == text {
            return;
        }
        text = decoded;
    }
}
