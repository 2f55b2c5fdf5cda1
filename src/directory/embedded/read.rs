//! Reading rows, from a snapshot or inside a write.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table};
use serde::de::DeserializeOwned;

use super::rows::{Key, ROWS, Row};
use crate::directory::{DirectoryError, GroupKey, MOST_FOUND, Membership, UserKey};
use crate::identity::{Group, GroupId, IdpName, Link, TenantSlug, Tombstone, User, UserId, fold};
use crate::storage::{StorageError, table};

/// Where rows are read from.
pub(super) trait Rows {
    /// A row's value.
    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError>;
    /// The last names, and values, of the rows with this beginning, behind `from`; at most `limit`.
    fn list(
        &self,
        beginning: &Key,
        from: &Key,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StorageError>;
}

/// Rows as they were at one moment.
pub(super) struct Reader(Option<ReadOnlyTable<&'static [u8], &'static [u8]>>);

impl Reader {
    pub(super) fn new(snapshot: &ReadTransaction) -> Result<Self, StorageError> {
        Ok(Self(table(snapshot, ROWS)?))
    }
}

impl Rows for Reader {
    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.0.as_ref().map_or(Ok(None), |table| value(table, key))
    }

    fn list(
        &self,
        beginning: &Key,
        from: &Key,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let Some(table) = &self.0 else {
            return Ok(Vec::new());
        };
        list(table, beginning, from, limit)
    }
}

impl Rows for Table<'_, &'static [u8], &'static [u8]> {
    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        value(self, key)
    }

    fn list(
        &self,
        beginning: &Key,
        from: &Key,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        list(self, beginning, from, limit)
    }
}

fn value(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &Key,
) -> Result<Option<Vec<u8>>, StorageError> {
    Ok(table
        .get(key.0.as_slice())?
        .map(|value| value.value().to_vec()))
}

fn list(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    beginning: &Key,
    from: &Key,
    limit: usize,
) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
    let mut found = Vec::new();
    for row in table.range(from.0.as_slice()..)?.take(limit) {
        let (key, value) = row?;
        match beginning.rest(key.value()) {
            Some(name) => found.push((name.to_owned(), value.value().to_vec())),
            None => break,
        }
    }
    Ok(found)
}

/// What is asked of rows, wherever they are.
pub(super) trait Questions: Rows {
    fn record<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, DirectoryError> {
        let value = self.value(key)?;
        let record = value
            .map(|value| serde_json::from_slice(&value))
            .transpose();
        Ok(record.map_err(StorageError::Value)?)
    }

    fn name(&self, key: &Key) -> Result<Option<String>, DirectoryError> {
        let value = self.value(key)?;
        Ok(value.and_then(|value| String::from_utf8(value).ok()))
    }

    fn names(&self, beginning: &Key) -> Result<Vec<String>, DirectoryError> {
        let rows = self.list(beginning, beginning, usize::MAX)?;
        Ok(rows.into_iter().map(|(name, _)| name).collect())
    }

    /// As [`Self::names`], but no more than can be looked at.
    fn some(&self, beginning: &Key) -> Result<Vec<String>, DirectoryError> {
        let rows = self.list(beginning, beginning, MOST_FOUND.saturating_add(1))?;
        if rows.len() > MOST_FOUND {
            return Err(DirectoryError::TooMany);
        }
        Ok(rows.into_iter().map(|(name, _)| name).collect())
    }

    fn user(&self, tenant: &TenantSlug, id: &UserId) -> Result<Option<User>, DirectoryError> {
        self.record(&Row::User.key(tenant, [id.as_str()])?)
    }

    fn group(&self, tenant: &TenantSlug, id: &GroupId) -> Result<Option<Group>, DirectoryError> {
        self.record(&Row::Group.key(tenant, [id.as_str()])?)
    }

    fn linked(&self, link: &Link) -> Result<Option<UserId>, DirectoryError> {
        let key = Row::Link.key(&link.tenant, [link.idp.as_str(), &link.subject])?;
        Ok(self.name(&key)?.map(|id| UserId::from(id.as_str())))
    }

    fn find_users(&self, tenant: &TenantSlug, key: &UserKey) -> Result<Vec<User>, DirectoryError> {
        let (row, name) = match key {
            UserKey::UserName(name) => {
                let id = self.name(&Row::UserName.key(tenant, [name])?)?;
                let user = id
                    .map(|id| self.user(tenant, &id.as_str().into()))
                    .transpose()?;
                return Ok(user.flatten().into_iter().collect());
            }
            UserKey::ExternalId(name) => (Row::ExternalId, name),
            UserKey::Email(name) => (Row::Email, name),
        };
        let beginning = row.all(tenant, &[name])?;
        let mut found = Vec::new();
        for id in self.some(&beginning)? {
            found.extend(self.user(tenant, &id.as_str().into())?);
        }
        Ok(found)
    }

    fn links(&self, tenant: &TenantSlug, id: &UserId) -> Result<Vec<Link>, DirectoryError> {
        let beginning = Row::LinkOf.all(tenant, &[id.as_str()])?;
        let rows = self.list(&beginning, &beginning, usize::MAX)?;
        let link = |(idp, subject): (String, Vec<u8>)| {
            Some(Link {
                idp: IdpName::try_from(idp).ok()?,
                subject: String::from_utf8(subject).ok()?,
                tenant: tenant.clone(),
            })
        };
        Ok(rows.into_iter().filter_map(link).collect())
    }

