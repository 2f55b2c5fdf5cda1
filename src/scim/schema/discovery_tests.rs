use super::*;
use crate::scim::schema::document::SCHEMA;
use crate::scim::schema::tests::{schemas, schemas_of, settings};
use crate::scim::schema::{ENTERPRISE, GROUP, USER};

const BASE: &str = "https://app.test/scim/v2";
const OFFERED: Offered = Offered {
    bulk_operations: 1000,
    bulk_bytes: 1 << 20,
    cursor_timeout: Duration::from_hours(1),
};

/// `name type[*] [required] [exact|caseless]`, what is unusual, values; parts indented.
fn lines(attributes: &Value, indent: &str) -> String {
    let attributes = attributes.as_array().into_iter().flatten();
    attributes.map(|its| line(its, indent)).collect()
}

fn line(its: &Value, indent: &str) -> String {
    let text = |key: &str| its[key].as_str().unwrap_or_default().to_owned();
    let many = if its["multiValued"] == true { "*" } else { "" };
    let mut words = vec![text("name"), text("type") + many];
    if its["required"] == true {
        words.push("required".to_owned());
    }
    if let Some(exact) = its["caseExact"].as_bool() {
        words.push(if exact { "exact" } else { "caseless" }.to_owned());
    }
    let unusual = [text("mutability"), text("returned"), text("uniqueness")];
    let usual = ["readWrite", "default", "none"];
    words.extend(
        unusual
            .into_iter()
            .filter(|word| !usual.contains(&word.as_str())),
    );
    let lists = ["canonicalValues", "referenceTypes"].map(|key| its.get(key).map(Value::to_string));
    words.extend(lists.into_iter().flatten());
    let subs = lines(&its["subAttributes"], &format!("{indent}  "));
    format!("{indent}{}\n{subs}", words.join(" "))
}

fn schema(urn: &str, compact: bool) -> String {
    let document = schemas().schema_document(urn, compact, BASE).unwrap();
    lines(&document["attributes"], "")
}

#[test]
fn user() {
    insta::assert_snapshot!(schema(USER, false));
}

#[test]
fn the_others() {
    let own = "urn:ietf:params:scim:schemas:extension:2.0:customextensionname";
    let all = [GROUP, ENTERPRISE, own].map(|urn| schema(urn, false));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn compact_is_what_entra_maps() {
    let all = [USER, GROUP, ENTERPRISE].map(|urn| schema(urn, true));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn lists_and_single_documents_agree() {
    let schemas = schemas();
    let list = schemas.schema_list(false, BASE);
    let ids: Vec<_> = list["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|its| &its["id"])
        .collect();
    let own = "urn:ietf:params:scim:schemas:extension:2.0:";
    let want = [
        USER,
        GROUP,
        ENTERPRISE,
        &format!("{own}CustomExtensionName"),
        &format!("{own}Metadata"),
    ];
    assert_eq!(ids, want);
    assert_eq!(
        (&list["totalResults"], &list["itemsPerPage"]),
        (&json!(5), &json!(5))
    );
    for its in list["Resources"].as_array().unwrap() {
        let id = its["id"].as_str().unwrap();
        assert_eq!(
            schemas
                .schema_document(&id.to_uppercase(), false, BASE)
                .as_ref(),
            Some(its)
        );
        assert_eq!(its["schemas"], json!([SCHEMA]));
        assert_eq!(its["meta"]["location"], format!("{BASE}/Schemas/{id}"));
        assert!(its["attributes"].is_array());
        assert!(!its.to_string().contains("null"));
    }
    assert_eq!(schemas.schema_document("urn:nope", false, BASE), None);
    let types = schemas.resource_type_list(BASE);
    for (its, name) in types["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .zip(["user", "GROUP"])
    {
        assert_eq!(
            schemas.resource_type_document(name, BASE).as_ref(),
            Some(its)
        );
    }
    assert_eq!(schemas.resource_type_document("Nope", BASE), None);
}

#[test]
fn the_password_is_told_where_it_is_taken() {
    for (scim, told, taken) in [
        ("", false, false),
        ("[scim]\npassword = true", true, true),
        ("[scim]\nannounce_password = true", true, false),
    ] {
        let document = schemas_of(scim).schema_document(USER, false, BASE).unwrap();
        assert_eq!(document.to_string().contains("\"password\""), told);
        let config = service_provider_config(&settings(scim), OFFERED, BASE);
        assert_eq!(config["changePassword"]["supported"], taken);
    }
}

#[test]
fn resource_types() {
    let user = schemas().resource_type_document("User", BASE).unwrap();
    let own = "urn:ietf:params:scim:schemas:extension:2.0:";
    let want = json!({
        "schemas": [RESOURCE_TYPE],
        "id": "User",
        "name": "User",
        "description": "People",
        "endpoint": "/Users",
        "schema": USER,
        "schemaExtensions": [
            { "schema": ENTERPRISE, "required": false },
            { "schema": format!("{own}CustomExtensionName"), "required": false },
            { "schema": format!("{own}Metadata"), "required": false },
        ],
        "meta": { "resourceType": "ResourceType", "location": format!("{BASE}/ResourceTypes/User") },
    });
    assert_eq!(user, want);
    let group = schemas().resource_type_document("Group", BASE).unwrap();
    assert_eq!(group.get("schemaExtensions"), None);
}

#[test]
fn provider() {
    let config = service_provider_config(&settings(""), OFFERED, BASE);
    insta::assert_snapshot!(serde_json::to_string_pretty(&config).unwrap());
}
