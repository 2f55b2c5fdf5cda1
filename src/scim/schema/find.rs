//! From a path to what it means.

use std::borrow::Cow;

use super::{Attribute, ENTERPRISE, ResourceType, Schema};
use crate::scim::path::AttributePath;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Everything of the core schema or of an extension.
    Whole(&'a Schema),
    /// An attribute.
    Attribute {
        /// The extension it is of; none: the core schema, or what every resource has.
        extension: Option<&'a Schema>,
        /// Owned where an open extension does not name it; then it is spelt as in the path, and a resource
        /// may hold it in another case.
        attribute: Cow<'a, Attribute>,
        /// The sub-attribute, where the path has one.
        sub: Option<&'a Attribute>,
    },
}

impl Found<'_> {
    /// The attribute whose values are meant: the sub-attribute, else the attribute. None for a whole schema.
    pub fn leaf(&self) -> Option<&Attribute> {
        match self {
            Self::Whole(_) => None,
            Self::Attribute { attribute, sub, .. } => Some(sub.unwrap_or(attribute.as_ref())),
        }
    }
}

impl ResourceType {
    /// What the path leads to, names and URNs in any case; none when no schema has it.
    ///
    /// Without URN: what every resource has, then the core schema, then the enterprise extension, whose
    /// attributes Entra sends bare now and then. With the URN of an extension: its attributes, and in an open
    /// one any name. With the core schema's: the core and what every resource has.
    pub fn find(&self, path: &AttributePath) -> Option<Found<'_>> {
        let sub = path.sub.as_deref();
        let Some(urn) = &path.schema else {
            let enterprise = || self.extension(ENTERPRISE).filter(|_| !path.name.is_empty());
            return self
                .find_core(&path.name, sub)
                .or_else(|| find_in(enterprise()?, &path.name, sub));
        };
        if let Some(whole) = self.schemas().find(|schema| path.is_whole(&schema.id)) {
            return Some(Found::Whole(whole));
        }
        if urn.eq_ignore_ascii_case(&self.core.id) {
            return self.find_core(&path.name, sub);
        }
        let extension = self.extension(urn)?;
        find_in(extension, &path.name, sub).or_else(|| find_open(extension, path))
    }

    /// The extension with this URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The core schema, then the extensions.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        std::iter::once(&self.core).chain(&self.extensions)
    }

    /// What every resource has, then the attributes of the core schema.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.common.iter().chain(&self.core.attributes)
    }

    fn find_core(&self, name: &str, sub: Option<&str>) -> Option<Found<'_>> {
        let attribute = self
            .attributes()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
        found(None, attribute, sub)
    }
}

fn find_in<'a>(extension: &'a Schema, name: &str, sub: Option<&str>) -> Option<Found<'a>> {
    found(Some(extension), extension.attribute(name)?, sub)
}

/// Any name is taken, dots too, and the values are texts without parts.
fn find_open<'a>(extension: &'a Schema, path: &AttributePath) -> Option<Found<'a>> {
    if !extension.open || path.name.is_empty() || extension.attribute(&path.name).is_some() {
        return None;
    }
    let name = match &path.sub {
        Some(sub) => Cow::Owned(format!("{}.{sub}", path.name)),
        None => Cow::Borrowed(path.name.as_str()),
    };
    Some(Found::Attribute {
        extension: Some(extension),
        attribute: Cow::Owned(Attribute::of_open(&name)),
        sub: None,
    })
}

fn found<'a>(
    extension: Option<&'a Schema>,
    attribute: &'a Attribute,
    sub: Option<&str>,
) -> Option<Found<'a>> {
    let sub = match sub {
        Some(name) => Some(attribute.sub(name)?),
        None => None,
    };
    Some(Found::Attribute {
        extension,
        attribute: Cow::Borrowed(attribute),
        sub,
    })
}
