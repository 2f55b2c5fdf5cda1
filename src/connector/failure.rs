//! Why the app's API did not do it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::carried::Carried;

/// Longest words of the app that are passed on, characters.
const MAX_WORDS: usize = 300;

/// What became of a call whose answer was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it did not reach the app, or the app turned it down.
    Nothing,
    /// The app has worked on it, and may have done it.
    Perhaps,
    /// The app may do it yet: nobody knows whether it still works on it.
    Yet,
}

/// What came in place of an answer of the app's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nothing, or the word of somebody before it that it is away.
    Nobody,
    /// An answer that it should not give.
    Oddity,
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "cannot be reached",
            Self::Oddity => "answers oddly",
        })
    }
}

/// Why the app's API did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppFailure {
    /// Somebody else has this value there.
    #[error("the app has this already: {0}")]
    Uniqueness(String),
    /// There is no such record there.
    #[error("the app has no such record")]
    Missing,
    /// It does not take a value: its words.
    #[error("the app refuses it: {0}")]
    Invalid(String),
    /// Its API cannot do this at all.
    #[error("the app's API cannot {0}")]
    Cannot(&'static str),
    /// More than one record there is meant, or one that is somebody else's.
    #[error("the app's record cannot be told apart: {0}")]
    Ambiguous(String),
    /// Under the id of a record it has one of another name: renamed there, or somebody else's by now.
    #[error("the app's record is not the one that was linked: {0}; see sidegate connector drift")]
    Another(String),
    /// An account that is never touched, or a name of one.
    #[error("this name is in {0}.ignore of the connector")]
    Ignored(&'static str),
    /// The last administrator is never deactivated nor deleted.
    #[error("the last administrator of the app is left as they are")]
    LastAdministrator,
    /// It cannot now: no answer, an error of its own, or something that is not its API's.
    #[error("the app {met}: {why}")]
    Unavailable {
        /// Whether an answer arrived.
        met: Met,
        /// What was met.
        why: String,
        /// When to try again, if it said so.
        retry_after: Option<Duration>,
        /// What became of what was asked.
        fate: Fate,
    },
    /// It asks for fewer calls.
    #[error("the app asks for fewer calls")]
    TooMany(Option<Duration>),
}

impl AppFailure {
    /// Nothing reached the app.
    pub(super) fn unreached(why: impl Into<String>) -> Self {
        Self::Unavailable {
            met: Met::Nobody,
            why: why.into(),
            retry_after: None,
            fate: Fate::Nothing,
        }
    }

    /// It answered what its API never should.
    pub(super) fn odd(why: impl Into<String>) -> Self {
        Self::Unavailable {
            met: Met::Oddity,
            why: why.into(),
            retry_after: None,
            fate: Fate::Perhaps,
        }
    }

    /// Whether it may have done what was asked all the same.
    pub const fn perhaps_done(&self) -> bool {
        matches!(self, Self::Unavailable { fate, .. } if !matches!(fate, Fate::Nothing))
    }

    /// Whether it may be done yet, even if it is not now.
    pub const fn may_come(&self) -> bool {
        matches!(
            self,
            Self::Unavailable {
                fate: Fate::Yet,
                ..
            }
        )
    }

    /// The same, now that it is known that nothing was done.
    #[must_use]
    pub fn certainly_not(mut self) -> Self {
        if let Self::Unavailable { fate, .. } = &mut self {
            *fate = Fate::Nothing;
        }
        self
    }

    /// The same, when it is not known what was done.
    #[must_use]
    pub fn perhaps(mut self) -> Self {
        let Self::Unavailable { fate, .. } = &mut self else {
            return Self::odd(self.to_string());
        };
        *fate = Fate::Perhaps;
        self
    }

    /// Whether it makes sense to try again later.
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TooMany(_))
    }
}

/// Members of an error that repeat what was sent, or hold what nobody is told.
const UNTOLD: [&str; 9] = [
    "input",
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "credential",
    "authorization",
];

/// The app's own words of a refusal: every text of the document, without names and markup, and without the secrets that
/// the request carried (R41, R55): some apps repeat what they were sent.
pub(super) fn words(document: &Value, text: &str, carried: &Carried) -> String {
    let mut found = Vec::new();
    collect(document, carried, &mut found);
    let all = if document.is_null() && !text.trim_start().starts_with('<') {
        carried.struck(text)
    } else {
        found.join("; ")
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let words: String = all.chars().map(plain).take(MAX_WORDS).collect();
    match words.trim() {
        "" => "without a reason".to_owned(),
        words => words.to_owned(),
    }
}

fn collect(value: &Value, carried: &Carried, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() && found.len() < 16 => {
            found.push(carried.struck(text));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, carried, found)),
        Value::Object(members) => {
            for (name, member) in members {
                if !is_untold(name) {
                    collect(member, carried, found);
                } else if found.len() < 16 {
                    found.push(carried.struck(&format!("{name}: …")));
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_untold(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name = letters.collect::<String>().to_ascii_lowercase();
    UNTOLD.iter().any(|untold| name.contains(untold))
}
