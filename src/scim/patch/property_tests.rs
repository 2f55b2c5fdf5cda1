//! Random operations on random resources.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::sample::{FOLDERS, OPEN, ada, schemas};
use super::{Operation, apply, parse, split_members};
use crate::scim::read::read_body;
use crate::scim::resource::accept;
use crate::scim::schema::ENTERPRISE;

/// Pieces of paths, good and bad.
fn piece() -> impl Strategy<Value = String> {
    let enterprise = format!("{ENTERPRISE}:");
    let (folders, open) = (format!("{FOLDERS}:folders"), format!("{OPEN}:"));
    let known = [
        "emails",
        "Emails",
        "members",
        "roles",
        "name",
        "active",
        "userName",
        "displayName",
        "manager",
        "addresses",
        "id",
        "groups",
        "schemas",
        "meta",
        ".value",
        ".type",
        ".primary",
        ".givenName",
        ".$ref",
        "[type eq \"work\"]",
        "[value eq \"a\"]",
        "[primary eq true]",
        "[not (value pr)]",
        "[type eq \"work\"",
        "[type eq \"x\" or value co \"a\"]",
        "[primary eq \"True\" and type ne null]",
        "]",
        "urn:x:y:",
        "1",
        " ",
    ];
    let known = known.into_iter().map(str::to_owned).chain([
        ENTERPRISE.to_owned(),
        enterprise,
        folders,
        open,
    ]);
    proptest::sample::select(known.collect::<Vec<_>>())
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::collection::vec(piece(), 1..4).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        proptest::sample::select(vec![
            "",
            "a",
            "True",
            "work",
            "7",
            "{\"value\":\"a\"}",
            "{",
            "\0"
        ])
        .prop_map(|text| json!(text)),
        any::<String>().prop_map(|text| json!(text)),
    ]
}

/// Any JSON, with names that mean something.
fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            2 => proptest::sample::select(vec!["value", "type", "primary", "display", "Value", "$ref"])
                .prop_map(str::to_owned),
            1 => path(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map(name, inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let verb = proptest::sample::select(vec!["add", "Replace", "REMOVE", "move"]);
    (
        verb,
        proptest::option::of(path()),
        proptest::option::of(value()),
    )
        .prop_map(|(op, path, value)| {
            let mut operation = json!({"op": op});
            for (name, value) in [("path", path.map(Value::String)), ("value", value)] {
                if let (Some(object), Some(value)) = (operation.as_object_mut(), value) {
                    object.insert(name.to_owned(), value);
                }
            }
            operation
        })
}

/// What every resource holds to, whatever was done to it.
fn check_shape(value: &Value) {
    match value {
        Value::Null => panic!("null is kept"),
        Value::Array(values) => {
            assert!(!values.is_empty(), "an empty list is kept");
            let primary = |value: &&Value| value.get("primary") == Some(&json!(true));
            assert!(values.iter().filter(primary).count() <= 1, "{values:?}");
            let shell = |value: &Value| {
                let label = |name: &String| name == "type" || name == "primary";
                value
                    .as_object()
                    .is_some_and(|parts| parts.keys().all(label))
            };
            assert!(!values.iter().any(shell), "{values:?}");
            values.iter().for_each(check_shape);
        }
        Value::Object(object) => {
            assert!(!object.is_empty(), "an empty object is kept");
            object.values().for_each(check_shape);
        }
        Value::String(text) => assert!(!text.is_empty() && !text.contains('\0'), "{text:?}"),
        Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An operation that does not change what its own filter asks for.
fn steady() -> impl Strategy<Value = Value> {
    let target = proptest::sample::select(vec![
        (
            "emails[type eq \"work\"]",
            json!({"value": "n", "display": "N"}),
        ),
        (
            "emails[type eq \"x\"]",
            json!({"value": "n", "primary": true}),
        ),
        ("emails[type eq \"home\"].value", json!("n")),
        ("emails[type eq \"home\"].primary", json!("True")),
        ("emails[value eq \"a@home.test\"].type", json!("work")),
        ("emails[value sw \"a@\"].display", json!("")),
        (
            "emails",
            json!([{"value": "n", "primary": true}, {"value": "m", "primary": true}, {"value": "n"}]),
        ),
        ("emails.display", json!("N")),
        ("roles[primary eq \"True\"].value", json!("n")),
        ("roles", json!(["n", {"value": "m", "displayName": "M"}])),
        ("name", json!({"givenName": "n", "familyName": null})),
        ("name.formatted", json!(null)),
        ("manager", json!("m2")),
        ("manager.value", json!("")),
        ("active", json!("False")),
        (
            "urn:ietf:params:scim:schemas:extension:2.0:Metadata:x",
            json!(1),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName:folders",
            json!(["a", {"value": "b"}]),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            json!({"department": "n"}),
        ),
        (
            "",
            json!({"title": "n", "name.givenName": "m", "emails": [{"value": "n"}]}),
        ),
    ]);
    (target, any::<bool>(), any::<bool>()).prop_map(|((path, value), remove, listed)| {
        match (remove && !path.is_empty(), listed) {
            (false, _) => json!({"op": "replace", "path": path, "value": value}),
            (true, true) => json!({"op": "remove", "path": path, "value": value}),
            (true, false) => json!({"op": "remove", "path": path}),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_panics_and_refusals_change_nothing(
        operations in proptest::collection::vec(operation(), 1..5),
        start in value(),
        whole in value(),
    ) {
        let schemas = schemas();
        for kind in [&schemas.user, &schemas.group] {
            let body = json!({"Operations": operations});
            if let Ok(list) = parse(&body, kind) {
                let (list, _) = split_members(list).expect("only good selections are read");
                for start in [&ada(), &start] {
                    let before = start.as_object().cloned().unwrap_or_default();
                    let mut resource = before.clone();
                    match apply(&mut resource, kind, &list) {
                        Ok(()) if start == &ada() => check_shape(&Value::Object(resource)),
                        Ok(()) => {}
                        Err(_) => prop_assert_eq!(resource, before),
                    }
                }
            }
            if let Ok(mut resource) = accept(whole.clone(), kind) {
                resource.remove("members");
                check_shape(&Value::Object(resource));
            }
        }
    }

    #[test]
    fn twice_is_once(operation in steady(), before in proptest::collection::vec(steady(), 1..3)) {
        let user = schemas().user;
        let read = |list: &[Value]| parse(&json!({"Operations": list}), &user).expect("good operations");
        let mut resource: Map<String, Value> = ada().as_object().cloned().expect("an object");
        apply(&mut resource, &user, &read(&before)).expect("good operations");
        let list: Vec<Operation> = read(&[operation]);
        apply(&mut resource, &user, &list).expect("good operation");
        let once = resource.clone();
        apply(&mut resource, &user, &list).expect("good operation");
        prop_assert_eq!(resource, once);
    }

    #[test]
    fn what_was_accepted_is_accepted_again(whole in value(), name in "[a-z]{1,8}") {
        let user = schemas().user;
        let mut whole = whole.as_object().cloned().unwrap_or_default();
        whole.retain(|key, _| !key.to_lowercase().contains("username"));
        whole.insert("userName".to_owned(), json!(name));
        if let Ok(once) = accept(Value::Object(whole), &user) {
            let text = Value::Object(once.clone()).to_string();
            let read = read_body(text.as_bytes()).expect("our own JSON");
            prop_assert_eq!(accept(read, &user).expect("our own resource"), once);
        }
    }
}
