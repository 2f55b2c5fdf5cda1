//! Whatever is asked: the index leaves everybody who fits, and nothing panics.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::identity::fold;
use crate::scim::schema::tests::schemas;

/// Few, so that questions and resources meet.
const WORDS: [&str; 8] = [
    "a",
    "A",
    "ä",
    "a b",
    " a",
    "true",
    "7",
    "2026-11-22T09:30:00Z",
];

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(&WORDS[..]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => word().prop_map(Value::String),
        1 => Just(json!(true)),
        1 => Just(json!(7)),
        1 => Just(Value::Null),
    ]
}

fn name() -> impl Strategy<Value = AttributePath> {
    let names = prop::sample::select(vec![
        "id",
        "userName",
        "externalId",
        "emails",
        "emails.value",
        "EMAILS.type",
        "active",
        "title",
        "name.familyName",
        "meta.created",
        "manager",
        "members",
        "members.value",
        "displayName",
        "noSuch",
        "schemas",
        "value",
        "type",
        "urn:ietf:params:scim:schemas:extension:2.0:Metadata:a",
        "urn:ietf:params:scim:schemas:extension:2.0:Metadata",
        "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName:size",
    ]);
    names.prop_map(|name| name.parse().unwrap())
}

fn filter() -> impl Strategy<Value = Filter> {
    use Operator::*;
    let operator = prop::sample::select(vec![Eq, Eq, Eq, Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]);
    let leaf = prop_oneof![
        1 => name().prop_map(Filter::Present),
        6 => (name(), operator, value()).prop_map(|(path, op, value)| Filter::Compare(path, op, value)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 2..4).boxed();
        prop_oneof![
            2 => many.clone().prop_map(Filter::And),
            2 => many.prop_map(Filter::Or),
            1 => inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            1 => (name(), inner).prop_map(|(path, inner)| Filter::Element(path, Box::new(inner))),
        ]
    })
}

fn resource() -> impl Strategy<Value = Map<String, Value>> {
    let email = (word(), word()).prop_map(|(value, kind)| json!({ "value": value, "type": kind }));
    let emails = prop::collection::vec(email, 0..3);
    let members = prop::collection::vec(word().prop_map(|id| json!({ "value": id })), 0..3);
    (word(), word(), value(), emails, members, any::<bool>()).prop_map(
        |(id, name, odd, emails, members, active)| {
            let resource = json!({
                "id": id, "userName": name, "displayName": name, "externalId": id, "emails": emails,
                "members": members, "active": active, "title": odd, "name": { "familyName": odd },
                "meta": { "created": "2026-11-22T09:30:00Z" },
                "urn:ietf:params:scim:schemas:extension:2.0:Metadata": { "A": name },
                "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName": { "size": odd },
            });
            resource.as_object().unwrap().clone()
        },
    )
}

/// What the indexes of the directory would give.
fn leaves(lookup: &Lookup, resource: &Map<String, Value>) -> bool {
    let text = |key: &str| resource[key].as_str().unwrap_or_default();
    let values = |key: &str| -> Vec<String> {
        let values = resource[key].as_array().unwrap().iter();
        values
            .map(|its| its["value"].as_str().unwrap().to_owned())
            .collect()
    };
    match lookup {
        Lookup::Id(id) => id == text("id"),
        Lookup::ExternalId(id) => id == text("externalId"),
        Lookup::UserName(name) => fold(name) == fold(text("userName")),
        Lookup::DisplayName(name) => fold(name) == fold(text("displayName")),
        Lookup::Email(address) => values("emails")
            .iter()
            .any(|its| fold(its) == fold(address)),
        Lookup::Member(id) => values("members").contains(id),
        Lookup::AnyOf(arms) => arms.iter().any(|arm| leaves(arm, resource)),
        Lookup::Everything => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whoever_fits_is_found(filter in filter(), resource in resource()) {
        let schemas = schemas();
        for kind in [&schemas.user, &schemas.group] {
            let Ok(test) = filter.prepare(kind) else { continue };
            if test.fits(&resource) {
                let lookup = filter.lookup(kind);
                prop_assert!(leaves(&lookup, &resource), "{} {:?}", filter, lookup);
            }
        }
    }

    #[test]
    fn members_that_nobody_asks_for_may_be_missing(filter in filter(), resource in resource()) {
        let group = schemas().group;
        let Ok(test) = filter.prepare(&group) else { return Ok(()) };
        let mut fewer = resource.clone();
        match filter.asked(&group, "members") {
            Asked::Nothing => drop(fewer.remove("members")),
            Asked::These(ids) => {
                let members = fewer["members"].as_array_mut().unwrap();
                members.retain(|its| ids.iter().any(|id| its["value"] == id.as_str()));
            }
            Asked::Everything => {}
        }
        prop_assert_eq!(test.fits(&resource), test.fits(&fewer), "{}", filter);
    }
}
