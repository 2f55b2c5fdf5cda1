//! One value as its attribute's type wants it (RFC 7643 2.3): names spelt as the schema does, read-only and
//! unknown parts left out.
//!
//! Refuses other types. Formats are not looked at: values are kept exactly as they came.

use serde_json::{Map, Value};

use super::error::PatchError;
use super::{MAX_VALUES, dialect};
use crate::scim::schema::{Attribute, Kind, Mutability};

/// Reads what came for this attribute; null: it is taken away. `at` is its path, for the detail.
///
/// Parts of a complex value that are to be taken away are null; elements of a list have none such.
pub(in crate::scim) fn read(
    attribute: &Attribute,
    at: &str,
    value: &Value,
) -> Result<Value, PatchError> {
    if attribute.multi_valued {
        let values = list(attribute, at, value)?;
        return Ok(match values.is_empty() {
            true => Value::Null,
            false => Value::Array(values),
        });
    }
    let value = dialect::one_of_one(&attribute.kind, value);
    if dialect::is_cleared(value) {
        return Ok(Value::Null);
    }
    one(attribute, at, value)
}

/// The elements of what came for a multi-valued attribute: one alone is a list of one, equal ones count once.
pub(super) fn list(
    attribute: &Attribute,
    at: &str,
    value: &Value,
) -> Result<Vec<Value>, PatchError> {
    let values = match value {
        _ if dialect::is_cleared(value) => &[],
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    if values.len() > MAX_VALUES {
        return Err(PatchError::ManyValues(at.to_owned()));
    }
    let mut list = Vec::with_capacity(values.len());
    for value in values {
        let value = element(attribute, at, value)?;
        if !value.is_null() && !list.contains(&value) {
            list.push(value);
        }
    }
    Ok(list)
}

/// One element of a multi-valued attribute, without what is empty; null: nothing is left of it.
pub(super) fn element(attribute: &Attribute, at: &str, value: &Value) -> Result<Value, PatchError> {
    let value = dialect::one_of_one(&attribute.kind, value);
    if dialect::is_cleared(value) {
        return Ok(Value::Null);
    }
    match one(attribute, at, value)? {
        Value::Object(mut parts) => {
            parts.retain(|_, part| !part.is_null());
            Ok(match parts.is_empty() {
                true => Value::Null,
                false => Value::Object(parts),
            })
        }
        value => Ok(value),
    }
}

fn one(attribute: &Attribute, at: &str, value: &Value) -> Result<Value, PatchError> {
    let wrong = |wanted| PatchError::wrong(at, value, wanted);
    match &attribute.kind {
        Kind::Boolean => dialect::boolean(value)
            .map(Value::Bool)
            .ok_or_else(|| wrong("true or false")),
        Kind::Integer => dialect::number(value)
            .filter(|number| number.is_i64() || number.is_u64())
            .map(Value::Number)
            .ok_or_else(|| wrong("a number without fraction")),
        Kind::Decimal => dialect::number(value)
            .map(Value::Number)
            .ok_or_else(|| wrong("a number")),
        Kind::String | Kind::DateTime | Kind::Binary | Kind::Reference(_) => match value {
            Value::String(text) if text.contains('\0') => Err(wrong("a text without NUL")),
            Value::String(text) => Ok(Value::String(text.clone())),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Err(wrong("a text")),
        },
        Kind::Complex(parts) => {
            let value = dialect::unpacked(attribute, value);
            complex(attribute, parts, at, &value).map(Value::Object)
        }
    }
}

fn complex(
    attribute: &Attribute,
    parts: &[Attribute],
    at: &str,
    value: &Value,
) -> Result<Map<String, Value>, PatchError> {
    let mut read_parts = Map::new();
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let Some((part, alias)) = part_of(attribute, parts, name) else {
                    continue;
                };
                // RFC 7644 3.3: what is read-only is passed over in an object.
                let known = alias && read_parts.contains_key(&part.name);
                if part.mutability != Mutability::ReadOnly && !known {
                    let at = format!("{at}.{}", part.name);
                    read_parts.insert(part.name.clone(), read(part, &at, value)?);
                }
            }
            Ok(read_parts)
        }
        Value::String(_) if dialect::from_text(attribute) => {
            match part_of(attribute, parts, "value") {
                Some((part, _)) => {
                    read_parts.insert(part.name.clone(), read(part, at, value)?);
                    Ok(read_parts)
                }
                None => Err(PatchError::wrong(at, value, "an object")),
            }
        }
        value => Err(PatchError::wrong(at, value, "an object")),
    }
}

/// The sub-attribute of this name, and whether it was meant by another.
pub(super) fn part_of<'a>(
    attribute: &Attribute,
    parts: &'a [Attribute],
    name: &str,
) -> Option<(&'a Attribute, bool)> {
    let find = |name: &str| {
        parts
            .iter()
            .find(|part| part.name.eq_ignore_ascii_case(name))
    };
    match find(name) {
        Some(part) => Some((part, false)),
        None => find(dialect::sub_alias(attribute, name)?).map(|part| (part, true)),
    }
}
