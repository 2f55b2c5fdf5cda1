//! What the audit is told of a change: before and after, by attribute. Never a password (R41).

use serde_json::{Map, Value, json};

use crate::identity::{Group, User, UserId};

/// Longest value, bytes of its JSON; longer ones are cut.
const MAX_VALUE: usize = 1024;
/// Attributes of one change that are told.
const MAX_ATTRIBUTES: usize = 50;
/// Members of one change that are named; all are counted.
const MAX_MEMBERS: usize = 100;

/// What is different between two records of a person.
pub(super) fn of_user(before: Option<&User>, after: Option<&User>) -> Option<Value> {
    let fields = |user: &User| {
        let mut fields = user.attributes.clone();
        fields.insert("userName".to_owned(), user.user_name.clone().into());
        // Null there: a client took it away, and it holds as it was.
        let active = match fields.remove("active") {
            Some(Value::Null) => format!("{}, unassigned", user.active).into(),
            _ => user.active.into(),
        };
        fields.insert("active".to_owned(), active);
        fields.insert("managedBy".to_owned(), json!(user.managed_by));
        fields.insert("signIn".to_owned(), json!(user.sign_in));
        if let Some(id) = &user.external_id {
            fields.insert("externalId".to_owned(), id.clone().into());
        }
        fields
    };
    let mut changes = difference(before.map(fields), after.map(fields));
    let hash = |user: Option<&User>| {
        let password = user.and_then(|user| user.password.as_ref());
        password.map(|password| password.expose().to_owned())
    };
    if hash(before) != hash(after) {
        changes.insert("password".to_owned(), "changed".into());
    }
    some(changes)
}

/// What is different between two records of a group, and who came and went.
pub(super) fn of_group(
    before: Option<&Group>,
    after: Option<&Group>,
    added: &[UserId],
    removed: &[UserId],
) -> Option<Value> {
    let fields = |group: &Group| {
        let mut fields = group.attributes.clone();
        fields.insert("displayName".to_owned(), group.display_name.clone().into());
        if let Some(id) = &group.external_id {
            fields.insert("externalId".to_owned(), id.clone().into());
        }
        fields
    };
    let mut changes = difference(before.map(fields), after.map(fields));
    let mut members = Map::new();
    for (what, ids) in [("added", added), ("removed", removed)] {
        if ids.is_empty() {
            continue;
        }
        let named: Vec<_> = ids.iter().take(MAX_MEMBERS).map(UserId::as_str).collect();
        if named.len() < ids.len() {
            members.insert(format!("{what}_count"), ids.len().into());
        }
        members.insert(what.to_owned(), named.into());
    }
    if !members.is_empty() {
        changes.insert("members".to_owned(), members.into());
    }
    some(changes)
}

fn some(changes: Map<String, Value>) -> Option<Value> {
    (!changes.is_empty()).then(|| changes.into())
}

fn difference(
    before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
) -> Map<String, Value> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let mut changes = Map::new();
    for key in after.keys().chain(gone) {
        let (was, is) = (before.get(key), after.get(key));
        if was == is {
            continue;
        }
        if changes.len() >= MAX_ATTRIBUTES {
            changes.insert("…".to_owned(), "more attributes".into());
            break;
        }
        let mut change = Map::new();
        if let Some(was) = was {
            change.insert("before".to_owned(), cut(was));
        }
        if let Some(is) = is {
            change.insert("after".to_owned(), cut(is));
        }
        changes.insert(key.clone(), change.into());
    }
    changes
}

fn cut(value: &Value) -> Value {
    let mut text = value.to_string();
    if text.len() <= MAX_VALUE {
        return value.clone();
    }
    text.truncate(text.floor_char_boundary(MAX_VALUE));
    text.push('…');
    text.into()
}
