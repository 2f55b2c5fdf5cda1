//! How attributes of SCIM and fields of the app correspond.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::Value;

use super::body::Body;
use super::operation::{Pointer, check_names, pointer, values};
use super::reading::Reading;
use super::template::is_attribute;
use crate::config::reader::Section;

/// When a field is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Always.
    Both,
    /// When the record is made.
    Create,
    /// When it is changed.
    Update,
}

/// One field of the app's record.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in `{fields}`; dots lead into objects.
    pub name: String,
    /// The attribute that it holds.
    pub attribute: Option<String>,
    /// Always this.
    pub constant: Option<Json>,
    /// What a new record gets when the attribute is not there.
    pub default: Option<Body>,
    /// What is sent in place of the bare value.
    pub write: Option<Body>,
    /// Where the app's record holds it; none for what is written only.
    pub read: Option<Pointer>,
    /// The app's value for a value of the attribute, both ways.
    pub map: BTreeMap<String, Json>,
    /// More values of the app for a value of the attribute; `*` is any other.
    pub map_read: BTreeMap<String, Vec<Json>>,
    /// When it is sent.
    pub only: Only,
    /// Never sent.
    pub read_only: bool,
    /// Sent in lower case, compared without case.
    pub lower: bool,
}

impl Field {
    /// All fields of a kind of record.
    pub(super) fn read_all(section: &mut Section, reading: &Reading<'_>) -> Vec<Self> {
        let Some(table) = section.take("fields", None) else {
            section.mistake("fields", "is required: what the app's record holds");
            return Vec::new();
        };
        let Value::Table(table) = table else {
            section.mistake("fields", "must be a table: app_field = \"scimAttribute\"");
            return Vec::new();
        };
        let mut fields = Vec::new();
        for (name, value) in table {
            let table = match value {
                Value::String(attribute) => [("scim".to_owned(), Value::String(attribute))]
                    .into_iter()
                    .collect(),
                Value::Table(table) => table,
                Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Array(_) => {
                    section.mistake(
                        "fields",
                        format!("{name} must be a SCIM attribute or a table"),
                    );
                    continue;
                }
            };
            let field = section.below("fields", &name, table);
            fields.push(Self::read(field, name, reading));
        }
        fields
    }

    fn read(mut section: Section, name: String, reading: &Reading<'_>) -> Self {
        let attribute = section.optional("scim");
        if let Some(attribute) = attribute.as_deref().filter(|name| !is_attribute(name)) {
            let known = super::template::ATTRIBUTES.join(", ");
            section.mistake(
                "scim",
                format!(
                    "{attribute:?} is not an attribute; there are {known}, and extensions by URN"
                ),
            );
        }
        let constant = section.take("const", None).and_then(|value| {
            super::body::json(&value)
                .map_err(|why| section.mistake("const", why))
                .ok()
        });
        if attribute.is_none() && constant.is_none() {
            section.mistake("scim", "is required, or const");
        }
        let default = template(&mut section, "default", reading, &["attributes", "random"]);
        let write = template(
            &mut section,
            "write",
            reading,
            &["value", "attributes", "random", "password"],
        );
        let keeps = write
            .as_ref()
            .is_none_or(|body| body.names().iter().any(|name| name.to_string() == "value"));
        let at = format!("/{}", name.replace('.', "/"));
        let read = pointer(&mut section, "read", &at);
        let map_read = values(&mut section, "map_read").into_iter();
        let map_read = map_read.map(|(word, value)| {
            let several = value.as_array().cloned();
            (word, several.unwrap_or_else(|| vec![value]))
        });
        let words = [
            ("both", Only::Both),
            ("create", Only::Create),
            ("update", Only::Update),
        ];
        Self {
            default,
            write,
            read: (keeps && attribute.is_some()).then_some(read),
            map: values(&mut section, "map"),
            map_read: map_read.collect(),
            only: section.choice("only", &words, Only::Both),
            read_only: section.flag("read_only", false),
            lower: section.flag("lower", false),
            name,
            attribute,
            constant,
        }
    }
}

fn template(
    section: &mut Section,
    key: &'static str,
    reading: &Reading<'_>,
    allowed: &[&'static str],
) -> Option<Body> {
    let value = section.take(key, None)?;
    let body = Body::parse(&value, reading.variables).and_then(|body| {
        check_names(body.names(), allowed)?;
        Ok(body)
    });
    body.map_err(|why| section.mistake(key, why)).ok()
}
