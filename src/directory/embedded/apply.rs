//! Changes: what must be unique and what must be there is checked in the write itself.

use redb::WriteTransaction;

use super::order::{self, Mark};
use super::read::{Questions as _, Rows as _};
use super::rows::{Key, Row, rows_of_group, rows_of_link, rows_of_member, rows_of_user};
use super::tombstones::{bury, clear_tombstone, revive};
use super::undo::Undo;
use crate::directory::{Change, DirectoryError, Expected, UserKey};
use crate::identity::{Group, GroupId, Link, ManagedBy, TenantSlug, Tombstone, User, UserId, fold};
use crate::storage::{Along, StorageError};

/// Applies all changes with what goes along, or nothing.
pub(super) fn apply(
    transaction: &WriteTransaction,
    changes: Vec<Change>,
    along: Along,
) -> Result<(), DirectoryError> {
    let mut rows = Undo::open(transaction)?;
    let done = changes
        .into_iter()
        .try_for_each(|change| one(&mut rows, change))
        .and_then(|()| Ok(along.write(transaction)?));
    if done.is_err() {
        rows.undo()?;
    }
    done
}

fn one(rows: &mut Undo<'_>, change: Change) -> Result<(), DirectoryError> {
    match change {
        Change::PutUser(user, expected) => put_user(rows, &user, expected),
        Change::RetireUser(user, expected, tombstone) => {
            retire_user(rows, &user, expected, tombstone)
        }
        Change::RemoveUser(tenant, id, tombstone) => remove_user(rows, &tenant, &id, tombstone),
        Change::AddLink(link, user) => add_link(rows, &link, &user),
        Change::PutGroup(group, expected) => put_group(rows, &group, expected),
        Change::RemoveGroup(tenant, id) => remove_group(rows, &tenant, &id),
        Change::AddMember(tenant, group, user) => add_member(rows, &tenant, &group, &user),
        Change::RemoveMember(tenant, group, user) => {
            remove_all(rows, rows_of_member(&tenant, &group, &user)?)
        }
    }
}

fn put_user(rows: &mut Undo<'_>, user: &User, expected: Expected) -> Result<(), DirectoryError> {
    let tenant = &user.tenant;
    let before = rows.user(tenant, &user.id)?;
    check(expected, before.as_ref().map(|before| before.version))?;
    let is_retired = |user: &User| user.managed_by == ManagedBy::Retired;
    if before.as_ref().is_some_and(is_retired) && !is_retired(user) {
        revive(rows, tenant, &user.id)?;
    }
    let name = fold(&user.user_name);
    let by_name = Row::UserName.key(tenant, [&name])?;
    // R26: what the record was called before brings back nobody: two may have one external id.
    let lived = before.as_ref().filter(|before| !is_retired(before));
    let had = lived.map(keys_of).unwrap_or_default();
    for key in keys_of(user).into_iter().filter(|key| !had.contains(key)) {
        for id in rows.tombstones(tenant, &key)? {
            if id == user.id.as_str() && is_retired(user) {
                continue;
            }
            // A first sign-in does not bring back who was deleted a moment ago.
            if user.managed_by == ManagedBy::SignIn && expected == Expected::New {
                return Err(DirectoryError::Deleted);
            }
            clear_tombstone(rows, tenant, &id)?;
        }
    }
    let holder = rows.name(&by_name)?;
    if holder.is_some_and(|holder| holder != user.id.as_str()) {
        return Err(DirectoryError::Taken("userName"));
    }
    let old = before.as_ref().map(rows_of_user).transpose()?;
    replace(rows, &old.unwrap_or_default(), rows_of_user(user)?)?;
    let was = before.as_ref().and_then(mark_of);
    order::USERS.put(rows, tenant, user.id.as_str(), was, mark_of(user))?;
    write_user(rows, user)
}

/// What a tombstone of this person would be found by.
fn keys_of(user: &User) -> Vec<UserKey> {
    let external_id = user.external_id.clone().map(UserKey::ExternalId);
    let name = UserKey::UserName(fold(&user.user_name));
    std::iter::once(name).chain(external_id).collect()
}

fn write_user(rows: &mut Undo<'_>, user: &User) -> Result<(), DirectoryError> {
    let value = serde_json::to_vec(user).map_err(StorageError::Value)?;
    Ok(rows.put(Row::User.key(&user.tenant, [user.id.as_str()])?, &value)?)
}

/// Whether a person stands in the order of making, and how.
pub(super) fn mark_of(user: &User) -> Option<Mark> {
    match user.managed_by {
        ManagedBy::Scim => Some(Mark::Managed),
        ManagedBy::SignIn | ManagedBy::Operator => Some(Mark::Other),
        ManagedBy::Retired => None,
    }
}

/// Removes a person but for the bare record, which is found by user name and id alone.
fn retire_user(
    rows: &mut Undo<'_>,
    user: &User,
    expected: Expected,
    tombstone: Tombstone,
) -> Result<(), DirectoryError> {
    let before = rows.user(&user.tenant, &user.id)?;
    check(expected, before.map(|before| before.version))?;
    remove_user(rows, &user.tenant, &user.id, tombstone)?;
    replace(rows, &[], rows_of_user(user)?)?;
    write_user(rows, user)
}

