//! Words, texts and values of a filter, and where they stand.

use serde_json::{Number, Value};

use super::error::{FilterError, FilterReason};

/// What is still to be read.
pub(super) struct Words<'a> {
    whole: &'a str,
    pub(super) rest: &'a str,
}

impl<'a> Words<'a> {
    /// From byte `start` on.
    pub(super) fn at(whole: &'a str, start: usize) -> Self {
        let rest = whole.get(start..).unwrap_or_default();
        Self { whole, rest }
    }

    pub(super) fn value(&mut self) -> Result<Value, FilterError> {
        if self.rest.starts_with('"') {
            return self.text().map(Value::String);
        }
        match self.word() {
            "" => Err(self.error(FilterReason::Value)),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            word => Ok(bare(word)),
        }
    }

    fn text(&mut self) -> Result<String, FilterError> {
        let mut escaped = true; // the quote it starts with
        let end = self.rest.bytes().position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let split = end.and_then(|end| self.rest.split_at_checked(end.saturating_add(1)));
        let (text, rest) = split.ok_or_else(|| self.error(FilterReason::Text))?;
        let text = serde_json::from_str(text).map_err(|_| self.error(FilterReason::Text))?;
        self.rest = rest;
        Ok(text)
    }

    /// Takes this word away, if it comes next.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let before = self.rest;
        let found = self.word().eq_ignore_ascii_case(word);
        if !found {
            self.rest = before;
        }
        found
    }

    /// Everything up to a blank, quote, parenthesis or bracket.
    pub(super) fn word(&mut self) -> &'a str {
        let end = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | '[' | ']');
        let end = self.rest.find(end).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        word
    }

    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn error(&self, reason: FilterReason) -> FilterError {
        self.error_at(self.rest, reason)
    }

    pub(super) fn error_at(&self, rest: &str, reason: FilterReason) -> FilterError {
        let all = self.whole.chars().count();
        let at = all.saturating_sub(rest.chars().count()).saturating_add(1);
        FilterError { at, reason }
    }
}

/// A value without quotes: a number where its digits stay the same, else a text (RFC 9865 2 and Entra write so).
fn bare(word: &str) -> Value {
    let number = serde_json::from_str::<Number>(word).ok();
    match number.filter(|number| number.to_string() == word) {
        Some(number) => Value::Number(number),
        None => Value::String(word.to_owned()),
    }
}
