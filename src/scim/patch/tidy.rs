//! What operations leave behind that holds nothing.

use serde_json::{Map, Value};

use crate::scim::schema::{Attribute, ResourceType};

/// Drops what holds nothing: elements of which only `type` and `primary` are left, equal elements, empty lists.
pub(super) fn tidy(resource: &mut Map<String, Value>, kind: &ResourceType) {
    for attribute in kind.attributes() {
        tidy_attribute(resource, attribute);
    }
    for schema in &kind.extensions {
        if let Some(Value::Object(home)) = resource.get_mut(&schema.id) {
            for attribute in &schema.attributes {
                tidy_attribute(home, attribute);
            }
            if home.is_empty() {
                resource.remove(&schema.id);
            }
        }
    }
}

fn tidy_attribute(home: &mut Map<String, Value>, attribute: &Attribute) {
    let Some(value) = home.get_mut(&attribute.name) else {
        return;
    };
    let label = |name: &String| name == "type" || name == "primary";
    let empty = match value {
        Value::Array(values) => {
            let shell = |value: &Value| match value {
                Value::Object(parts) => parts.keys().all(label),
                Value::Null => true,
                _ => false,
            };
            let mut kept: Vec<Value> = Vec::with_capacity(values.len());
            for value in values.drain(..) {
                if !shell(&value) && !kept.contains(&value) {
                    kept.push(value);
                }
            }
            *values = kept;
            values.is_empty()
        }
        Value::Object(parts) => parts.is_empty(),
        value => value.is_null(),
    };
    if empty {
        home.remove(&attribute.name);
    }
}
