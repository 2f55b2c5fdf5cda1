//! Attribute paths (RFC 7644 3.10, figure 1): `[urn:]attribute[.sub]`.

use std::fmt;

/// A path without a filter, as a client wrote it; letters' case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// URN of the schema, without the last colon.
    pub schema: Option<String>,
    /// Attribute.
    pub name: String,
    /// Sub-attribute.
    pub sub: Option<String>,
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}
