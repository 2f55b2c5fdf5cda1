//! Which elements of a multi-valued attribute are meant, and what a new one would be.

use serde_json::{Map, Value};

use super::elements::Elements;
use super::error::PatchError;
use super::{Target, typed};
use crate::scim::filter::{Filter, Operator, Test};
use crate::scim::path::AttributePath;
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType, Schema};
use crate::scim::value::loose;

impl Elements<'_> {
    /// The filter in `[…]`, ready for many elements.
    ///
    /// # Errors
    ///
    /// It asks for what cannot be compared.
    pub(super) fn test(&self, filter: &Filter) -> Result<Test, PatchError> {
        let path = AttributePath {
            schema: self.schema.map(|schema| schema.id.clone()),
            ..AttributePath::of(self.attribute.name.clone(), None)
        };
        Filter::Element(path, Box::new(filter.clone()))
            .prepare(self.kind)
            .map_err(|error| PatchError::Filter(error.detail.into_owned()))
    }

    /// Whether the filter fits one element.
    pub(super) fn fits(&self, test: &Test, element: &Value) -> bool {
        let list = Value::Array(vec![element.clone()]);
        let home = Map::from_iter([(self.attribute.name.clone(), list)]);
        match self.schema {
            None => test.fits(&home),
            Some(schema) => test.fits(&Map::from_iter([(schema.id.clone(), Value::Object(home))])),
        }
    }

    /// A new element: what the filter says by `eq` and `and`, and the value in it.
    ///
    /// RFC 7644 3.5.2.3 answers `noTarget` where nothing fits. Entra, and every validation suite of Microsoft's,
    /// fills empty attributes so: `{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "a@b.c"}`.
    pub(super) fn made(
        &self,
        filter: &Filter,
        part: Option<&Attribute>,
        value: &Value,
    ) -> Option<Value> {
        let Kind::Complex(parts) = &self.attribute.kind else {
            return Some(value.clone());
        };
        let mut element = Map::new();
        for (name, wanted) in terms(filter)? {
            let (known, _) = typed::part_of(self.attribute, parts, name)?;
            let wanted = typed::read(known, &known.name, wanted).ok()?;
            if known.mutability == Mutability::ReadOnly || wanted.is_null() {
                return None;
            }
            element.insert(known.name.clone(), wanted);
        }
        match (part, value) {
            (Some(part), value) => {
                element.insert(part.name.clone(), value.clone());
            }
            (None, Value::Object(new)) => element.extend(new.clone()),
            (None, _) => return None,
        }
        Some(Value::Object(element))
    }

    /// Whether a value that is to be removed means this element: by `value`, and `type` where it is given;
    /// an address, which has no `value`, by everything that is given.
    pub(super) fn is_meant(&self, given: &Value, element: &Value) -> bool {
        let (Value::Object(given), Value::Object(element), Kind::Complex(parts)) =
            (given, element, &self.attribute.kind)
        else {
            return same(self.attribute, given, element);
        };
        let equal = |part: &Attribute| match (given.get(&part.name), element.get(&part.name)) {
            (Some(given), Some(value)) => same(part, given, value),
            (given, _) => given.is_none(),
        };
        let by_value = given.contains_key("value");
        let counts = |part: &&Attribute| !by_value || part.name == "value" || part.name == "type";
        !given.is_empty() && parts.iter().filter(counts).all(equal)
    }
}

/// Refuses a filter that asks for what cannot be compared.
pub(super) fn check_filter(
    kind: &ResourceType,
    schema: Option<&Schema>,
    attribute: &Attribute,
    target: &Target,
) -> Result<(), PatchError> {
    let elements = Elements {
        kind,
        schema,
        attribute,
        target,
    };
    let filter = target.filter.as_ref();
    filter.map_or(Ok(()), |filter| elements.test(filter).map(drop))
}

/// The `eq` terms that all must hold; none when the filter says anything else.
fn terms(filter: &Filter) -> Option<Vec<(&str, &Value)>> {
    match filter {
        Filter::Compare(path, Operator::Eq, value)
            if path.schema.is_none() && path.sub.is_none() =>
        {
            Some(vec![(path.name.as_str(), value)])
        }
        Filter::And(arms) => {
            let arms: Option<Vec<_>> = arms.iter().map(terms).collect();
            Some(arms?.into_iter().flatten().collect())
        }
        Filter::Compare(..)
        | Filter::Or(_)
        | Filter::Not(_)
        | Filter::Present(_)
        | Filter::Element(..) => None,
    }
}

/// Equal, in letters' case only where it counts.
fn same(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) if !attribute.case_exact => {
            loose(one) == loose(other)
        }
        (one, other) => one == other,
    }
}
