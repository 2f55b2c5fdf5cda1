use serde_json::json;

use super::*;
use crate::scim::patch::sample::{FOLDERS, OPEN, refusal, schemas};
use crate::scim::schema::ENTERPRISE;

fn rule(path: &str, allowed: &[&str], default: &str, required: bool) -> AttributeRule {
    AttributeRule {
        path: path.to_owned(),
        allowed: allowed.iter().map(|&text| text.to_owned()).collect(),
        default: default.to_owned(),
        required,
    }
}

#[test]
fn what_people_may_hold() {
    let user = schemas().user;
    let plans = ["Premium", "Standard"];
    let role = "roles[primary eq true].value";
    let department = format!("{ENTERPRISE}:department");
    let folders = format!("{FOLDERS}:folders");
    let open = format!("{OPEN}:Plan");
    for (rule, person, want) in [
        (
            rule("userType", &plans, "", false),
            json!({"userType": "Premium"}),
            Ok(json!({"userType": "Premium"})),
        ),
        (
            rule("userType", &plans, "", false),
            json!({}),
            Ok(json!({})),
        ),
        (
            rule("USERTYPE", &plans, "Standard", true),
            json!({}),
            Ok(json!({"userType": "Standard"})),
        ),
        (
            rule("userType", &plans, "", false),
            json!({"userType": "premium"}),
            Err("userType: got \"premium\"; allowed: Premium, Standard"),
        ),
        (
            rule("userType", &plans, "", true),
            json!({}),
            Err("userType is required; allowed: Premium, Standard"),
        ),
        (
            rule("title", &[], "", true),
            json!({}),
            Err("title is required; allowed: any text"),
        ),
        (
            rule("name.familyName", &[], "None", false),
            json!({"name": {"givenName": "G"}}),
            Ok(json!({"name": {"givenName": "G", "familyName": "None"}})),
        ),
        (
            rule("active", &[], "true", false),
            json!({}),
            Ok(json!({"active": true})),
        ),
        (
            rule(role, &["ADMIN"], "", false),
            json!({"roles": [{"value": "X"}, {"value": "ADMIN", "primary": true}]}),
            Ok(json!({"roles": [{"value": "X"}, {"value": "ADMIN", "primary": true}]})),
        ),
        (
            rule(role, &["ADMIN"], "", false),
            json!({"roles": [{"value": "X", "primary": true}]}),
            Err("roles[primary eq true].value: got \"X\"; allowed: ADMIN"),
        ),
        (
            rule(role, &["ADMIN"], "ADMIN", false),
            json!({}),
            Ok(json!({"roles": [{"value": "ADMIN", "primary": true}]})),
        ),
        (
            rule("roles", &["A", "B"], "", false),
            json!({"roles": [{"value": "A"}, {"value": "C"}]}),
            Err("roles: got \"C\"; allowed: A, B"),
        ),
        (
            rule("roles", &["A"], "A", false),
            json!({}),
            Ok(json!({"roles": [{"value": "A"}]})),
        ),
        (
            rule(&department, &["R"], "R", false),
            json!({}),
            Ok(json!({ENTERPRISE: {"department": "R"}})),
        ),
        (
            rule("department", &["R"], "", false),
            json!({ENTERPRISE: {"department": "S"}}),
            Err("department: got \"S\"; allowed: R"),
        ),
        (
            rule(&folders, &["F"], "F", false),
            json!({}),
            Ok(json!({FOLDERS: {"folders": ["F"]}})),
        ),
        (
            rule(&open, &["P"], "P", false),
            json!({}),
            Ok(json!({OPEN: {"Plan": "P"}})),
        ),
        (
            rule(&open, &["P"], "P", false),
            json!({OPEN: {"plan": "Q"}}),
            Err("Plan: got \"Q\"; allowed: P"),
        ),
    ] {
        let rules = Rules::new(&user, std::slice::from_ref(&rule)).unwrap();
        let mut resource = person.as_object().unwrap().clone();
        let got = rules.apply(&user, &mut resource);
        match (got, want) {
            (Ok(()), Ok(want)) => assert_eq!(Value::Object(resource), want, "{rule:?}"),
            (Err(error), Err(want)) => {
                let (kind, detail) = refusal(&error);
                assert_eq!(kind, "invalidValue");
                assert!(detail.ends_with(want), "{detail}");
            }
            (got, want) => panic!("{rule:?} {person}: {got:?}, not {want:?}"),
        }
    }
}

#[test]
fn rules_that_are_mistakes() {
    let user = schemas().user;
    for (rule, why) in [
        (
            rule("favouriteColour", &[], "x", false),
            "\"favouriteColour\": no schema has",
        ),
        (rule("urn:x:y:z", &[], "x", false), "no schema has"),
        (rule(ENTERPRISE, &[], "x", false), "no schema has"),
        (rule("a b", &[], "x", false), "path is not"),
        (rule("id", &[], "x", false), "id is read-only"),
        (
            rule("active", &[], "x", false),
            "active: got the text \"x\", wanted true or false",
        ),
        (
            rule("emails", &[], "x", false),
            "emails: got the text \"x\", wanted an object",
        ),
    ] {
        let error = Rules::new(&user, &[rule]).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
