//! What tests of PATCH, POST and PUT share: schemas with extensions, and a change in one call.

use serde_json::{Value, json};

use super::{Operation, apply, parse};
use crate::config::Settings;
use crate::scim::ScimError;
use crate::scim::schema::{ENTERPRISE, Schemas};

/// URN of a closed extension with lists.
pub(in crate::scim) const FOLDERS: &str =
    "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName";
/// URN of an open extension.
pub(in crate::scim) const OPEN: &str = "urn:ietf:params:scim:schemas:extension:2.0:Metadata";

pub(in crate::scim) fn schemas() -> Schemas {
    let text = format!(
        r#"
        public_url = "https://app.test"
        upstream.url = "http://127.0.0.1:1"
        [scim]
        password = true
        [[scim.extension]]
        schema = "{FOLDERS}"
        [[scim.extension.attributes]]
        name = "folders"
        multi_valued = true
        [[scim.extension.attributes]]
        name = "seats"
        type = "integer"
        [[scim.extension.attributes]]
        name = "share"
        type = "decimal"
        [[scim.extension]]
        schema = "{OPEN}"
        open = true
        [local]
        enabled = true
        "#
    );
    Schemas::new(&Settings::parse(&text).expect("settings").scim)
}

/// A person whose attributes are all set.
pub(in crate::scim) fn ada() -> Value {
    json!({
        "userName": "ada",
        "externalId": "Ext-1",
        "active": true,
        "name": {"givenName": "Ada", "familyName": "Ray", "formatted": "Ada Ray"},
        "emails": [
            {"type": "work", "value": "a@work.test", "primary": true},
            {"type": "home", "value": "a@home.test"},
        ],
        ENTERPRISE: {"department": "R&D", "manager": {"value": "m1", "$ref": "https://app.test/m1"}},
        OPEN: {"CostCode": "77"},
    })
}

pub(in crate::scim) fn operations(operations: Value) -> Result<Vec<Operation>, ScimError> {
    parse(&json!({"Operations": operations}), &schemas().user)
}

/// The person after these operations.
pub(in crate::scim) fn changed(person: &Value, list: Value) -> Result<Value, ScimError> {
    let mut resource = person.as_object().cloned().unwrap_or_default();
    apply(&mut resource, &schemas().user, &operations(list)?)?;
    Ok(Value::Object(resource))
}

/// `person` with the members of `other` in place of its own; null takes one away.
pub(in crate::scim) fn with(mut person: Value, other: Value) -> Value {
    if let (Some(person), Value::Object(other)) = (person.as_object_mut(), other) {
        for (name, value) in other {
            match value {
                Value::Null => person.remove(&name),
                value => person.insert(name, value),
            };
        }
    }
    person
}

/// Each list of operations does this to the person, see [`with`].
pub(in crate::scim) fn check(
    person: &Value,
    cases: impl IntoIterator<Item = (&'static str, Value, Value)>,
) {
    for (name, list, want) in cases {
        let got = changed(person, list).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(got, with(person.clone(), want), "{name}");
    }
}

/// `scimType` (or the status), and the detail.
pub(in crate::scim) fn refusal(error: &ScimError) -> (&str, &str) {
    let kind = error
        .scim_type
        .map_or(error.status.as_str(), |kind| kind.as_str());
    (kind, &error.detail)
}
