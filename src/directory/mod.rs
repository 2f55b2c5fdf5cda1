//! The record of people: users, groups, members, links and tombstones, per tenant.
//!
//! Only `provision` changes it. Everything is found by index; uniqueness is kept inside the write.

mod embedded;

use async_trait::async_trait;

use crate::identity::{Group, GroupId, Link, TenantSlug, Tombstone, User, UserId};
use crate::storage::{Along, StorageError};

pub use embedded::EmbeddedDirectory;

/// Records that are looked at for one question without pages, at most.
pub const MOST_FOUND: usize = 20_000;

/// What a person is looked up by; each is an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserKey {
    /// Folded user name; unique.
    UserName(String),
    /// `externalId`, byte for byte; unique where the client keeps it so.
    ExternalId(String),
    /// Folded address of any of the person's e-mails.
    Email(String),
}

/// What a group is looked up by; each is an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// Folded display name; unique.
    DisplayName(String),
    /// `externalId`, byte for byte; unique where the client keeps it so.
    ExternalId(String),
}

/// Where a page starts. Records stand in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFrom {
    /// At the record of this number, counted from 0 over those that are there now.
    Index(usize),
    /// Behind the page that gave this as [`Page::next`]; nobody is missed or met twice when others come and go.
    After(u64),
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are in all.
    pub total: usize,
    /// Those of this page.
    pub found: Vec<T>,
    /// Where the next page starts; none on the last one.
    pub next: Option<u64>,
}

/// What a write expects of the record it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is none.
    New,
    /// It has this version.
    Version(u64),
}

/// One change. Changes of one call are applied together or not at all.
#[derive(Clone, Debug)]
pub enum Change {
    /// Makes or replaces a person; clears the tombstone of the same user name and external id.
    /// A record that a first sign-in makes does not clear one: [`DirectoryError::Deleted`].
    PutUser(Box<User>, Expected),
    /// As [`Self::RemoveUser`], but the bare record, managed by [`crate::identity::ManagedBy::Retired`], stays
    /// until the tombstone goes; user name and id alone find it.
    RetireUser(Box<User>, Expected, Tombstone),
    /// Removes a person, their links and memberships; leaves a tombstone.
    RemoveUser(TenantSlug, UserId, Tombstone),
    /// Ties a principal to a person, who has at most one link of each idp; a link is never moved (R54).
    AddLink(Link, UserId),
    /// Makes or replaces a group.
    PutGroup(Box<Group>, Expected),
    /// Removes a group and its memberships.
    RemoveGroup(TenantSlug, GroupId),
    /// One row; no error when it is there.
    AddMember(TenantSlug, GroupId, UserId),
    /// One row; no error when it is not there.
    RemoveMember(TenantSlug, GroupId, UserId),
}

/// Why the directory did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another record of the tenant has this value: `userName`, `externalId`, `displayName` or `link`.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// The record changed since it was read.
    #[error("record changed meanwhile")]
    Stale,
    /// There is no such record.
    #[error("no such record")]
    Missing,
    /// The person was deleted; a sign-in does not bring them back.
    #[error("person was deleted")]
    Deleted,
    /// More than [`MOST_FOUND`] records have this value.
    #[error("more than {MOST_FOUND} records have it")]
    TooMany,
    /// A value is longer than 64 KiB and cannot be found by.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl DirectoryError {
    /// Whether the store failed, and not what was asked of it.
    pub const fn is_storage(&self) -> bool {
        matches!(self, Self::Storage(_))
    }
}

/// A person and their groups, all read at one moment.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The record.
    pub user: User,
    /// The groups they are in, in the order of their folded names.
    pub groups: Vec<Group>,
    /// Of the names asked for, those that no group of the tenant has, in the order asked.
    pub unknown: Vec<String>,
}

