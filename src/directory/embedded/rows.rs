//! Keys of the rows: what a row is for, then names, the last of them bare so that rows sort by it.

use redb::TableDefinition;

use crate::directory::DirectoryError;
use crate::identity::{Group, GroupId, Link, ManagedBy, TenantSlug, User, UserId, fold};

/// All rows.
pub(super) const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("directory");

/// What a row is for. The numbers are stored: they are never given to anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// tenant, user → the record
    User = 1,
    /// tenant, folded user name → user
    UserName = 2,
    /// tenant, external id, user
    ExternalId = 3,
    /// tenant, folded address, user
    Email = 4,
    /// tenant, idp, subject → user
    Link = 5,
    /// tenant, user, idp → subject
    LinkOf = 6,
    /// tenant, group → the record
    Group = 7,
    /// tenant, folded display name → group
    GroupName = 8,
    /// tenant, group, user
    Member = 9,
    /// tenant, user, group
    MemberOf = 10,
    /// tenant, user → the tombstone and its links
    Tombstone = 11,
    /// tenant, folded user name, user
    TombstoneName = 12,
    /// tenant, external id, user
    TombstoneExternalId = 13,
    /// tenant, idp, subject → user
    TombstoneLink = 14,
    /// tenant, place in the order of making → [`super::order::Mark`] and user
    UserAt = 15,
    /// tenant, user → their place
    UserPlace = 16,
    /// tenant, bucket of places → how many stand in it, and how many of them SCIM manages
    UserCount = 17,
    /// tenant → the next place
    UserNext = 18,
    /// tenant, place in the order of making → group
    GroupAt = 19,
    /// tenant, group → its place
    GroupPlace = 20,
    /// tenant, bucket of places → how many stand in it
    GroupCount = 21,
    /// tenant → the next place
    GroupNext = 22,
    /// tenant, external id, group
    GroupExternalId = 23,
}

/// A row's key, or the beginning of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) Vec<u8>);

impl Row {
    /// All of them.
    pub(super) const ALL: [Self; 23] = [
        Self::User,
        Self::UserName,
        Self::ExternalId,
        Self::Email,
        Self::Link,
        Self::LinkOf,
        Self::Group,
        Self::GroupName,
        Self::Member,
        Self::MemberOf,
        Self::Tombstone,
        Self::TombstoneName,
        Self::TombstoneExternalId,
        Self::TombstoneLink,
        Self::UserAt,
        Self::UserPlace,
        Self::UserCount,
        Self::UserNext,
        Self::GroupAt,
        Self::GroupPlace,
        Self::GroupCount,
        Self::GroupNext,
        Self::GroupExternalId,
    ];

    /// Names behind the tenant.
    pub(super) const fn names(self) -> usize {
        match self {
            Self::UserNext | Self::GroupNext => 0,
            Self::User
            | Self::UserName
            | Self::Group
            | Self::GroupName
            | Self::Tombstone
            | Self::UserAt
            | Self::UserPlace
            | Self::UserCount
            | Self::GroupAt
            | Self::GroupPlace
            | Self::GroupCount => 1,
            Self::ExternalId
            | Self::Email
            | Self::Link
            | Self::LinkOf
            | Self::Member
            | Self::MemberOf
            | Self::TombstoneName
            | Self::TombstoneExternalId
            | Self::TombstoneLink
            | Self::GroupExternalId => 2,
        }
    }

    /// The one row of these names.
    pub(super) fn key<const N: usize>(
        self,
        tenant: &TenantSlug,
        names: [&str; N],
    ) -> Result<Key, DirectoryError> {
        let (last, before) = names.split_last().unwrap_or((&"", &[]));
        let Key(mut key) = self.all(tenant, before)?;
        // The last one is bounded too: what cannot be found later must not be written now.
        length(last)?;
        key.extend_from_slice(last.as_bytes());
        Ok(Key(key))
    }

    /// The beginning of all rows that start with these names.
    pub(super) fn all(self, tenant: &TenantSlug, names: &[&str]) -> Result<Key, DirectoryError> {
        let mut key = vec![self as u8];
        for name in std::iter::once(&tenant.as_str()).chain(names) {
            key.extend_from_slice(&length(name)?);
            key.extend_from_slice(name.as_bytes());
        }
        Ok(Key(key))
    }
}

impl Key {
    /// What stands behind the common beginning of several rows: the last name.
    pub(super) fn rest<'k>(&self, key: &'k [u8]) -> Option<&'k str> {
        std::str::from_utf8(key.strip_prefix(self.0.as_slice())?).ok()
    }

    /// Behind this row, still among those with its beginning.
    pub(super) fn after(&self, name: &str) -> Self {
        let mut key = self.0.clone();
        key.extend_from_slice(name.as_bytes());
        key.push(0);
        Self(key)
    }
}

fn length(name: &str) -> Result<[u8; 2], DirectoryError> {
    let length = u16::try_from(name.len());
    Ok(length
        .map_err(|_over| DirectoryError::TooLong("name"))?
        .to_be_bytes())
}

/// The index rows of a person; `None` where a row holds nothing.
pub(super) fn rows_of_user(user: &User) -> Result<Vec<(Key, Option<&str>)>, DirectoryError> {
    let (tenant, id) = (&user.tenant, user.id.as_str());
    let name = fold(&user.user_name);
    let mut rows = vec![(Row::UserName.key(tenant, [&name])?, Some(id))];
    // Operators find the retired by name; nothing else finds them.
    if user.managed_by == ManagedBy::Retired {
        return Ok(rows);
    }
    if let Some(external_id) = &user.external_id {
        rows.push((Row::ExternalId.key(tenant, [external_id, id])?, None));
    }
    for address in addresses(user) {
        rows.push((Row::Email.key(tenant, [&fold(address), id])?, None));
    }
    Ok(rows)
}

/// The index rows of a group.
pub(super) fn rows_of_group(group: &Group) -> Result<Vec<(Key, Option<&str>)>, DirectoryError> {
    let (tenant, id) = (&group.tenant, group.id.as_str());
    let name = fold(&group.display_name);
    let mut rows = vec![(Row::GroupName.key(tenant, [&name])?, Some(id))];
    if let Some(external_id) = &group.external_id {
        rows.push((Row::GroupExternalId.key(tenant, [external_id, id])?, None));
    }
    Ok(rows)
}

/// The row of a link, and the one by which the person's links are found.
pub(super) fn rows_of_link(link: &Link, user: &UserId) -> Result<[Key; 2], DirectoryError> {
    let Link {
        idp,
        subject,
        tenant,
    } = link;
    Ok([
        Row::Link.key(tenant, [idp.as_str(), subject])?,
        Row::LinkOf.key(tenant, [user.as_str(), idp.as_str()])?,
    ])
}

/// Both rows of a membership.
pub(super) fn rows_of_member(
    tenant: &TenantSlug,
    group: &GroupId,
    user: &UserId,
) -> Result<[Key; 2], DirectoryError> {
    Ok([
        Row::Member.key(tenant, [group.as_str(), user.as_str()])?,
        Row::MemberOf.key(tenant, [user.as_str(), group.as_str()])?,
    ])
}

/// All e-mail addresses of a person.
fn addresses(user: &User) -> impl Iterator<Item = &str> {
    let emails = user
        .attributes
        .get("emails")
        .and_then(|emails| emails.as_array());
    emails
        .into_iter()
        .flatten()
        .filter_map(|email| email.get("value")?.as_str())
}
