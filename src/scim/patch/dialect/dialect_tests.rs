//! One sample of each habit beyond plain attributes, and what it means.

use serde_json::{Value, json};

use super::entra_tests::urn;
use crate::scim::patch::sample::{FOLDERS, OPEN, ada, changed, check, refusal, schemas, with};
use crate::scim::resource::accept;
use crate::scim::schema::ENTERPRISE;

#[test]
fn managers() {
    let person = with(ada(), json!({ENTERPRISE: null}));
    let path = urn(":manager");
    let both = urn(":manager.value");
    for operation in [
        json!({"op": "Add", "path": path, "value": "m2"}),
        json!({"op": "Add", "path": path, "value": {"value": "m2"}}),
        json!({"op": "Add", "path": "manager", "value": [{"$ref": null, "value": "m2"}]}),
        json!({"op": "add", "path": both, "value": "m2"}),
        json!({"op": "add", "path": path, "value": {"managerId": "m2", "displayName": "Max"}}),
        json!({"op": "add", "value": {path.clone(): "m2"}}),
        json!({"op": "add", "value": {ENTERPRISE: {"manager": "m2"}}}),
        json!({"op": "add", "value": {"manager": {"value": "m2"}}}),
    ] {
        let want = json!({ENTERPRISE: {"manager": {"value": "m2"}}});
        check(&person, [("set", json!([operation]), want)]);
    }
    let person = with(
        ada(),
        json!({ENTERPRISE: {"manager": {"value": "m1", "$ref": "x"}}}),
    );
    for operation in [
        json!({"op": "replace", "path": path, "value": ""}),
        json!({"op": "replace", "path": path, "value": {"value": ""}}),
        json!({"op": "replace", "path": path, "value": [{"value": null}]}),
        json!({"op": "replace", "path": both, "value": ""}),
        json!({"op": "remove", "path": path}),
        json!({"op": "remove", "path": both}),
        json!({"op": "Remove", "path": "manager", "value": "m1"}),
    ] {
        check(
            &person,
            [("cleared", json!([operation]), json!({ENTERPRISE: null}))],
        );
    }
}

#[test]
fn roles() {
    let packed = |id: &str, value: &str| {
        json!({"id": id, "value": value, "displayName": format!("The {value}")}).to_string()
    };
    let admin = json!({"value": "Admin", "display": "The Admin"});
    let user = json!({"value": "User", "display": "The User"});
    let reader = json!({"value": "Reader", "display": "Reader", "primary": false});
    let person = with(ada(), json!({"roles": [reader]}));
    check(
        &person,
        [
            (
                "JSON in texts",
                json!([{"op": "Add", "path": "roles", "value": [
                    {"value": packed("1", "Admin")}, packed("2", "User"), {"value": packed("3", "Reader")},
                ]}]),
                json!({"roles": [
                    {"value": "Reader", "display": "The Reader", "primary": false}, admin, user,
                ]}),
            ),
            (
                "displayName for display, texts for true and false",
                json!([{"op": "replace", "path": "roles", "value": [
                    {"primary": "True", "type": "T", "displayName": "The Admin", "value": "Admin"},
                ]}]),
                json!({"roles": [{"primary": true, "type": "T", "display": "The Admin", "value": "Admin"}]}),
            ),
            (
                "the one that is primary, which is made",
                json!([
                    {"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Admin"},
                    {"op": "Add", "path": "roles[primary eq \"True\"].display", "value": "The Admin"},
                    {"op": "Replace", "path": "roles[primary eq true].value", "value": "MANAGER"},
                ]),
                json!({"roles": [reader, {"primary": true, "value": "MANAGER", "display": "The Admin"}]}),
            ),
            (
                "plain texts",
                json!([{"op": "replace", "path": "roles", "value": ["Admin", "User"]}]),
                json!({"roles": [{"value": "Admin"}, {"value": "User"}]}),
            ),
            (
                "taken away by what it is, however it is shown",
                json!([{"op": "Remove", "path": "roles", "value": [{"value": packed("3", "Reader")}]}]),
                json!({"roles": null}),
            ),
            (
                "a text that only looks like JSON",
                json!([{"op": "Add", "path": "roles", "value": [{"value": "{Admin"}]}]),
                json!({"roles": [reader, {"value": "{Admin"}]}),
            ),
        ],
    );
    let nul = json!([{"op": "Add", "path": "roles", "value": "{\"value\": \"a\\u0000\"}"}]);
    let error = changed(
        &person,
        json!([{"op": "Add", "path": "roles[value eq \"a\\u0000\"].type", "value": "x"}]),
    );
    assert_eq!(refusal(&error.unwrap_err()).0, "noTarget");
    let kept = changed(&person, nul).unwrap();
    assert_eq!(
        kept["roles"][1]["value"], "{\"value\": \"a\\u0000\"}",
        "stays as it came"
    );
}

