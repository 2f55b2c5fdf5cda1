//! How Entra writes plain attributes, and how others do.

use serde_json::json;

use crate::scim::patch::sample::{OPEN, ada, check};
use crate::scim::schema::ENTERPRISE;

pub(super) fn urn(rest: &str) -> String {
    format!("{ENTERPRISE}{rest}")
}

#[test]
fn entra_without_the_flag() {
    let home = json!({"type": "home", "value": "a@home.test"});
    check(
        &ada(),
        [
            (
                "booleans as texts",
                json!([{"op": "Replace", "path": "active", "value": "False"}]),
                json!({"active": false}),
            ),
            (
                "in small letters",
                json!([{"op": "Replace", "path": "active", "value": "false"}]),
                json!({"active": false}),
            ),
            (
                "one operation for each attribute",
                json!([
                    {"op": "Replace", "path": "displayName", "value": "Pvlo"},
                    {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "n@work.test"},
                    {"op": "Replace", "path": "name.givenName", "value": "Gtfd"},
                    {"op": "Add", "path": "nickName", "value": "Babs"},
                ]),
                json!({
                    "displayName": "Pvlo",
                    "nickName": "Babs",
                    "name": {"givenName": "Gtfd", "familyName": "Ray", "formatted": "Ada Ray"},
                    "emails": [{"type": "work", "value": "n@work.test", "primary": true}, home],
                }),
            ),
            (
                "a value of another kind than is there",
                json!([{"op": "Remove", "path": "nickName", "value": "T"}]),
                json!({}),
            ),
            (
                "six parts of one new address, names with a capital",
                json!([
                    {"op": "Add", "path": "addresses[type eq \"other\"].Formatted", "value": "Room 7"},
                    {"op": "Add", "path": "addresses[type eq \"other\"].country", "value": "DE"},
                ]),
                json!({"addresses": [{"type": "other", "formatted": "Room 7", "country": "DE"}]}),
            ),
            (
                "the onboarding bot's own type",
                json!([
                    {"op": "replace", "path": "emails[type eq \"untyped\"].primary", "value": "True"},
                    {"op": "replace", "path": "emails[type eq \"untyped\"].value", "value": "u@x.test"},
                ]),
                json!({"emails": [
                    {"type": "work", "value": "a@work.test", "primary": false},
                    home,
                    {"type": "untyped", "value": "u@x.test", "primary": true},
                ]}),
            ),
        ],
    );
}

#[test]
fn entra_with_the_flag_and_path_less() {
    let home = json!({"type": "home", "value": "a@home.test"});
    check(
        &ada(),
        [
            (
                "dotted and URN keys",
                json!([{"op": "replace", "value": {
                    "displayName": "Bjfe",
                    "name.givenName": "Kkom",
                    urn(":employeeNumber"): "Aklq",
                    urn(":manager.value"): "m1",
                    "emails[type eq \"work\"].value": "k@work.test",
                }}]),
                json!({
                    "displayName": "Bjfe",
                    "name": {"givenName": "Kkom", "familyName": "Ray", "formatted": "Ada Ray"},
                    "emails": [{"type": "work", "value": "k@work.test", "primary": true}, home],
                    ENTERPRISE: {"department": "R&D", "employeeNumber": "Aklq",
                        "manager": {"value": "m1", "$ref": "https://app.test/m1"}},
                }),
            ),
            (
                "an object under the URN, also in a list of one",
                json!([
                    {"op": "add", "value": {ENTERPRISE: {"division": "D", "manager.value": ""}}},
                    {"op": "add", "value": [{ENTERPRISE: [{"department": "E"}]}]},
                ]),
                json!({ENTERPRISE: {"department": "E", "division": "D"}}),
            ),
            (
                "the core's URN",
                json!([{"op": "replace", "value": {
                    "urn:ietf:params:scim:schemas:core:2.0:User:title": "Dr",
                    "urn:ietf:params:scim:schemas:core:2.0:User": {"nickName": "A"},
                }}]),
                json!({"title": "Dr", "nickName": "A"}),
            ),
            (
                "what is read-only is passed over, and what no schema has (Okta, authentik)",
                json!([{"op": "replace", "value": {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "id": "x", "meta": {"resourceType": "User"}, "meta.created": "2001-01-01T00:00:00Z",
                    "groups": [{"value": "g"}], "adreses": [1], "a b": 1, "urn:x:y": {"z": 1},
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"department": "X"},
                    "urn:scim:schemas:core:1.0": {"userName": "x"},
                    "title": "Dr",
                }}]),
                json!({"title": "Dr"}),
            ),
            (
                "unknown paths do nothing",
                json!([
                    {"op": "replace", "path": "favouriteColour", "value": "x"},
                    {"op": "replace", "path": "name.nick", "value": "x"},
                    {"op": "remove", "path": "urn:x:y:z"},
                    {"op": "add", "path": "schemas", "value": ["urn:x:y"]},
                ]),
                json!({}),
            ),
            (
                "any case",
                json!([
                    {"OP": "REPLACE", "Path": "DISPLAYNAME", "Value": "A"},
                    {"op": "add", "path": urn(":COSTCENTER").to_lowercase().replace("costcenter", "COSTCENTER"), "value": "1"},
                    {"op": "replace", "path": "Emails[Type eq \"work\"].Value", "value": "c@work.test"},
                ]),
                json!({
                    "displayName": "A",
                    "emails": [{"type": "work", "value": "c@work.test", "primary": true}, home],
                    ENTERPRISE: {"department": "R&D", "costCenter": "1",
                        "manager": {"value": "m1", "$ref": "https://app.test/m1"}},
                }),
            ),
        ],
    );
}

