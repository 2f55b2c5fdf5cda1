//! Who is in a group of the app, by whoever keeps the list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::holds::Looks;
use super::records::Records;
use super::render::{Context, written};
use super::turns::Turns;
use super::{AppFailure, Kind, Known, pages};
use crate::config::{Members, Mode, Operation};
use crate::identity::fold;

/// More people than this are looked up in one list, and not one by one.
const FEW: usize = 20;

/// Everything that a membership is between.
pub(super) struct Both<'a> {
    pub(super) groups: Records<'a>,
    pub(super) users: Records<'a>,
    pub(super) turns: &'a Turns,
}

fn items(list: Option<&Value>) -> &[Value] {
    let items = list.and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

/// The id in an element of a list, without what `as` writes around it; none of who is of another kind.
fn id_in(members: &Members, item: &Value) -> Option<String> {
    let held = members.reference.of(item).filter(|held| !held.is_null());
    let held = held.map(written)?;
    match members.element.text_at(&members.reference) {
        Some(written) => written.undo("x", &held),
        None => Some(held),
    }
}

/// Ids in a list that a record holds.
fn ids(members: &Members, list: Option<&Value>) -> Vec<String> {
    let ids = items(list).iter().filter_map(|item| id_in(members, item));
    ids.collect()
}

/// The list of these ids; who is of another kind stays in it as they were.
fn elements(members: &Members, ids: &[String], before: Option<&Value>) -> Value {
    let others = items(before).iter();
    let others = others.filter(|item| !item.is_null() && id_in(members, item).is_none());
    let element = |id: &String| {
        Context::default()
            .with("x", id.as_str())
            .body(&members.element)
    };
    let ids = ids.iter().filter_map(element);
    others.cloned().chain(ids).collect()
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

/// These come, those go; who is in it already, or not, is no change. What is not so afterwards is told.
pub(super) async fn change(
    app: &Both<'_>,
    members: &Members,
    group: &str,
    (add, remove): (&[Known], &[String]),
) -> Result<(), AppFailure> {
    if let Mode::UserField(_) = &members.mode {
        return change_users(app, members, group, (add, remove)).await;
    }
    let (add, refused) = proven(&app.users, add).await?;
    match &members.mode {
        Mode::Calls {
            add: come,
            remove: go,
            ..
        } => {
            call_each(&app.groups, group, (come, &add)).await?;
            call_each(&app.groups, group, (go, remove)).await?;
        }
        Mode::GroupField(set) => {
            // Read, changed and written: nobody else does that meanwhile.
            let _turn = app.turns.take(Kind::Group, group).await;
            set_people(&app.groups, members, group, set, (&add, remove)).await?;
        }
        Mode::UserField(_) => {}
    }
    if !add.is_empty() || !remove.is_empty() {
        let mut looks = Looks::default();
        while looks.go_on().await {
            let held = of_group(&app.groups, &app.users, members, group).await?;
            if looks.is_well(unheld(&held, &add, remove)) {
                return refused.map_or(Ok(()), Err);
            }
        }
        return Err(looks.failure());
    }
    refused.map_or(Ok(()), Err)
}

/// Ids of those who are who we think they are; and of the others, why the first is not.
async fn proven(
    users: &Records<'_>,
    add: &[Known],
) -> Result<(Vec<String>, Option<AppFailure>), AppFailure> {
    let mut all = BTreeMap::new();
    let at_once = add.len() > FEW || (users.kind.get.is_none() && !add.is_empty());
    if at_once {
        let list = users.list().await?.into_iter();
        all.extend(list.map(|found| (found.id.clone(), found)));
    }
    let (mut ids, mut refused) = (Vec::with_capacity(add.len()), None);
    for known in add {
        let found = if at_once {
            all.remove(&known.id)
        } else {
            users.get(&known.id).await?
        };
        let is_theirs = found.ok_or(AppFailure::Missing);
        match is_theirs.and_then(|found| known.check(users.kind, &found, None)) {
            Ok(()) => ids.push(known.id.clone()),
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    Ok((ids, refused))
}

async fn call_each(
    groups: &Records<'_>,
    group: &str,
    (operation, ids): (&Operation, &[String]),
) -> Result<(), AppFailure> {
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
    Ok(())
}

async fn set_people(
    groups: &Records<'_>,
    members: &Members,
    group: &str,
    set: &Operation,
    (add, remove): (&[String], &[String]),
) -> Result<(), AppFailure> {
    let found = groups.get(group).await?.ok_or(AppFailure::Missing)?;
    let held = members.read.of(&found.record);
    let before = ids(members, held);
    let after = changed(&before, add, remove);
    if after == before {
        return Ok(());
    }
    let context = Context::default()
        .with("group", group)
        .with("users", elements(members, &after, held));
    groups.wire.run(set, &context).await.map(drop)
}

async fn change_users(
    app: &Both<'_>,
    members: &Members,
    group: &str,
    (add, remove): (&[Known], &[String]),
) -> Result<(), AppFailure> {
    let mut refused = None;
    for known in add {
        let _turn = app.turns.take(Kind::User, &known.id).await;
        match of_user(&app.users, members, Who::Known(known), group, true).await {
            Err(failure @ (AppFailure::Another(_) | AppFailure::Missing)) => {
                refused = refused.or(Some(failure));
            }
            done => done?,
        }
    }
    for id in remove {
        let _turn = app.turns.take(Kind::User, id).await;
        match of_user(&app.users, members, Who::Id(id), group, false).await {
            Err(AppFailure::Missing) => {}
            done => done?,
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Whose list is changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who<'a> {
    /// Whoever has this key.
    Known(&'a Known),
    /// Whoever has this id.
    Id(&'a str),
}

/// One person comes into a group or leaves it, where the person holds the list. The caller has the person's turn.
pub(super) async fn of_user(
    users: &Records<'_>,
    members: &Members,
    who: Who<'_>,
    group: &str,
    inside: bool,
) -> Result<(), AppFailure> {
    let Mode::UserField(set) = &members.mode else {
        return Err(AppFailure::Cannot("write a person's groups"));
    };
    let user = match who {
        Who::Known(known) => known.id.as_str(),
        Who::Id(id) => id,
    };
    let found = users.get(user).await?.ok_or(AppFailure::Missing)?;
    if let Who::Known(known) = who {
        known.check(users.kind, &found, None)?;
    }
    let held = members.read.of(&found.record);
    let before = ids(members, held);
    let one = [group.to_owned()];
    let (add, remove): (&[String], &[String]) = if inside { (&one, &[]) } else { (&[], &one) };
    let after = changed(&before, add, remove);
    if after == before {
        return Ok(());
    }
    let context = Context::default()
        .with("user", user)
        .with("groups", elements(members, &after, held));
    users.wire.run(set, &context).await?;
    let mut looks = Looks::default();
    while looks.go_on().await {
        let found = users.get(user).await?.ok_or(AppFailure::Missing)?;
        let held = ids(members, members.read.of(&found.record));
        if looks.is_well(unheld(&held, add, remove)) {
            return Ok(());
        }
    }
    Err(looks.failure())
}

/// Who is not in a list and should be, or the other way round.
fn unheld<'a>(
    held: impl IntoIterator<Item = &'a String>,
    add: &[String],
    remove: &[String],
) -> Option<String> {
    let held: BTreeSet<_> = held.into_iter().map(|id| fold(id)).collect();
    let out = add.iter().find(|id| !held.contains(&fold(id)));
    let inside = remove.iter().find(|id| held.contains(&fold(id)));
    let (id, where_) = match (out, inside) {
        (Some(id), _) => (id, "out of the list"),
        (None, Some(id)) => (id, "in the list"),
        (None, None) => return None,
    };
    Some(format!(
        "it took the change of who is a member, and {id} is {where_} as before"
    ))
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