#[test]
fn removal_of_listed_values() {
    let person = with(
        ada(),
        json!({"phoneNumbers": [
            {"type": "work", "value": "1"}, {"type": "mobile", "value": "1"}, {"type": "fax", "value": "2"},
        ]}),
    );
    let work = json!({"type": "work", "value": "1"});
    let mobile = json!({"type": "mobile", "value": "1"});
    let fax = json!({"type": "fax", "value": "2"});
    let remove = |value: Value| json!([{"op": "Remove", "path": "phoneNumbers", "value": value}]);
    check(
        &person,
        [
            (
                "by value and type",
                remove(json!([work])),
                json!({"phoneNumbers": [mobile, fax]}),
            ),
            (
                "by value",
                remove(json!({"value": "1"})),
                json!({"phoneNumbers": [fax]}),
            ),
            (
                "by a part",
                remove(json!([{"type": "fax"}])),
                json!({"phoneNumbers": [work, mobile]}),
            ),
            (
                "by a path to the part",
                json!([{"op": "remove", "path": "phoneNumbers.value", "value": ["1"]}]),
                json!({"phoneNumbers": [fax]}),
            ),
            ("nothing listed", remove(json!([])), json!({})),
            ("nothing in the object", remove(json!([{}])), json!({})),
            ("another", remove(json!([{"value": "3"}])), json!({})),
            ("all", remove(json!(null)), json!({"phoneNumbers": null})),
        ],
    );
}

#[test]
fn extensions_of_the_app() {
    let folders = format!("{FOLDERS}:folders");
    check(
        &ada(),
        [
            (
                "a list, values wrapped",
                json!([{"op": "Add", "path": folders, "value": [{"value": "F1"}, {"value": "F2"}]}]),
                json!({FOLDERS: {"folders": ["F1", "F2"]}}),
            ),
            (
                "numbers in texts",
                json!([
                    {"op": "Replace", "path": format!("{FOLDERS}:seats"), "value": "7"},
                    {"op": "Replace", "path": format!("{FOLDERS}:share"), "value": " 0.5 "},
                ]),
                json!({FOLDERS: {"seats": 7, "share": 0.5}}),
            ),
            (
                "any key, any scalar, kept as a text; the first spelling stays",
                json!([
                    {"op": "Add", "path": format!("{OPEN}:Empty"), "value": [{"value": ""}]},
                    {"op": "Replace", "path": format!("{OPEN}:costcode"), "value": 78},
                    {"op": "Add", "path": format!("{OPEN}:Site"), "value": [{"value": true}]},
                    {"op": "Add", "value": {OPEN: {"Straße.1": 1.5, "a b": "c"}}},
                    {"op": "Remove", "path": format!("{OPEN}:SITE")},
                ]),
                json!({OPEN: {"CostCode": "78", "Straße.1": "1.5", "a b": "c"}}),
            ),
        ],
    );
}

#[test]
fn the_same_in_a_new_resource() {
    let user = schemas().user;
    let sample = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
        "id": null, "UserName": "joy", "ACTIVE": "True", "addresses": null, "title": "",
        "Emails": [{"Primary": "True", "Type": "work", "VALUE": "j@x.test", "display": null}],
        "name": {"familyName": "Young", "honorificSuffix": null, "$ref": null}, "name.givenName": "Joy",
        "phoneNumbers[type eq \"mobile\"].value": "1",
        "roles": [{"primary": "True", "value": "A", "displayName": "B"}, {"primary": true, "value": "C"}],
        "groups": [{"value": "g"}], "meta": {"created": "2001-01-01T00:00:00Z"}, "adreses": [1],
        "department": null, "manager": "m1",
        OPEN: {"CostCode": 77, "Gone": ""},
    });
    let want = json!({
        "userName": "joy", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "j@x.test"}],
        "name": {"familyName": "Young", "givenName": "Joy"},
        "phoneNumbers": [{"type": "mobile", "value": "1"}],
        "roles": [{"primary": true, "value": "A", "display": "B"}, {"primary": false, "value": "C"}],
        ENTERPRISE: {"manager": {"value": "m1"}},
        OPEN: {"CostCode": "77"},
    });
    assert_eq!(Value::Object(accept(sample, &user).unwrap()), want);
}