/// The record of people.
#[async_trait]
pub trait Directory: Send + Sync {
    /// A person by id.
    async fn user(&self, tenant: &TenantSlug, id: &UserId) -> Result<Option<User>, DirectoryError>;
    /// People by one of the indexes; more than one only for [`UserKey::Email`] and [`UserKey::ExternalId`]. All of
    /// them, or [`DirectoryError::TooMany`].
    async fn find_users(
        &self,
        tenant: &TenantSlug,
        key: &UserKey,
    ) -> Result<Vec<User>, DirectoryError>;
    /// The person a principal is tied to.
    async fn linked(&self, link: &Link) -> Result<Option<UserId>, DirectoryError>;
    /// All links of a person.
    async fn links(&self, tenant: &TenantSlug, id: &UserId) -> Result<Vec<Link>, DirectoryError>;
    /// What is left of a deleted person, by the link they had, their user name or external id.
    async fn tombstone(
        &self,
        link: &Link,
        keys: &[UserKey],
    ) -> Result<Option<Tombstone>, DirectoryError>;
    /// People in the order of their folded user names, after one of them; at most `limit`.
    async fn list_users(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<User>, DirectoryError>;
    /// A group by id.
    async fn group(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
    ) -> Result<Option<Group>, DirectoryError>;
    /// A group by folded display name.
    async fn find_group(
        &self,
        tenant: &TenantSlug,
        display_name: &str,
    ) -> Result<Option<Group>, DirectoryError>;
    /// The groups a person is in, in the order of their folded names.
    async fn groups_of(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
    ) -> Result<Vec<Group>, DirectoryError>;
    /// People in the order in which they were made, whoever manages them, but the retired; late pages cost what early ones do.
    async fn page_users(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<User>, DirectoryError>;
    /// As [`Self::page_users`], of those whom SCIM manages alone.
    async fn page_managed_users(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<User>, DirectoryError>;
    /// People by id, in the order asked; those who are not there are left out.
    async fn users_by_id(
        &self,
        tenant: &TenantSlug,
        ids: &[UserId],
    ) -> Result<Vec<User>, DirectoryError>;
    /// Groups in the order in which they were made.
    async fn page_groups(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<Group>, DirectoryError>;
    /// Groups by one of the indexes; more than one only for [`GroupKey::ExternalId`]. All of them, or
    /// [`DirectoryError::TooMany`].
    async fn find_groups(
        &self,
        tenant: &TenantSlug,
        key: &GroupKey,
    ) -> Result<Vec<Group>, DirectoryError>;
    /// Whether this person is in this group: one row.
    async fn is_member(
        &self,
        tenant: &TenantSlug,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, DirectoryError>;
    /// Those of these people who are in this group; rows of theirs alone are read.
    async fn members_among(
        &self,
        tenant: &TenantSlug,
        group: &GroupId,
        users: &[UserId],
    ) -> Result<Vec<UserId>, DirectoryError>;
    /// The first of these ids that is nobody's, or a retired person's, or, with `managed_only`, of somebody whom
    /// SCIM does not manage; no record is read.
    async fn first_unknown(
        &self,
        tenant: &TenantSlug,
        users: &[UserId],
        managed_only: bool,
    ) -> Result<Option<UserId>, DirectoryError>;
    /// [`Self::groups_of`] for each of these people, in the order asked, in one read.
    async fn groups_of_all(
        &self,
        tenant: &TenantSlug,
        users: &[UserId],
    ) -> Result<Vec<Vec<Group>>, DirectoryError>;
    /// [`Self::members`] of each of these groups from the first on, at most `limit` of each, in one read.
    async fn members_of_all(
        &self,
        tenant: &TenantSlug,
        groups: &[GroupId],
        limit: usize,
    ) -> Result<Vec<Vec<UserId>>, DirectoryError>;
    /// A person with their groups, and which of these display names no group of the tenant has.
    async fn membership(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        names: &[String],
    ) -> Result<Option<Membership>, DirectoryError>;
    /// The people in a group, in the order of their ids, after one of them; at most `limit`.
    async fn members(
        &self,
        tenant: &TenantSlug,
        id: &GroupId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, DirectoryError>;
    /// Groups in the order of their folded names, after one of them; at most `limit`.
    async fn list_groups(
        &self,
        tenant: &TenantSlug,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Group>, DirectoryError>;
    /// Applies all changes or none; durable when it returns.
    async fn apply(&self, changes: Vec<Change>) -> Result<(), DirectoryError> {
        self.apply_with(changes, Along::default()).await
    }
    /// As [`Self::apply`], and what goes along is written with them, or nothing is.
    async fn apply_with(&self, changes: Vec<Change>, along: Along) -> Result<(), DirectoryError>;
    /// Compares every index and counter with the records and tells each that disagrees, at most 100; reads everything.
    async fn check(&self) -> Result<Vec<String>, DirectoryError>;
}

#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod model;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod sample;
#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
