//! Changes: what must be unique and what must be there is checked in the write itself.

use redb::WriteTransaction;

use super::read::{Buried, Questions as _, Rows as _};
use super::rows::{Key, Row, rows_of_group, rows_of_link, rows_of_member, rows_of_user};
use super::undo::Undo;
use crate::directory::{Change, DirectoryError, Expected, UserKey};
use crate::identity::{Group, GroupId, Link, ManagedBy, TenantSlug, Tombstone, User, UserId, fold};
use crate::storage::StorageError;

/// Applies all changes or none.
pub(super) fn apply(
    transaction: &WriteTransaction,
    changes: Vec<Change>,
) -> Result<(), DirectoryError> {
    let mut rows = Undo::open(transaction)?;
    let done = changes
        .into_iter()
        .try_for_each(|change| one(&mut rows, change));
    if done.is_err() {
        rows.undo()?;
    }
    done
}

fn one(rows: &mut Undo<'_>, change: Change) -> Result<(), DirectoryError> {
    match change {
        Change::PutUser(user, expected) => put_user(rows, &user, expected),
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
    let name = fold(&user.user_name);
    let holder = rows.name(&Row::UserName.key(tenant, [&name])?)?;
    if holder.is_some_and(|holder| holder != user.id.as_str()) {
        return Err(DirectoryError::Taken("userName"));
    }
    let mut keys = vec![UserKey::UserName(name)];
    keys.extend(user.external_id.clone().map(UserKey::ExternalId));
    for key in keys {
        for id in rows.tombstones(tenant, &key)? {
            // A first sign-in does not bring back who was deleted a moment ago.
            if user.managed_by == ManagedBy::SignIn && expected == Expected::New {
                return Err(DirectoryError::Deleted);
            }
            clear_tombstone(rows, tenant, &id)?;
        }
    }
    let old = before.as_ref().map(rows_of_user).transpose()?;
    replace(rows, &old.unwrap_or_default(), rows_of_user(user)?)?;
    let value = serde_json::to_vec(user).map_err(StorageError::Value)?;
    Ok(rows.put(Row::User.key(tenant, [user.id.as_str()])?, &value)?)
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
    rows.remove(Row::User.key(tenant, [id.as_str()])?)?;
    bury(rows, tenant, id, &Buried { tombstone, links })
}

fn bury(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &UserId,
    buried: &Buried,
) -> Result<(), DirectoryError> {
    clear_tombstone(rows, tenant, id.as_str())?;
    for (key, value) in rows_of_tombstone(tenant, id.as_str(), buried)? {
        rows.put(key, value.unwrap_or_default().as_bytes())?;
    }
    let value = serde_json::to_vec(buried).map_err(StorageError::Value)?;
    Ok(rows.put(Row::Tombstone.key(tenant, [id.as_str()])?, &value)?)
}

fn clear_tombstone(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &str,
) -> Result<(), DirectoryError> {
    let key = Row::Tombstone.key(tenant, [id])?;
    if let Some(buried) = rows.record::<Buried>(&key)? {
        for (key, value) in rows_of_tombstone(tenant, id, &buried)? {
            // A later tombstone may have taken the link's row over.
            if value.is_none() || rows.name(&key)?.as_deref() == value {
                rows.remove(key)?;
            }
        }
    }
    Ok(rows.remove(key)?)
}

fn rows_of_tombstone<'b>(
    tenant: &TenantSlug,
    id: &'b str,
    buried: &Buried,
) -> Result<Vec<(Key, Option<&'b str>)>, DirectoryError> {
    let Buried { tombstone, links } = buried;
    let mut rows = vec![(
        Row::TombstoneName.key(tenant, [&tombstone.user_name, id])?,
        None,
    )];
    if let Some(external_id) = &tombstone.external_id {
        rows.push((
            Row::TombstoneExternalId.key(tenant, [external_id, id])?,
            None,
        ));
    }
    for link in links {
        let key = Row::TombstoneLink.key(tenant, [link.idp.as_str(), &link.subject])?;
        rows.push((key, Some(id)));
    }
    Ok(rows)
}

fn add_link(rows: &mut Undo<'_>, link: &Link, user: &UserId) -> Result<(), DirectoryError> {
    let tenant = &link.tenant;
    let id = user.as_str();
    rows.user(tenant, user)?.ok_or(DirectoryError::Missing)?;
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
    Ok(rows.remove(Row::Group.key(tenant, [id.as_str()])?)?)
}

fn add_member(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    group: &GroupId,
    user: &UserId,
) -> Result<(), DirectoryError> {
    let group_row = Row::Group.key(tenant, [group.as_str()])?;
    let user_row = Row::User.key(tenant, [user.as_str()])?;
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
