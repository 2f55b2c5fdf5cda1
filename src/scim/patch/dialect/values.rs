//! Values: what is written in another way than its type wants.

use std::borrow::Cow;

use serde_json::Value;

use crate::scim::read::read_body;
use crate::scim::schema::{Attribute, Kind};

/// Whether a value takes the attribute away.
///
/// RFC 7643 2.5: null and the empty array are "unassigned". Entra's gallery validation, "null update"
/// (2026-08), clears every optional attribute by `""` too, and wants it back empty or not at all.
pub(in crate::scim) fn is_cleared(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// `"True"`, `"False"`, in any case.
///
/// Entra without the flag (2025-04) and Onplana's `Switch([IsSoftDeleted], , "False", "True", …)` (2026):
/// `{"op": "Replace", "path": "active", "value": "False"}`, `"roles": [{"primary": "True", …}]`.
/// OneLogin's macros (2024): `"active": "true"`.
pub(in crate::scim) use crate::scim::value::flag as boolean;

/// A number, or one in a text.
///
/// Entra (its attributes are texts, 2026-09): `{"op": "Replace", "path": "urn:…:seats", "value": "7"}`.
pub(in crate::scim) use crate::scim::value::number;

/// What is inside of a list of one, where one value is wanted, and of `{"value": …}`, where it has no parts.
///
/// Entra's jobs from before December 2018 (`customappsso`, `OperationValue` of the reference code):
/// `{"op": "Replace", "path": "displayName", "value": [{"$ref": null, "value": "Ada"}]}`. Entra, 2026-09:
/// `{"op": "Add", "path": "manager", "value": [{"$ref": "…", "value": "…"}]}`, and for lists of texts
/// `{"op": "Add", "path": "urn:…:folders", "value": [{"value": "F3"}]}`.
pub(in crate::scim) fn one_of_one<'a>(kind: &Kind, value: &'a Value) -> &'a Value {
    let value = match value {
        Value::Array(values) => match values.as_slice() {
            [only] => only,
            _ => value,
        },
        _ => value,
    };
    match (kind, value) {
        (Kind::Complex(_), _) => value,
        (_, Value::Object(object)) => super::member(object, "value").unwrap_or(value),
        _ => value,
    }
}

/// Whether a text stands for an object with this `value`.
///
/// Entra's manager (validation suites, 2026-08): `{"op": "Add", "path": "urn:…:User:manager", "value": "<id>"}`,
/// and in a POST `"manager": "<id>"`. Roles by a plain mapping: `{"op": "Add", "path": "roles", "value": "Admin"}`.
/// `members: "<id>"` is Microsoft's Postman collection's (2019).
pub(in crate::scim) fn from_text(attribute: &Attribute) -> bool {
    matches!(
        attribute.name.as_str(),
        "manager" | "roles" | "entitlements" | "members"
    )
}

/// An object that came as JSON in a text.
///
/// Entra, `AppRoleAssignmentsComplex` without the flag (2026-09):
/// `{"op": "Add", "path": "roles", "value": [{"value": "{\"id\":\"…\",\"value\":\"25\",\"displayName\":\"R\"}"}]}`.
pub(in crate::scim) fn unpacked<'a>(attribute: &Attribute, value: &'a Value) -> Cow<'a, Value> {
    if !matches!(attribute.name.as_str(), "roles" | "entitlements") {
        return Cow::Borrowed(value);
    }
    let text = match value {
        Value::String(text) => Some(text),
        Value::Object(object) => match super::member(object, "value") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let packed = text.filter(|text| text.trim_start().starts_with('{'));
    match packed.and_then(|text| read_body(text.as_bytes()).ok()) {
        Some(inner) => Cow::Owned(inner),
        None => Cow::Borrowed(value),
    }
}

/// The text that an open extension keeps; none for what is none.
///
/// Entra's custom mappings of any source type (seed of this product, 2026): `"urn:…:Metadata": {"CostCode": 77}`.
pub(in crate::scim) fn open_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(Cow::Owned(value.to_string())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
