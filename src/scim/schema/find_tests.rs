use super::*;
use crate::config::{ExtensionAttribute, ExtensionType, Settings};
use crate::scim::path::AttributePath;

/// With an open and a closed extension, as in the example file.
pub(in crate::scim) fn schemas() -> Schemas {
    schemas_of("[scim]\npassword = true\n")
}

pub(in crate::scim) fn schemas_of(scim: &str) -> Schemas {
    Schemas::new(&settings(scim))
}

pub(in crate::scim) fn settings(scim: &str) -> config::Scim {
    let text = format!(
        r#"public_url = "https://app.test"
        [upstream]
        url = "http://127.0.0.1:1"
        [local]
        enabled = true
        {scim}
        [[scim.extension]]
        schema = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName"
        attributes = [{{ name = "folders", multi_valued = true }}, {{ name = "size", type = "integer" }}]
        [[scim.extension]]
        schema = "urn:ietf:params:scim:schemas:extension:2.0:Metadata"
        open = true
        "#
    );
    Settings::parse(&text).unwrap().scim
}

fn found(path: &str) -> Option<String> {
    let schemas = schemas();
    Some(match schemas.user.find(&path.parse().unwrap())? {
        Found::Whole(schema) => format!("all of {}", schema.name),
        Found::Attribute {
            extension,
            attribute,
            sub,
        } => {
            let extension = extension.map(|its| format!("{}:", its.name));
            let sub = sub.map(|sub| format!(".{}", sub.name));
            format!(
                "{}{}{}",
                extension.unwrap_or_default(),
                attribute.name,
                sub.unwrap_or_default()
            )
        }
    })
}

#[test]
fn paths_lead_to_attributes() {
    let own = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName";
    let open = "urn:ietf:params:scim:schemas:extension:2.0:Metadata";
    for (path, want) in [
        ("userName", Some("userName")),
        ("USERNAME", Some("userName")),
        ("Name.FamilyName", Some("name.familyName")),
        ("emails.$ref", None),
        ("emails.value", Some("emails.value")),
        ("id", Some("id")),
        ("externalid", Some("externalId")),
        ("schemas", Some("schemas")),
        ("META.lastmodified", Some("meta.lastModified")),
        ("userName.value", None),
        ("nope", None),
        ("manager", Some("EnterpriseUser:manager")),
        ("Manager.$REF", Some("EnterpriseUser:manager.$ref")),
        ("Department", Some("EnterpriseUser:department")),
        ("folders", None),
        (USER, Some("all of User")),
        (&format!("{USER}:username"), Some("userName")),
        (&format!("{USER}:ID"), Some("id")),
        (&format!("{USER}:department"), None),
        (&USER.to_uppercase(), Some("all of User")),
        (ENTERPRISE, Some("all of EnterpriseUser")),
        (
            &format!("{}:Manager.Value", ENTERPRISE.to_uppercase()),
            Some("EnterpriseUser:manager.value"),
        ),
        (&format!("{ENTERPRISE}:userName"), None),
        (own, Some("all of CustomExtensionName")),
        (
            &format!("{own}:Folders"),
            Some("CustomExtensionName:folders"),
        ),
        (&format!("{own}:other"), None),
        (open, Some("all of Metadata")),
        (&format!("{open}:CostCode"), Some("Metadata:CostCode")),
        (&format!("{open}:Cost.Code"), Some("Metadata:Cost.Code")),
        (&format!("{open}:7"), Some("Metadata:7")),
        (&format!("{GROUP}:members"), None),
        ("members", None),
        ("urn:nope:x", None),
    ] {
        assert_eq!(found(path).as_deref(), want, "{path}");
    }
    assert_eq!(schemas().user.find(&AttributePath::of("", None)), None);
    let group = schemas().group;
    assert!(group.find(&"members.value".parse().unwrap()).is_some());
    assert!(group.find(&"department".parse().unwrap()).is_none());
    assert!(group.find(&AttributePath::whole(GROUP)).is_some());
}

#[test]
fn characteristics_are_those_of_the_rfc() {
    use Mutability::*;
    let schemas = schemas();
    for (path, exact, mutability, returned) in [
        ("id", true, ReadOnly, Returned::Always),
        ("schemas", false, ReadOnly, Returned::Always),
        ("externalId", true, ReadWrite, Returned::Default),
        ("meta.created", false, ReadOnly, Returned::Default),
        ("userName", false, ReadWrite, Returned::Default),
        ("password", false, WriteOnly, Returned::Never),
        ("groups", false, ReadOnly, Returned::Default),
        ("groups.value", true, ReadOnly, Returned::Default),
        ("emails.value", false, ReadWrite, Returned::Default),
        ("manager.value", false, ReadWrite, Returned::Default),
        ("manager.displayName", false, ReadOnly, Returned::Default),
    ] {
        let found = schemas.user.find(&path.parse().unwrap()).unwrap();
        let leaf = found.leaf().unwrap();
        let got = (leaf.case_exact, leaf.mutability, leaf.returned);
        assert_eq!(got, (exact, mutability, returned), "{path}");
    }
    let member = |name: &str| {
        let members = schemas.group.core.attribute("members").unwrap();
        members.sub(name).unwrap().mutability
    };
    let got = ["value", "$ref", "type", "display"].map(member);
    assert_eq!(got, [Immutable, Immutable, Immutable, ReadOnly]);
    let required = |kind: &ResourceType| -> Vec<String> {
        let all = kind.attributes().filter(|its| its.required && its.unique);
        all.map(|its| its.name.clone()).collect()
    };
    assert_eq!(required(&schemas.user), ["userName"]);
    assert_eq!(required(&schemas.group), ["displayName"]);
    let password = schemas_of("").user.core.attribute("password").cloned();
    assert_eq!(password, None);
}

#[test]
fn an_extension_of_the_enterprise_one_joins_it() {
    let attribute = |name: &str, kind| ExtensionAttribute {
        name: name.to_owned(),
        kind,
        multi_valued: false,
    };
    let mut settings = settings("");
    settings.extensions.push(config::Extension {
        schema: ENTERPRISE.to_lowercase(),
        attributes: vec![
            attribute("Department", ExtensionType::Integer),
            attribute("floor", ExtensionType::Integer),
        ],
        open: false,
    });
    let user = Schemas::new(&settings).user;
    let names: Vec<_> = user
        .extensions
        .iter()
        .map(|its| its.name.as_str())
        .collect();
    assert_eq!(names, ["EnterpriseUser", "CustomExtensionName", "Metadata"]);
    let enterprise = user.extension(ENTERPRISE).unwrap();
    assert_eq!(
        enterprise.attribute("department").unwrap().kind,
        Kind::String
    );
    assert_eq!(enterprise.attribute("floor").unwrap().kind, Kind::Integer);
}
