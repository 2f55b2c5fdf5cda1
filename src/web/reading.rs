//! What an app may read into a path that is in its one spelling.

use super::path::PathError;
use super::spelling::{hex_pair, is_sub_delimiter, is_unreserved, push_escape};

/// Escapes inside escapes are undone this often; deeper ones are refused.
const MAX_NESTING: usize = 8;

/// The text with escaped sub-delimiters decoded.
pub(super) fn plain(canonical: &str) -> String {
    let mut out = String::with_capacity(canonical.len());
    let mut rest = canonical;
    while let Some((before, from)) = rest.split_once('%') {
        out.push_str(before);
        let (digits, after) = from.split_at_checked(2).unwrap_or((from, ""));
        match digits.as_bytes() {
            [high, low] => match hex_pair(*high, *low) {
                Some(byte) if is_sub_delimiter(byte) => out.push(char::from(byte)),
                _ => {
                    out.push('%');
                    out.push_str(digits);
                }
            },
            _ => out.push('%'),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The most that an app could read into a path in its one spelling.
pub(super) fn deepest(canonical: &str) -> Result<String, PathError> {
    let mut text = canonical.to_owned();
    let mut rounds = 0_usize;
    while let Some(undone) = undo_nesting(&text)? {
        rounds = rounds.saturating_add(1);
        if rounds > MAX_NESTING {
            return Err(PathError::Nested);
        }
        text = undone;
    }
    Ok(read_deeply(&plain(&text)))
}

/// `%25HH` as an app that decodes twice would see it; none when there is nothing left to undo.
fn undo_nesting(text: &str) -> Result<Option<String>, PathError> {
    if !text.contains("%25") {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut undone = false;
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'%', b'2', b'5', high, low, after @ ..] if hex_pair(*high, *low).is_some() => {
                let byte = hex_pair(*high, *low).unwrap_or_default();
                // R14: whoever escapes a delimiter twice wants one reader to see it and the other not.
                if byte.is_ascii_control() || matches!(byte, b'/' | b'.' | b'\\' | b';' | b'#') {
                    return Err(PathError::Nested);
                }
                if is_unreserved(byte) || is_sub_delimiter(byte) {
                    out.push(char::from(byte));
                } else {
                    push_escape(&mut out, byte);
                }
                undone = true;
                after
            }
            [byte, after @ ..] => {
                out.push(char::from(*byte));
                after
            }
        };
    }
    Ok(undone.then_some(out))
}

fn read_deeply(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut in_parameters = false;
    let mut rest = plain.as_bytes();
    loop {
        rest = match rest {
            [] | [b'%', b'2', b'3', ..] | [b'%', b'3', b'F', ..] => break,
            [b'/', after @ ..]
            | [b'%', b'2', b'F', after @ ..]
            | [b'%', b'5', b'C', after @ ..] => {
                in_parameters = false;
                if !out.ends_with('/') {
                    out.push('/');
                }
                after
            }
            [b';', after @ ..] | [b'%', b'3', b'B', after @ ..] => {
                in_parameters = true;
                after
            }
            [byte, after @ ..] => {
                if !in_parameters {
                    out.push(char::from(*byte));
                }
                after
            }
        };
    }
    out
}
