//! Which attributes an answer has: `attributes` and `excludedAttributes` (RFC 7644 3.4.2.5, 3.9).
//!
//! What no schema knows is never answered, nor what is never returned.

mod part;

use serde_json::{Map, Value};

use super::filter::MAX_FILTER;
use super::path::{AttributePath, parse_target};
use super::schema::{Attribute, Found, ResourceType, Schema};
use super::value::is_present;
use super::{ScimError, ScimType};
use part::{Named, Part, shown};

/// What a client wants to see. The default is everything that is returned by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// `attributes`; none: whatever is returned by default.
    asked: Option<Vec<AttributePath>>,
    /// `excludedAttributes`.
    excluded: Vec<AttributePath>,
}

impl Projection {
    /// From both parameters, each a list with commas. Names may have an URN, a sub-attribute or a filter
    /// (`emails[type eq "work"]`, which Microsoft's collection sends: the whole attribute is shown), in any case.
    /// Names that nobody can read ask for nothing. The RFC allows one parameter alone: `attributes` wins.
    ///
    /// # Errors
    ///
    /// `invalidValue`: one is longer than [`MAX_FILTER`] bytes.
    pub fn new(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        for (name, text) in [("attributes", attributes), ("excludedAttributes", excluded)] {
            if text.is_some_and(|text| text.len() > MAX_FILTER) {
                let why = format!("{name}: longer than {MAX_FILTER} bytes");
                return Err(ScimError::of(ScimType::InvalidValue, why));
            }
        }
        let asked = attributes.filter(|text| !text.trim().is_empty());
        if let Some(asked) = asked {
            let asked = names(asked).filter_map(|name| Some(parse_target(name).ok()?.0));
            return Ok(Self {
                asked: Some(asked.collect()),
                excluded: Vec::new(),
            });
        }
        // Elements that a filter excludes are shown all the same: more is no harm.
        let excluded = names(excluded.unwrap_or_default());
        Ok(Self {
            asked: None,
            excluded: excluded.filter_map(|name| name.parse().ok()).collect(),
        })
    }

    /// Whether the answer can have any part of this attribute, so that the caller need not read it.
    pub fn wants(&self, kind: &ResourceType, attribute: &str) -> bool {
        let found = self.found(kind);
        match kind.find(&AttributePath::of(attribute, None)) {
            Some(Found::Attribute {
                extension,
                attribute,
                ..
            }) => !matches!(self.part(&found, extension, &attribute), Part::Nothing),
            Some(Found::Whole(_)) | None => false,
        }
    }

    /// Whether the answer can have this part of an attribute.
    pub fn wants_part(&self, kind: &ResourceType, attribute: &str, sub: &str) -> bool {
        match kind.find(&AttributePath::of(attribute, Some(sub))) {
            Some(Found::Attribute {
                extension,
                attribute,
                sub: Some(sub),
            }) => self
                .part(&self.found(kind), extension, &attribute)
                .shows(sub),
            Some(_) | None => false,
        }
    }

    /// Takes away what is not to be shown. The resource is a canonical one; `schemas` becomes what is left:
    /// an extension is named only where it has values.
    pub fn apply(&self, resource: &mut Map<String, Value>, kind: &ResourceType) {
        let found = self.found(kind);
        for (key, value) in std::mem::take(resource) {
            if let Some(extension) = kind.extension(&key) {
                let shown = self.extension(&found, extension, value);
                if shown.values().any(is_present) {
                    resource.insert(extension.id.clone(), shown.into());
                }
            } else if let Some(attribute) = kind.attributes().find(|its| its.name == key)
                && let Some(value) = shown(&self.part(&found, None, attribute), attribute, value)
            {
                resource.insert(key, value);
            }
        }
        let extensions = kind.extensions.iter().map(|extension| &extension.id);
        let extensions = extensions.filter(|urn| resource.contains_key(*urn));
        let schemas = std::iter::once(&kind.core.id).chain(extensions).cloned();
        resource.insert("schemas".to_owned(), schemas.collect());
    }

    fn extension(
        &self,
        found: &[Found<'_>],
        extension: &Schema,
        value: Value,
    ) -> Map<String, Value> {
        let Value::Object(values) = value else {
            return Map::new();
        };
        let values = values.into_iter().filter_map(|(key, value)| {
            let value = match extension.attribute(&key) {
                Some(attribute) => shown(
                    &self.part(found, Some(extension), attribute),
                    attribute,
                    value,
                ),
                None if extension.open => {
                    let attribute = Attribute::of_open(&key);
                    shown(
                        &self.part(found, Some(extension), &attribute),
                        &attribute,
                        value,
                    )
                }
                None => None,
            };
            Some((key, value?))
        });
        values.collect()
    }

    fn found<'a>(&self, kind: &'a ResourceType) -> Vec<Found<'a>> {
        let paths = self.asked.as_ref().unwrap_or(&self.excluded);
        paths.iter().filter_map(|path| kind.find(path)).collect()
    }

    fn part(&self, found: &[Found<'_>], extension: Option<&Schema>, attribute: &Attribute) -> Part {
        Part::of(
            attribute,
            self.asked.is_some(),
            Named::new(found, extension, attribute),
        )
    }
}

/// Between commas, but not those in a filter.
fn names(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut inside = false;
    list.split(move |letter| {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => inside = true,
            ']' if !quoted => inside = false,
            _ => {}
        }
        letter == ',' && !inside
    })
    .filter(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests;
