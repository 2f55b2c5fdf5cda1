use serde_json::json;

use super::*;
use crate::scim::patch::sample::{FOLDERS, ada, check, operations, refusal, schemas};
use crate::scim::schema::{ENTERPRISE, Mutability};

#[test]
fn attributes_with_one_value() {
    let name = json!({"givenName": "Ada", "familyName": "Only", "formatted": "Ada Ray"});
    check(
        &ada(),
        [
            (
                "add",
                json!([{"op": "add", "path": "title", "value": "Dr"}]),
                json!({"title": "Dr"}),
            ),
            (
                "add sets what is there",
                json!([{"op": "add", "path": "userName", "value": "eve"}]),
                json!({"userName": "eve"}),
            ),
            (
                "replace what is not there",
                json!([{"op": "replace", "path": "title", "value": "Dr"}]),
                json!({"title": "Dr"}),
            ),
            (
                "remove",
                json!([{"op": "remove", "path": "externalId"}]),
                json!({"externalId": null}),
            ),
            (
                "remove what is not there",
                json!([{"op": "remove", "path": "nickName"}]),
                json!({}),
            ),
            (
                "sub-attributes that are not named stay",
                json!([{"op": "replace", "path": "name", "value": {"familyName": "Only"}}]),
                json!({"name": name}),
            ),
            (
                "a sub-attribute",
                json!([{"op": "replace", "path": "name.familyName", "value": "Only"}]),
                json!({"name": name}),
            ),
            (
                "null in an object clears",
                json!([{"op": "add", "path": "name", "value": {"familyName": null, "formatted": ""}}]),
                json!({"name": {"givenName": "Ada"}}),
            ),
            (
                "the last part takes the whole along",
                json!([
                    {"op": "remove", "path": "name.givenName"},
                    {"op": "remove", "path": "name.familyName"},
                    {"op": "replace", "path": "name.formatted", "value": null},
                ]),
                json!({"name": null}),
            ),
            (
                "in order",
                json!([
                    {"op": "add", "path": "title", "value": "1"},
                    {"op": "replace", "path": "title", "value": "2"},
                    {"op": "remove", "path": "title"},
                    {"op": "add", "path": "title", "value": "3"},
                ]),
                json!({"title": "3"}),
            ),
            (
                "without a path",
                json!([{"op": "replace", "value": {"title": "Dr", "name": {"familyName": "Only"}}}]),
                json!({"title": "Dr", "name": name}),
            ),
            (
                "a removed required attribute that is there in the end",
                json!([
                    {"op": "remove", "path": "userName"},
                    {"op": "add", "path": "userName", "value": "eve"},
                ]),
                json!({"userName": "eve"}),
            ),
        ],
    );
}

#[test]
fn extensions() {
    let urn = |rest: &str| format!("{ENTERPRISE}{rest}");
    check(
        &ada(),
        [
            (
                "an attribute",
                json!([{"op": "add", "path": urn(":costCenter"), "value": "4130"}]),
                json!({ENTERPRISE: {"costCenter": "4130", "department": "R&D",
                "manager": {"value": "m1", "$ref": "https://app.test/m1"}}}),
            ),
            (
                "the whole by its URN",
                json!([{"op": "replace", "path": ENTERPRISE, "value": {"department": "X", "manager": null}}]),
                json!({ENTERPRISE: {"department": "X"}}),
            ),
            (
                "another manager is another person",
                json!([{"op": "replace", "path": urn(":manager"), "value": {"value": "m2"}}]),
                json!({ENTERPRISE: {"department": "R&D", "manager": {"value": "m2"}}}),
            ),
            (
                "the same manager keeps the rest",
                json!([{"op": "replace", "path": urn(":manager.value"), "value": "m1"}]),
                json!({}),
            ),
            (
                "removed whole",
                json!([{"op": "remove", "path": ENTERPRISE}]),
                json!({ENTERPRISE: null}),
            ),
            (
                "empty, it is gone",
                json!([
                    {"op": "remove", "path": urn(":manager")},
                    {"op": "remove", "path": urn(":department")},
                ]),
                json!({ENTERPRISE: null}),
            ),
            (
                "a list of texts",
                json!([
                    {"op": "add", "path": format!("{FOLDERS}:folders"), "value": ["F1", "F2", "F1"]},
                    {"op": "add", "path": format!("{FOLDERS}:folders"), "value": "F3"},
                    {"op": "remove", "path": format!("{FOLDERS}:folders"), "value": ["F2"]},
                    {"op": "replace", "path": format!("{FOLDERS}:folders[value eq \"F1\"]"), "value": "F9"},
                ]),
                json!({FOLDERS: {"folders": ["F9", "F3"]}}),
            ),
        ],
    );
}

