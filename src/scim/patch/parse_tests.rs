use serde_json::json;

use super::*;
use crate::scim::patch::MAX_VALUES;
use crate::scim::patch::sample::{FOLDERS, OPEN, operations as read, refusal, schemas};
use crate::scim::schema::ENTERPRISE;

#[test]
fn requests_that_are_none() {
    let user = schemas().user;
    let one = json!({"op": "add", "path": "title", "value": "x"});
    let many = |count: usize| json!({"Operations": vec![one.clone(); count]});
    for (body, kind) in [
        (json!({}), "invalidSyntax"),
        (json!({"Operations": []}), "invalidSyntax"),
        (json!({"Operations": one}), "invalidSyntax"),
        (json!({"Operations": [1, 2]}), "invalidSyntax"),
        (json!([one]), "invalidSyntax"),
        (many(MAX_OPERATIONS + 1), "413"),
        (many(10_000), "413"),
    ] {
        let error = parse(&body, &user).unwrap_err();
        assert_eq!(refusal(&error).0, kind, "{error}");
    }
    for body in [
        many(MAX_OPERATIONS),
        json!({"operations": [one]}),
        json!({"schemas": "x", "Operations": [one]}),
    ] {
        assert!(parse(&body, &user).is_ok());
    }
}

#[test]
fn refusals_name_operation_attribute_and_reason() {
    let replace = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
    let many: Vec<_> = (0..=MAX_VALUES).map(|n| json!(format!("{n}"))).collect();
    let manager = format!("{ENTERPRISE}:manager");
    for (operation, kind, detail) in [
        (
            json!({"op": "move", "path": "title"}),
            "invalidSyntax",
            "op is the text \"move\"; it must be",
        ),
        (
            json!({"op": 1}),
            "invalidSyntax",
            "op is the number 1; it must be",
        ),
        (
            json!({"path": "title"}),
            "invalidSyntax",
            "op is missing; it must be",
        ),
        (json!("x"), "invalidSyntax", "is no object with op"),
        (json!({"op": "remove"}), "noTarget", "remove needs a path"),
        (
            json!({"op": "remove", "value": {"title": ""}}),
            "noTarget",
            "remove needs a path",
        ),
        (
            json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"}),
            "noTarget",
            "remove needs",
        ),
        (
            json!({"op": "add", "path": "title"}),
            "invalidValue",
            "title: the value is missing",
        ),
        (json!({"op": "add"}), "invalidValue", "the value is missing"),
        (
            json!({"op": "add", "value": "x"}),
            "invalidValue",
            "must be an object of attributes, not the text \"x\"",
        ),
        (
            json!({"op": "add", "path": ["title"], "value": "x"}),
            "invalidValue",
            "path: got a list, wanted a text",
        ),
        (
            replace("name[", json!("x")),
            "invalidPath",
            "\"name[\": path",
        ),
        (
            replace("emails[type foo \"x\"].value", json!("x")),
            "invalidPath",
            "an operator is expected",
        ),
        (
            replace("emails[type eq \"x\"]value", json!("x")),
            "invalidPath",
            "only .sub-attribute may follow",
        ),
        (
            replace("emails[primary gt true].value", json!("x")),
            "invalidFilter",
            "primary",
        ),
        (
            replace("a b", json!("x")),
            "invalidPath",
            "\"a b\": path is not",
        ),
        (
            replace("name[familyName eq \"x\"].givenName", json!("x")),
            "invalidPath",
            "name.givenName has one value",
        ),
        (
            json!({"op": "add", "value": {"emails[": 1}}),
            "invalidPath",
            "\"emails[\": path",
        ),
        (replace("id", json!("x")), "mutability", "id is read-only"),
        (
            replace("meta.created", json!("x")),
            "mutability",
            "meta.created is read-only",
        ),
        (
            json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}),
            "mutability",
            "groups is read-only",
        ),
        (
            replace(&format!("{manager}.displayName"), json!("x")),
            "mutability",
            "manager.displayName is read-only",
        ),
        (
            replace("active", json!("maybe")),
            "invalidValue",
            "active: got the text \"maybe\", wanted true or false",
        ),
        (
            replace("active", json!(1)),
            "invalidValue",
            "active: got the number 1, wanted true or false",
        ),
        (
            replace("userName", json!(17)),
            "invalidValue",
            "userName: got the number 17, wanted a text",
        ),
        (
            replace("userName", json!({"a": 1})),
            "invalidValue",
            "userName: got an object, wanted a text",
        ),
        (
            replace("title", json!(["a", "b"])),
            "invalidValue",
            "title: got a list, wanted a text",
        ),
        (
            replace("name", json!("Ada Ray")),
            "invalidValue",
            "name: got the text \"Ada Ray\", wanted an object",
        ),
        (
            replace("name", json!({"givenName": 1})),
            "invalidValue",
            "name.givenName: got the number 1",
        ),
        (
            replace("emails", json!("x")),
            "invalidValue",
            "emails: got the text \"x\", wanted an object",
        ),
        (
            replace("emails", json!([{"primary": "x"}])),
            "invalidValue",
            "emails.primary: got the text \"x\"",
        ),
        (
            replace("emails[type eq \"work\"]", json!("x")),
            "invalidValue",
            "emails[type eq \"work\"]: got the text",
        ),
        (
            replace("emails[type eq \"work\"].primary", json!("x")),
            "invalidValue",
            "emails[type eq \"work\"].primary",
        ),
        (
            replace(&manager, json!(5)),
            "invalidValue",
            "manager: got the number 5, wanted an object",
        ),
        (
            replace(ENTERPRISE, json!("x")),
            "invalidValue",
            "User: got the text \"x\", wanted an object",
        ),
        (
            replace(&format!("{FOLDERS}:seats"), json!("1.5")),
            "invalidValue",
            "seats: got the text \"1.5\", wanted a number without",
        ),
        (
            replace(&format!("{FOLDERS}:share"), json!("x")),
            "invalidValue",
            "share: got the text \"x\", wanted a number",
        ),
        (
            replace(&format!("{FOLDERS}:folders"), json!([[1]])),
            "invalidValue",
            "folders: got the number 1, wanted a text",
        ),
        (
            replace(&format!("{OPEN}:a"), json!({"b": 1})),
            "invalidValue",
            "a: got an object, wanted a text",
        ),
        (
            replace(&format!("{OPEN}:a"), json!(["b", "c"])),
            "invalidValue",
            "a: got a list, wanted a text",
        ),
        (
            replace(&format!("{OPEN}:a[b eq 1]"), json!("x")),
            "invalidPath",
            "path is not",
        ),
        (
            replace(&format!("{FOLDERS}:folders"), json!(many)),
            "invalidValue",
            "folders would have more than 1000 values",
        ),
        (
            replace("title", json!("a\0b")),
            "invalidValue",
            "wanted a text without NUL",
        ),
    ] {
        let good = json!({"op": "add", "path": "title", "value": "x"});
        let error = read(json!([good, operation])).expect_err(detail);
        let (its, why) = refusal(&error);
        assert_eq!(its, kind, "{why}");
        assert!(why.starts_with("operation 2: "), "{why}");
        assert!(why.contains(detail), "{why}");
    }
}

