//! Who a signed-in person is: record, groups, roles.

use super::rules::Ruled;
use super::{Provision, Refused, RoleSource, person};
use crate::directory::{DirectoryError, UserKey};
use crate::identity::{Account, ClaimedGroups, Group, Identity, TenantSlug, User, UserId, fold};

impl Provision {
    /// A person by user name, folded, or by id.
    ///
    /// # Errors
    ///
    /// The directory failed.
    pub async fn person(
        &self,
        tenant: &TenantSlug,
        name_or_id: &str,
    ) -> Result<Option<User>, DirectoryError> {
        if let Some(user) = self.by_name(tenant, name_or_id).await? {
            return Ok(Some(user));
        }
        self.directory().user(tenant, &name_or_id.into()).await
    }

    /// The person with groups and roles as they are now; none when deleted or inactive (R26, R27).
    ///
    /// # Errors
    ///
    /// The directory failed.
    pub async fn identity(
        &self,
        tenant: &TenantSlug,
        user: &UserId,
        claimed: &ClaimedGroups,
    ) -> Result<Option<Identity>, DirectoryError> {
        let Ok(ruled) = self.ruled(tenant) else {
            return Ok(None);
        };
        let claimed = self.claimed_names(claimed);
        let Some(found) = self.directory().membership(tenant, user, &claimed).await? else {
            return Ok(None);
        };
        // R26: whoever is not active is nobody.
        if !found.user.active {
            return Ok(None);
        }
        // R27: of a group that the directory has, the directory alone says who is in it.
        let known = found.groups.into_iter().map(|group| group.display_name);
        let mut groups: Vec<String> = Vec::new();
        for name in known
            .filter(|name| !self.groups.ignores(name))
            .chain(found.unknown)
        {
            if !groups.contains(&name) {
                groups.push(name);
            }
        }
        let roles = ruled.roles.roles(&found.user, &groups);
        let account = self.linked_account(&found.user).await?;
        Ok(Some(Identity {
            user: found.user,
            groups,
            roles,
            account,
        }))
    }

    async fn linked_account(&self, user: &User) -> Result<Option<Account>, DirectoryError> {
        let Some(app) = &self.people.app else {
            return Ok(None);
        };
        let link = app.link_of(user).await?;
        Ok(link.map(|link| Account {
            id: link.app_id,
            login: link.login,
        }))
    }

    pub(super) async fn by_name(
        &self,
        tenant: &TenantSlug,
        user_name: &str,
    ) -> Result<Option<User>, DirectoryError> {
        if person::name(user_name).is_err() {
            return Ok(None);
        }
        let key = UserKey::UserName(fold(user_name));
        Ok(self.directory().find_users(tenant, &key).await?.pop())
    }

    /// Names that the idp claims and that can be group names here.
    fn claimed_names(&self, claimed: &ClaimedGroups) -> Vec<String> {
        match claimed {
            ClaimedGroups::Known(names) => names
                .iter()
                .filter(|name| person::name(name).is_ok() && !self.groups.ignores(name))
                .take(person::MAX_CLAIMED_GROUPS)
                .cloned()
                .collect(),
            ClaimedGroups::Silent | ClaimedGroups::TooMany => Vec::new(),
        }
    }

    /// A person's roles as the directory alone has them, and where each comes from; none while inactive.
    ///
    /// # Errors
    ///
    /// No such tenant; the directory failed.
    pub async fn role_sources(&self, users: &[User]) -> Result<Vec<Vec<RoleSource>>, Refused> {
        let mut sources = Vec::new();
        for same in users.chunk_by(|one, next| one.tenant == next.tenant) {
            let Some(tenant) = same.first().map(|user| &user.tenant) else {
                continue;
            };
            let ruled = self.ruled(tenant)?;
            let ids: Vec<_> = same.iter().map(|user| user.id.clone()).collect();
            let groups = self.directory().groups_of_all(tenant, &ids).await?;
            for (user, groups) in same.iter().zip(groups) {
                sources.push(if user.active {
                    ruled.roles.sources(user, &ruled.names(groups))
                } else {
                    Vec::new()
                });
            }
        }
        Ok(sources)
    }
}

impl Ruled {
    /// Display names without the ignored ones.
    pub(super) fn names(&self, groups: Vec<Group>) -> Vec<String> {
        let names = groups.into_iter().map(|group| group.display_name);
        names.filter(|name| !self.groups.ignores(name)).collect()
    }
}
