//! Attributes with one value, and their parts.

use serde_json::{Map, Value};

use super::error::PatchError;
use crate::scim::schema::{Attribute, Kind, Mutability};

/// An attribute with one value, or a part of it; null takes it away.
pub(super) fn single(
    home: &mut Map<String, Value>,
    attribute: &Attribute,
    part: Option<&Attribute>,
    value: &Value,
) -> Result<(), PatchError> {
    let name = &attribute.name;
    let one_part;
    let new = match (part, value) {
        (None, Value::Object(parts)) => Some(parts),
        (None, _) => None,
        (Some(part), value) => {
            one_part = Map::from_iter([(part.name.clone(), value.clone())]);
            Some(&one_part)
        }
    };
    let (Kind::Complex(parts), Some(new)) = (&attribute.kind, new) else {
        check_immutable(attribute, name, home.get(name), Some(value))?;
        match value {
            Value::Null => home.remove(name),
            value => home.insert(name.clone(), value.clone()),
        };
        return Ok(());
    };
    let mut old = match home.remove(name) {
        Some(Value::Object(old)) => old,
        _ => Map::new(),
    };
    let before = (attribute.mutability == Mutability::Immutable).then(|| old.clone());
    merge(parts, name, &mut old, new)?;
    if let Some(before) = before.filter(|before| !before.is_empty() && *before != old) {
        drop(before);
        return Err(PatchError::Immutable(name.clone()));
    }
    if !old.is_empty() {
        home.insert(name.clone(), Value::Object(old));
    }
    Ok(())
}

/// RFC 7644 3.5.2.3: sub-attributes that are not named stay. Another `value` is another thing, such as another
/// manager: what belonged to the old one goes with it.
pub(super) fn merge(
    parts: &[Attribute],
    at: &str,
    old: &mut Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), PatchError> {
    for part in parts {
        if let Some(value) = new.get(&part.name) {
            check_immutable(
                part,
                &format!("{at}.{}", part.name),
                old.get(&part.name),
                Some(value),
            )?;
        }
    }
    if new
        .get("value")
        .is_some_and(|value| Some(value) != old.get("value"))
    {
        old.clear();
    }
    for (name, value) in new {
        match value {
            Value::Null => old.remove(name),
            value => old.insert(name.clone(), value.clone()),
        };
    }
    Ok(())
}

/// RFC 7643 7: once an immutable attribute has a value, it stays.
pub(in crate::scim) fn check_immutable(
    attribute: &Attribute,
    at: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Result<(), PatchError> {
    let set = attribute.mutability == Mutability::Immutable && old.is_some();
    match set && old != new {
        true => Err(PatchError::Immutable(at.to_owned())),
        false => Ok(()),
    }
}
