//! People and groups alike, as the directory has them.

use std::collections::HashSet;

use super::call::Call;
use super::filter::Lookup;
use super::list::too_many;
use super::route::Kind;
use super::{Scim, ScimError};
use crate::directory::{DirectoryError, GroupKey, MOST_FOUND, PageFrom, UserKey};
use crate::identity::{Group, GroupId, TenantSlug, User, UserId, fold};

/// A person or a group.
#[derive(Clone, Debug)]
pub(super) enum Record {
    /// A person.
    User(User),
    /// A group.
    Group(Group),
}

/// Some records in the order of making.
pub(super) struct Chunk {
    pub(super) total: usize,
    pub(super) records: Vec<Record>,
    pub(super) next: Option<u64>,
}

impl Scim {
    /// One record that SCIM may see.
    pub(super) async fn one(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Record>, ScimError> {
        let (directory, tenant) = (self.provision.directory(), call.tenant());
        let record = match kind {
            Kind::User => {
                let id = UserId::from(id);
                let user = self.provision.scim_user(tenant, &id).await?;
                user.map(Record::User)
            }
            Kind::Group => {
                let group = directory.group(tenant, &GroupId::from(id)).await;
                group.map_err(failed)?.map(Record::Group)
            }
        };
        Ok(record)
    }

    /// Some records of a kind, in the order of making.
    pub(super) async fn chunk(
        &self,
        call: &Call,
        kind: Kind,
        from: PageFrom,
        limit: usize,
    ) -> Result<Chunk, ScimError> {
        let (directory, tenant) = (self.provision.directory(), call.tenant());
        match kind {
            Kind::User => {
                let page = self.provision.scim_page(tenant, from, limit).await?;
                Ok(Chunk {
                    total: page.total,
                    records: page.found.into_iter().map(Record::User).collect(),
                    next: page.next,
                })
            }
            Kind::Group => {
                let page = directory.page_groups(tenant, from, limit).await;
                let page = page.map_err(failed)?;
                Ok(Chunk {
                    total: page.total,
                    records: page.found.into_iter().map(Record::Group).collect(),
                    next: page.next,
                })
            }
        }
    }

    /// The records that an index leads to, each once.
    pub(super) async fn found(
        &self,
        call: &Call,
        kind: Kind,
        lookup: &Lookup,
    ) -> Result<Vec<Record>, ScimError> {
        let arms = if let Lookup::AnyOf(arms) = lookup {
            arms.as_slice()
        } else {
            std::slice::from_ref(lookup)
        };
        let mut found: Vec<Record> = Vec::new();
        let mut ids = HashSet::new();
        for arm in arms {
            let records = match kind {
                Kind::User => self.found_users(call.tenant(), arm).await?,
                Kind::Group => self
                    .found_groups(call.tenant(), arm)
                    .await
                    .map_err(failed)?,
            };
            let new = records.into_iter();
            found.extend(new.filter(|record| ids.insert(record.id().to_owned())));
            if found.len() > MOST_FOUND {
                return Err(too_many());
            }
        }
        Ok(found)
    }

    async fn found_users(
        &self,
        tenant: &TenantSlug,
        lookup: &Lookup,
    ) -> Result<Vec<Record>, ScimError> {
        let key = match lookup {
            Lookup::Id(id) => {
                let id = UserId::from(id.as_str());
                let user = self.provision.scim_user(tenant, &id).await?;
                return Ok(user.into_iter().map(Record::User).collect());
            }
            Lookup::UserName(name) => UserKey::UserName(fold(name)),
            Lookup::ExternalId(id) => UserKey::ExternalId(id.clone()),
            Lookup::Email(address) => UserKey::Email(fold(address)),
            Lookup::DisplayName(_) | Lookup::Member(_) | Lookup::AnyOf(_) | Lookup::Everything => {
                return Ok(Vec::new());
            }
        };
        let users = self.provision.scim_find(tenant, &key).await?;
        Ok(users.into_iter().map(Record::User).collect())
    }

    async fn found_groups(
        &self,
        tenant: &TenantSlug,
        lookup: &Lookup,
    ) -> Result<Vec<Record>, DirectoryError> {
        let directory = self.provision.directory();
        let groups = match lookup {
            Lookup::Id(id) => {
                let id = GroupId::from(id.as_str());
                directory.group(tenant, &id).await?.into_iter().collect()
            }
            Lookup::DisplayName(name) => {
                let key = GroupKey::DisplayName(fold(name));
                directory.find_groups(tenant, &key).await?
            }
            Lookup::ExternalId(id) => {
                let key = GroupKey::ExternalId(id.clone());
                directory.find_groups(tenant, &key).await?
            }
            Lookup::Member(id) => {
                directory
                    .groups_of(tenant, &UserId::from(id.as_str()))
                    .await?
            }
            Lookup::UserName(_) | Lookup::Email(_) | Lookup::AnyOf(_) | Lookup::Everything => {
                Vec::new()
            }
        };
        Ok(groups.into_iter().map(Record::Group).collect())
    }
}

impl Record {
    fn id(&self) -> &str {
        match self {
            Self::User(user) => user.id.as_str(),
            Self::Group(group) => group.id.as_str(),
        }
    }

    /// Of a person.
    pub(super) fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(user.id.clone()),
            Self::Group(_) => None,
        }
    }

    /// A group.
    pub(super) const fn group(&self) -> Option<&Group> {
        match self {
            Self::User(_) => None,
            Self::Group(group) => Some(group),
        }
    }

    /// For `If-Match` (RFC 7644 3.14).
    pub(super) const fn version(&self) -> u64 {
        match self {
            Self::User(user) => user.version,
            Self::Group(group) => group.version,
        }
    }
}

/// The directory failed.
pub(super) fn failed(error: DirectoryError) -> ScimError {
    crate::provision::Refused::from(error).into()
}
