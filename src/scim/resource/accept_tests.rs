#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::scim::patch::sample::{FOLDERS, OPEN, refusal, schemas};
use crate::scim::schema::{ENTERPRISE, Mutability};

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("{value} is no object");
    };
    map
}

#[test]
fn people() {
    let user = schemas().user;
    for (body, want) in [
        (json!({"userName": "a"}), json!({"userName": "a"})),
        (
            json!({"USERNAME": "a", "Name": {"GIVENNAME": "G", "x": 1}, "x": 1, "id": "z", "password": "p"}),
            json!({"userName": "a", "name": {"givenName": "G"}, "password": "p"}),
        ),
        (
            json!({"userName": "a", "emails": [{"value": ""}, {"type": "work"}, null, {}], "roles": [], "name": {}}),
            json!({"userName": "a"}),
        ),
        (
            json!({"userName": "a", "emails": {"value": "x", "primary": "TRUE"}, "phoneNumbers": ""}),
            json!({"userName": "a", "emails": [{"value": "x", "primary": true}]}),
        ),
        (
            json!({"userName": "a", "emails": [{"value": "x", "primary": true}, {"value": "y", "primary": true}]}),
            json!({"userName": "a", "emails": [{"value": "x", "primary": true}, {"value": "y", "primary": false}]}),
        ),
        (
            json!({"userName": "a", ENTERPRISE.to_lowercase(): {"COSTCENTER": "1", "manager": {"displayName": "M"}}}),
            json!({"userName": "a", ENTERPRISE: {"costCenter": "1"}}),
        ),
        (
            json!({"userName": "a", ENTERPRISE: null, FOLDERS: {"folders": ["a", "a", ""]}, OPEN: {"a": 1}}),
            json!({"userName": "a", FOLDERS: {"folders": ["a"]}, OPEN: {"a": "1"}}),
        ),
    ] {
        let text = body.to_string();
        let got = accept(body, &user).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Value::Object(got), want, "{text}");
    }
}

#[test]
fn groups_and_their_members() {
    let group = schemas().group;
    for (body, members) in [
        (json!({"displayName": "g"}), None),
        (json!({"displayName": "g", "members": []}), Some(vec![])),
        (json!({"displayName": "g", "members": null}), Some(vec![])),
        (
            json!({"DisplayName": "g", "id": "x", "Members": [{"value": "a", "display": null}, "b", {"VALUE": "a"}]}),
            Some(vec!["a", "b"]),
        ),
    ] {
        let text = body.to_string();
        let mut got = accept(body, &group).unwrap_or_else(|error| panic!("{text}: {error}"));
        let its = accept_members(&mut got);
        let members = members.map(|ids| ids.into_iter().map(str::to_owned).collect());
        assert_eq!(
            (its, got),
            (members, map(json!({"displayName": "g"}))),
            "{text}"
        );
    }
}

#[test]
fn what_is_refused() {
    let schemas = schemas();
    for (body, kind, detail) in [
        (json!([]), "invalidSyntax", "a resource is a JSON object"),
        (
            json!({"displayName": "K"}),
            "invalidValue",
            "userName is required",
        ),
        (
            json!({"userName": "   "}),
            "invalidValue",
            "userName is required",
        ),
        (
            json!({"userName": null}),
            "invalidValue",
            "userName is required",
        ),
        (
            json!({"userName": 17}),
            "invalidValue",
            "userName: got the number 17, wanted a text",
        ),
        (
            json!({"userName": {"a": 1}}),
            "invalidValue",
            "userName: got an object, wanted a text",
        ),
        (
            json!({"userName": "a", "emails": "x"}),
            "invalidValue",
            "emails: got the text \"x\"",
        ),
        (
            json!({"userName": "a", "active": "yes"}),
            "invalidValue",
            "active: got the text \"yes\"",
        ),
        (
            json!({"userName": "a", "emails[type foo 1]": "x"}),
            "invalidPath",
            "operator",
        ),
        (
            json!({"userName": "a", ENTERPRISE: "x"}),
            "invalidValue",
            "User: got the text \"x\", wanted an object",
        ),
    ] {
        let error = accept(body, &schemas.user).expect_err(detail);
        let (its, why) = refusal(&error);
        assert_eq!(its, kind, "{why}");
        assert!(why.contains(detail), "{why}");
    }
    let error = accept(json!({"members": []}), &schemas.group).unwrap_err();
    assert_eq!(
        refusal(&error),
        (
            "invalidValue",
            "displayName is required and must not be empty"
        )
    );
}

#[test]
fn what_is_immutable_stays() {
    let mut kind = schemas().user;
    for attribute in &mut kind.core.attributes {
        if attribute.name == "nickName" {
            attribute.mutability = Mutability::Immutable;
        }
    }
    for schema in &mut kind.extensions {
        for attribute in schema
            .attributes
            .iter_mut()
            .filter(|its| its.name == "employeeNumber")
        {
            attribute.mutability = Mutability::Immutable;
        }
    }
    let old = map(json!({"nickName": "A", "title": "T", ENTERPRISE: {"employeeNumber": "1"}}));
    let urn = format!("{ENTERPRISE}:employeeNumber cannot be changed once it is set");
    for (new, want) in [
        (
            json!({"nickName": "A", ENTERPRISE: {"employeeNumber": "1"}}),
            Ok(()),
        ),
        (json!({}), Ok(())),
        (
            json!({"nickName": "B"}),
            Err("nickName cannot be changed once it is set"),
        ),
        (
            json!({ENTERPRISE: {"employeeNumber": "2"}}),
            Err(urn.as_str()),
        ),
    ] {
        let mut new = map(new);
        let got = check_immutable(&old, &mut new, &kind);
        let why = got.as_ref().err().map(|error| refusal(error).1);
        assert_eq!(why, want.err());
        if got.is_ok() {
            let kept = json!({"nickName": "A", ENTERPRISE: {"employeeNumber": "1"}});
            assert_eq!(Value::Object(new), kept);
        }
    }
}

#[test]
fn r41_no_refusal_repeats_a_password() {
    let user = schemas().user;
    for body in [
        json!({"userName": "a", "password": 7_355_608}),
        json!({"userName": "a", "password": ["7355608", "x"]}),
        json!({"userName": "a", "urn:ietf:params:scim:schemas:core:2.0:User": {"password": 7_355_608}}),
    ] {
        let error = accept(body, &user).unwrap_err();
        assert!(!refusal(&error).1.contains("7355608"), "{error}");
    }
}