#[test]
fn nothing_changes_when_one_is_refused() {
    let long: Vec<_> = (0..=MAX_VALUES)
        .map(|n| json!({"value": format!("{n}")}))
        .collect();
    let full: Vec<_> = long.iter().skip(1).cloned().collect();
    let first = json!({"op": "replace", "path": "title", "value": "After"});
    for (operation, kind, detail) in [
        (
            json!({"op": "replace", "path": "emails[type eq \"x\" and value co \"z\"].display", "value": "x"}),
            "noTarget",
            "emails[type eq \"x\" and value co \"z\"].display: no value fits the filter",
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"x\"].type", "value": "y"}),
            "noTarget",
            "emails[type eq \"x\"].type",
        ),
        (
            json!({"op": "add", "path": "emails[not (type eq \"work\" or type eq \"home\")]", "value": {"value": "y"}}),
            "noTarget",
            "emails[",
        ),
        (
            json!({"op": "remove", "path": "userName"}),
            "mutability",
            "userName is required and cannot be removed",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": " "}),
            "invalidValue",
            "userName is required and must not be empty",
        ),
        (json!({"op": "add", "path": "roles", "value": full}), "", ""),
        (
            json!({"op": "add", "path": "emails", "value": full}),
            "invalidValue",
            "emails would have more than 1000 values",
        ),
    ] {
        let before = ada();
        let mut resource = before.as_object().unwrap().clone();
        let list = operations(json!([first, operation])).unwrap();
        match apply(&mut resource, &schemas().user, &list) {
            Ok(()) => assert_eq!(kind, "", "{operation}"),
            Err(error) => {
                let (its, why) = refusal(&error);
                assert_eq!(its, kind, "{why}");
                assert!(why.contains(detail), "{why}");
                assert_eq!(Value::Object(resource), before, "{why}");
            }
        }
    }
}

#[test]
fn what_is_immutable_is_set_once() {
    let mut kind = schemas().user;
    for attribute in &mut kind.core.attributes {
        if attribute.name == "nickName" || attribute.name == "name" {
            attribute.mutability = Mutability::Immutable;
        }
    }
    let path = |path: &str, value: Value| json!({"Operations": [{"op": "add", "path": path, "value": value}]});
    let mut person = Map::from_iter([("userName".to_owned(), json!("ada"))]);
    for (body, refused) in [
        (path("nickName", json!("A")), None),
        (path("nickName", json!("A")), None),
        (
            path("nickName", json!("B")),
            Some("nickName cannot be changed once it is set"),
        ),
        (
            path("nickName", json!(null)),
            Some("nickName cannot be changed once it is set"),
        ),
        (path("name.givenName", json!("A")), None),
        (path("name.givenName", json!("A")), None),
        (
            path("name", json!({"givenName": "B"})),
            Some("name cannot be changed once it is set"),
        ),
    ] {
        let list = crate::scim::patch::parse(&body, &kind).unwrap();
        let error = apply(&mut person, &kind, &list).err();
        assert_eq!(
            error.as_ref().map(|error| refusal(error).1),
            refused,
            "{body}"
        );
        assert_eq!(person["userName"], "ada");
    }
    assert_eq!(person["nickName"], "A");
    assert_eq!(person["name"], json!({"givenName": "A"}));
}
