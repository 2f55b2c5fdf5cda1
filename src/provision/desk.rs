//! What a change by a SCIM client works with, apart so that it goes on when its caller has gone.

use std::sync::Arc;

use super::rules::{Rule, Ruled};
use super::{Actor, People, Provision, Refused};
use crate::audit::Event;
use crate::config::Adopt;
use crate::directory::DirectoryError;
use crate::identity::{Group, ManagedBy, TenantSlug, User, UserId};
use crate::provision::fuse::{Blown, Counted};

/// How often a change is tried again when the record changed under it.
pub(super) const ATTEMPTS: usize = 8;

/// One change of one tenant by one actor.
pub(super) struct Desk {
    pub(super) people: Arc<People>,
    pub(super) ruled: Arc<Ruled>,
    pub(super) actor: Actor,
    /// Who keeps what is written here.
    pub(super) keeper: Keeper,
}

/// Who keeps what a change writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    /// A SCIM client: heeds what SCIM sees, and the fuse.
    Scim,
    /// An operator.
    Operator,
}

impl Keeper {
    pub(super) const fn managed_by(self) -> ManagedBy {
        match self {
            Self::Scim => ManagedBy::Scim,
            Self::Operator => ManagedBy::Operator,
        }
    }
}

impl Provision {
    pub(super) fn desk(&self, tenant: &TenantSlug, actor: &Actor) -> Result<Desk, Refused> {
        Ok(Desk {
            people: Arc::clone(&self.people),
            ruled: Arc::clone(self.ruled(tenant)?),
            actor: actor.clone(),
            keeper: Keeper::Scim,
        })
    }
}

impl Ruled {
    /// Whether SCIM sees a person of this tenant.
    pub(super) fn scim_sees(&self, user: &User) -> bool {
        match user.managed_by {
            ManagedBy::Scim => true,
            ManagedBy::SignIn | ManagedBy::Operator => self.sees_unmanaged(),
            ManagedBy::Retired => false,
        }
    }

    /// Whether SCIM sees people whom it does not manage yet.
    pub(super) const fn sees_unmanaged(&self) -> bool {
        match self.tenant.provisioning.adopt {
            Adopt::Filter | Adopt::Post => true,
            Adopt::Never => false,
        }
    }
}

impl Desk {
    pub(super) fn tenant(&self) -> &TenantSlug {
        &self.ruled.tenant.slug
    }

    /// A person whom the keeper may change.
    pub(super) async fn user(&self, id: &UserId) -> Result<User, Refused> {
        let user = self.people.directory.user(self.tenant(), id).await?;
        let sees = |user: &User| match self.keeper {
            Keeper::Scim => self.ruled.scim_sees(user),
            Keeper::Operator => user.managed_by != ManagedBy::Retired,
        };
        let user = user.filter(sees);
        Ok(user.ok_or(DirectoryError::Missing)?)
    }

    /// Counts a deactivation or deletion; in a dry run it is only asked whether it could be.
    pub(super) async fn fuse(&self, user: &User) -> Result<Counted, Refused> {
        let limit = match self.keeper {
            Keeper::Scim => self.ruled.tenant.provisioning.max_deactivations_per_hour,
            Keeper::Operator => 0,
        };
        let state = &self.people.state;
        let counted = state
            .fuse
            .count(self.tenant(), limit, self.people.clock.now());
        let Blown { first } = match counted {
            Ok(counted) => return Ok(counted),
            Err(blown) => blown,
        };
        state.metrics.fuse_refusals.inc();
        if first && !self.actor.dry_run {
            tracing::warn!(
                tenant = self.tenant().as_str(),
                limit,
                "too many deactivations within an hour; the rest is refused"
            );
            let event = Event {
                reason: Some(format!("provisioning.max_deactivations_per_hour = {limit}")),
                ..self.actor.did("fuse.blown", user)
            };
            self.people.audit.write(event).await?;
        }
        Err(Rule::Fuse(limit).into())
    }

    pub(super) fn event(&self, action: &str, group: &Group) -> Event {
        Event {
            group: Some(group.id.to_string()),
            group_name: Some(group.display_name.clone()),
            external_id: group.external_id.clone(),
            ..self.actor.event(action, self.tenant())
        }
    }
}

/// RFC 7644 3.14: whoever names a version means that one.
pub(super) fn check_version(expected: Option<u64>, found: u64) -> Result<(), Refused> {
    if expected.is_some_and(|expected| expected != found) {
        return Err(Refused::Outdated);
    }
    Ok(())
}
