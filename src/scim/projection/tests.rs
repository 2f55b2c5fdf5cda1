use serde_json::json;

use super::*;
use crate::scim::schema::tests::{schemas, schemas_of};
use crate::scim::schema::{ENTERPRISE, USER};
use crate::scim::schema::{Kind, Returned};

const OWN: &str = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName";
const OPEN: &str = "urn:ietf:params:scim:schemas:extension:2.0:Metadata";

fn person() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE, OWN, OPEN],
        "id": "1", "userName": "ada", "externalId": "e", "title": "t", "password": "secret", "hash": "ours",
        "name": { "givenName": "Ada", "familyName": "Ray", "odd": 1 },
        "emails": [{ "type": "work", "value": "w" }, { "type": "home", "value": "h", "display": "H" }],
        "groups": [], "nickName": null,
        "meta": { "resourceType": "User", "created": "2026-11-22T09:30:00Z" },
        ENTERPRISE: { "department": "D", "costCenter": "C", "manager": { "value": "m", "displayName": "M" } },
        OWN: { "folders": [], "odd": 1 },
        OPEN: { "CostCode": "77", "Site": "Bonn" },
    })
}

/// Names of what is left, parts behind a dot.
fn left(attributes: Option<&str>, excluded: Option<&str>) -> String {
    let projection = Projection::new(attributes, excluded).unwrap();
    let mut resource = person().as_object().unwrap().clone();
    projection.apply(&mut resource, &schemas().user);
    let schemas = resource.remove("schemas").unwrap();
    let mut names: Vec<String> = Vec::new();
    let mut urns = vec![USER];
    for (key, value) in &resource {
        let short = key.rsplit(':').next().unwrap().to_owned();
        if key.starts_with("urn:") {
            urns.push(key);
        }
        let parts = value
            .get(0)
            .unwrap_or(value)
            .as_object()
            .into_iter()
            .flatten();
        let parts: Vec<_> = parts.map(|(name, _)| name.as_str()).collect();
        names.push(if parts.is_empty() {
            short
        } else {
            format!("{short}({})", parts.join(" "))
        });
    }
    urns.sort_by_key(|urn| {
        [USER, ENTERPRISE, OWN, OPEN]
            .iter()
            .position(|its| its == urn)
    });
    assert_eq!(schemas, json!(urns), "schemas tell what is there");
    names.sort();
    names.join(" ")
}

#[test]
fn by_default_all_but_what_nobody_may_see() {
    let all = "Metadata(CostCode Site) User(costCenter department manager) emails(type value) externalId groups id \
               meta(created resourceType) name(familyName givenName) title userName";
    for (attributes, excluded) in [
        (None, None),
        (Some(""), None),
        (Some(" "), Some("")),
        (None, Some("id,schemas,noSuch,a b,urn:nope:x")),
        (None, Some("emails[type eq \"work\"]")),
    ] {
        assert_eq!(
            left(attributes, excluded),
            all,
            "{attributes:?} {excluded:?}"
        );
    }
}

