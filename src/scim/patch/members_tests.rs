use serde_json::json;

use super::MemberChange::{Add, Remove, Replace};
use super::*;
use crate::scim::patch::parse;
use crate::scim::patch::sample::{refusal, schemas};

fn split(list: Value) -> Result<(usize, Vec<MemberChange>), ScimError> {
    let operations = parse(&json!({"Operations": list}), &schemas().group)?;
    split_members(operations).map(|(others, changes)| (others.len(), changes))
}

fn ids(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_form() {
    for (operation, want) in [
        (
            json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": "a"}]}),
            Add(ids("a")),
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": "a", "display": "A"}, {"value": "b"}]}),
            Add(ids("a b")),
        ),
        (
            json!({"op": "add", "path": "members", "value": {"value": "a"}}),
            Add(ids("a")),
        ),
        (
            json!({"op": "add", "path": "members", "value": "a"}),
            Add(ids("a")),
        ),
        (
            json!({"op": "add", "path": "members", "value": ["a", "b", "a"]}),
            Add(ids("a b")),
        ),
        (
            json!({"op": "add", "path": "members.value", "value": "a"}),
            Add(ids("a")),
        ),
        (
            json!({"op": "add", "value": {"Members": [{"value": "a", "type": "User"}]}}),
            Add(ids("a")),
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"]", "value": "a"}),
            Add(ids("a")),
        ),
        (
            json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "a"}]}),
            Remove(ids("a")),
        ),
        (
            json!({"op": "Remove", "path": "members", "value": "a"}),
            Remove(ids("a")),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\"]"}),
            Remove(ids("a")),
        ),
        (
            json!({"op": "remove", "path": "members[Value EQ a]"}),
            Remove(ids("a")),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"b\" or value eq \"a\"]"}),
            Remove(ids("a b")),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\" and value eq \"a\"]"}),
            Remove(ids("a")),
        ),
        (
            json!({"op": "remove", "path": "members"}),
            Replace(Vec::new()),
        ),
        (
            json!({"op": "replace", "path": "members", "value": []}),
            Replace(Vec::new()),
        ),
        (
            json!({"op": "replace", "path": "members", "value": [{"value": "a"}]}),
            Replace(ids("a")),
        ),
        (
            json!({"op": "replace", "value": {"members": [{"value": "a"}], "id": "x"}}),
            Replace(ids("a")),
        ),
    ] {
        let got = split(json!([operation])).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(got, (0, vec![want]), "{operation}");
    }
}

#[test]
fn in_order_and_merged() {
    let add = |id: &str| json!({"op": "add", "path": "members", "value": [{"value": id}]});
    let remove = |id: &str| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    let replace = |id: &str| json!({"op": "replace", "path": "members", "value": [{"value": id}]});
    let rename = json!({"op": "replace", "path": "displayName", "value": "x"});
    for (list, others, want) in [
        (json!([rename]), 1, vec![]),
        (
            json!([add("a"), rename, add("b"), remove("a")]),
            1,
            vec![Add(ids("a b")), Remove(ids("a"))],
        ),
        (
            json!([remove("a"), add("b"), remove("c"), remove("d")]),
            0,
            vec![Remove(ids("a")), Add(ids("b")), Remove(ids("c d"))],
        ),
        (
            json!([add("a"), remove("b"), replace("c"), add("d")]),
            0,
            vec![Replace(ids("c")), Add(ids("d"))],
        ),
        (
            json!([{"op": "remove", "path": "members", "value": []}]),
            0,
            vec![],
        ),
        (
            json!([{"op": "add", "path": "members", "value": null}]),
            0,
            vec![],
        ),
        (
            json!([{"op": "replace", "path": "members[value eq \"a\"]", "value": {"value": "b"}}]),
            0,
            vec![Remove(ids("a")), Add(ids("b"))],
        ),
    ] {
        assert_eq!(split(list.clone()).unwrap(), (others, want), "{list}");
    }
}

#[test]
fn a_hundred_thousand_at_once() {
    let many: Vec<_> = (0..100_000)
        .map(|n| json!({"$ref": null, "value": format!("{n}")}))
        .collect();
    let (others, changes) =
        split(json!([{"op": "Add", "path": "members", "value": many}])).unwrap();
    assert_eq!(others, 0);
    assert!(matches!(changes.as_slice(), [Add(ids)] if ids.len() == 100_000));
}

#[test]
fn what_is_refused() {
    for (operation, kind, detail) in [
        (
            json!({"op": "add", "path": "members"}),
            "invalidValue",
            "members: the value is missing",
        ),
        (
            json!({"op": "add", "path": "members", "value": [17]}),
            "invalidValue",
            "members: got the number 17, wanted the id",
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"display": "A"}]}),
            "invalidValue",
            "members: got an object",
        ),
        (
            json!({"op": "add", "path": "members", "value": [{"value": ""}]}),
            "invalidValue",
            "members: got an object",
        ),
        (
            json!({"op": "remove", "path": "members[type eq \"User\"]"}),
            "invalidPath",
            "not by type eq \"User\"",
        ),
        (
            json!({"op": "remove", "path": "members[value ne \"a\"]"}),
            "invalidPath",
            "not by value ne \"a\"",
        ),
        (
            json!({"op": "remove", "path": "members[not (value eq \"a\")]"}),
            "invalidPath",
            "not by not",
        ),
        (
            json!({"op": "replace", "path": "members[value eq \"a\"].display", "value": "A"}),
            "mutability",
            "read-only",
        ),
        (
            json!({"op": "replace", "path": "members.type", "value": "A"}),
            "mutability",
            "members.type",
        ),
        (json!({"op": "remove"}), "noTarget", "remove needs a path"),
    ] {
        let error = split(json!([operation])).expect_err(detail);
        let (its, why) = refusal(&error);
        assert_eq!(its, kind, "{why}");
        assert!(
            why.starts_with("operation 1: ") && why.contains(detail),
            "{why}"
        );
    }
}
