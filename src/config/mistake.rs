//! What is wrong with a file: every mistake at once, in words that help at three in the morning.
//!
//! Never holds the value of a secret: mistakes are printed and logged (R41).

use std::fmt;

use toml::Value;

/// One mistake: where it stands, and why or what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key as it is written in the file, for example `session.idle` or `idp.entra.issuer`;
    /// the variable's name when it came from the environment.
    pub key: String,
    /// What is wrong and what is allowed.
    pub why: String,
}

impl Mistake {
    /// Whether it is about how we speak to the app, which the server alone does.
    pub(super) fn is_of_the_apps_side(&self) -> bool {
        let sides = ["connector.", "upstream.login."];
        sides.iter().any(|side| self.key.starts_with(side))
    }
}

/// All mistakes of one file.
#[derive(Debug, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Mistake { key, why }) in self.0.iter().enumerate() {
            let line_end = if number == 0 { "" } else { "\n" };
            write!(f, "{line_end}{key}: {why}")?;
        }
        Ok(())
    }
}

/// What a value is, without the value.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// The text as a mistake may repeat it: short, and without a password that stands in a URL.
pub(super) fn quoted(text: &str) -> String {
    let hides = |text: &str| {
        let (scheme, rest) = text.split_once("://")?;
        let (_credentials, host) = rest.rsplit_once('@')?;
        Some(format!("{scheme}://…@{host}"))
    };
    let shown = hides(text).unwrap_or_else(|| text.to_owned());
    if shown.chars().count() > 80 {
        let start: String = shown.chars().take(80).collect();
        format!("{start:?}…")
    } else {
        format!("{shown:?}")
    }
}

/// The known word that was most likely meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |known: &&str| {
        let edits = distance(known, word);
        edits <= 2 && edits.saturating_mul(2) <= known.len()
    };
    known
        .into_iter()
        .filter(near)
        .min_by_key(|known| distance(known, word))
}

/// Levenshtein distance.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut corner = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(other.chars()) {
            let swap = corner.saturating_add(usize::from(a != b));
            corner = *cell;
            left = swap
                .min(left.saturating_add(1))
                .min(corner.saturating_add(1));
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (one, other, want) in [
            ("idle", "idle", 0),
            ("idle", "idel", 2),
            ("url", "ur", 1),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(one, other), want, "{one} {other}");
        }
    }

    #[test]
    fn mistakes_repeat_no_password() {
        for (text, want) in [
            ("http://u:canary@app:80", "\"http://…@app:80\""),
            ("http://u:p@canary@app", "\"http://…@app\""),
            ("plain", "\"plain\""),
        ] {
            assert_eq!(quoted(text), want);
        }
        assert!(quoted(&"x".repeat(1000)).len() < 100);
    }
}
