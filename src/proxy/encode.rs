//! How a text becomes a field value (RFC 9110 5.5 leaves it open outside ASCII).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use unicode_normalization::UnicodeNormalization as _;

use crate::config::Encoding;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing to say: the field is not sent.
    Empty,
    /// Over the limit: not sent, and counted. Never cut, because half a list of groups is another list.
    TooLong,
    /// CR, LF, NUL or another control character: not sent, and counted (R41).
    Control,
    /// Not in this encoding: the request is refused.
    Misfit,
}

/// The value of one text of at most `most` bytes.
pub(super) fn encode(text: &str, encoding: Encoding, most: usize) -> Result<HeaderValue, Left> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Left::Empty);
    }
    // R41: a control character in a claim could end the field, or the request.
    if text.chars().any(char::is_control) {
        return Err(Left::Control);
    }
    let bytes = match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Latin1 => latin1(text)?,
        Encoding::Percent => percent(text, "").into_bytes(),
        Encoding::Base64url => URL_SAFE_NO_PAD.encode(text).into_bytes(),
        Encoding::Ascii if text.is_ascii() => text.as_bytes().to_vec(),
        Encoding::Ascii => return Err(Left::Misfit),
    };
    sized(&bytes, most)
}

/// The value of a list. Items that the app would take for several, or for other ones, must have been left out
/// (see [`survives`]); with `percent` the separator is escaped inside an item instead.
pub(super) fn encode_list(
    items: &[&str],
    separator: &str,
    encoding: Encoding,
    most: usize,
) -> Result<HeaderValue, Left> {
    if encoding != Encoding::Percent {
        return encode(&items.join(separator), encoding, most);
    }
    if items.is_empty() {
        return Err(Left::Empty);
    }
    if items.iter().any(|item| item.chars().any(char::is_control)) {
        return Err(Left::Control);
    }
    let escaped: Vec<String> = items.iter().map(|item| percent(item, separator)).collect();
    sized(escaped.join(separator).as_bytes(), most)
}

/// Whether an item stays one and the same when the app splits the list and trims what it finds.
pub(super) fn survives(item: &str, separator: &str, encoding: Encoding) -> bool {
    let bare = separator.trim();
    let bare = if bare.is_empty() { separator } else { bare };
    let splits = encoding != Encoding::Percent && item.contains(bare);
    !splits && !item.is_empty() && item.trim() == item
}

fn sized(bytes: &[u8], most: usize) -> Result<HeaderValue, Left> {
    if bytes.len() > most {
        return Err(Left::TooLong);
    }
    HeaderValue::from_bytes(bytes).map_err(|_not_a_value| Left::Control)
}

/// ISO-8859-1 of the composed form: an `e` with a combining accent fits as `é`.
fn latin1(text: &str) -> Result<Vec<u8>, Left> {
    text.nfc()
        .map(|letter| u8::try_from(u32::from(letter)).map_err(|_no_room| Left::Misfit))
        .collect()
}

/// Percent-encoding of the UTF-8 bytes outside ASCII, of `%`, and of what `also` holds.
fn percent(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() && byte != b'%' && !also.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(format!("%{byte:02X}").chars());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Ascii, Base64url, Latin1, Percent, Utf8};

    #[test]
    fn texts_travel_in_every_encoding() {
        let name = "zoë.o’neil@例え.jp";
        for (text, encoding, want) in [
            ("ada", Utf8, Ok(&b"ada"[..])),
            ("  ada ", Utf8, Ok(b"ada")),
            (name, Utf8, Ok(name.as_bytes())),
            ("zoë", Latin1, Ok(b"zo\xeb")),
            ("zoe\u{308}", Latin1, Ok(b"zo\xeb")),
            (name, Latin1, Err(Left::Misfit)),
            ("zoë 100%", Percent, Ok(b"zo%C3%AB 100%25")),
            ("zoë", Base64url, Ok(b"em_Dqw")),
            ("ada", Ascii, Ok(b"ada")),
            ("zoë", Ascii, Err(Left::Misfit)),
            ("", Utf8, Err(Left::Empty)),
            (" \t ", Utf8, Err(Left::Empty)),
            ("abcdefghij", Utf8, Ok(b"abcdefghij")),
            ("abcdefghijklmnopqrstuvwxyz", Utf8, Err(Left::TooLong)),
            ("ääääää", Percent, Err(Left::TooLong)),
        ] {
            let got = encode(text, encoding, 24);
            let got = got
                .as_ref()
                .map(HeaderValue::as_bytes)
                .map_err(|left| *left);
            assert_eq!(got, want, "{text} {encoding:?}");
        }
    }

    #[test]
    fn r41_control_characters_never_get_into_a_field() {
        for text in [
            "a\rb",
            "a\nb",
            "a\0b",
            "a\r\nX-Admin: 1",
            "a\tb",
            "a\x7f",
            "a\u{85}b",
            "a\u{9b}b",
        ] {
            for encoding in [Utf8, Latin1, Percent, Base64url, Ascii] {
                assert_eq!(encode(text, encoding, 99), Err(Left::Control), "{text:?}");
            }
            assert_eq!(encode_list(&[text], ",", Percent, 99), Err(Left::Control));
        }
    }

    #[test]
    fn a_group_never_becomes_two() {
        for (item, separator, encoding, want) in [
            ("admins", ",", Utf8, true),
            ("a,admins", ",", Utf8, false),
            ("a,admins", "|", Utf8, true),
            ("a|admins", " | ", Utf8, false),
            ("a b", " ", Utf8, false),
            ("a,admins", ",", Base64url, false),
            ("a,admins", ",", Percent, true),
            (" admins", ",", Utf8, false),
            ("admins ", ",", Percent, false),
            ("", ",", Utf8, false),
        ] {
            assert_eq!(
                survives(item, separator, encoding),
                want,
                "{item:?} {separator:?}"
            );
        }
        let list = encode_list(&["a,b", "é", "c%"], ", ", Percent, 99).unwrap();
        assert_eq!(list, "a%2Cb, %C3%A9, c%25");
    }
}
