//! A place in a resource that the settings name: what stands there as texts, and how it is set.

use serde_json::{Map, Value};

use super::elements::Elements;
use super::error::PatchError;
use super::place::{Place, resolve};
use super::select::check_filter;
use super::{Operation, Target, typed};
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType};

/// `userType`, `name.familyName`, `emails[type eq "work"].value`, `urn:…:attribute`. A multi-valued attribute
/// without sub-attribute means the `value` of its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    target: Target,
}

impl Spot {
    /// Reads a path; none when no schema has the attribute.
    ///
    /// # Errors
    ///
    /// The path cannot be read, compares what cannot be compared, or leads to what is read-only.
    pub fn read(kind: &ResourceType, path: &str) -> Result<Option<Self>, PatchError> {
        let (target, place) = resolve(kind, None, path)?;
        match place {
            Place::Attribute {
                schema,
                attribute,
                part,
            } => {
                check_filter(kind, schema, attribute, &target)?;
                let leaf = part.unwrap_or(attribute);
                if leaf.mutability == Mutability::ReadOnly {
                    return Err(PatchError::ReadOnly(target.to_string()));
                }
                Ok(Some(Self { target }))
            }
            Place::Open(_) => Ok(Some(Self { target })),
            Place::Whole(_) | Place::Unknown => Ok(None),
        }
    }

    /// The operation that sets it to what this text says.
    ///
    /// # Errors
    ///
    /// The text is no value of the attribute's type.
    pub fn set(&self, kind: &ResourceType, text: &str) -> Result<Operation, PatchError> {
        let at = self.target.to_string();
        let text = Value::from(text);
        let value = match Place::of(kind, &self.target.path) {
            Place::Attribute {
                part: Some(part), ..
            } => typed::read(part, &at, &text)?,
            Place::Attribute { attribute, .. } if self.target.filter.is_some() => {
                typed::element(attribute, &at, &text)?
            }
            Place::Attribute { attribute, .. } => typed::read(attribute, &at, &text)?,
            Place::Open(_) | Place::Whole(_) | Place::Unknown => text,
        };
        Ok(Operation::Replace(self.target.clone(), value))
    }

    /// What stands there; empty when nothing does.
    pub fn texts(&self, kind: &ResourceType, resource: &Map<String, Value>) -> Vec<String> {
        let place = Place::of(kind, &self.target.path);
        let schema = match place {
            Place::Attribute { schema, .. } => schema,
            Place::Open(schema) => Some(schema),
            Place::Whole(_) | Place::Unknown => return Vec::new(),
        };
        let home = match schema {
            None => Some(resource),
            Some(schema) => resource.get(&schema.id).and_then(Value::as_object),
        };
        let Some(home) = home else {
            return Vec::new();
        };
        let Place::Attribute {
            attribute, part, ..
        } = place
        else {
            let mut named = home.iter();
            let same =
                |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(&self.target.path.name);
            return named
                .find(same)
                .and_then(|(_, value)| text(value))
                .into_iter()
                .collect();
        };
        let elements = Elements {
            kind,
            schema,
            attribute,
            target: &self.target,
        };
        let values = match home.get(&attribute.name) {
            None => &[],
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        let filter = self.target.filter.as_ref();
        let test = filter.map(|filter| elements.test(filter));
        let fits = |value: &&Value| match &test {
            Some(Ok(test)) => elements.fits(test, value),
            Some(Err(_)) => false,
            None => true,
        };
        values
            .iter()
            .filter(fits)
            .filter_map(|value| text(leaf(attribute, part, value)?))
            .collect()
    }
}

/// The part that is meant.
fn leaf<'a>(
    attribute: &Attribute,
    part: Option<&Attribute>,
    value: &'a Value,
) -> Option<&'a Value> {
    match (&attribute.kind, part) {
        (Kind::Complex(_), None) => value.get("value"),
        (_, Some(part)) => value.get(&part.name),
        (_, None) => Some(value),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
