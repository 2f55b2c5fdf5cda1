//! Where the values of a path stand in a resource.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::scim::path::AttributePath;
use crate::scim::schema::{Attribute, Found, Kind, ResourceType};
use crate::scim::value::{each, is_present};

/// Where values stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    urn: Option<String>,
    /// None: everything under the URN.
    name: Option<String>,
    /// An open extension keeps names as they came.
    any_case: bool,
    pub(super) sub: Option<String>,
}

impl Place {
    /// All values there, one by one, without nulls.
    pub(super) fn values<'v>(
        &'v self,
        root: &'v Map<String, Value>,
    ) -> impl Iterator<Item = &'v Value> {
        let values = self.attribute(root).map(each).unwrap_or_default();
        let values = values.iter().filter_map(|value| match &self.sub {
            None => Some(value),
            Some(sub) if sub == "value" && !value.is_object() => Some(value),
            Some(sub) => value.get(sub),
        });
        values.flat_map(each).filter(|value| !value.is_null())
    }

    /// Whether it is in this attribute of the core schema.
    pub(super) fn is_core(&self, attribute: &str) -> bool {
        self.urn.is_none() && self.name.as_deref() == Some(attribute)
    }

    /// The attribute's value, all of it.
    pub(super) fn attribute<'v>(&self, root: &'v Map<String, Value>) -> Option<&'v Value> {
        let place = match &self.urn {
            Some(urn) => match &self.name {
                Some(_) => root.get(urn)?.as_object()?,
                None => return root.get(urn).filter(|value| is_present(value)),
            },
            None => root,
        };
        let name = self.name.as_deref()?;
        let other_case = || {
            let mut all = place.iter().filter(|_| self.any_case);
            all.find(|(its, _)| its.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        place.get(name).or_else(other_case)
    }
}

/// A place, and the attribute whose values stand there; no attribute: a whole extension.
pub(super) type At<'a> = Option<(Place, Option<Cow<'a, Attribute>>)>;

pub(super) fn find<'a>(kind: &'a ResourceType, path: &AttributePath) -> At<'a> {
    let (extension, attribute, sub) = match kind.find(path)? {
        Found::Whole(schema) => {
            let place = Place {
                urn: Some(schema.id.clone()),
                ..Place::default()
            };
            return Some((place, None));
        }
        Found::Attribute {
            extension,
            attribute,
            sub,
        } => (extension, attribute, sub),
    };
    let place = Place {
        urn: extension.map(|schema| schema.id.clone()),
        name: Some(attribute.name.clone()),
        any_case: extension.is_some_and(|schema| schema.open),
        sub: sub.map(|sub| sub.name.clone()),
    };
    Some((place, Some(sub.map_or(attribute, Cow::Borrowed))))
}

/// Inside `[` and `]` paths are sub-attributes.
pub(super) fn find_in<'a>(attribute: &'a Attribute, path: &AttributePath) -> At<'a> {
    if path.schema.is_some() || path.sub.is_some() {
        return None;
    }
    let simple = !matches!(attribute.kind, Kind::Complex(_));
    let part = match attribute.sub(&path.name) {
        None if simple && path.name.eq_ignore_ascii_case("value") => attribute,
        part => part?,
    };
    let name = if simple { "value" } else { &part.name };
    let place = Place {
        name: Some(name.to_owned()),
        ..Place::default()
    };
    Some((place, Some(Cow::Borrowed(part))))
}
