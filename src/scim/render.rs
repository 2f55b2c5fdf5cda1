//! Records as resources (RFC 7643 3, 4): what clients read.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::route::Kind;
use super::schema::{ENTERPRISE, GROUP, USER};
use crate::clock::Timestamp;
use crate::identity::{Group, User, UserId};

/// Where resources say they are: `https://host/scim/v2` or `…/{tenant}`; from the settings, never from the request.
#[derive(Clone, Debug)]
pub(super) struct Base(pub String);

impl Base {
    /// The address of one resource.
    pub(super) fn of(&self, kind: Kind, id: &str) -> String {
        format!("{}{}/{id}", self.0, kind.endpoint())
    }
}

/// A person; `groups` when they were asked for.
pub(super) fn user(user: &User, groups: Option<&[Group]>, base: &Base) -> Map<String, Value> {
    let mut json = user.attributes.clone();
    json.insert("id".to_owned(), user.id.as_str().into());
    json.insert("userName".to_owned(), user.user_name.as_str().into());
    // A client took it away: then it is not shown.
    if json.remove("active") != Some(Value::Null) {
        json.insert("active".to_owned(), user.active.into());
    }
    external_id(&mut json, user.external_id.as_deref());
    if let Some(groups) = groups.filter(|groups| !groups.is_empty()) {
        let groups = groups.iter().map(|group| {
            json!({
                "value": group.id.as_str(),
                "$ref": base.of(Kind::Group, group.id.as_str()),
                "display": group.display_name,
                "type": "direct",
            })
        });
        json.insert("groups".to_owned(), groups.collect());
    }
    let meta = meta(
        Kind::User,
        user.id.as_str(),
        (user.created, user.modified),
        user.version,
        base,
    );
    json.insert("meta".to_owned(), meta);
    schemas(&mut json, USER);
    json
}

/// A group; `members` when they were asked for, with the names of those that are in `names`.
pub(super) fn group(
    group: &Group,
    members: Option<&[UserId]>,
    names: &HashMap<UserId, String>,
    base: &Base,
) -> Map<String, Value> {
    let mut json = group.attributes.clone();
    json.insert("id".to_owned(), group.id.as_str().into());
    json.insert("displayName".to_owned(), group.display_name.as_str().into());
    external_id(&mut json, group.external_id.as_deref());
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        let members = members.iter().map(|member| {
            let mut json = json!({
                "value": member.as_str(),
                "$ref": base.of(Kind::User, member.as_str()),
                "type": "User",
            });
            if let (Some(name), Some(json)) = (names.get(member), json.as_object_mut()) {
                json.insert("display".to_owned(), name.as_str().into());
            }
            json
        });
        json.insert("members".to_owned(), members.collect());
    }
    let meta = meta(
        Kind::Group,
        group.id.as_str(),
        (group.created, group.modified),
        group.version,
        base,
    );
    json.insert("meta".to_owned(), meta);
    schemas(&mut json, GROUP);
    json
}

/// What a person is called where others name them.
pub(super) fn display(user: &User) -> String {
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    text(user.attributes.get("displayName"))
        .or_else(|| text(user.attributes.get("name")?.get("formatted")))
        .unwrap_or_else(|| user.user_name.clone())
}

/// `meta.version` and `ETag` of a version (RFC 7644 3.14).
pub(super) fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

fn external_id(json: &mut Map<String, Value>, external_id: Option<&str>) {
    if let Some(id) = external_id {
        json.insert("externalId".to_owned(), id.into());
    }
}

fn meta(
    kind: Kind,
    id: &str,
    (created, modified): (Timestamp, Timestamp),
    version: u64,
    base: &Base,
) -> Value {
    json!({
        "resourceType": kind.as_str(),
        "created": created.to_rfc3339(),
        "lastModified": modified.to_rfc3339(),
        "location": base.of(kind, id),
        "version": etag(version),
    })
}

/// The core schema, and each extension that has values (RFC 7643 3).
fn schemas(json: &mut Map<String, Value>, core: &str) {
    let mut all = vec![Value::from(core)];
    let extensions = json.keys().filter(|key| key.starts_with("urn:"));
    // The enterprise extension first, as every example has it.
    let (enterprise, others): (Vec<_>, Vec<_>) = extensions.partition(|key| *key == ENTERPRISE);
    all.extend(
        enterprise
            .into_iter()
            .chain(others)
            .map(|urn| Value::from(urn.as_str())),
    );
    json.insert("schemas".to_owned(), all.into());
}
