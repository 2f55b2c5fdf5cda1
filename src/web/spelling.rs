//! How a path can be spelled.

use super::path::{MAX_PATH, PathError, Spelling};

/// A path in its one spelling.
#[derive(Debug)]
pub(super) struct Canonical {
    pub(super) text: String,
    /// Whether an app could read something else into it.
    pub(super) readable_otherwise: bool,
}

/// Whether a raw path is in its one spelling and has one reading only. The fast way for most requests.
pub(super) fn is_plain(raw: &str) -> bool {
    if !raw.starts_with('/') || raw.len() > MAX_PATH {
        return false;
    }
    let mut before = 0;
    for byte in raw.bytes() {
        // After a slash, a dot may begin a dot segment and a slash makes a double one: the slow way looks closer.
        let fits = match byte {
            b'/' | b'.' => before != b'/',
            byte => is_unreserved(byte) || is_sub_delimiter(byte),
        };
        if !fits {
            return false;
        }
        before = byte;
    }
    true
}

/// Brings a raw path into its one spelling (RFC 3986 6.2.2).
pub(super) fn canonical(raw: &str) -> Result<Canonical, PathError> {
    if !raw.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    // Everything from a peer has a limit; escaping can make it three times as long.
    if raw.len() > MAX_PATH {
        return Err(PathError::TooLong);
    }
    let mut writer = Writer::new(raw.len());
    let mut rest = raw.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, after @ ..] => {
                writer.escaped(hex_pair(*high, *low).ok_or(PathError::Escape)?)?;
                after
            }
            [b'%', ..] => return Err(PathError::Escape),
            [byte, after @ ..] => {
                writer.raw(*byte)?;
                after
            }
        };
    }
    let canonical = writer.canonical;
    if canonical.text.len() > MAX_PATH {
        return Err(PathError::TooLong);
    }
    // R14: no dot segment in any spelling; an app that resolves it would see another path than the rules did.
    if has_dot_segment(&canonical.text) {
        return Err(PathError::DotSegment);
    }
    Ok(canonical)
}

struct Writer {
    canonical: Canonical,
    /// The byte before, when it was escaped.
    lead: u8,
    /// Whether the byte before was a slash.
    after_slash: bool,
}

impl Writer {
    fn new(capacity: usize) -> Self {
        Self {
            canonical: Canonical {
                text: String::with_capacity(capacity),
                readable_otherwise: false,
            },
            lead: 0,
            after_slash: false,
        }
    }

    fn raw(&mut self, byte: u8) -> Result<(), PathError> {
        match byte {
            b'/' | b';' => {
                self.canonical.readable_otherwise |=
                    byte == b';' || (byte == b'/' && self.after_slash);
                self.canonical.text.push(char::from(byte));
            }
            byte if is_unreserved(byte) || is_sub_delimiter(byte) => {
                self.canonical.text.push(char::from(byte));
            }
            // Not allowed raw by RFC 3986 3.3, but sent by browsers and programs.
            b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                push_escape(&mut self.canonical.text, byte);
            }
            0x80.. => return self.escaped(byte),
            // R14: a raw `#` ends the path for some readers, a raw `\` is a slash for others.
            _ => return Err(PathError::Character),
        }
        self.lead = 0;
        self.after_slash = byte == b'/';
        Ok(())
    }

    fn escaped(&mut self, byte: u8) -> Result<(), PathError> {
        // R14: `%00` ends the path in C code; no control character belongs into a path.
        if byte.is_ascii_control() || (self.lead == 0xC2 && matches!(byte, 0x80..=0x9F)) {
            return Err(PathError::Control);
        }
        if is_overlong(self.lead, byte) {
            return Err(PathError::Overlong);
        }
        if is_unreserved(byte) {
            self.canonical.text.push(char::from(byte));
        } else {
            self.canonical.readable_otherwise |=
                is_sub_delimiter(byte) || matches!(byte, b'%' | b'/' | b'\\' | b';' | b'#' | b'?');
            push_escape(&mut self.canonical.text, byte);
        }
        self.lead = byte;
        self.after_slash = false;
        Ok(())
    }
}

/// Odd spellings of a path in its one spelling, each once.
pub(super) fn odd(canonical: &Canonical) -> Vec<Spelling> {
    if !canonical.readable_otherwise {
        return Vec::new();
    }
    let text = canonical.text.as_str();
    let holds = |what: &[&str]| what.iter().any(|part| text.contains(part));
    [
        (Spelling::EncodedSlash, holds(&["%2F"])),
        (Spelling::EncodedBackslash, holds(&["%5C"])),
        (Spelling::EncodedHash, holds(&["%23"])),
        (Spelling::DoubleSlash, holds(&["//"])),
        (Spelling::Semicolon, holds(&[";", "%3B"])),
    ]
    .into_iter()
    .filter_map(|(spelling, held)| held.then_some(spelling))
    .collect()
}

fn has_dot_segment(canonical: &str) -> bool {
    let mut rest = canonical.as_bytes();
    let mut at_start = false;
    loop {
        (rest, at_start) = match rest {
            [] => return false,
            [b'/', after @ ..]
            | [b'%', b'2', b'F', after @ ..]
            | [b'%', b'5', b'C', after @ ..] => (after, true),
            [b'.', b'.', after @ ..] | [b'.', after @ ..] if at_start && ends_segment(after) => {
                return true;
            }
            [_, after @ ..] => (after, false),
        };
    }
}

const fn ends_segment(rest: &[u8]) -> bool {
    matches!(
        rest,
        [] | [b'/' | b';', ..]
            | [b'%', b'2', b'F' | b'3', ..]
            | [b'%', b'5', b'C', ..]
            | [b'%', b'3', b'B' | b'F', ..]
    )
}

/// RFC 3986 2.3.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What RFC 3986 3.3 lets stand raw in a segment besides, without `;`.
pub(super) const fn is_sub_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
    )
}

/// RFC 3629 10: `C0 AE` is no dot, but some decoders make one of it.
const fn is_overlong(lead: u8, byte: u8) -> bool {
    matches!(
        (lead, byte),
        (_, 0xC0 | 0xC1)
            | (0xE0, 0x80..=0x9F)
            | (0xF0, 0x80..=0x8F)
            | (0xF8, 0x80..=0x87)
            | (0xFC, 0x80..=0x83)
    )
}

pub(super) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    u8::try_from(value).ok()
}

pub(super) fn push_escape(out: &mut String, byte: u8) {
    let digit = |value: u8| {
        char::from_digit(u32::from(value), 16)
            .unwrap_or_default()
            .to_ascii_uppercase()
    };
    out.push('%');
    out.push(digit(byte >> 4));
    out.push(digit(byte & 0x0F));
}