#[test]
fn what_was_read_has_the_schemas_spelling() {
    let list = read(json!([
        {"op": "Add", "value": {"USERNAME": "a", "Name.GivenName": "G"}},
        {"op": "Replace", "path": "Emails[Type eq \"work\"].VALUE", "value": "w"},
        {"op": "remove", "path": format!("{}.MANAGER", ENTERPRISE.to_uppercase())},
        {"op": "remove", "path": "phonenumbers", "value": {"VALUE": "1", "x": 2}},
        {"op": "add", "path": format!("{FOLDERS}:folders.value"), "value": "F"},
        {"op": "replace", "path": ENTERPRISE, "value": null},
    ]));
    let shown: Vec<_> = list
        .unwrap()
        .iter()
        .map(|operation| match operation {
            Operation::Add(target, value) => format!("add {target} {value}"),
            Operation::Replace(target, value) => format!("replace {target} {value}"),
            Operation::Remove(target, None) => format!("remove {target}"),
            Operation::Remove(target, Some(values)) => format!("remove {target} {}", json!(values)),
        })
        .collect();
    let want = [
        "add name.givenName \"G\"".to_owned(),
        "add userName \"a\"".to_owned(),
        "replace emails[Type eq \"work\"].value \"w\"".to_owned(),
        format!("remove {ENTERPRISE}:manager"),
        "remove phoneNumbers [{\"value\":\"1\"}]".to_owned(),
        format!("add {FOLDERS}:folders [\"F\"]"),
        format!("remove {ENTERPRISE}"),
    ];
    assert_eq!(shown, want);
}
