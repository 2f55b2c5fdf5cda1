//! Why a filter was refused.

use crate::scim::{ScimError, ScimType};

/// Longest filter, bytes.
pub const MAX_FILTER: usize = 8 * 1024;
/// Most `(`, `[` and `not` inside each other.
pub const MAX_DEPTH: usize = 32;
/// Most comparisons in a filter.
pub const MAX_TERMS: usize = 100;

/// Why a filter was refused, and where.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("filter, character {at}: {reason}")]
pub struct FilterError {
    /// Which character, the first is 1.
    pub at: usize,
    /// Why.
    pub reason: FilterReason,
}

/// What is wrong with a filter.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FilterReason {
    /// It ends, or something else stands where an attribute must.
    #[error("an attribute is expected, such as userName or emails.value")]
    Attribute,
    /// Something else stands where an operator must.
    #[error("an operator is expected: eq, ne, co, sw, ew, pr, gt, ge, lt or le")]
    Operator,
    /// Something else stands where a value must.
    #[error("a value is expected: a text in quotes, a number, true, false or null")]
    Value,
    /// A text is not closed, or is not written as JSON.
    #[error("the text in quotes is not closed or not written as JSON")]
    Text,
    /// The filter goes on where it cannot.
    #[error("and, or, or the end of the filter is expected")]
    Rest,
    /// `not` without parenthesis.
    #[error("( is expected behind not")]
    Not,
    /// Not closed.
    #[error(") is expected")]
    Parenthesis,
    /// Not closed.
    #[error("] is expected")]
    Bracket,
    /// `[` between `[` and `]`.
    #[error("[ may not stand between [ and ]")]
    Nested,
    /// See [`MAX_FILTER`].
    #[error("longer than {MAX_FILTER} bytes")]
    TooLong,
    /// See [`MAX_DEPTH`].
    #[error("more than {MAX_DEPTH} parentheses inside each other")]
    TooDeep,
    /// See [`MAX_TERMS`].
    #[error("more than {MAX_TERMS} comparisons")]
    TooMany,
}

impl From<FilterError> for ScimError {
    fn from(error: FilterError) -> Self {
        Self::of(ScimType::InvalidFilter, error.to_string())
    }
}
