//! What stays of the deleted, so that a sign-in does not make them again.

use super::read::{Buried, Questions as _};
use super::rows::{Key, Row, rows_of_link, rows_of_user};
use super::undo::Undo;
use crate::directory::DirectoryError;
use crate::identity::{Link, ManagedBy, TenantSlug, Tombstone, UserId};
use crate::storage::StorageError;

/// Leaves a tombstone, with the links of an earlier one of the same person.
pub(super) fn bury(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &UserId,
    tombstone: Tombstone,
    mut links: Vec<Link>,
) -> Result<(), DirectoryError> {
    let key = Row::Tombstone.key(tenant, [id.as_str()])?;
    let earlier: Option<Buried> = rows.record(&key)?;
    links.extend(earlier.map(|earlier| earlier.links).unwrap_or_default());
    dig(rows, tenant, id.as_str())?;
    let buried = Buried { tombstone, links };
    for (key, value) in rows_of_tombstone(tenant, id.as_str(), &buried)? {
        rows.put(key, value.unwrap_or_default().as_bytes())?;
    }
    let value = serde_json::to_vec(&buried).map_err(StorageError::Value)?;
    Ok(rows.put(key, &value)?)
}

/// Takes away the tombstone of a retired person who is brought back, and gives them their links again.
pub(super) fn revive(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &UserId,
) -> Result<(), DirectoryError> {
    let buried: Option<Buried> = rows.record(&Row::Tombstone.key(tenant, [id.as_str()])?)?;
    dig(rows, tenant, id.as_str())?;
    for link in buried.map(|buried| buried.links).unwrap_or_default() {
        // R54: what is somebody else's by now stays theirs.
        if rows.linked(&link)?.is_none() {
            let [by_subject, by_user] = rows_of_link(&link, id)?;
            rows.put(by_subject, id.as_str().as_bytes())?;
            rows.put(by_user, link.subject.as_bytes())?;
        }
    }
    Ok(())
}

/// Takes a tombstone away, and the retired record that it may belong to.
pub(super) fn clear_tombstone(
    rows: &mut Undo<'_>,
    tenant: &TenantSlug,
    id: &str,
) -> Result<(), DirectoryError> {
    dig(rows, tenant, id)?;
    let user = rows.user(tenant, &id.into())?;
    if let Some(user) = user.filter(|user| user.managed_by == ManagedBy::Retired) {
        for (key, _) in rows_of_user(&user)? {
            rows.remove(key)?;
        }
        rows.remove(Row::User.key(tenant, [id])?)?;
    }
    Ok(())
}

/// Takes a tombstone away.
fn dig(rows: &mut Undo<'_>, tenant: &TenantSlug, id: &str) -> Result<(), DirectoryError> {
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

/// The index rows of a tombstone; `None` where a row holds nothing.
pub(super) fn rows_of_tombstone<'b>(
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
