//! What SCIM sees of the directory: lists, look-ups and conflicts agree on whom there is.

use super::fuse::Fuse;
use super::touch::Touch;
use super::{Actor, Provision, Refused};
use crate::directory::{Page, PageFrom, UserKey};
use crate::identity::{TenantSlug, User, UserId};

impl Provision {
    /// Whether SCIM sees this person: not who was deleted, and, where `adopt = "never"`, nobody whom it does
    /// not manage.
    pub fn scim_sees(&self, tenant: &TenantSlug, user: &User) -> bool {
        self.ruled(tenant).is_ok_and(|ruled| ruled.scim_sees(user))
    }

    /// A person whom SCIM sees.
    ///
    /// # Errors
    ///
    /// No such tenant; the directory failed.
    pub async fn scim_user(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
    ) -> Result<Option<User>, Refused> {
        let ruled = self.ruled(tenant)?;
        let user = self.directory().user(tenant, id).await?;
        Ok(user.filter(|user| ruled.scim_sees(user)))
    }

    /// People whom SCIM sees, by index.
    ///
    /// # Errors
    ///
    /// No such tenant; the directory failed.
    pub async fn scim_find(
        &self,
        tenant: &TenantSlug,
        key: &UserKey,
    ) -> Result<Vec<User>, Refused> {
        let ruled = self.ruled(tenant)?;
        let mut users = self.directory().find_users(tenant, key).await?;
        if users.is_empty() {
            users.extend(self.meet_in_app(tenant, key).await?);
        }
        users.retain(|user| ruled.scim_sees(user));
        Ok(users)
    }

    /// People whom SCIM sees, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// No such tenant; the directory failed.
    pub async fn scim_page(
        &self,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
    ) -> Result<Page<User>, Refused> {
        let directory = self.directory();
        let page = if self.ruled(tenant)?.sees_unmanaged() {
            directory.page_users(tenant, from, limit).await
        } else {
            directory.page_managed_users(tenant, from, limit).await
        };
        Ok(page?)
    }

    /// Lets SCIM deactivate and delete again, from zero, after `max_deactivations_per_hour` has stopped it.
    ///
    /// # Errors
    ///
    /// No such tenant; the audit cannot be written.
    pub async fn reset_fuse(&self, tenant: &TenantSlug, actor: &Actor) -> Result<(), Refused> {
        self.ruled(tenant)?;
        let events = vec![actor.event("fuse.reset", tenant)];
        let (people, forget) = (&self.people, Fuse::forget(tenant));
        people
            .commit_with(Vec::new(), events, &Touch::default(), forget)
            .await?;
        people.state.fuse.reset(tenant);
        Ok(())
    }
}
