//! The order of a list (RFC 7644 3.4.2.3): `sortBy`, `sortOrder`.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};
use time::OffsetDateTime;

use super::path::AttributePath;
use super::place::{Place, find};
use super::schema::{Attribute, Kind, Mutability, ResourceType, Returned};
use super::value::{compare_numbers, each, flag, instant, loose, number, text};
use super::{ScimError, ScimType};

/// What a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    by: AttributePath,
    descending: bool,
}

/// A value as it is sorted.
#[derive(Debug, PartialEq)]
enum Key {
    Flag(bool),
    Number(Number),
    Moment(OffsetDateTime),
    Text(String),
}

impl Sort {
    /// From `sortBy`; nothing or blanks: no order.
    ///
    /// # Errors
    ///
    /// `invalidValue`: it is no attribute path.
    pub(super) fn new(by: Option<&str>, descending: bool) -> Result<Option<Self>, ScimError> {
        let Some(by) = by.filter(|by| !by.trim().is_empty()) else {
            return Ok(None);
        };
        let by = by
            .parse()
            .map_err(|why| ScimError::of(ScimType::InvalidValue, format!("sortBy: {why}")))?;
        Ok(Some(Self { by, descending }))
    }

    /// Whether it looks at this attribute of the core schema.
    pub(super) fn looks_at(&self, kind: &ResourceType, attribute: &str) -> bool {
        sortable(kind, &self.by).is_some_and(|(place, _)| place.is_core(attribute))
    }

    /// Sorts what comes with canonical resources; those that are equal keep their order. Who has no value is last, or first when
    /// descending; of many values the primary one counts, else the first. An attribute that no schema has, that
    /// is never told, or that has parts without `value`, sorts nothing.
    pub(super) fn sort<T>(&self, all: &mut Vec<(Map<String, Value>, T)>, kind: &ResourceType) {
        let Some((place, attribute)) = sortable(kind, &self.by) else {
            return;
        };
        let mut keyed: Vec<_> = std::mem::take(all)
            .into_iter()
            .map(|one| (key(&place, &attribute, &one.0), one))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let order = order(one.as_ref(), other.as_ref());
            if self.descending {
                order.reverse()
            } else {
                order
            }
        });
        *all = keyed.into_iter().map(|(_, one)| one).collect();
    }
}

fn sortable(kind: &ResourceType, by: &AttributePath) -> Option<(Place, Attribute)> {
    let (mut place, attribute) = find(kind, by)?;
    let mut attribute = attribute?.into_owned();
    if matches!(attribute.kind, Kind::Complex(_)) {
        attribute = attribute.sub("value")?.clone();
        place.sub = Some(attribute.name.clone());
    }
    let secret =
        attribute.mutability == Mutability::WriteOnly || attribute.returned == Returned::Never;
    (!secret).then_some((place, attribute))
}

fn key(place: &Place, attribute: &Attribute, resource: &Map<String, Value>) -> Option<Key> {
    let values = each(place.attribute(resource)?);
    let is_primary = |value: &&Value| value.get("primary").and_then(flag) == Some(true);
    let value = values.iter().find(is_primary).or_else(|| values.first())?;
    let value = match &place.sub {
        Some(sub) if value.is_object() => value.get(sub)?,
        Some(_) | None => value,
    };
    match attribute.kind {
        Kind::Boolean => flag(value).map(Key::Flag),
        Kind::Integer | Kind::Decimal => number(value).map(Key::Number),
        Kind::DateTime => instant(value).map(Key::Moment),
        Kind::String | Kind::Reference(_) | Kind::Binary | Kind::Complex(_) => {
            let text = text(value).filter(|text| !text.is_empty())?;
            Some(Key::Text(if attribute.case_exact {
                text.into_owned()
            } else {
                loose(&text)
            }))
        }
    }
}

fn order(one: Option<&Key>, other: Option<&Key>) -> Ordering {
    match (one, other) {
        (Some(Key::Flag(one)), Some(Key::Flag(other))) => one.cmp(other),
        (Some(Key::Number(one)), Some(Key::Number(other))) => compare_numbers(one, other),
        (Some(Key::Moment(one)), Some(Key::Moment(other))) => one.cmp(other),
        (Some(Key::Text(one)), Some(Key::Text(other))) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{ENTERPRISE, tests::schemas};

    fn people() -> Vec<(Map<String, Value>, ())> {
        let people = json!([
            { "id": "1", "userName": "bert", "active": true, "emails": [{ "value": "x" }, { "value": "b", "primary": true }],
              "meta": { "created": "2026-11-22T09:30:00Z" }, "externalId": "b", "password": "2", "name": { "familyName": "Z" },
              "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName": { "size": 10 } },
            { "id": "2", "userName": "Ada", "active": false, "emails": [{ "value": "A" }],
              "meta": { "created": "2026-11-22T10:00:00+01:00" }, "externalId": "A", "password": "1", "title": "",
              ENTERPRISE: { "department": "x", "manager": { "value": "m" } },
              "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName": { "size": 9 } },
            { "id": "3", "userName": "Ärna", "title": "t", "emails": [], "externalId": "a",
              "meta": { "created": "2026-11-22T09:29:59.9Z" }, ENTERPRISE: { "manager": { "value": "a" } } },
        ]);
        let people = people.as_array().unwrap().iter();
        people
            .map(|its| (its.as_object().unwrap().clone(), ()))
            .collect()
    }

    fn sorted(by: &str, descending: bool) -> String {
        let mut people = people();
        let sort = Sort::new(Some(by), descending).unwrap().unwrap();
        sort.sort(&mut people, &schemas().user);
        people
            .iter()
            .map(|(its, ())| its["id"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn every_type_in_both_directions() {
        let own = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName:size";
        for (by, ascending, descending) in [
            ("userName", "213", "312"),
            ("USERNAME ", "213", "312"),
            ("externalId", "231", "132"),
            ("active", "213", "312"),
            ("emails", "213", "312"),
            ("emails.value", "213", "312"),
            ("meta.created", "231", "132"),
            ("title", "312", "123"),
            ("name.familyName", "123", "231"),
            (own, "213", "312"),
            ("department", "213", "132"),
            ("manager", "321", "123"),
            ("name", "123", "123"),
            ("password", "123", "123"),
            ("noSuch", "123", "123"),
            (ENTERPRISE, "123", "123"),
        ] {
            assert_eq!(sorted(by, false), ascending, "{by}");
            assert_eq!(sorted(by, true), descending, "{by} descending");
        }
    }

    #[test]
    fn no_path_is_no_order() {
        assert_eq!(Sort::new(None, false).unwrap(), None);
        assert_eq!(Sort::new(Some(" "), true).unwrap(), None);
        let error = Sort::new(Some("a b"), false).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
        assert_eq!(
            error.detail,
            "sortBy: path is not [urn:…:]attribute[.sub-attribute]"
        );
    }
}
