//! Operations on a resource (RFC 7644 3.5.2.1 to 3.5.2.3): all of them, or none.

use serde_json::{Map, Value};

use super::elements::Elements;
use super::error::PatchError;
use super::place::Place;
use super::single::single;
use super::tidy::tidy;
use super::{MAX_VALUES, Operation, members};
use crate::scim::ScimError;
use crate::scim::schema::{ResourceType, Schema};

/// Does these operations in order. The resource is in the shape that SCIM answers, names spelt as the schemas do;
/// `members` of a group are not in it, and operations on them change nothing here.
///
/// # Errors
///
/// `noTarget`, `mutability` (immutable attributes, and required ones that were removed), `invalidValue`
/// (required ones that became empty, too many values). Nothing has changed then.
pub fn apply(
    resource: &mut Map<String, Value>,
    kind: &ResourceType,
    operations: &[Operation],
) -> Result<(), ScimError> {
    let mut copy = resource.clone();
    change(&mut copy, kind, operations)?;
    check_required(&copy, kind, operations)?;
    *resource = copy;
    Ok(())
}

/// As [`apply`], but not atomic, and whatever is required may be missing.
pub(in crate::scim) fn change(
    resource: &mut Map<String, Value>,
    kind: &ResourceType,
    operations: &[Operation],
) -> Result<(), PatchError> {
    for operation in operations {
        step(resource, kind, operation)?;
    }
    tidy(resource, kind);
    Ok(())
}

/// Refuses a resource without what is required (RFC 7643 4.1.1: `userName` is not empty).
pub(in crate::scim) fn check_required(
    resource: &Map<String, Value>,
    kind: &ResourceType,
    operations: &[Operation],
) -> Result<(), PatchError> {
    let required = kind.attributes().filter(|attribute| attribute.required);
    for attribute in required {
        let there = match resource.get(&attribute.name) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(_) => true,
        };
        let removes = |operation: &Operation| match operation {
            Operation::Remove(target, _) => {
                target.path.schema.is_none() && target.path.name == attribute.name
            }
            Operation::Add(..) | Operation::Replace(..) => false,
        };
        if !there {
            let name = attribute.name.clone();
            return Err(match operations.iter().any(removes) {
                true => PatchError::Removed(name),
                false => PatchError::Required(name),
            });
        }
    }
    Ok(())
}

fn step(
    resource: &mut Map<String, Value>,
    kind: &ResourceType,
    operation: &Operation,
) -> Result<(), PatchError> {
    let (Operation::Add(target, _) | Operation::Replace(target, _) | Operation::Remove(target, _)) =
        operation;
    if members::are(kind, target) {
        return Ok(());
    }
    match Place::of(kind, &target.path) {
        Place::Unknown => Ok(()),
        Place::Whole(schema) => {
            if matches!(operation, Operation::Remove(..)) {
                resource.remove(&schema.id);
            }
            Ok(())
        }
        Place::Open(schema) => at_home(resource, Some(schema), |home| {
            open(home, &target.path.name, operation)
                .ok_or_else(|| PatchError::ManyValues(schema.id.clone()))
        }),
        Place::Attribute {
            schema,
            attribute,
            part,
        } => at_home(resource, schema, |home| {
            if attribute.multi_valued {
                let elements = Elements {
                    kind,
                    schema,
                    attribute,
                    target,
                };
                return elements.change(home, part, operation);
            }
            let value = match operation {
                Operation::Add(_, value) | Operation::Replace(_, value) => value,
                Operation::Remove(..) => &Value::Null,
            };
            single(home, attribute, part, value)
        }),
    }
}

/// In the resource itself, or in the object of an extension, which is there only while it holds something.
fn at_home(
    resource: &mut Map<String, Value>,
    schema: Option<&Schema>,
    work: impl FnOnce(&mut Map<String, Value>) -> Result<(), PatchError>,
) -> Result<(), PatchError> {
    let Some(schema) = schema else {
        return work(resource);
    };
    let mut home = match resource.remove(&schema.id) {
        Some(Value::Object(home)) => home,
        _ => Map::new(),
    };
    work(&mut home)?;
    if !home.is_empty() {
        resource.insert(schema.id.clone(), Value::Object(home));
    }
    Ok(())
}

/// A key of an open extension, whose first spelling stays; none when there would be too many.
fn open(home: &mut Map<String, Value>, key: &str, operation: &Operation) -> Option<()> {
    let known = home.keys().find(|its| its.eq_ignore_ascii_case(key));
    let key = known.cloned().unwrap_or_else(|| key.to_owned());
    match operation {
        Operation::Add(_, Value::String(text)) | Operation::Replace(_, Value::String(text)) => {
            if home.len() >= MAX_VALUES && !home.contains_key(&key) {
                return None;
            }
            home.insert(key, Value::String(text.clone()));
        }
        Operation::Add(..) | Operation::Replace(..) | Operation::Remove(..) => {
            home.remove(&key);
        }
    }
    Some(())
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
