//! The directory in the embedded store: one ordered table of rows, each record and each index entry one row.

mod apply;
mod check;
mod order;
mod page;
mod read;
mod rows;
mod tombstones;
mod undo;

use async_trait::async_trait;

use super::{Change, Directory, DirectoryError, GroupKey, Membership, Page, PageFrom, UserKey};
use crate::identity::{Group, GroupId, Link, TenantSlug, Tombstone, User, UserId};
use crate::storage::{Along, Embedded};

use order::{GROUPS, Mark, USERS};
use read::{Questions as _, Reader};

/// The directory in the embedded store.
pub struct EmbeddedDirectory {
    store: Embedded,
}

impl EmbeddedDirectory {
    /// In this store.
    pub const fn new(store: Embedded) -> Self {
        Self { store }
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Reader) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let read = |snapshot: &redb::ReadTransaction| job(&Reader::new(snapshot)?);
        self.store.read(read).await
    }

    async fn page_people(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
        managed_only: bool,
    ) -> Result<Page<User>, DirectoryError> {
        let tenant = tenant.clone();
        self.read(move |rows| {
            let page = USERS.page(rows, &tenant, from, limit, managed_only)?;
            let ids: Vec<_> = page.found.iter().map(|id| id.as_str().into()).collect();
            Ok(Page {
                total: page.total,
                found: rows.users_by_id(&tenant, &ids)?,
                next: page.next,
            })
        })
        .await
    }
}

