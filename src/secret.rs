//! Values that must not reach a log, a page or a timing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret text. `Debug` prints nothing of it; there is no `Display`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text out of sight.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time (R28). Lengths are not secret.
    pub fn matches(&self, candidate: &str) -> bool {
        same(self.0.as_bytes(), candidate.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Compares in constant time (R28). Lengths are not secret.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "Secret(…)");
    }

    #[test]
    fn r28_only_the_same_text_matches() {
        for (candidate, want) in [
            ("canary", true),
            ("canarY", false),
            ("canar", false),
            ("", false),
        ] {
            assert_eq!(
                Secret::new("canary").matches(candidate),
                want,
                "{candidate}"
            );
        }
    }
}
