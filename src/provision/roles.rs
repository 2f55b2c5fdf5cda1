//! Roles: from an attribute of the record, from groups, else the default; only those that exist.

use serde_json::{Map, Value};

use crate::config::Roles;
use crate::identity::{Role, User};

/// How a tenant's people get their roles.
#[derive(Debug)]
pub(super) struct RoleRule {
    attribute: Attribute,
    settings: Roles,
}

/// `attribute`, `attribute.sub`, `attribute[primary eq true].sub`, each also behind an extension's URN.
#[derive(Debug, PartialEq, Eq)]
struct Attribute {
    schema: Option<String>,
    name: String,
    primary: bool,
    sub: String,
}

impl RoleRule {
    pub(super) fn new(settings: &Roles) -> Self {
        Self {
            attribute: Attribute::read(&settings.attribute),
            settings: settings.clone(),
        }
    }

    /// In the order of the record, then of the settings; each once.
    pub(super) fn roles(&self, user: &User, groups: &[String]) -> Vec<Role> {
        let Roles {
            allowed,
            default,
            groups: mapped,
            ..
        } = &self.settings;
        let given = self.attribute.values(user);
        let by_group = mapped
            .iter()
            .filter(|(group, _)| groups.contains(group))
            .map(|(_, role)| role.clone());
        let mut roles = Vec::new();
        for role in given.into_iter().chain(by_group) {
            let exists = allowed.is_empty() || allowed.contains(&role);
            if exists && !roles.contains(&Role(role.clone())) {
                roles.push(Role(role));
            }
        }
        if roles.is_empty() {
            roles.extend(default.iter().cloned().map(Role));
        }
        roles
    }
}

impl Attribute {
    fn read(path: &str) -> Self {
        // An URN holds dots (`:2.0:`); the attribute stands behind its last colon.
        let (schema, path) = match path.rsplit_once(':') {
            Some((schema, path)) if !schema.ends_with("schemas:core:2.0:User") => {
                (Some(schema.to_owned()), path)
            }
            Some((_, path)) => (None, path),
            None => (None, path),
        };
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
        }
    }

    fn values(&self, user: &User) -> Vec<String> {
        let value = match &self.schema {
            Some(schema) => member(&user.attributes, schema)
                .and_then(Value::as_object)
                .and_then(|extension| member(extension, &self.name)),
            None => member(&user.attributes, &self.name),
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
