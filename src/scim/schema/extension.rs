//! Extensions: the enterprise one (RFC 7643 4.3, 8.7.1) and the app's own.

use crate::config::{Extension, ExtensionAttribute, ExtensionType};

use super::attribute::named;
use super::{Attribute, ENTERPRISE, Kind, Schema};

/// The enterprise extension first, then those of the settings in their order.
pub(super) fn schemas(settings: &[Extension]) -> Vec<Schema> {
    let mut schemas = vec![enterprise()];
    for its in settings {
        let is_it = |schema: &Schema| schema.id.eq_ignore_ascii_case(&its.schema);
        if !schemas.iter().any(is_it) {
            let name = free_name(&its.schema, &schemas);
            schemas.push(empty(&its.schema, name));
        }
        if let Some(schema) = schemas.iter_mut().find(|schema| is_it(schema)) {
            add(schema, its);
        }
    }
    schemas
}

fn empty(urn: &str, name: String) -> Schema {
    Schema {
        id: urn.to_owned(),
        name,
        description: "Attributes of the app's own",
        attributes: Vec::new(),
        open: false,
    }
}

fn enterprise() -> Schema {
    let text = Attribute::text;
    let manager = vec![
        text("value", "Id of the manager"),
        Attribute::link("$ref", &["User"], "URL of the manager"),
        text("displayName", "Name of the manager").read_only(),
    ];
    Schema {
        id: ENTERPRISE.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "What a company keeps of a person",
        attributes: vec![
            text("employeeNumber", "Number in the organization"),
            text("costCenter", "Name of a cost center"),
            text("organization", "Name of an organization"),
            text("division", "Name of a division"),
            text("department", "Name of a department"),
            Attribute::complex("manager", "The person's manager", manager),
        ],
        open: false,
    }
}

fn add(schema: &mut Schema, its: &Extension) {
    schema.open |= its.open;
    for attribute in &its.attributes {
        if named(&schema.attributes, &attribute.name).is_none() {
            schema.attributes.push(of_the_app(attribute));
        }
    }
}

fn of_the_app(its: &ExtensionAttribute) -> Attribute {
    let kind = match its.kind {
        ExtensionType::String => Kind::String,
        ExtensionType::Boolean => Kind::Boolean,
        ExtensionType::Integer => Kind::Integer,
        ExtensionType::Decimal => Kind::Decimal,
        ExtensionType::DateTime => Kind::DateTime,
    };
    let attribute = Attribute::new(&its.name, kind, "Attribute of the app's own");
    if its.multi_valued {
        attribute.many()
    } else {
        attribute
    }
}

/// The short name, with a number behind it when another schema has it: clients call their own types so.
fn free_name(urn: &str, schemas: &[Schema]) -> String {
    let short = short_name(urn);
    let same = |name: &str| {
        schemas
            .iter()
            .any(|its| its.name.eq_ignore_ascii_case(name))
    };
    let numbered = (2_usize..).map(|number| format!("{short}{number}"));
    let mut names = std::iter::once(short.to_owned()).chain(numbered);
    names.find(|name| !same(name)).unwrap_or_default()
}

/// `…:CustomExtensionName:2.0:User` and `…:2.0:CustomExtensionName` are both called `CustomExtensionName`.
fn short_name(urn: &str) -> &str {
    let says_nothing = |part: &&str| {
        ["user", "group"].contains(&part.to_ascii_lowercase().as_str())
            || part.starts_with(|c: char| c.is_ascii_digit())
            || part.is_empty()
    };
    let name = urn.rsplit(':').find(|part| !says_nothing(part));
    name.unwrap_or(urn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_schemas_never_have_one_name() {
        let own = [
            "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User",
            "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName",
            "urn:example:customextensionname",
            "urn:example:EnterpriseUser:1.0",
        ];
        let open = |schema: &str| Extension {
            schema: schema.to_owned(),
            attributes: Vec::new(),
            open: true,
        };
        let schemas = schemas(&own.map(open));
        let names: Vec<_> = schemas.iter().map(|schema| schema.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "EnterpriseUser",
                "CustomExtensionName",
                "CustomExtensionName2",
                "customextensionname3",
                "EnterpriseUser2",
            ]
        );
    }
}