    fn tombstone(
        &self,
        link: &Link,
        keys: &[UserKey],
    ) -> Result<Option<Tombstone>, DirectoryError> {
        let tenant = &link.tenant;
        let key = Row::TombstoneLink.key(tenant, [link.idp.as_str(), &link.subject])?;
        let mut id = self.name(&key)?;
        for key in keys {
            if id.is_some() {
                break;
            }
            id = self.tombstones(tenant, key)?.into_iter().next();
        }
        let Some(id) = id else { return Ok(None) };
        let buried: Option<Buried> = self.record(&Row::Tombstone.key(tenant, [&id])?)?;
        Ok(buried.map(|buried| buried.tombstone))
    }

    /// Ids of the deleted who had this user name or external id.
    fn tombstones(
        &self,
        tenant: &TenantSlug,
        key: &UserKey,
    ) -> Result<Vec<String>, DirectoryError> {
        match key {
            UserKey::UserName(name) => self.names(&Row::TombstoneName.all(tenant, &[name])?),
            UserKey::ExternalId(id) => self.names(&Row::TombstoneExternalId.all(tenant, &[id])?),
            UserKey::Email(_) => Ok(Vec::new()),
        }
    }

    fn list_users(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<User>, DirectoryError> {
        let beginning = Row::UserName.all(tenant, &[])?;
        let mut users = Vec::new();
        for id in self.page(&beginning, after, limit)? {
            users.extend(self.user(tenant, &id.as_str().into())?);
        }
        Ok(users)
    }

    fn find_group(
        &self,
        tenant: &TenantSlug,
        display_name: &str,
    ) -> Result<Option<Group>, DirectoryError> {
        let id = self.name(&Row::GroupName.key(tenant, [&fold(display_name)])?)?;
        let group = id
            .map(|id| self.group(tenant, &id.as_str().into()))
            .transpose()?;
        Ok(group.flatten())
    }

    fn list_groups(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Group>, DirectoryError> {
        let beginning = Row::GroupName.all(tenant, &[])?;
        let mut groups = Vec::new();
        for id in self.page(&beginning, after, limit)? {
            groups.extend(self.group(tenant, &id.as_str().into())?);
        }
        Ok(groups)
    }

    /// The ids that an index by name leads to.
    fn page(
        &self,
        beginning: &Key,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, DirectoryError> {
        let from = after.map_or_else(|| beginning.clone(), |after| beginning.after(after));
        let rows = self.list(beginning, &from, limit)?;
        let ids = rows
            .into_iter()
            .filter_map(|(_, id)| String::from_utf8(id).ok());
        Ok(ids.collect())
    }

    fn users_by_id(
        &self,
        tenant: &TenantSlug,
        ids: &[UserId],
    ) -> Result<Vec<User>, DirectoryError> {
        let mut users = Vec::new();
        for id in ids {
            users.extend(self.user(tenant, id)?);
        }
        Ok(users)
    }

    fn find_groups(
        &self,
        tenant: &TenantSlug,
        key: &GroupKey,
    ) -> Result<Vec<Group>, DirectoryError> {
        let name = match key {
            GroupKey::DisplayName(name) => {
                return Ok(self.find_group(tenant, name)?.into_iter().collect());
            }
            GroupKey::ExternalId(name) => name,
        };
        let beginning = Row::GroupExternalId.all(tenant, &[name])?;
        let mut found = Vec::new();
        for id in self.some(&beginning)? {
            found.extend(self.group(tenant, &id.as_str().into())?);
        }
        Ok(found)
    }

    fn is_member(
        &self,
        tenant: &TenantSlug,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, DirectoryError> {
        let key = Row::Member.key(tenant, [group.as_str(), user.as_str()])?;
        Ok(self.value(&key)?.is_some())
    }

    fn groups_of(&self, tenant: &TenantSlug, id: &UserId) -> Result<Vec<Group>, DirectoryError> {
        let mut groups = Vec::new();
        for group in self.names(&Row::MemberOf.all(tenant, &[id.as_str()])?)? {
            groups.extend(self.group(tenant, &group.as_str().into())?);
        }
        groups.sort_by_cached_key(|group| fold(&group.display_name));
        Ok(groups)
    }

    fn membership(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        names: Vec<String>,
    ) -> Result<Option<Membership>, DirectoryError> {
        let Some(user) = self.user(tenant, id)? else {
            return Ok(None);
        };
        let groups = self.groups_of(tenant, id)?;
        let mut unknown = Vec::new();
        for name in names {
            if self
                .value(&Row::GroupName.key(tenant, [&fold(&name)])?)?
                .is_none()
            {
                unknown.push(name);
            }
        }
        Ok(Some(Membership {
            user,
            groups,
            unknown,
        }))
    }

    fn members(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, DirectoryError> {
        let beginning = Row::Member.all(tenant, &[id.as_str()])?;
        let from = after.map_or_else(
            || beginning.clone(),
            |after| beginning.after(after.as_str()),
        );
        let rows = self.list(&beginning, &from, limit)?;
        Ok(rows.iter().map(|(user, _)| user.as_str().into()).collect())
    }
}

impl<R: Rows> Questions for R {}

/// A tombstone with the links that the person had.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Buried {
    pub(super) tombstone: Tombstone,
    pub(super) links: Vec<Link>,
}
