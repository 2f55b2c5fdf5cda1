//! Whatever body comes: it is refused and changes nothing, or leaves a resource of our shape; what we keep is read
//! again as it is.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use sidegate::config::Settings;
use sidegate::scim::patch::{MemberChange, Operation, apply, parse, split_members};
use sidegate::scim::read_body;
use sidegate::scim::resource::{accept, accept_members, check_immutable};
use sidegate::scim::schema::{ResourceType, Schemas};

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let text = r#"
        public_url = "https://app.test"
        upstream.url = "http://127.0.0.1:1"
        local.enabled = true
        [[scim.extension]]
        schema = "urn:x:closed"
        attributes = [{ name = "many", multi_valued = true }, { name = "whole", type = "integer" }]
        [[scim.extension]]
        schema = "urn:x:open"
        open = true
    "#;
    Schemas::new(&Settings::parse(text).expect("good settings").scim)
});

fuzz_target!(|body: &[u8]| {
    let Ok(body) = read_body(body) else {
        return;
    };
    for kind in [&SCHEMAS.user, &SCHEMAS.group] {
        let before = sample();
        if let Ok(operations) = parse(&body, kind) {
            let (operations, changes) = split_members(operations).expect("only good selections are read");
            check_changes(&changes);
            check_operations(kind, &before, &operations);
        }
        if let Ok(mut resource) = accept(body.clone(), kind) {
            let members = accept_members(&mut resource);
            assert!(members.iter().flatten().all(|id| !id.is_empty()));
            check_shape(&Value::Object(resource.clone()));
            let again = accept(Value::Object(resource.clone()), kind).expect("our own shape");
            assert_eq!(again, resource);
            check_immutable(&before, &mut resource, kind).expect("nothing of it is immutable");
        }
    }
});

fn sample() -> Map<String, Value> {
    let sample = json!({
        "userName": "ada",
        "displayName": "Ada",
        "name": {"givenName": "Ada"},
        "emails": [{"type": "work", "value": "a@b.test", "primary": true}, {"type": "home", "value": "c@d.test"}],
        "urn:x:closed": {"many": ["a", "b"], "whole": 1},
        "urn:x:open": {"Key": "1"},
    });
    sample.as_object().cloned().unwrap_or_default()
}

fn check_operations(kind: &ResourceType, before: &Map<String, Value>, operations: &[Operation]) {
    let mut resource = before.clone();
    match apply(&mut resource, kind, operations) {
        Ok(()) => check_shape(&Value::Object(resource)),
        Err(error) => {
            assert!(!error.detail.is_empty());
            assert_eq!(&resource, before);
        }
    }
}

fn check_changes(changes: &[MemberChange]) {
    let replaces = |change: &MemberChange| matches!(change, MemberChange::Replace(_));
    assert!(!changes.iter().skip(1).any(replaces), "what stands before a replacement is left out");
}

/// Nothing empty, no NUL, and one primary value in a list.
fn check_shape(value: &Value) {
    match value {
        Value::Null => panic!("null is kept"),
        Value::Array(values) => {
            let primary = |value: &&Value| value.get("primary") == Some(&Value::Bool(true));
            assert!(!values.is_empty() && values.iter().filter(primary).count() <= 1);
            values.iter().for_each(check_shape);
        }
        Value::Object(parts) => {
            assert!(!parts.is_empty());
            parts.values().for_each(check_shape);
        }
        Value::String(text) => assert!(!text.is_empty() && !text.contains('\0')),
        Value::Bool(_) | Value::Number(_) => {}
    }
}
