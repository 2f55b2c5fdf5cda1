//! Why a change is refused, in words for the admin who reads them in the idp's log.

use http::StatusCode;
use serde_json::Value;

use super::{MAX_OPERATIONS, MAX_VALUES};
use crate::scim::path::PathError;
use crate::scim::{ScimError, ScimType};

/// Why a PATCH, POST or PUT is refused. Texts name attribute and reason.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum PatchError {
    /// No list of operations.
    #[error("Operations is missing, empty or no list of operations (RFC 7644 3.5.2)")]
    NoOperations,
    /// Over [`MAX_OPERATIONS`].
    #[error("{0} operations in one request; at most {MAX_OPERATIONS} are taken")]
    ManyOperations(usize),
    /// Not an object with `op`.
    #[error("is no object with op, path and value")]
    NoOperation,
    /// An unknown `op`.
    #[error("op is {0}; it must be add, replace or remove")]
    Verb(String),
    /// `remove` without a path (RFC 7644 3.5.2.2).
    #[error("remove needs a path")]
    NoPath,
    /// `add` or `replace` without a value.
    #[error("{0}: the value is missing")]
    NoValue(String),
    /// No path, and no attributes either.
    #[error("without a path the value must be an object of attributes, not {0}")]
    NoAttributes(String),
    /// The path cannot be read.
    #[error("{0:?}: {1}")]
    Path(String, PathError),
    /// `[…]` behind what has one value.
    #[error("{0} has one value, so no filter may stand behind it")]
    Single(String),
    /// The filter of a path asks for what cannot be compared.
    #[error("{0}")]
    Filter(String),
    /// Members are rows, found by their id alone.
    #[error("members are selected by [value eq \"id\"] alone, not by {0}")]
    Members(String),
    /// RFC 7644 3.5.2: only the service provider writes it.
    #[error("{0} is read-only")]
    ReadOnly(String),
    /// RFC 7643 7: set once.
    #[error("{0} cannot be changed once it is set")]
    Immutable(String),
    /// A value of another type.
    #[error("{at}: got {got}, wanted {wanted}")]
    Type {
        /// Attribute.
        at: String,
        /// What came.
        got: String,
        /// What should have come.
        wanted: &'static str,
    },
    /// Over [`MAX_VALUES`].
    #[error("{0} would have more than {MAX_VALUES} values")]
    ManyValues(String),
    /// No element fits and none can be made of the filter (RFC 7644 3.5.2.3).
    #[error("{0}: no value fits the filter, and the filter does not say what a new one should be")]
    NoTarget(String),
    /// RFC 7644 3.5.2.2: a required attribute was taken away.
    #[error("{0} is required and cannot be removed")]
    Removed(String),
    /// A required attribute is missing or blank.
    #[error("{0} is required and must not be empty")]
    Required(String),
    /// In this operation, counted from 1.
    #[error("operation {0}: {1}")]
    In(usize, Box<Self>),
}

impl PatchError {
    /// Another type than wanted.
    pub(in crate::scim) fn wrong(at: &str, value: &Value, wanted: &'static str) -> Self {
        Self::Type {
            at: at.to_owned(),
            got: if is_secret(at) {
                "something else".to_owned()
            } else {
                described(value)
            },
            wanted,
        }
    }

    /// In this operation, counted from 0.
    pub(super) fn within(self, index: usize) -> Self {
        Self::In(index.saturating_add(1), Box::new(self))
    }

    /// `scimType`, or 413.
    fn kind(&self) -> Option<ScimType> {
        match self {
            Self::NoOperations | Self::NoOperation | Self::Verb(_) => Some(ScimType::InvalidSyntax),
            Self::ManyOperations(_) => None,
            Self::NoPath | Self::NoTarget(_) => Some(ScimType::NoTarget),
            Self::Filter(_) => Some(ScimType::InvalidFilter),
            Self::Path(..) | Self::Single(_) | Self::Members(_) => Some(ScimType::InvalidPath),
            Self::ReadOnly(_) | Self::Immutable(_) | Self::Removed(_) => Some(ScimType::Mutability),
            Self::NoValue(_)
            | Self::NoAttributes(_)
            | Self::Type { .. }
            | Self::ManyValues(_)
            | Self::Required(_) => Some(ScimType::InvalidValue),
            Self::In(_, inner) => inner.kind(),
        }
    }
}

impl From<PatchError> for ScimError {
    fn from(error: PatchError) -> Self {
        match error.kind() {
            Some(kind) => Self::of(kind, error.to_string()),
            None => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
        }
    }
}

/// R41: what stands at this path is repeated nowhere.
fn is_secret(at: &str) -> bool {
    at.to_ascii_lowercase().contains("password")
}

/// A value in words, at most some sixty letters of it.
pub(in crate::scim) fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().nth(60).is_some() => {
            format!("the text {:?}…", text.chars().take(60).collect::<String>())
        }
        Value::String(text) => format!("the text {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
