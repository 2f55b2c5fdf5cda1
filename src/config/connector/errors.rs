//! What an answer means, where the status alone does not tell.

use regex::Regex;
use regex::RegexBuilder;
use serde_json::Value as Json;
use toml::Value;

use super::operation::{Pointer, pointer};
use crate::config::reader::Section;

/// Largest compiled pattern, bytes.
const MAX_PATTERN: usize = 256 * 1024;

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is done, whatever it looks like.
    Ok,
    /// Somebody else has this value.
    Uniqueness,
    /// There is no such record.
    Missing,
    /// The app does not take this value.
    InvalidValue,
    /// The app cannot now.
    Unavailable,
    /// The app asks for fewer calls.
    TooMany,
}

/// What stands at a place.
#[derive(Clone, Debug)]
pub enum Test {
    /// A pattern fits: texts as they are, everything else as JSON; without case.
    Match(Regex),
    /// This value.
    Equals(Json),
}

/// A condition on an answer.
#[derive(Clone, Debug)]
pub struct Condition {
    /// These statuses; empty is any.
    pub statuses: Vec<u16>,
    /// Where to look, and for what.
    pub test: Option<(Pointer, Test)>,
}

/// An entry of `[[errors]]`.
#[derive(Clone, Debug)]
pub struct ErrorRule {
    /// Operations by name; empty is any.
    pub operations: Vec<String>,
    /// When it counts.
    pub condition: Condition,
    /// What it then is.
    pub is: Meaning,
}

impl Test {
    /// Whether the value is it.
    pub fn fits(&self, value: &Json) -> bool {
        match self {
            Self::Equals(wanted) => wanted == value,
            Self::Match(pattern) => match value.as_str() {
                Some(text) => pattern.is_match(text),
                None => pattern.is_match(&value.to_string()),
            },
        }
    }

    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let equals = section.take("equals", None).and_then(|value| {
            super::body::json(&value)
                .map_err(|why| section.mistake("equals", why))
                .ok()
        });
        let pattern = section.optional("match").and_then(|text| {
            let built = RegexBuilder::new(&text)
                .case_insensitive(true)
                .size_limit(MAX_PATTERN)
                .build();
            built
                .map_err(|_wrong| section.mistake("match", "is not a regular expression"))
                .ok()
        });
        if equals.is_some() && pattern.is_some() {
            section.mistake("match", "stands beside equals; exactly one of the two");
        }
        equals.map(Self::Equals).or(pattern.map(Self::Match))
    }
}

impl Condition {
    pub(super) fn read(section: &mut Section) -> Self {
        let statuses = match section.take("status", None) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(item) => vec![item],
        };
        let number = |value: &Value| {
            let number = value
                .as_integer()
                .and_then(|number| u16::try_from(number).ok());
            number.filter(|number| (100..600).contains(number))
        };
        let numbers: Vec<u16> = statuses.iter().filter_map(number).collect();
        if numbers.len() != statuses.len() {
            section.mistake("status", "must be a status, or a list of such");
        }
        let at = pointer(section, "at", "");
        Self {
            statuses: numbers,
            test: Test::read(section).map(|test| (at, test)),
        }
    }

    /// Whether an answer is meant.
    pub fn fits(&self, status: u16, document: &Json) -> bool {
        let status = self.statuses.is_empty() || self.statuses.contains(&status);
        status
            && self
                .test
                .as_ref()
                .is_none_or(|(at, test)| at.of(document).is_some_and(|it| test.fits(it)))
    }
}

impl ErrorRule {
    pub(super) fn read(mut section: Section) -> Self {
        let words = [
            ("ok", Meaning::Ok),
            ("uniqueness", Meaning::Uniqueness),
            ("missing", Meaning::Missing),
            ("invalidValue", Meaning::InvalidValue),
            ("unavailable", Meaning::Unavailable),
            ("tooMany", Meaning::TooMany),
        ];
        let operations = match section.take("op", None) {
            None => Vec::new(),
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
            Some(_) => {
                section.mistake("op", "must be an operation, or a list of such");
                Vec::new()
            }
        };
        for operation in &operations {
            if !OPERATIONS.contains(&operation.as_str()) {
                section.mistake(
                    "op",
                    format!(
                        "{operation:?} is not an operation; there are {}",
                        OPERATIONS.join(", ")
                    ),
                );
            }
        }
        if !section.has("is") {
            section.mistake("is", "is required");
        }
        let condition = Condition::read(&mut section);
        if condition.statuses.is_empty() && condition.test.is_none() {
            section.mistake("status", "is required, or match, or equals");
        }
        Self {
            operations,
            condition,
            is: section.choice("is", &words, Meaning::InvalidValue),
        }
    }
}

/// Operations as rules name them.
pub const OPERATIONS: [&str; 19] = [
    "login",
    "users.list",
    "users.find",
    "users.get",
    "users.create",
    "users.update",
    "users.delete",
    "users.activate",
    "users.deactivate",
    "groups.list",
    "groups.find",
    "groups.get",
    "groups.create",
    "groups.update",
    "groups.delete",
    "members.list",
    "members.add",
    "members.remove",
    "members.set",
];
