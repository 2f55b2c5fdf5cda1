use serde_json::json;

use super::*;
use crate::scim::patch::sample::{ada, check};

#[test]
fn lists() {
    let work = json!({"type": "work", "value": "a@work.test", "primary": true});
    let second = json!({"type": "work", "value": "a@work.test", "primary": false});
    let home = json!({"type": "home", "value": "a@home.test"});
    let other = json!({"type": "other", "value": "o@x.test"});
    let first = json!({"type": "other", "value": "o@x.test", "primary": true});
    check(
        &ada(),
        [
            (
                "add appends",
                json!([{"op": "add", "path": "emails", "value": [other]}]),
                json!({"emails": [work, home, other]}),
            ),
            (
                "equal values are not added",
                json!([{"op": "add", "path": "emails", "value": [home, other, other]}]),
                json!({"emails": [work, home, other]}),
            ),
            (
                "a new primary takes it from the others",
                json!([{"op": "add", "path": "emails", "value": first}]),
                json!({"emails": [second, home, first]}),
            ),
            (
                "one primary in a list",
                json!([{"op": "replace", "path": "emails", "value": [first, work]}]),
                json!({"emails": [first, second]}),
            ),
            (
                "the same value becomes primary",
                json!([{"op": "add", "path": "emails", "value": [{"value": "a@home.test", "primary": true}]}]),
                json!({"emails": [second, {"type": "home", "value": "a@home.test", "primary": true}]}),
            ),
            (
                "the same value of another type is another",
                json!([{"op": "add", "path": "emails", "value": [{"type": "other", "value": "a@home.test"}]}]),
                json!({"emails": [work, home, {"type": "other", "value": "a@home.test"}]}),
            ),
            (
                "replace",
                json!([{"op": "replace", "path": "emails", "value": [other]}]),
                json!({"emails": [other]}),
            ),
            (
                "replace by nothing",
                json!([{"op": "replace", "path": "emails", "value": []}]),
                json!({"emails": null}),
            ),
            (
                "add nothing",
                json!([{"op": "add", "path": "emails", "value": []}]),
                json!({}),
            ),
            (
                "remove all",
                json!([{"op": "remove", "path": "emails"}]),
                json!({"emails": null}),
            ),
            (
                "a part of all",
                json!([{"op": "replace", "path": "emails.display", "value": "A"}]),
                json!({"emails": [
                    {"type": "work", "value": "a@work.test", "primary": true, "display": "A"},
                    {"type": "home", "value": "a@home.test", "display": "A"},
                ]}),
            ),
            (
                "a part of none makes one",
                json!([{"op": "add", "path": "roles.value", "value": "Admin"}]),
                json!({"roles": [{"value": "Admin"}]}),
            ),
            (
                "a part of all goes",
                json!([{"op": "remove", "path": "emails.type"}]),
                json!({"emails": [{"value": "a@work.test", "primary": true}, {"value": "a@home.test"}]}),
            ),
            (
                "elements without anything are dropped",
                json!([{"op": "remove", "path": "emails.value"}]),
                json!({"emails": null}),
            ),
        ],
    );
}

#[test]
fn value_filters() {
    let work = json!({"type": "work", "value": "a@work.test", "primary": true});
    let home = json!({"type": "home", "value": "a@home.test"});
    let path =
        |op: &str, path: &str, value: Value| json!([{"op": op, "path": path, "value": value}]);
    check(
        &ada(),
        [
            (
                "a part",
                path(
                    "replace",
                    "emails[type eq \"work\"].value",
                    json!("n@work.test"),
                ),
                json!({"emails": [{"type": "work", "value": "n@work.test", "primary": true}, home]}),
            ),
            (
                "the whole, which stays what it was found by",
                path(
                    "replace",
                    "emails[type eq \"work\"]",
                    json!({"value": "n@work.test"}),
                ),
                json!({"emails": [{"type": "work", "value": "n@work.test"}, home]}),
            ),
            (
                "add to an element",
                path("add", "emails[type eq \"home\"]", json!({"display": "H"})),
                json!({"emails": [work, {"type": "home", "value": "a@home.test", "display": "H"}]}),
            ),
            (
                "every one that fits",
                path("replace", "emails[value co \"@\"].display", json!("A")),
                json!({"emails": [
                    {"type": "work", "value": "a@work.test", "primary": true, "display": "A"},
                    {"type": "home", "value": "a@home.test", "display": "A"},
                ]}),
            ),
            (
                "a new one",
                path(
                    "replace",
                    "phoneNumbers[type eq \"mobile\" and primary eq true].value",
                    json!("1"),
                ),
                json!({"phoneNumbers": [{"type": "mobile", "primary": true, "value": "1"}]}),
            ),
            (
                "nothing makes no new one",
                path(
                    "replace",
                    "phoneNumbers[type eq \"mobile\"].value",
                    json!(null),
                ),
                json!({}),
            ),
            (
                "a new primary",
                path("replace", "emails[type eq \"home\"].primary", json!(true)),
                json!({"emails": [
                    {"type": "work", "value": "a@work.test", "primary": false},
                    {"type": "home", "value": "a@home.test", "primary": true},
                ]}),
            ),
            (
                "remove elements",
                json!([{"op": "remove", "path": "emails[type eq \"home\"]"}]),
                json!({"emails": [work]}),
            ),
            (
                "remove a part",
                json!([{"op": "remove", "path": "emails[type eq \"home\"].type"}]),
                json!({"emails": [work, {"value": "a@home.test"}]}),
            ),
            (
                "remove what nothing fits",
                json!([{"op": "remove", "path": "emails[type eq \"x\"].value"}]),
                json!({}),
            ),
            (
                "replace by nothing",
                path("replace", "emails[type eq \"home\"]", json!(null)),
                json!({"emails": [work]}),
            ),
        ],
    );
}
