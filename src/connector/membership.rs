//! Who is in a group of the app, by whoever keeps the list.

use std::collections::BTreeSet;

use serde_json::Value;

use super::AppFailure;
use super::pages;
use super::records::Records;
use super::render::{Context, written};
use crate::config::{Members, Mode};

/// Ids in a list that a record holds.
fn ids(members: &Members, list: Option<&Value>) -> Vec<String> {
    let items = list
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| members.reference.of(item))
        .map(written)
        .collect()
}

fn elements(members: &Members, ids: &[String]) -> Value {
    let element = |id: &String| {
        Context::default()
            .with("x", id.as_str())
            .body(&members.element)
    };
    ids.iter().filter_map(element).collect()
}

/// The app's ids of the people in a group.
pub(super) async fn of_group(
    groups: &Records<'_>,
    users: &Records<'_>,
    members: &Members,
    group: &str,
) -> Result<BTreeSet<String>, AppFailure> {
    match &members.mode {
        Mode::Calls {
            list: Some(listing),
            ..
        } => {
            let context = Context::default().with("group", group);
            let items = pages::items(groups.wire, listing, &context).await?;
            Ok(ids(members, Some(&Value::Array(items)))
                .into_iter()
                .collect())
        }
        Mode::Calls { list: None, .. } | Mode::GroupField(_) => {
            let found = groups.get(group).await?.ok_or(AppFailure::Missing)?;
            Ok(ids(members, members.read.of(&found.record))
                .into_iter()
                .collect())
        }
        Mode::UserField(_) => {
            let all = users.list().await?;
            let inside = all.into_iter().filter(|user| {
                ids(members, members.read.of(&user.record))
                    .iter()
                    .any(|its| its == group)
            });
            Ok(inside.map(|user| user.id).collect())
        }
    }
}

/// These come, those go; who is in it already, or not, is no change.
pub(super) async fn change(
    groups: &Records<'_>,
    users: &Records<'_>,
    members: &Members,
    group: &str,
    (add, remove): (&[String], &[String]),
) -> Result<(), AppFailure> {
    match &members.mode {
        Mode::Calls {
            add: come,
            remove: go,
            ..
        } => {
            for (operation, ids) in [(come, add), (go, remove)] {
                for id in ids {
                    let context = Context::default()
                        .with("group", group)
                        .with("user", id.as_str());
                    match groups.wire.run(operation, &context).await {
                        // Who is gone is in no group.
                        Err(AppFailure::Missing) if operation.name == "members.remove" => {}
                        done => drop(done?),
                    }
                }
            }
            Ok(())
        }
        Mode::GroupField(set) => {
            let found = groups.get(group).await?.ok_or(AppFailure::Missing)?;
            let before = ids(members, members.read.of(&found.record));
            let after = changed(&before, add, remove);
            if after == before {
                return Ok(());
            }
            let context = Context::default()
                .with("group", group)
                .with("users", elements(members, &after));
            groups.wire.run(set, &context).await.map(drop)
        }
        Mode::UserField(_) => {
            for (ids, inside) in [(add, true), (remove, false)] {
                for id in ids {
                    match of_user(users, members, id, group, inside).await {
                        Err(AppFailure::Missing) if !inside => {}
                        done => done?,
                    }
                }
            }
            Ok(())
        }
    }
}

/// One person comes into a group or leaves it, where the person holds the list.
pub(super) async fn of_user(
    users: &Records<'_>,
    members: &Members,
    user: &str,
    group: &str,
    inside: bool,
) -> Result<(), AppFailure> {
    let Mode::UserField(set) = &members.mode else {
        return Err(AppFailure::Cannot("write a person's groups"));
    };
    let found = users.get(user).await?.ok_or(AppFailure::Missing)?;
    let before = ids(members, members.read.of(&found.record));
    let one = [group.to_owned()];
    let after = if inside {
        changed(&before, &one, &[])
    } else {
        changed(&before, &[], &one)
    };
    if after == before {
        return Ok(());
    }
    let context = Context::default()
        .with("user", user)
        .with("groups", elements(members, &after));
    users.wire.run(set, &context).await.map(drop)
}

fn changed(before: &[String], add: &[String], remove: &[String]) -> Vec<String> {
    let mut after: Vec<_> = before
        .iter()
        .filter(|id| !remove.contains(id))
        .cloned()
        .collect();
    after.extend(add.iter().filter(|id| !before.contains(id)).cloned());
    after
}
