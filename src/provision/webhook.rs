//! What a receiver of webhooks is told of a change: records as they are afterwards, never a password (R41).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::connector::Message;
use crate::directory::{Change, Expected};
use crate::identity::{Group, GroupId, User};

/// One message for each person or group that the changes touch.
pub(super) fn messages(changes: &[Change]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut moves: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for change in changes {
        match change {
            Change::PutUser(after, expected) => messages.push(Message {
                kind: if *expected == Expected::New { "user.created" } else { "user.changed" },
                about: format!("user {} {}", after.tenant, after.id),
                data: user(after),
            }),
            Change::RetireUser(after, _, _) => messages.push(Message {
                kind: "user.deleted",
                about: format!("user {} {}", after.tenant, after.id),
                data: user(after),
            }),
            Change::RemoveUser(tenant, id, tombstone) => messages.push(Message {
                kind: "user.deleted",
                about: format!("user {tenant} {id}"),
                data: json!({
                    "tenant": tenant, "id": id, "userName": tombstone.user_name, "externalId": tombstone.external_id,
                }),
            }),
            Change::PutGroup(after, expected) => messages.push(Message {
                kind: if *expected == Expected::New { "group.created" } else { "group.changed" },
                about: format!("group {} {}", after.tenant, after.id),
                data: group(after),
            }),
            Change::RemoveGroup(tenant, id) => messages.push(Message {
                kind: "group.deleted",
                about: format!("group {tenant} {id}"),
                data: json!({ "tenant": tenant, "id": id }),
            }),
            Change::AddMember(_, id, member) => entry(&mut moves, id).0.push(member.to_string()),
            Change::RemoveMember(_, id, member) => entry(&mut moves, id).1.push(member.to_string()),
            Change::AddLink(..) => {}
        }
    }
    for message in &mut messages {
        let id = message
            .data
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let who = moves.remove(id);
        if let (Some((added, removed)), Some(data)) = (who, message.data.as_object_mut()) {
            data.insert("membersAdded".to_owned(), added.into());
            data.insert("membersRemoved".to_owned(), removed.into());
        }
    }
    messages
}

fn entry<'a>(
    moves: &'a mut BTreeMap<String, (Vec<String>, Vec<String>)>,
    id: &GroupId,
) -> &'a mut (Vec<String>, Vec<String>) {
    moves.entry(id.to_string()).or_default()
}

fn user(user: &User) -> Value {
    let mut data = user.to_json();
    data.insert("tenant".to_owned(), user.tenant.to_string().into());
    data.insert("id".to_owned(), user.id.to_string().into());
    data.insert("active".to_owned(), user.active.into());
    data.into()
}

fn group(group: &Group) -> Value {
    let mut data = group.attributes.clone();
    data.insert("displayName".to_owned(), group.display_name.as_str().into());
    data.insert("externalId".to_owned(), group.external_id.clone().into());
    data.insert("tenant".to_owned(), group.tenant.to_string().into());
    data.insert("id".to_owned(), group.id.to_string().into());
    data.into()
}
