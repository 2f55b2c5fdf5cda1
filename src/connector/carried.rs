//! Secrets that a request carries, and how they are kept out of what the app says of it.

use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode_byte, utf8_percent_encode};
use serde_json::Value;

use super::render::RESERVED;
use crate::secret::Secret;

/// Shortest text that is taken for a secret, bytes: shorter ones stand in every sentence.
const SHORTEST: usize = 4;

/// Longest text that is looked through, characters: of what the app says far less is told.
const LONGEST: usize = 16_384;

/// Secrets that a request carries, noted while it is written; clones note in the same place.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried(Arc<Mutex<Vec<Secret>>>);

impl Carried {
    /// This stands in the request.
    pub(super) fn note(&self, text: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().any(|secret| secret.matches(text));
        if text.len() >= SHORTEST && !known {
            all.push(Secret::new(text));
        }
    }

    /// The text with dots in place of every secret (R41, R55), as it is and as requests and answers write it.
    pub(super) fn struck(&self, text: &str) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut forms: Vec<_> = all.iter().flat_map(|it| forms(it.expose())).collect();
        // What holds another one goes first.
        forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        let text = text.chars().take(LONGEST).collect();
        forms
            .iter()
            .fold(text, |text, form| text.replace(form, "…"))
    }
}

/// As it is, as JSON, JSON in JSON, and in addresses and forms.
fn forms(secret: &str) -> Vec<String> {
    let quoted = |text: &str| {
        let quoted = Value::from(text).to_string();
        let inside = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        inside.unwrap_or_default().to_owned()
    };
    let once = quoted(secret);
    let ascii: String = once.chars().map(escaped).collect();
    let reserved = utf8_percent_encode(secret, RESERVED).to_string();
    let all = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let bytes: String = secret.bytes().map(percent_encode_byte).collect();
    let mut forms = vec![secret.to_owned(), quoted(&once), once, ascii, bytes, form];
    forms.extend([all.to_lowercase(), all, reserved.to_lowercase(), reserved]);
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// As JSON writes it that is kept to ASCII.
fn escaped(c: char) -> String {
    if c.is_ascii() {
        return c.to_string();
    }
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units).iter();
    units.fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
}
