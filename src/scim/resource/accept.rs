//! The body of a POST or PUT to a resource in our spelling.

use serde_json::{Map, Value};

use crate::scim::patch::{
    self, MemberChange, PatchError, Verb, check_required, split_members, spread,
};
use crate::scim::schema::{Attribute, GROUP, Kind, ResourceType, Schema};
use crate::scim::{ScimError, ScimType};

const MEMBERS: &str = "members";

/// Reads a whole resource: names and URNs spelt as the schemas do, values of the attributes' types, `primary` at
/// most once. Left out are read-only attributes (`id`, `meta`, `groups`), unknown ones, and empty ones. The same
/// dialects as in a PATCH are understood. `members` of a group are a list of ids, for [`accept_members`].
///
/// # Errors
///
/// `invalidSyntax` for what is no object, `invalidValue` for other types, too many values, and required
/// attributes that are missing or blank. Formats are not checked.
pub fn accept(body: Value, kind: &ResourceType) -> Result<Map<String, Value>, ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::of(
            ScimType::InvalidSyntax,
            "a resource is a JSON object",
        ));
    };
    let mut operations = spread(kind, None, Verb::Replace, &body)?;
    let mut members = Vec::new();
    if kind.core.id == GROUP {
        (operations, members) = split_members(operations)?;
    }
    let mut resource = Map::new();
    patch::change(&mut resource, kind, &operations)?;
    check_required(&resource, kind, &[])?;
    if !members.is_empty() {
        let ids = members.into_iter().flat_map(|change| match change {
            MemberChange::Replace(ids) | MemberChange::Add(ids) => ids,
            MemberChange::Remove(_) => Vec::new(),
        });
        let ids = ids.map(Value::String).collect();
        resource.insert(MEMBERS.to_owned(), Value::Array(ids));
    }
    Ok(resource)
}

/// Takes the ids of the members out of what [`accept`] gave; none when the client named no members at all.
pub fn accept_members(resource: &mut Map<String, Value>) -> Option<Vec<String>> {
    let Value::Array(ids) = resource.remove(MEMBERS)? else {
        return None;
    };
    let id = |id| match id {
        Value::String(id) => Some(id),
        _ => None,
    };
    Some(ids.into_iter().filter_map(id).collect())
}

/// RFC 7644 3.5.1: a PUT may not change what is immutable. What it leaves out stays as it was.
///
/// # Errors
///
/// `mutability`, naming the attribute.
pub fn check_immutable(
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    kind: &ResourceType,
) -> Result<(), ScimError> {
    for attribute in kind.attributes() {
        keep(attribute, "", old, new)?;
    }
    for schema in &kind.extensions {
        let Some(Value::Object(old)) = old.get(&schema.id) else {
            continue;
        };
        let mut home = match new.remove(&schema.id) {
            Some(Value::Object(home)) => home,
            _ => Map::new(),
        };
        for attribute in &schema.attributes {
            keep(attribute, &at(schema), old, &mut home)?;
        }
        if !home.is_empty() {
            new.insert(schema.id.clone(), Value::Object(home));
        }
    }
    Ok(())
}

fn at(schema: &Schema) -> String {
    format!("{}:", schema.id)
}

fn keep(
    attribute: &Attribute,
    before: &str,
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
) -> Result<(), PatchError> {
    let name = &attribute.name;
    let Some(old) = old.get(name) else {
        return Ok(());
    };
    match new.get(name) {
        Some(value) => {
            patch::check_immutable(
                attribute,
                &format!("{before}{name}"),
                Some(old),
                Some(value),
            )?;
        }
        None if patch::check_immutable(attribute, name, Some(old), None).is_err() => {
            new.insert(name.clone(), old.clone());
        }
        None => {}
    }
    // Elements of a list are new values; a single one keeps its immutable parts.
    if let (Kind::Complex(parts), false, Value::Object(old), Some(Value::Object(new))) = (
        &attribute.kind,
        attribute.multi_valued,
        old,
        new.get_mut(name),
    ) {
        for part in parts {
            keep(part, &format!("{before}{name}."), old, new)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
