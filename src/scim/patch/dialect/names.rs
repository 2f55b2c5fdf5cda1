//! Names: of operations, attributes and schemas.

use serde_json::{Map, Value};

use crate::scim::patch::Verb;
use crate::scim::schema::Attribute;

/// `Add`, `Replace`, `Remove`.
///
/// Entra without `aadOptscim062020` (its compatibility page, 2025-04: not fixed for existing jobs):
/// `{"op": "Replace", "path": "active", "value": "False"}`.
pub(in crate::scim) fn verb(text: &str) -> Option<Verb> {
    match text.trim().to_ascii_lowercase().as_str() {
        "add" => Some(Verb::Add),
        "replace" => Some(Verb::Replace),
        "remove" => Some(Verb::Remove),
        _ => None,
    }
}

/// A member of the request itself, in any case of letters.
///
/// Postman collection of Microsoft's reference code (2019): `{"operations": [{"OP": "Replace", "Path": …}]}`.
pub(in crate::scim) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let same =
            |(key, value): (&String, &'a Value)| key.eq_ignore_ascii_case(name).then_some(value);
        object.iter().find_map(same)
    })
}

/// A path that is there. Some serialisers write `"path": ""` or `"path": null` where there is none
/// (SCIMReferenceCode, 2020).
pub(in crate::scim) fn not_empty(path: Option<&Value>) -> Option<&Value> {
    path.filter(|path| match path {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    })
}

/// What stands behind this URN: nothing when the text is the URN itself, else the attribute.
///
/// A colon parts them (RFC 7644 3.10). Entra's jobs from before December 2018 (`customappsso`) write a dot:
/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department`.
pub(in crate::scim) fn behind_urn<'a>(text: &'a str, urn: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(urn.len())?;
    if !start.eq_ignore_ascii_case(urn) {
        return None;
    }
    match rest {
        "" => Some(rest),
        rest => rest
            .strip_prefix([':', '.'])
            .filter(|rest| !rest.is_empty()),
    }
}

/// The sub-attribute that is meant by a name that the schema does not have.
///
/// Entra, `AppRoleAssignmentsComplex` (2026-09): `roles: [{"value": "…", "displayName": "Admin"}]`.
/// OneLogin's template for Keepnet (2024): `"manager": {"managerId": "99"}`.
pub(in crate::scim) fn sub_alias<'a>(attribute: &Attribute, name: &'a str) -> Option<&'a str> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match attribute.name.as_str() {
        "roles" | "entitlements" if is("displayName") => Some("display"),
        "manager" if is("managerId") => Some("value"),
        _ => None,
    }
}

/// Whether it is `.value` of what has no sub-attributes, and so means the attribute itself.
///
/// Entra, mappings to a list of texts (2024): `folders[value eq "F1"].value`, `folders.value`.
pub(in crate::scim) fn is_value(sub: &str) -> bool {
    sub.eq_ignore_ascii_case("value")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::ENTERPRISE;

    #[test]
    fn operations_in_any_case() {
        for (text, want) in [
            ("Add", Some(Verb::Add)),
            ("replace", Some(Verb::Replace)),
            (" REMOVE ", Some(Verb::Remove)),
            ("move", None),
            ("", None),
        ] {
            assert_eq!(verb(text), want, "{text}");
        }
        let body = json!({"operations": 1, "OP": 2});
        let body = body.as_object().unwrap();
        assert_eq!(member(body, "Operations"), Some(&json!(1)));
        assert_eq!(member(body, "op"), Some(&json!(2)));
        assert_eq!(member(body, "path"), None);
    }

    #[test]
    fn paths_that_are_there() {
        for (path, there) in [
            (json!(null), false),
            (json!(" "), false),
            (json!("a"), true),
            (json!(1), true),
        ] {
            assert_eq!(not_empty(Some(&path)).is_some(), there, "{path}");
        }
    }

    #[test]
    fn what_stands_behind_an_urn() {
        let lower = ENTERPRISE.to_lowercase();
        for (text, want) in [
            (ENTERPRISE.to_owned(), Some("")),
            (format!("{ENTERPRISE}:manager.value"), Some("manager.value")),
            (format!("{ENTERPRISE}.department"), Some("department")),
            (format!("{lower}:COSTCENTER"), Some("COSTCENTER")),
            (format!("{ENTERPRISE}:"), None),
            (format!("{ENTERPRISE}s"), None),
            ("department".to_owned(), None),
        ] {
            assert_eq!(behind_urn(&text, ENTERPRISE), want, "{text}");
        }
    }
}
