//! The attribute of a record that a setting names.

use serde_json::{Map, Value, json};

/// `attribute`, `attribute.sub`, `attribute[primary eq true].sub`, each also behind an extension's URN.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    schema: Option<String>,
    name: String,
    primary: bool,
    sub: String,
    /// No sub-attribute is named: a text by itself.
    plain: bool,
}

impl Attribute {
    pub(super) fn read(path: &str) -> Self {
        // An URN holds dots (`:2.0:`); the attribute stands behind its last colon.
        let (schema, path) = match path.rsplit_once(':') {
            Some((schema, path)) if !schema.ends_with("schemas:core:2.0:User") => {
                (Some(schema.to_owned()), path)
            }
            Some((_, path)) => (None, path),
            None => (None, path),
        };
        let plain = !path.contains('.');
        let (name, sub) = path.split_once('.').unwrap_or((path, "value"));
        let (name, filter) = name.split_once('[').unwrap_or((name, ""));
        Self {
            schema,
            name: name.trim().to_owned(),
            primary: filter
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("primary "),
            sub: sub.trim().to_owned(),
            plain,
        }
    }

    /// Puts this one value where none is.
    pub(super) fn set(&self, attributes: &mut Map<String, Value>, value: &str) {
        let within = match &self.schema {
            Some(schema) => {
                let key = spelling(attributes, schema);
                let extension = attributes.entry(key).or_insert_with(|| json!({}));
                let Some(extension) = extension.as_object_mut() else {
                    return;
                };
                extension
            }
            None => attributes,
        };
        let key = spelling(within, &self.name);
        let place = within.entry(key).or_insert(Value::Null);
        let value = match (self.plain, self.primary) {
            (true, false) => Value::from(value),
            (_, true) => json!({ (self.sub.as_str()): value, "primary": true }),
            (false, false) => json!({ (self.sub.as_str()): value }),
        };
        match (place, value) {
            (Value::Array(items), value) => items.push(value),
            (Value::Object(fields), Value::Object(value)) if !self.primary => fields.extend(value),
            (place, value) if self.primary => *place = Value::Array(vec![value]),
            (place, value) => *place = value,
        }
    }

    pub(super) fn values(&self, attributes: &Map<String, Value>) -> Vec<String> {
        let value = match &self.schema {
            Some(schema) => member(attributes, schema)
                .and_then(Value::as_object)
                .and_then(|extension| member(extension, &self.name)),
            None => member(attributes, &self.name),
        };
        let items = match value {
            Some(Value::Array(items)) => items.as_slice(),
            Some(item) => std::slice::from_ref(item),
            None => &[],
        };
        items.iter().filter_map(|item| self.value(item)).collect()
    }

    fn value(&self, item: &Value) -> Option<String> {
        let text = match item {
            Value::Object(fields) if !self.primary || is_primary(fields) => {
                member(fields, &self.sub)?.as_str()
            }
            Value::String(text) if !self.primary => Some(text.as_str()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        };
        let text = text?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Entra sends `"primary": "True"` as a text.
fn is_primary(fields: &Map<String, Value>) -> bool {
    member(fields, "primary").is_some_and(|primary| match primary.as_str() {
        Some(text) => text.eq_ignore_ascii_case("true"),
        None => primary.as_bool() == Some(true),
    })
}

/// Attribute names are not case-sensitive (RFC 7643 2.1).
fn member<'o>(object: &'o Map<String, Value>, name: &str) -> Option<&'o Value> {
    let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
    object
        .get(name)
        .or_else(|| object.iter().find(same).map(|(_, value)| value))
}

/// The name as the object spells it already.
fn spelling(object: &Map<String, Value>, name: &str) -> String {
    let same = object.keys().find(|key| key.eq_ignore_ascii_case(name));
    same.cloned().unwrap_or_else(|| name.to_owned())
}