#[test]
fn asked_for() {
    let open = format!("{OPEN}:costcode");
    let department = format!("{ENTERPRISE}:Department");
    let manager = format!("{ENTERPRISE}:manager.value,id");
    let core = format!("{USER}:userName, {}", OPEN.to_uppercase());
    for (attributes, want) in [
        ("userName", "id userName"),
        ("id", "id"),
        ("noSuch", "id"),
        ("a b,,", "id"),
        ("password,hash,userName", "id userName"),
        ("USERNAME, emails.VALUE", "emails(value) id userName"),
        (
            "name.givenName,name.familyName",
            "id name(familyName givenName)",
        ),
        ("name, name.givenName", "id name(familyName givenName)"),
        ("name.middleName", "id"),
        ("emails.display", "emails(display) id"),
        (
            r#"emails[type eq "a,b"],title"#,
            "emails(type value) id title",
        ),
        (r#"emails[type eq "work"].value"#, "emails(value) id"),
        ("groups", "groups id"),
        ("meta.created", "id meta(created)"),
        ("department", "User(department) id"),
        (&department, "User(department) id"),
        (&manager, "User(manager) id"),
        (ENTERPRISE, "User(costCenter department manager) id"),
        (&open, "Metadata(CostCode) id"),
        (&core, "Metadata(CostCode Site) id userName"),
        (OWN, "id"),
        (
            USER,
            "emails(type value) groups id name(familyName givenName) title userName",
        ),
    ] {
        assert_eq!(
            left(Some(attributes), Some("userName")),
            want,
            "{attributes}"
        );
    }
}

#[test]
fn excluded() {
    let without = |gone: &str| {
        let excluded = format!("{ENTERPRISE},{OPEN},meta,groups,externalId, {gone}");
        left(None, Some(&excluded))
    };
    for (gone, want) in [
        (
            "title",
            "emails(type value) id name(familyName givenName) userName",
        ),
        (
            "Emails,NAME.familyname,id",
            "id name(givenName) title userName",
        ),
        (
            "emails.type,name.givenName,name.familyName",
            "emails(value) id title userName",
        ),
        (USER, "id"),
    ] {
        assert_eq!(without(gone), want, "{gone}");
    }
    let parts =
        format!("{USER},{OPEN}:Site,{ENTERPRISE}:manager.displayName,department,meta,externalId");
    assert_eq!(
        left(None, Some(&parts)),
        "Metadata(CostCode) User(costCenter manager) id"
    );
}

#[test]
fn what_need_not_be_read() {
    let schemas = schemas();
    for (attributes, excluded, wants) in [
        (None, None, true),
        (None, Some("members"), false),
        (None, Some("MEMBERS , displayName"), false),
        (
            None,
            Some("urn:ietf:params:scim:schemas:core:2.0:Group:members"),
            false,
        ),
        (
            None,
            Some("urn:ietf:params:scim:schemas:core:2.0:Group"),
            false,
        ),
        (None, Some("members.display"), true),
        (None, Some("displayName"), true),
        (Some("id"), None, false),
        (Some("id"), Some("members"), false),
        (Some("members.value"), None, true),
        (Some("members[value eq \"a\"]"), None, true),
        (
            Some("urn:ietf:params:scim:schemas:core:2.0:Group"),
            None,
            true,
        ),
    ] {
        let projection = Projection::new(attributes, excluded).unwrap();
        let got = projection.wants(&schemas.group, "members");
        assert_eq!(got, wants, "{attributes:?} {excluded:?}");
    }
    let all = Projection::default();
    assert!(all.wants(&schemas.user, "groups"));
    assert!(!all.wants(&schemas.user, "members"));
    assert!(!all.wants(&schemas.user, "password"));
}

#[test]
fn r55_a_password_is_never_shown() {
    let kind = schemas_of("[scim]\npassword = true").user;
    for attributes in [None, Some("password"), Some("password.value"), Some(USER)] {
        let mut resource = person().as_object().unwrap().clone();
        let projection = Projection::new(attributes, None).unwrap();
        projection.apply(&mut resource, &kind);
        assert_eq!(resource.get("password"), None, "{attributes:?}");
    }
}

#[test]
fn what_is_returned_on_request_alone() {
    let mut kind = schemas().user;
    let set = |attribute: &mut Attribute, name: &str, returned| {
        if attribute.name == name {
            attribute.returned = returned;
        }
    };
    for attribute in &mut kind.core.attributes {
        set(attribute, "title", Returned::Request);
        if let Kind::Complex(subs) = &mut attribute.kind {
            for sub in subs {
                set(sub, "familyName", Returned::Request);
                set(sub, "type", Returned::Always);
            }
        }
    }
    for (attributes, excluded, want) in [
        (
            None,
            None,
            json!([false, { "givenName": "Ada" }, { "type": "work", "value": "w" }]),
        ),
        (Some("title"), None, json!([true, null, null])),
        (
            Some("name.familyName"),
            None,
            json!([false, { "familyName": "Ray" }, null]),
        ),
        (
            Some("name,emails.value"),
            None,
            json!([false, { "givenName": "Ada", "familyName": "Ray" }, { "type": "work", "value": "w" }]),
        ),
        (
            None,
            Some("emails.type"),
            json!([false, { "givenName": "Ada" }, { "type": "work", "value": "w" }]),
        ),
        (
            Some(USER),
            None,
            json!([false, { "givenName": "Ada" }, { "type": "work", "value": "w" }]),
        ),
    ] {
        let mut its = person().as_object().unwrap().clone();
        Projection::new(attributes, excluded)
            .unwrap()
            .apply(&mut its, &kind);
        let email = its.get("emails").and_then(|emails| emails.get(0));
        let got = json!([its.contains_key("title"), its.get("name"), email]);
        assert_eq!(got, want, "{attributes:?} {excluded:?}");
    }
}

#[test]
fn lists_have_a_limit() {
    let long = "a,".repeat(MAX_FILTER);
    for (attributes, excluded) in [(Some(long.as_str()), None), (None, Some(long.as_str()))] {
        let error = Projection::new(attributes, excluded).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }
}
