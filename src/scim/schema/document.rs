//! A schema as its document (RFC 7643 7).

use serde_json::{Map, Value, json};

use super::{Attribute, ENTERPRISE, Kind, Mutability, Returned, Schema};

pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What Entra maps by default, and which parts of it; no parts named: all.
const COMPACT: [(&str, &[&str]); 14] = [
    ("externalId", &[]),
    ("userName", &[]),
    ("active", &[]),
    ("displayName", &[]),
    ("title", &[]),
    ("preferredLanguage", &[]),
    ("name", &["formatted", "familyName", "givenName"]),
    ("emails", &["value", "type"]),
    ("phoneNumbers", &["value", "type"]),
    (
        "addresses",
        &[
            "formatted",
            "streetAddress",
            "locality",
            "region",
            "postalCode",
            "country",
            "type",
        ],
    ),
    ("members", &["value", "$ref", "type"]),
    ("employeeNumber", &[]),
    ("department", &[]),
    ("manager", &["value"]),
];

impl Schema {
    pub(super) fn document(&self, compact: bool, base: &str) -> Value {
        let ours =
            self.id.starts_with("urn:ietf:params:scim:schemas:core:") || self.id == ENTERPRISE;
        let attributes = self.attributes.iter();
        let attributes: Vec<_> = attributes
            .filter_map(|attribute| {
                if compact && ours {
                    compacted(attribute)
                } else {
                    Some(attribute.clone())
                }
            })
            .map(|attribute| attribute.document())
            .collect();
        json!({
            "schemas": [SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": attributes,
            "meta": meta("Schema", base, &format!("/Schemas/{}", self.id)),
        })
    }
}

impl Attribute {
    fn document(&self) -> Value {
        let mut document = Map::new();
        let mut set = |key: &str, value: Value| document.insert(key.to_owned(), value);
        set("name", self.name.as_str().into());
        set("type", self.kind.name().into());
        set("multiValued", self.multi_valued.into());
        set("description", self.description.into());
        set("required", self.required.into());
        if matches!(self.kind, Kind::String | Kind::Binary | Kind::Reference(_)) {
            set("caseExact", self.case_exact.into());
        }
        set("mutability", self.mutability.as_str().into());
        set("returned", self.returned.as_str().into());
        set(
            "uniqueness",
            if self.unique { "server" } else { "none" }.into(),
        );
        if !self.canonical_values.is_empty() {
            set("canonicalValues", self.canonical_values.clone().into());
        }
        if let Kind::Reference(to) = self.kind {
            set("referenceTypes", to.into());
        }
        if let Kind::Complex(subs) = &self.kind {
            set("subAttributes", subs.iter().map(Self::document).collect());
        }
        Value::Object(document)
    }
}

impl Kind {
    const fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference(_) => "reference",
            Self::Complex(_) => "complex",
        }
    }
}

impl Mutability {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

impl Returned {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

fn compacted(attribute: &Attribute) -> Option<Attribute> {
    let (_, parts) = COMPACT.iter().find(|(name, _)| *name == attribute.name)?;
    let mut attribute = attribute.clone();
    if let Kind::Complex(subs) = &mut attribute.kind {
        subs.retain(|sub| parts.contains(&sub.name.as_str()));
    }
    Some(attribute)
}

/// `meta` of a document (RFC 7643 3.1).
pub(super) fn meta(kind: &str, base: &str, path: &str) -> Value {
    json!({ "resourceType": kind, "location": format!("{base}{path}") })
}
