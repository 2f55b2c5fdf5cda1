//! Whatever filter comes: it is read or refused, reads back as it is printed, and can be asked of anybody.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use sidegate::config::Settings;
use sidegate::scim::filter::{Filter, Lookup, MAX_FILTER};
use sidegate::scim::schema::Schemas;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let text = "public_url = 'https://app.test'\n[upstream]\nurl = 'http://127.0.0.1:1'\n[local]\nenabled = true\n\
                [[scim.extension]]\nschema = 'urn:x:open'\nopen = true";
    Schemas::new(&Settings::parse(text).expect("settings").scim)
});
static PERSON: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let text = r#"{"id": "1", "userName": "a", "active": true, "emails": [{"type": "work", "value": "a"}, null, "a"],
        "name": {"familyName": "A"}, "meta": {"created": "2026-11-22T09:30:00Z"}, "urn:x:open": {"a": "1"}}"#;
    serde_json::from_str(text).expect("JSON")
});

fuzz_target!(|text: &str| {
    let Ok(filter) = text.parse::<Filter>() else {
        return;
    };
    assert!(text.len() <= MAX_FILTER);
    let printed = filter.to_string();
    if printed.len() <= MAX_FILTER {
        let again: Filter = printed.parse().expect("what is printed reads back");
        assert_eq!(again, filter);
    }
    let kind = &SCHEMAS.user;
    let fits = filter.matches(kind, &PERSON).unwrap_or_default();
    let nobody = filter.lookup(kind) == Lookup::AnyOf(Vec::new());
    assert!(!(fits && nobody), "who fits is found");
    let _ = filter.asked(kind, "groups");
});