fn remove_user(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &UserId,
    tombstone: Tombstone,
) -> Result<(), DirectoryError> {
    let user = rows.user(tenant, id)?.ok_or(DirectoryError::Missing)?;
    for (key, _) in rows_of_user(&user)? {
        rows.remove(key)?;
    }
    let links = rows.links(tenant, id)?;
    for link in &links {
        remove_all(rows, rows_of_link(link, id)?)?;
    }
    for group in rows.names(&Row::MemberOf.all(tenant, &[id.as_str()])?)? {
        remove_all(rows, rows_of_member(tenant, &group.as_str().into(), id)?)?;
    }
    order::USERS.put(rows, tenant, id.as_str(), mark_of(&user), None)?;
    rows.remove(Row::User.key(tenant, [id.as_str()])?)?;
    bury(rows, tenant, id, tombstone, links)
}

fn add_link(rows: &mut Undo<'_>, link: &Link, user: &UserId) -> Result<(), DirectoryError> {
    let tenant = &link.tenant;
    let id = user.as_str();
    let record = rows.user(tenant, user)?.and_then(|user| mark_of(&user));
    record.ok_or(DirectoryError::Missing)?;
    if let Some(holder) = rows.linked(link)? {
        // R54: a link stays where it is.
        return if holder == *user {
            Ok(())
        } else {
            Err(DirectoryError::Taken("link"))
        };
    }
    // R54: a second subject of the same idp is somebody else.
    if rows
        .value(&Row::LinkOf.key(tenant, [id, link.idp.as_str()])?)?
        .is_some()
    {
        return Err(DirectoryError::Taken("link"));
    }
    let tombstone = Row::TombstoneLink.key(tenant, [link.idp.as_str(), &link.subject])?;
    if rows.value(&tombstone)?.is_some() {
        return Err(DirectoryError::Deleted);
    }
    let [by_subject, by_user] = rows_of_link(link, user)?;
    rows.put(by_subject, id.as_bytes())?;
    Ok(rows.put(by_user, link.subject.as_bytes())?)
}

fn put_group(rows: &mut Undo<'_>, group: &Group, expected: Expected) -> Result<(), DirectoryError> {
    let tenant = &group.tenant;
    let before = rows.group(tenant, &group.id)?;
    check(expected, before.as_ref().map(|before| before.version))?;
    let holder = rows.name(&Row::GroupName.key(tenant, [&fold(&group.display_name)])?)?;
    if holder.is_some_and(|holder| holder != group.id.as_str()) {
        return Err(DirectoryError::Taken("displayName"));
    }
    let old = before.as_ref().map(rows_of_group).transpose()?;
    replace(rows, &old.unwrap_or_default(), rows_of_group(group)?)?;
    let (was, id) = (before.map(|_| Mark::Managed), group.id.as_str());
    order::GROUPS.put(rows, tenant, id, was, Some(Mark::Managed))?;
    let value = serde_json::to_vec(group).map_err(StorageError::Value)?;
    Ok(rows.put(Row::Group.key(tenant, [group.id.as_str()])?, &value)?)
}

fn remove_group(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &GroupId,
) -> Result<(), DirectoryError> {
    let group = rows.group(tenant, id)?.ok_or(DirectoryError::Missing)?;
    for (key, _) in rows_of_group(&group)? {
        rows.remove(key)?;
    }
    for user in rows.names(&Row::Member.all(tenant, &[id.as_str()])?)? {
        remove_all(rows, rows_of_member(tenant, id, &user.as_str().into())?)?;
    }
    order::GROUPS.put(rows, tenant, id.as_str(), Some(Mark::Managed), None)?;
    Ok(rows.remove(Row::Group.key(tenant, [id.as_str()])?)?)
}

fn add_member(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    group: &GroupId,
    user: &UserId,
) -> Result<(), DirectoryError> {
    let group_row = Row::Group.key(tenant, [group.as_str()])?;
    // Who stands in the order is there and not retired.
    let user_row = Row::UserPlace.key(tenant, [user.as_str()])?;
    if rows.value(&group_row)?.is_none() || rows.value(&user_row)?.is_none() {
        return Err(DirectoryError::Missing);
    }
    for key in rows_of_member(tenant, group, user)? {
        rows.put(key, &[])?;
    }
    Ok(())
}

fn check(expected: Expected, version: Option<u64>) -> Result<(), DirectoryError> {
    match (expected, version) {
        (Expected::New, None) => Ok(()),
        (Expected::New, Some(_)) => Err(DirectoryError::Taken("id")),
        (Expected::Version(_), None) => Err(DirectoryError::Missing),
        (Expected::Version(expected), Some(found)) if expected == found => Ok(()),
        (Expected::Version(_), Some(_)) => Err(DirectoryError::Stale),
    }
}

/// Removes the rows that are no more, writes those that are new.
fn replace(
    rows: &mut Undo<'_>,
    old: &[(Key, Option<&str>)],
    new: Vec<(Key, Option<&str>)>,
) -> Result<(), DirectoryError> {
    let gone = old
        .iter()
        .filter(|(key, _)| new.iter().all(|(its, _)| its != key));
    for (key, _) in gone {
        rows.remove(key.clone())?;
    }
    let added = new
        .into_iter()
        .filter(|(key, _)| old.iter().all(|(its, _)| its != key));
    for (key, value) in added {
        rows.put(key, value.unwrap_or_default().as_bytes())?;
    }
    Ok(())
}

fn remove_all<const N: usize>(rows: &mut Undo<'_>, keys: [Key; N]) -> Result<(), DirectoryError> {
    for key in keys {
        rows.remove(key)?;
    }
    Ok(())
}
