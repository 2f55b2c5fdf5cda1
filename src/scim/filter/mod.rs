//! Filters (RFC 7644 3.4.2.2): text to tree, tree to look-up, tree against a resource.

mod asked;
mod error;
mod eval;
mod lower;
mod parse;
mod print;
mod rule;
mod words;

use serde_json::Value;

use super::path::AttributePath;

pub use asked::Asked;
pub use error::{FilterError, FilterReason, MAX_DEPTH, MAX_FILTER, MAX_TERMS};
pub use eval::Test;
pub use lower::Lookup;
pub(super) use parse::target_filter;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All hold; two or more.
    And(Vec<Self>),
    /// One holds; two or more.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// `attribute pr`
    Present(AttributePath),
    /// `attribute op value`
    Compare(AttributePath, Operator, Value),
    /// `attribute[filter]`: one element fits; paths inside are sub-attributes.
    Element(AttributePath, Box<Self>),
}

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// equal
    Eq,
    /// not equal
    Ne,
    /// contains
    Co,
    /// starts with
    Sw,
    /// ends with
    Ew,
    /// greater than
    Gt,
    /// greater than or equal
    Ge,
    /// less than
    Lt,
    /// less than or equal
    Le,
}

#[cfg(test)]
mod property_tests;