#[test]
fn entra_before_december_2018() {
    let manager = json!({"value": "m1", "$ref": "https://app.test/m1"});
    check(
        &ada(),
        [
            (
                "a dot behind the URN",
                json!([{"op": "Replace", "path": urn(".department"), "value": "Dot"}]),
                json!({ENTERPRISE: {"department": "Dot", "manager": manager}}),
            ),
            (
                "values in objects in lists",
                json!([
                    {"op": "Replace", "path": "displayName", "value": [{"$ref": null, "value": "Ada"}]},
                    {"op": "Replace", "path": "name.givenName", "value": [{"value": "G"}]},
                    {"op": "Replace", "path": "active", "value": [{"value": "False"}]},
                    {"op": "Replace", "path": "emails[type eq \"home\"].value", "value": [{"value": "h@x.test"}]},
                    {"op": "Replace", "path": urn(".department"), "value": [{"value": "W"}]},
                ]),
                json!({
                    "displayName": "Ada",
                    "active": false,
                    "name": {"givenName": "G", "familyName": "Ray", "formatted": "Ada Ray"},
                    "emails": [
                        {"type": "work", "value": "a@work.test", "primary": true},
                        {"type": "home", "value": "h@x.test"},
                    ],
                    ENTERPRISE: {"department": "W", "manager": manager},
                }),
            ),
            (
                "no path in other words",
                json!([
                    {"op": "Replace", "path": "", "value": {"title": "Dr"}},
                    {"op": "Replace", "path": null, "value": {"nickName": "A"}},
                ]),
                json!({"title": "Dr", "nickName": "A"}),
            ),
        ],
    );
}

#[test]
fn what_is_cleared() {
    for nothing in [json!(""), json!(null), json!([])] {
        let verbose = json!([
            {"op": "replace", "path": "displayName", "value": nothing},
            {"op": "replace", "path": "name.givenName", "value": nothing},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": nothing},
            {"op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": nothing},
            {"op": "replace", "path": urn(":department"), "value": nothing},
            {"op": "replace", "path": format!("{OPEN}:CostCode"), "value": nothing},
        ]);
        let path_less = json!([
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": nothing},
            {"op": "replace", "value": {
                "displayName": nothing, "name.givenName": nothing, urn(":department"): nothing, OPEN: nothing,
            }},
        ]);
        let want = json!({
            "name": {"familyName": "Ray", "formatted": "Ada Ray"},
            "emails": [{"type": "home", "value": "a@home.test"}],
            ENTERPRISE: {"manager": {"value": "m1", "$ref": "https://app.test/m1"}},
            OPEN: null,
        });
        check(
            &ada(),
            [
                ("each", verbose, want.clone()),
                ("together", path_less, want),
            ],
        );
    }
}
