//! An object of attributes as operations: the value without a path, a whole resource, an extension in either.

use serde_json::{Map, Value};

use super::error::PatchError;
use super::parse::at_path;
use super::place::{Place, resolve};
use super::{MAX_VALUES, Operation, Target, Verb, dialect};
use crate::scim::path::AttributePath;
use crate::scim::schema::{Attribute, Mutability, ResourceType, Schema};

/// An object, or the only one of a list.
pub(super) fn attributes(value: &Value) -> Option<&Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::Array(values) => match values.as_slice() {
            [Value::Object(object)] => Some(object),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// One operation for each attribute of an object, as it is the value of a path-less operation, a resource,
/// or an extension in one of them. What is read-only is left out (RFC 7644 3.3, 3.5.1).
pub(in crate::scim) fn spread(
    kind: &ResourceType,
    within: Option<&Schema>,
    verb: Verb,
    object: &Map<String, Value>,
) -> Result<Vec<Operation>, PatchError> {
    if object.len() > MAX_VALUES {
        let at = within.map_or("the object", |schema| &schema.id);
        return Err(PatchError::ManyValues(at.to_owned()));
    }
    let mut all = Vec::with_capacity(object.len());
    for (key, value) in object {
        let (target, place) = match resolve(kind, within, key) {
            Ok(found) => found,
            Err(error) if key.contains('[') => return Err(error),
            // No path at all: a name that no schema has.
            Err(_) => continue,
        };
        match place {
            Place::Unknown => {}
            Place::Whole(schema) => all.extend(whole(kind, verb, schema, Some(value))?),
            Place::Attribute {
                attribute, part, ..
            } if read_only(attribute, part) => {}
            Place::Attribute { .. } | Place::Open(_) => {
                all.extend(at_path(kind, verb, target, place, Some(value))?);
            }
        }
    }
    Ok(all)
}

/// Everything of a schema: a path that is its URN, or its object in a resource.
pub(super) fn whole(
    kind: &ResourceType,
    verb: Verb,
    schema: &Schema,
    value: Option<&Value>,
) -> Result<Vec<Operation>, PatchError> {
    let core = schema.id == kind.core.id;
    let all = Target {
        path: AttributePath::whole(schema.id.clone()),
        filter: None,
    };
    let object = value.and_then(attributes);
    match (verb, object, value) {
        (Verb::Remove, Some(object), _) => {
            let named = spread(kind, Some(schema), Verb::Replace, object)?;
            let remove = |operation| match operation {
                Operation::Add(target, _)
                | Operation::Replace(target, _)
                | Operation::Remove(target, _) => Operation::Remove(target, None),
            };
            Ok(named.into_iter().map(remove).collect())
        }
        (Verb::Remove, None, _) if core => Err(PatchError::NoPath),
        (Verb::Remove, None, _) => Ok(vec![Operation::Remove(all, None)]),
        (Verb::Add | Verb::Replace, Some(object), _) => spread(kind, Some(schema), verb, object),
        (Verb::Add | Verb::Replace, None, None) => Err(PatchError::NoValue(schema.id.clone())),
        (Verb::Add | Verb::Replace, None, Some(value)) => match dialect::is_cleared(value) {
            true if verb == Verb::Replace && !core => Ok(vec![Operation::Remove(all, None)]),
            true => Ok(Vec::new()),
            false => Err(PatchError::wrong(&schema.id, value, "an object")),
        },
    }
}

pub(super) fn read_only(attribute: &Attribute, part: Option<&Attribute>) -> bool {
    let is = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
    is(attribute) || part.is_some_and(is)
}
