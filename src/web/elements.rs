//! The grammar of `Forwarded` (RFC 7239 4).

/// More elements than this are not read.
pub(super) const MAX_ELEMENTS: usize = 32;

/// What one proxy says.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// `for`
    pub(super) node: Option<String>,
    pub(super) proto: Option<String>,
    pub(super) host: Option<String>,
}

/// Adds the elements of one field (RFC 7239 4). False when the field does not follow it; a doubled parameter does not.
pub(super) fn read_elements(text: &str, elements: &mut Vec<Element>) -> bool {
    let mut element = Element::default();
    let mut rest = text.trim();
    loop {
        let Some((name, after)) = rest.split_once('=') else {
            return false;
        };
        let Some((value, after)) = read_value(after) else {
            return false;
        };
        let name = name.trim();
        let slot = if name.eq_ignore_ascii_case("for") {
            Some(&mut element.node)
        } else if name.eq_ignore_ascii_case("proto") {
            Some(&mut element.proto)
        } else if name.eq_ignore_ascii_case("host") {
            Some(&mut element.host)
        } else if !name.is_empty() && name.bytes().all(is_token) {
            None
        } else {
            return false;
        };
        if let Some(slot) = slot
            && slot.replace(value).is_some()
        {
            return false;
        }
        let after = after.trim_start();
        if let Some(next) = after.strip_prefix(';') {
            rest = next.trim_start();
        } else {
            elements.push(std::mem::take(&mut element));
            match after.strip_prefix(',') {
                Some(next) if elements.len() <= MAX_ELEMENTS => rest = next.trim_start(),
                Some(_) => return false,
                None => return after.is_empty(),
            }
        }
    }
}

/// A token or a quoted string (RFC 9110 5.6.4), and what follows it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Addresses without quotes are against the RFC, and sent all the same.
        let end = text
            .find(|c: char| c == ';' || c == ',' || c.is_whitespace())
            .unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end)?;
        let plain = !value.is_empty() && !value.contains(['"', '\\', '=']);
        return plain.then(|| (value.to_owned(), after));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at.saturating_add(1)..)?)),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~')
}
