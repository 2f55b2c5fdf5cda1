//! PATCH (RFC 7644 3.5.2): typed operations, applied together or not at all.
//!
//! Refuses too many operations and values, paths that cannot be read, values of another type, and changes of
//! what is read-only, immutable or required. Formats (of e-mail addresses, countries, URLs) are not checked:
//! Microsoft's validation suites send words by chance.

use std::fmt;

use serde_json::Value;

use super::filter::Filter;
use super::path::AttributePath;

mod apply;
pub mod dialect;
mod elements;
mod error;
mod members;
mod parse;
mod place;
#[cfg(test)]
pub(in crate::scim) mod sample;
mod select;
mod single;
mod spot;
mod spread;
mod tidy;
mod typed;

pub use apply::apply;
pub(in crate::scim) use apply::{change, check_required};
pub use error::PatchError;
pub use members::split_members;
pub(in crate::scim) use members::texts;
pub use parse::parse;
pub(in crate::scim) use single::check_immutable;
pub use spot::{SpotError, check_spot};
pub(in crate::scim) use spread::spread;

/// Most operations in one request.
pub const MAX_OPERATIONS: usize = 1_000;
/// Most values of one attribute, and keys of one open extension; members of groups are not counted.
pub const MAX_VALUES: usize = 1_000;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scim) enum Verb {
    /// Adds to many, sets one.
    Add,
    /// Replaces.
    Replace,
    /// Removes.
    Remove,
}

/// Where an operation works: `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Attribute, and the sub-attribute.
    pub path: AttributePath,
    /// Which elements of a multi-valued attribute.
    pub filter: Option<Filter>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else {
            return self.path.fmt(f);
        };
        let attribute = AttributePath {
            sub: None,
            ..self.path.clone()
        };
        write!(f, "{attribute}[{filter}]")?;
        match &self.path.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// One operation, dialects resolved: a path-less one with several attributes has become several.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Adds to many, sets one.
    Add(Target, Value),
    /// Replaces.
    Replace(Target, Value),
    /// Removes: all, or of a multi-valued attribute just these elements.
    Remove(Target, Option<Vec<Value>>),
}

/// What a PATCH or PUT of a group does to its members, in order. Members are rows: they are never read to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Adds these; those that are there stay.
    Add(Vec<String>),
    /// Removes these; those that are not there are no error.
    Remove(Vec<String>),
    /// These and no others.
    Replace(Vec<String>),
}

#[cfg(test)]
mod property_tests;
