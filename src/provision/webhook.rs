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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt as _;

    use crate::connector::Webhook;
    use crate::provision::world::*;
    use crate::storage::StorageError;

    #[tokio::test]
    async fn whoever_posts_is_woken_when_there_is_something_to_post() {
        let mut world = World::new(vec![tenant()]).await;
        let settings = crate::config::Webhook {
            url: "http://127.0.0.1:9/hook".parse().unwrap(),
            secret: crate::secret::Secret::new("whsec_c2VjcmV0".to_owned()),
            timeout: std::time::Duration::from_secs(1),
            attempts: 1,
        };
        let webhook = Webhook::new(settings, world.store.clone(), Arc::clone(&world.metrics));
        let webhook = Arc::new(webhook.unwrap());
        let provision = Arc::into_inner(world.provision).unwrap();
        world.provision = Arc::new(provision.telling(Some(Arc::clone(&webhook))));
        let woken = |webhook: &Webhook| webhook.woken().now_or_never().is_some();

        let ada = world.post(draft("ada")).await.unwrap();
        assert!(woken(&webhook), "behind the commit");
        assert_eq!(webhook.waiting(9).await.unwrap().len(), 1);
        world.edit(&ada, |_| ()).await.unwrap();
        assert!(!woken(&webhook), "nothing changed");

        // Whoever is woken before the commit finds nothing, and sleeps again.
        let (queue, now) = (Arc::clone(&webhook), NOW);
        let messages =
            super::messages(&[super::Change::PutUser(Box::new(ada), super::Expected::New)]);
        let write = move |transaction: &redb::WriteTransaction| {
            queue.queue(messages, now).write(transaction)?;
            Ok::<_, StorageError>(woken(&queue))
        };
        assert!(!world.store.write(write).await.unwrap(), "in the midst");
        assert_eq!(webhook.waiting(9).await.unwrap().len(), 2);
    }
}
