//! A PATCH request to typed operations (RFC 7644 3.5.2).

use serde_json::{Map, Value};

use super::error::{PatchError, described};
use super::place::{Place, resolve};
use super::select::check_filter;
use super::spread::{attributes, read_only, spread, whole};
use super::{MAX_OPERATIONS, Operation, Target, Verb, dialect, members, typed};
use crate::scim::ScimError;
use crate::scim::schema::{Attribute, Kind, ResourceType};

/// Reads a PATCH request: paths in the schemas' spelling, values of the attributes' types, dialects resolved.
/// `schemas` may be missing; what no schema knows is left out.
///
/// # Errors
///
/// `invalidSyntax` for what is no list of operations, `invalidPath`, `invalidValue`, `noTarget` for `remove`
/// without a path, `mutability` for a path to what is read-only, 413 for more than [`MAX_OPERATIONS`]. Each
/// names the operation, counted from 1, the attribute and the reason.
pub fn parse(body: &Value, kind: &ResourceType) -> Result<Vec<Operation>, ScimError> {
    Ok(operations(body, kind)?)
}

pub(super) fn operations(body: &Value, kind: &ResourceType) -> Result<Vec<Operation>, PatchError> {
    let list = body
        .as_object()
        .and_then(|body| dialect::member(body, "Operations"))
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty())
        .ok_or(PatchError::NoOperations)?;
    if list.len() > MAX_OPERATIONS {
        return Err(PatchError::ManyOperations(list.len()));
    }
    let mut all = Vec::with_capacity(list.len());
    for (index, operation) in list.iter().enumerate() {
        let read = one(kind, operation).map_err(|error| error.within(index))?;
        all.extend(read);
        // A path-less operation is one for each of its keys.
        if all.len() > MAX_OPERATIONS.saturating_mul(10) {
            return Err(PatchError::ManyOperations(all.len()));
        }
    }
    Ok(all)
}

fn one(kind: &ResourceType, operation: &Value) -> Result<Vec<Operation>, PatchError> {
    let operation = operation.as_object().ok_or(PatchError::NoOperation)?;
    let verb = match dialect::member(operation, "op") {
        None => return Err(PatchError::Verb("missing".to_owned())),
        Some(Value::String(text)) => dialect::verb(text),
        Some(_) => None,
    };
    let verb = verb.ok_or_else(|| {
        PatchError::Verb(dialect::member(operation, "op").map_or_else(String::new, described))
    })?;
    let value = dialect::member(operation, "value");
    match dialect::not_empty(dialect::member(operation, "path")) {
        Some(Value::String(path)) => {
            let (target, place) = resolve(kind, None, path)?;
            at_path(kind, verb, target, place, value)
        }
        Some(path) => Err(PatchError::wrong("path", path, "a text")),
        None if verb == Verb::Remove => Err(PatchError::NoPath),
        None => {
            let value = value.ok_or_else(|| PatchError::NoValue("operation".to_owned()))?;
            match attributes(value) {
                Some(object) => spread(kind, None, verb, object),
                None => Err(PatchError::NoAttributes(described(value))),
            }
        }
    }
}

pub(super) fn at_path(
    kind: &ResourceType,
    verb: Verb,
    target: Target,
    place: Place<'_>,
    value: Option<&Value>,
) -> Result<Vec<Operation>, PatchError> {
    match place {
        Place::Unknown => Ok(Vec::new()),
        Place::Whole(schema) => whole(kind, verb, schema, value),
        Place::Open(_) => Ok(vec![open(verb, target, value)?]),
        // The schemas of a resource follow from its attributes; who names one beforehand means no harm.
        Place::Attribute { attribute, .. } if attribute.name == "schemas" => Ok(Vec::new()),
        Place::Attribute {
            schema,
            attribute,
            part,
        } => {
            if read_only(attribute, part) {
                return Err(PatchError::ReadOnly(target.to_string()));
            }
            if members::are(kind, &target) {
                return Ok(vec![members::read(verb, target, part, value)?]);
            }
            check_filter(kind, schema, attribute, &target)?;
            Ok(vec![change(verb, target, attribute, part, value)?])
        }
    }
}

fn change(
    verb: Verb,
    target: Target,
    attribute: &Attribute,
    part: Option<&Attribute>,
    value: Option<&Value>,
) -> Result<Operation, PatchError> {
    let at = target.to_string();
    if verb == Verb::Remove {
        return removal(
            target,
            attribute,
            part,
            value.filter(|value| !value.is_null()),
        );
    }
    let value = value.ok_or_else(|| PatchError::NoValue(at.clone()))?;
    let value = match part {
        Some(part) => typed::read(part, &at, value)?,
        None if target.filter.is_some() => typed::element(attribute, &at, value)?,
        None => typed::read(attribute, &at, value)?,
    };
    Ok(match verb {
        Verb::Add => Operation::Add(target, value),
        Verb::Replace | Verb::Remove => Operation::Replace(target, value),
    })
}

/// RFC 7644 3.5.2.2 knows no value here. Entra, JumpCloud and authentik list what is to go: nothing else does.
fn removal(
    mut target: Target,
    attribute: &Attribute,
    part: Option<&Attribute>,
    value: Option<&Value>,
) -> Result<Operation, PatchError> {
    let Some(value) = value.filter(|_| attribute.multi_valued && target.filter.is_none()) else {
        return Ok(Operation::Remove(target, None));
    };
    let at = target.to_string();
    let values = match part {
        None => typed::list(attribute, &at, value)?,
        Some(part) => {
            target.path.sub = None;
            let many = Attribute {
                multi_valued: true,
                ..part.clone()
            };
            let values = typed::list(&many, &at, value)?;
            let element = |value| Value::Object(Map::from_iter([(part.name.clone(), value)]));
            values.into_iter().map(element).collect()
        }
    };
    Ok(Operation::Remove(target, Some(values)))
}

fn open(verb: Verb, target: Target, value: Option<&Value>) -> Result<Operation, PatchError> {
    let at = target.to_string();
    let value = value.map(|value| dialect::one_of_one(&Kind::String, value));
    let value = match (verb, value) {
        (Verb::Remove, _) => return Ok(Operation::Remove(target, None)),
        (Verb::Add | Verb::Replace, None) => return Err(PatchError::NoValue(at)),
        (Verb::Add | Verb::Replace, Some(value)) if dialect::is_cleared(value) => Value::Null,
        (Verb::Add | Verb::Replace, Some(value)) => {
            let text = dialect::open_text(value).filter(|text| !text.contains('\0'));
            let text = text.ok_or_else(|| PatchError::wrong(&at, value, "a text"))?;
            Value::String(text.into_owned())
        }
    };
    Ok(Operation::Replace(target, value))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
