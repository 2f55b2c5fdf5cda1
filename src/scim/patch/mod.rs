//! PATCH (RFC 7644 3.5.2): typed operations, applied together or not at all.

use serde_json::Value;

use super::filter::Filter;
use super::path::AttributePath;

/// Where an operation works: `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Attribute, and the sub-attribute.
    pub path: AttributePath,
    /// Which elements of a multi-valued attribute.
    pub filter: Option<Filter>,
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