#[async_trait]
impl Directory for EmbeddedDirectory {
    async fn user(&self, tenant: &TenantSlug, id: &UserId) -> Result<Option<User>, DirectoryError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |rows| rows.user(&tenant, &id)).await
    }

    async fn find_users(
        &self,
        tenant: &TenantSlug,
        key: &UserKey,
    ) -> Result<Vec<User>, DirectoryError> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.read(move |rows| rows.find_users(&tenant, &key)).await
    }

    async fn linked(&self, link: &Link) -> Result<Option<UserId>, DirectoryError> {
        let link = link.clone();
        self.read(move |rows| rows.linked(&link)).await
    }

    async fn links(&self, tenant: &TenantSlug, id: &UserId) -> Result<Vec<Link>, DirectoryError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |rows| rows.links(&tenant, &id)).await
    }

    async fn tombstone(
        &self,
        link: &Link,
        keys: &[UserKey],
    ) -> Result<Option<Tombstone>, DirectoryError> {
        let (link, keys) = (link.clone(), keys.to_vec());
        self.read(move |rows| rows.tombstone(&link, &keys)).await
    }

    async fn list_users(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<User>, DirectoryError> {
        let (tenant, after) = (tenant.clone(), after.map(str::to_owned));
        self.read(move |rows| rows.list_users(&tenant, after.as_deref(), limit))
            .await
    }

    async fn group(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
    ) -> Result<Option<Group>, DirectoryError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |rows| rows.group(&tenant, &id)).await
    }

    async fn find_group(
        &self,
        tenant: &TenantSlug,
        display_name: &str,
    ) -> Result<Option<Group>, DirectoryError> {
        let (tenant, name) = (tenant.clone(), display_name.to_owned());
        self.read(move |rows| rows.find_group(&tenant, &name)).await
    }

    async fn groups_of(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
    ) -> Result<Vec<Group>, DirectoryError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |rows| rows.groups_of(&tenant, &id)).await
    }

    async fn membership(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        names: &[String],
    ) -> Result<Option<Membership>, DirectoryError> {
        let (tenant, id, names) = (tenant.clone(), id.clone(), names.to_vec());
        self.read(move |rows| rows.membership(&tenant, &id, names))
            .await
    }

    async fn members(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, DirectoryError> {
        let (tenant, id, after) = (tenant.clone(), id.clone(), after.cloned());
        self.read(move |rows| rows.members(&tenant, &id, after.as_ref(), limit))
            .await
    }

    async fn list_groups(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Group>, DirectoryError> {
        let (tenant, after) = (tenant.clone(), after.map(str::to_owned));
        self.read(move |rows| rows.list_groups(&tenant, after.as_deref(), limit))
            .await
    }

    async fn page_users(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<User>, DirectoryError> {
        self.page_people(tenant, from, limit, false).await
    }

    async fn page_managed_users(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<User>, DirectoryError> {
        self.page_people(tenant, from, limit, true).await
    }

    async fn users_by_id(
        &self,
        tenant: &TenantSlug,
        ids: &[UserId],
    ) -> Result<Vec<User>, DirectoryError> {
        let (tenant, ids) = (tenant.clone(), ids.to_vec());
        self.read(move |rows| rows.users_by_id(&tenant, &ids)).await
    }

    async fn page_groups(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<Group>, DirectoryError> {
        let tenant = tenant.clone();
        self.read(move |rows| {
            let page = GROUPS.page(rows, &tenant, from, limit, false)?;
            let mut found = Vec::new();
            for id in page.found {
                found.extend(rows.group(&tenant, &id.as_str().into())?);
            }
            Ok(Page {
                total: page.total,
                found,
                next: page.next,
            })
        })
        .await
    }

    async fn find_groups(
        &self,
        tenant: &TenantSlug,
        key: &GroupKey,
    ) -> Result<Vec<Group>, DirectoryError> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.read(move |rows| rows.find_groups(&tenant, &key)).await
    }

    async fn is_member(
        &self,
        tenant: &TenantSlug,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, DirectoryError> {
        let (tenant, group, user) = (tenant.clone(), group.clone(), user.clone());
        self.read(move |rows| rows.is_member(&tenant, &group, &user))
            .await
    }

    async fn members_among(
        &self,
        tenant: &TenantSlug,
        group: &GroupId,
        users: &[UserId],
    ) -> Result<Vec<UserId>, DirectoryError> {
        let (tenant, group, users) = (tenant.clone(), group.clone(), users.to_vec());
        self.read(move |rows| {
            let mut found = Vec::new();
            for user in users {
                if rows.is_member(&tenant, &group, &user)? {
                    found.push(user);
                }
            }
            Ok(found)
        })
        .await
    }

    async fn first_unknown(
        &self,
        tenant: &TenantSlug,
        users: &[UserId],
        managed_only: bool,
    ) -> Result<Option<UserId>, DirectoryError> {
        let (tenant, users) = (tenant.clone(), users.to_vec());
        self.read(move |rows| {
            for user in users {
                let mark = USERS.mark_of(rows, &tenant, user.as_str())?;
                let fits = |mark| !managed_only || mark == Mark::Managed;
                if !mark.is_some_and(fits) {
                    return Ok(Some(user));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn groups_of_all(
        &self,
        tenant: &TenantSlug,
        users: &[UserId],
    ) -> Result<Vec<Vec<Group>>, DirectoryError> {
        let (tenant, users) = (tenant.clone(), users.to_vec());
        self.read(move |rows| {
            let groups = users.iter().map(|user| rows.groups_of(&tenant, user));
            groups.collect()
        })
        .await
    }

    async fn members_of_all(
        &self,
        tenant: &TenantSlug,
        groups: &[GroupId],
        limit: usize,
    ) -> Result<Vec<Vec<UserId>>, DirectoryError> {
        let (tenant, groups) = (tenant.clone(), groups.to_vec());
        self.read(move |rows| {
            let members = groups
                .iter()
                .map(|group| rows.members(&tenant, group, None, limit));
            members.collect()
        })
        .await
    }

    async fn check(&self) -> Result<Vec<String>, DirectoryError> {
        self.store.read(check::check).await
    }

    async fn apply_with(&self, changes: Vec<Change>, along: Along) -> Result<(), DirectoryError> {
        self.store
            .write(move |transaction| apply::apply(transaction, changes, along))
            .await
    }
}

#[cfg(test)]
mod along_tests;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod found_tests;
