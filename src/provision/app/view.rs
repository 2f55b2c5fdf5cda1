//! A record as connectors see it, and back.

use serde_json::Value;

use crate::config::ATTRIBUTES;
use crate::connector::{Attributes, Connector};
use crate::identity::{Group, User};
use crate::provision::UserDraft;
use crate::provision::attribute::Attribute;

/// What the app shall hold of a person, as far as it holds anything of it.
pub(super) fn of_user(connector: &Connector, user: &User) -> Attributes {
    let names = connector.user_attributes().chain(["userName", "active"]);
    names
        .filter_map(|name| Some((name.to_owned(), user_value(user, name)?)))
        .collect()
}

/// What the app shall hold of a person.
pub(super) struct Wanted {
    /// All of it, for an account that is made.
    pub(super) all: Attributes,
    /// What somebody has said, for an account that is there: a name that is only made up of the login name is no better
    /// than what it holds.
    pub(super) said: Attributes,
}

impl From<Attributes> for Wanted {
    fn from(all: Attributes) -> Self {
        let said = all.clone();
        Self { all, said }
    }
}

impl Wanted {
    pub(super) fn of_user(connector: &Connector, user: &User) -> Self {
        let mut wanted = Self::from(of_user(connector, user));
        if is_nameless(user) {
            wanted
                .said
                .retain(|name, _| !MADE_UP.contains(&name.as_str()));
        }
        wanted
    }

    /// The same for a change: what was there and is no more is empty, and a name that is made up follows the login name.
    pub(super) fn of_change(connector: &Connector, before: &User, after: &User) -> Self {
        let (mut wanted, was) = (
            Self::from(of_change(connector, before, after)),
            of_user(connector, before),
        );
        if is_nameless(after) {
            wanted.said.retain(|name, value| {
                !MADE_UP.contains(&name.as_str()) || was.get(name) != Some(value)
            });
        }
        wanted
    }
}

/// Attributes that are made up of the login name where nobody says them.
const MADE_UP: [&str; 2] = ["displayName", "name.formatted"];

/// Whether nobody has said any name of this person but the login name.
fn is_nameless(user: &User) -> bool {
    let names = [
        "displayName",
        "name.formatted",
        "name.givenName",
        "name.familyName",
    ];
    let said = |path: &&str| {
        let values = Attribute::read(path).values(&user.attributes);
        values.iter().any(|value| !value.trim().is_empty())
    };
    user.display_name() == user.user_name && !names.iter().any(said)
}

/// Everything that connectors know by name, and what extensions hold.
pub(super) fn of_all(user: &User) -> Attributes {
    let mut all: Attributes = ATTRIBUTES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), user_value(user, name)?)))
        .collect();
    for (urn, extension) in &user.attributes {
        let Some(members) = extension.as_object().filter(|_| urn.starts_with("urn:")) else {
            continue;
        };
        for (name, value) in members {
            if value.is_string() || value.is_number() || value.is_boolean() {
                all.insert(format!("{urn}:{name}"), value.clone());
            }
        }
    }
    all
}

fn of_change(connector: &Connector, before: &User, after: &User) -> Attributes {
    let mut wanted = of_user(connector, after);
    for (name, value) in of_user(connector, before) {
        if value.is_string() {
            wanted.entry(name).or_insert_with(|| "".into());
        }
    }
    wanted
}

/// What the app shall hold of a group.
pub(super) fn of_group(group: &Group) -> Attributes {
    let mut wanted =
        Attributes::from([("displayName".to_owned(), group.display_name.as_str().into())]);
    if let Some(id) = &group.external_id {
        wanted.insert("externalId".to_owned(), id.as_str().into());
    }
    wanted
}

fn user_value(user: &User, name: &str) -> Option<Value> {
    let first = |path: &str| {
        Attribute::read(path)
            .values(&user.attributes)
            .into_iter()
            .next()
    };
    let text = match name {
        "userName" => Some(user.user_name.clone()),
        "active" => return Some(user.active.into()),
        "externalId" => user.external_id.clone(),
        "emails.value" => user.email().map(str::to_owned),
        "displayName" => Some(user.display_name()),
        "name.formatted" => Some(first(name).unwrap_or_else(|| user.display_name())),
        "phoneNumbers.value" => {
            first("phoneNumbers[primary eq true].value").or_else(|| first(name))
        }
        "roles.value" => first("roles[primary eq true].value").or_else(|| first(name)),
        other => first(other),
    };
    text.filter(|text| !text.is_empty()).map(Value::from)
}

/// A person as the app holds them.
pub(super) fn draft(found: &Attributes) -> UserDraft {
    let text = |name: &str| found.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut draft = UserDraft {
        user_name: text("userName").unwrap_or_default(),
        external_id: text("externalId").filter(|id| !id.is_empty()),
        active: found.get("active").and_then(Value::as_bool).unwrap_or(true),
        ..UserDraft::default()
    };
    let apart = [
        "userName",
        "externalId",
        "active",
        "emails.value",
        "roles.value",
    ];
    for (name, value) in found {
        let Some(value) = value.as_str().filter(|value| !value.trim().is_empty()) else {
            continue;
        };
        if name == "emails.value" {
            let emails = crate::provision::person::emails(value);
            draft.attributes.insert("emails".to_owned(), emails);
        } else if name == "phoneNumbers.value" {
            Attribute::read("phoneNumbers[primary eq true].value")
                .set(&mut draft.attributes, value);
        } else if !apart.contains(&name.as_str()) {
            Attribute::read(name).set(&mut draft.attributes, value);
        }
    }
    draft
}
