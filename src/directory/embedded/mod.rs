//! The directory in the embedded store: one ordered table of rows, each record and each index entry one row.

mod apply;
mod read;
mod rows;
mod undo;

use async_trait::async_trait;

use super::{Change, Directory, DirectoryError, Membership, UserKey};
use crate::identity::{Group, GroupId, Link, TenantSlug, Tombstone, User, UserId};
use crate::storage::Embedded;

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

    async fn apply(&self, changes: Vec<Change>) -> Result<(), DirectoryError> {
        self.store
            .write(move |transaction| apply::apply(transaction, changes))
            .await
    }
}
