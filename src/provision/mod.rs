//! The one way to change people, and the one place that says who a signed-in person is.
//!
//! Refuses the inactive, the deleted, the unknown where JIT is off, foreign domains, and ambiguous matches.

mod admit;
mod app;
mod attribute;
mod change;
mod conflicts;
mod create;
mod desk;
mod draft;
mod fuse;
mod grants;
mod groups;
mod identity;
mod import;
mod members;
mod person;
mod refused;
mod roles;
mod rules;
mod scim;
mod state;
mod tenant;
mod told;
mod touch;
mod turns;
mod users;
mod webhook;

use std::sync::Arc;

use crate::audit::{Audit, Event};
use crate::clock::Clock;
use crate::config::{Groups, Tenant};
use crate::connector::Webhook;
use crate::directory::Directory;
use crate::identity::{SignInMethod, TenantSlug, User};
use crate::secret::Secret;
use crate::session::{Sessions, Ticket};

pub use app::{Account, AppSide, Drift, DriftKind, Owed, Plan, Planned};
use app::{Begun, TakeOver};
pub use conflicts::Conflict;
pub use draft::{GroupDraft, MemberChange, UserDraft};
pub use import::{Imported, Outcome};
pub use refused::Refused;
pub use roles::{RoleFrom, RoleSource};
pub use rules::Rule;
use rules::Ruled;
pub use state::State;

/// Who asked for a change, for the audit.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// `idp:NAME`, `local`, `cli:uid=0`, `scim:NAME`.
    pub name: String,
    /// Client address.
    pub client: Option<std::net::IpAddr>,
    /// Id of the request.
    pub request_id: Option<String>,
    /// The SCIM client's own id of what it does: Entra's `ActivityId`.
    pub activity_id: Option<String>,
    /// Everything is checked and answered as usual, nothing is written, nobody's session ends. Heeded by what SCIM
    /// clients call.
    pub dry_run: bool,
    /// The only roles that a SCIM client may give (R53); none is any of `roles.allowed`.
    pub grants: Option<Vec<String>>,
}

impl Actor {
    /// An event of theirs.
    fn event(&self, action: &str, tenant: &TenantSlug) -> Event {
        Event {
            action: action.to_owned(),
            actor: self.name.clone(),
            tenant: Some(tenant.to_string()),
            client: self.client,
            request_id: self.request_id.clone(),
            activity_id: self.activity_id.clone(),
            ..Event::default()
        }
    }

    /// An event of theirs about a person.
    fn did(&self, action: &str, user: &User) -> Event {
        Event {
            user: Some(user.id.to_string()),
            user_name: Some(user.user_name.clone()),
            external_id: user.external_id.clone(),
            ..self.event(action, &user.tenant)
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
    tenants: Vec<Arc<Ruled>>,
    groups: Groups,
}

/// What a change works on, apart so that it goes on when its caller has gone.
#[derive(Clone)]
struct People {
    directory: Arc<dyn Directory>,
    sessions: Arc<Sessions>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    state: Arc<State>,
    /// The app's own user API; none where the directory is the end of the way.
    app: Option<AppSide>,
    /// Who is told of changes.
    webhook: Option<Arc<Webhook>>,
}

impl Provision {
    /// With what it works on; remembers nothing of an earlier one, see [`Self::remembering`].
    pub fn new(
        directory: Arc<dyn Directory>,
        sessions: Arc<Sessions>,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        tenants: Vec<Tenant>,
        groups: Groups,
    ) -> Self {
        let ruled = |tenant: Tenant| Arc::new(Ruled::new(tenant, &groups));
        let tenants = tenants.into_iter().map(ruled).collect();
        Self {
            people: Arc::new(People {
                directory,
                sessions,
                audit,
                clock,
                state: Arc::default(),
                app: None,
                webhook: None,
            }),
            tenants,
            groups,
        }
    }

    /// With what an earlier one had in memory: the fuse, conflicts, whose turn it is.
    #[must_use]
    pub fn remembering(mut self, state: Arc<State>) -> Self {
        self.people = Arc::new(People {
            state,
            ..self.people.as_ref().clone()
        });
        self
    }

    /// With the app's own user API, which is kept in step.
    #[must_use]
    pub fn reaching(mut self, app: Option<AppSide>) -> Self {
        self.people = Arc::new(People {
            app,
            ..self.people.as_ref().clone()
        });
        self
    }

    /// With somebody who is told of changes.
    #[must_use]
    pub fn telling(mut self, webhook: Option<Arc<Webhook>>) -> Self {
        self.people = Arc::new(People {
            webhook,
            ..self.people.as_ref().clone()
        });
        self
    }

    /// Who is told of changes.
    pub fn webhook(&self) -> Option<&Arc<Webhook>> {
        self.people.webhook.as_ref()
    }

    /// The app's own user API.
    pub fn app(&self) -> Option<&AppSide> {
        self.people.app.as_ref()
    }

    /// All tenants, in the order of the file.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().map(|ruled| &ruled.tenant)
    }

    /// The directory, to read.
    pub fn directory(&self) -> &dyn Directory {
        self.people.directory.as_ref()
    }
}

#[cfg(test)]
mod admit_tests;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod claim_tests;
#[cfg(test)]
mod ends_tests;
#[cfg(test)]
mod groups_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod together_tests;
#[cfg(test)]
mod users_tests;
#[cfg(test)]
mod world;
