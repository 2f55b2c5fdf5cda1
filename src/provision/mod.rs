//! The one way to change people, and the one place that says who a signed-in person is.
//!
//! Refuses the inactive, the deleted, the unknown where JIT is off, foreign domains, and ambiguous matches.

mod admit;
mod change;
mod create;
mod person;
mod refused;
mod roles;
mod tenant;

use std::sync::Arc;

use crate::audit::{Audit, Event};
use crate::clock::Clock;
use crate::config::{Groups, Tenant};
use crate::directory::{Directory, DirectoryError, UserKey};
use crate::identity::{ClaimedGroups, Identity, SignInMethod, TenantSlug, User, UserId, fold};
use crate::secret::Secret;
use crate::session::{Sessions, Ticket};

pub use refused::Refused;
use roles::RoleRule;

/// Who asked for a change, for the audit.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `idp:NAME`, `local`, `cli:uid=0`, `scim:NAME`.
    pub name: String,
    /// Client address.
    pub client: Option<std::net::IpAddr>,
    /// Id of the request.
    pub request_id: Option<String>,
}

impl Actor {
    /// An event of theirs about a person.
    fn did(&self, action: &str, user: &User) -> Event {
        Event {
            action: action.to_owned(),
            actor: self.name.clone(),
            tenant: Some(user.tenant.to_string()),
            user: Some(user.id.to_string()),
            user_name: Some(user.user_name.clone()),
            client: self.client,
            request_id: self.request_id.clone(),
            ..Event::default()
        }
    }
}

/// Proof that a principal has an active record: what a session is started from.
#[derive(Debug)]
pub struct Admitted {
    user: User,
    ticket: Ticket,
}

impl Admitted {
    /// The record.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// To be shown to [`Sessions::start`]: void once the person's sessions were ended.
    pub const fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}

/// A person to make.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// User name.
    pub user_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Name for display.
    pub display_name: Option<String>,
    /// How they sign in.
    pub sign_in: SignInMethod,
    /// bcrypt hash.
    pub password: Option<Secret>,
    /// To be changed at the first sign-in.
    pub must_change_password: bool,
    /// Roles given directly.
    pub roles: Vec<String>,
}

/// The one way to change people.
pub struct Provision {
    people: Arc<People>,
    tenants: Vec<(Tenant, RoleRule)>,
    groups: Groups,
}

/// What a change works on, apart so that it goes on when its caller has gone.
struct People {
    directory: Arc<dyn Directory>,
    sessions: Arc<Sessions>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
}

impl Provision {
    /// With what it works on.
    pub fn new(
        directory: Arc<dyn Directory>,
        sessions: Arc<Sessions>,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        tenants: Vec<Tenant>,
        groups: Groups,
    ) -> Self {
        let ruled = |tenant: Tenant| {
            let rule = RoleRule::new(&tenant.roles);
            (tenant, rule)
        };
        Self {
            people: Arc::new(People {
                directory,
                sessions,
                audit,
                clock,
            }),
            tenants: tenants.into_iter().map(ruled).collect(),
            groups,
        }
    }

    /// All tenants, in the order of the file.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().map(|(tenant, _)| tenant)
    }

    /// The directory, to read.
    pub fn directory(&self) -> &dyn Directory {
        self.people.directory.as_ref()
    }

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
        let Some((_, rule)) = self.tenants.iter().find(|(its, _)| its.slug == *tenant) else {
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
        let roles = rule.roles(&found.user, &groups);
        Ok(Some(Identity {
            user: found.user,
            groups,
            roles,
        }))
    }

    async fn by_name(
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
}

#[cfg(test)]
mod admit_tests;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod claim_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod world;
