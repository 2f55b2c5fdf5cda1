//! The path of a request, parsed once: what policy sees is what the upstream gets (R13–R15).
//!
//! Refuses, whatever the rules say: dot segments in any spelling, raw `#` and `\`, control characters,
//! malformed and overlong escapes, and escapes that hide a delimiter in a second escape.

use http::Uri;
use http::uri::PathAndQuery;
use serde::{Deserialize, Serialize};

use super::reading;
use super::spelling::{self, Canonical};
use crate::problem::Problem;

/// Longest path, bytes.
pub const MAX_PATH: usize = 8 * 1024;

/// Path spellings that are refused unless a rule opts in (R14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Spelling {
    /// `%2F`
    EncodedSlash,
    /// `%5C`
    EncodedBackslash,
    /// `%23`
    EncodedHash,
    /// `//`
    DoubleSlash,
    /// `;` and `%3B`
    Semicolon,
}

impl std::str::FromStr for Spelling {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_lowercase().as_str() {
            "%2f" => Ok(Self::EncodedSlash),
            "%5c" => Ok(Self::EncodedBackslash),
            "%23" => Ok(Self::EncodedHash),
            "//" => Ok(Self::DoubleSlash),
            ";" => Ok(Self::Semicolon),
            _ => Err("is not one of %2f, %5c, %23, //, ;"),
        }
    }
}

/// A path in its one spelling, with the odd spellings it holds.
///
/// The spelling is RFC 3986's normal form (6.2.2): unreserved characters stand for themselves, hex
/// digits are upper case, and what a path may not hold raw is escaped (`é` is `%C3%A9`, `|` is `%7C`).
#[derive(Clone, Debug)]
pub struct RequestPath {
    target: PathAndQuery,
    odd: Vec<Spelling>,
    readings: Option<Box<Readings>>,
}

/// Other ways in which an app may read the same path; kept only where they differ from its spelling.
#[derive(Clone, Debug)]
struct Readings {
    plain: String,
    deepest: String,
}

/// Why a path was refused, whatever the rules say.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Not a path: must start with `/`. `OPTIONS *` is refused too, because no rule could name it.
    #[error("path does not start with a slash")]
    NotAbsolute,
    /// Longer than [`MAX_PATH`].
    #[error("path is longer than 8 KiB")]
    TooLong,
    /// A raw `#`, `\`, `?`, space or control character.
    #[error("path holds a character that must be escaped")]
    Character,
    /// A `%` without two hex digits.
    #[error("path holds a malformed escape")]
    Escape,
    /// An escaped control character, `%00` among them.
    #[error("path holds an escaped control character")]
    Control,
    /// A character in a longer encoding than UTF-8 has for it (RFC 3629 10).
    #[error("path holds an overlong encoding")]
    Overlong,
    /// `.` or `..` as a segment, in any spelling.
    #[error("path holds a dot segment")]
    DotSegment,
    /// An escaped escape of a delimiter, such as `%252F`.
    #[error("path holds an escaped delimiter inside an escape")]
    Nested,
    /// A pattern with a spelling that no path that we let through has in all its readings.
    #[error("pattern can never match: it holds // or ; or an escaped delimiter")]
    Unreachable,
    /// A pattern with `**` elsewhere than as its whole last segment.
    #[error("pattern may hold ** only as its last segment")]
    Glob,
}

impl From<PathError> for Problem {
    fn from(error: PathError) -> Self {
        Self::bad_request(
            "path.refused",
            "This address is written in a way that could mean two things. Please check the link.",
        )
        .because(error)
    }
}

impl RequestPath {
    /// Reads the raw path of a request target, without its query.
    ///
    /// # Errors
    ///
    /// The path could mean two things.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        let canonical = spelling::canonical(raw)?;
        let target = PathAndQuery::try_from(canonical.text.as_str())
            .map_err(|_not_a_target| PathError::Character)?;
        Self::with(target, &canonical)
    }

    /// Reads the path of a request's target and keeps the query as it is. A path that is in its one
    /// spelling already, the common case, is not copied.
    ///
    /// # Errors
    ///
    /// The path could mean two things.
    pub fn of(uri: &Uri) -> Result<Self, PathError> {
        let Some(target) = uri.path_and_query() else {
            return Self::parse(uri.path());
        };
        let raw = target.path();
        if spelling::is_plain(raw) {
            return Ok(Self {
                target: target.clone(),
                odd: Vec::new(),
                readings: None,
            });
        }
        let canonical = spelling::canonical(raw)?;
        if canonical.text == raw {
            return Self::with(target.clone(), &canonical);
        }
        let mut text = canonical.text.clone();
        if let Some(query) = target.query() {
            text.push('?');
            text.push_str(query);
        }
        let target = PathAndQuery::try_from(text).map_err(|_not_a_target| PathError::Character)?;
        Self::with(target, &canonical)
    }

    fn with(target: PathAndQuery, canonical: &Canonical) -> Result<Self, PathError> {
        let readings = if canonical.readable_otherwise {
            let plain = reading::plain(&canonical.text);
            let deepest = reading::deepest(&canonical.text)?;
            Some(Box::new(Readings { plain, deepest }))
        } else {
            None
        };
        Ok(Self {
            target,
            odd: spelling::odd(canonical),
            readings,
        })
    }

    /// The one spelling, as the upstream gets it.
    pub fn as_str(&self) -> &str {
        self.target.path()
    }

    /// Path and query, as the upstream gets them.
    pub const fn target(&self) -> &PathAndQuery {
        &self.target
    }

    /// Path and query as a [`Uri`] without scheme and authority.
    pub fn uri(&self) -> Uri {
        Uri::from(self.target.clone())
    }

    /// Odd spellings in it; a rule must allow every one of them.
    pub fn odd(&self) -> &[Spelling] {
        &self.odd
    }

    /// What patterns are matched with: the spelling with escaped sub-delimiters (`%40`, `%2B`) decoded,
    /// because every app reads them like the raw ones.
    pub fn plain(&self) -> &str {
        self.readings
            .as_ref()
            .map_or_else(|| self.as_str(), |readings| &readings.plain)
    }

    /// The most that an app could read into it, when that differs from [`Self::plain`]: nested escapes undone,
    /// `%2F` and `%5C` as `/`, `//` as one, `;…` dropped, cut at `%23` and `%3F`. It must meet the same rule.
    pub fn deepest(&self) -> Option<&str> {
        self.readings
            .as_ref()
            .map(|readings| readings.deepest.as_str())
    }
}

impl PartialEq for RequestPath {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RequestPath {}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
