//! Attribute paths (RFC 7644 3.10, figure 1): `[urn:]attribute[.sub]`, and with a filter where PATCH works.
//!
//! Refuses what is empty, longer than 8 KiB, or holds letters that no name has. Whether an attribute exists
//! is not asked here.

use std::fmt;
use std::str::FromStr;

use super::filter::{Filter, FilterError, MAX_FILTER, target_filter};
use super::{ScimError, ScimType};

/// A path without a filter, as a client wrote it; letters' case does not matter.
///
/// A whole schema is a path too (`urn:…:enterprise:2.0:User`). Its text does not tell it from an attribute:
/// read, it is the attribute behind the last colon (`User` of `urn:…:enterprise:2.0`), and only who knows the
/// schemas finds out ([`AttributePath::is_whole`]). [`AttributePath::whole`] makes one with an empty `name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// URN of the schema, without the last colon.
    pub schema: Option<String>,
    /// Attribute; empty: the whole schema.
    pub name: String,
    /// Sub-attribute.
    pub sub: Option<String>,
}

/// Why a path was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Nothing, or nothing but white space.
    #[error("path is empty")]
    Empty,
    /// More than [`MAX_FILTER`] bytes.
    #[error("path is longer than {MAX_FILTER} bytes")]
    TooLong,
    /// Not `attribute`, `attribute.sub` or either behind an URN and a colon.
    #[error("path is not [urn:…:]attribute[.sub-attribute]")]
    Name,
    /// Something stands behind the filter that is no sub-attribute.
    #[error("only .sub-attribute may follow the ] in a path")]
    Rest,
    /// The filter between `[` and `]` cannot be read.
    #[error("path: {0}")]
    Filter(#[from] FilterError),
}

impl From<PathError> for ScimError {
    fn from(error: PathError) -> Self {
        Self::of(ScimType::InvalidPath, error.to_string())
    }
}

impl AttributePath {
    /// Everything of the schema with this URN.
    pub fn whole(urn: impl Into<String>) -> Self {
        Self {
            schema: Some(urn.into()),
            name: String::new(),
            sub: None,
        }
    }

    /// An attribute without URN.
    pub fn of(name: impl Into<String>, sub: Option<&str>) -> Self {
        Self {
            schema: None,
            name: name.into(),
            sub: sub.map(str::to_owned),
        }
    }

    /// Whether it is the whole schema with this URN, in either form.
    pub fn is_whole(&self, urn: &str) -> bool {
        self.schema.is_some() && self.to_string().eq_ignore_ascii_case(urn)
    }
}

impl FromStr for AttributePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_FILTER {
            return Err(PathError::TooLong);
        }
        let urn = text
            .get(..4)
            .is_some_and(|s| s.eq_ignore_ascii_case("urn:"));
        if !urn {
            let (name, sub) = split(text).ok_or(PathError::Name)?;
            let digit = name.starts_with(|c: char| c.is_numeric() || c == '-');
            return if digit {
                Err(PathError::Name)
            } else {
                Ok(Self::of(name, sub))
            };
        }
        // RFC 7644 3.10: the attribute stands behind the last colon; URNs hold dots (`:2.0:`).
        let (schema, last) = text.rsplit_once(':').ok_or(PathError::Name)?;
        if schema.len() <= 4 || schema.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(PathError::Name);
        }
        match split(last) {
            Some((name, sub)) => Ok(Self {
                schema: Some(schema.to_owned()),
                ..Self::of(name, sub)
            }),
            // An URN that ends in a version of three numbers.
            None if last.split('.').all(|part| part.parse::<u32>().is_ok()) => {
                Ok(Self::whole(text))
            }
            None => Err(PathError::Name),
        }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            f.write_str(schema)?;
            if !self.name.is_empty() {
                f.write_str(":")?;
            }
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// Reads where a PATCH operation works (RFC 7644 3.5.2, figure 7): `attribute`, `attribute.sub`,
/// `attribute[filter]`, `attribute[filter].sub`, each with or without URN. Paths in the filter are sub-attributes.
pub fn parse_target(text: &str) -> Result<(AttributePath, Option<Filter>), PathError> {
    let text = text.trim();
    if text.len() > MAX_FILTER {
        return Err(PathError::TooLong);
    }
    let Some((attribute, _)) = text.split_once('[') else {
        return Ok((text.parse()?, None));
    };
    let mut path: AttributePath = attribute.parse()?;
    let (filter, rest) = target_filter(text, attribute.len())?;
    // Neither a sub-attribute nor a whole schema has elements.
    if path.sub.is_some() || path.name.is_empty() {
        return Err(PathError::Name);
    }
    if !rest.is_empty() {
        let sub = rest.strip_prefix('.').ok_or(PathError::Rest)?;
        path.sub = Some(sub_name(sub).ok_or(PathError::Rest)?.to_owned());
    }
    Ok((path, Some(filter)))
}

/// `name` or `name.sub`.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    match text.split_once('.') {
        None => Some((sub_name(text)?, None)),
        Some((name, sub)) => Some((sub_name(name)?, Some(sub_name(sub)?))),
    }
}

/// RFC 7643 2.1: letters, digits, `-`, `_`, and `$ref`; open extensions have keys in any language.
pub(super) fn sub_name(text: &str) -> Option<&str> {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '$');
    (!text.is_empty() && text.chars().all(letter)).then_some(text)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
