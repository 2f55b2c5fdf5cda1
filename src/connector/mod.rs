//! The app's own user API: a connector's settings put to work.
//!
//! Mapped attributes alone leave this area: what apps answer holds password hashes and API keys. Bodies are never logged.

mod dry_run;
mod failure;
mod groups;
mod ledger;
mod map;
mod membership;
mod pace;
mod pages;
mod people;
mod records;
mod rehearsal;
mod render;
mod wire;

use crate::config::{self, AppGroups, AppUsers};
use crate::outbound::OutboundError;

pub use failure::AppFailure;
pub use ledger::{Intent, Kind, Ledger, Link, Owner};
pub use people::{Made, Removal};
pub use records::Found;
pub use rehearsal::{Rehearsal, Step};
pub use render::{Attributes, fill_body, fill_text, random_password};
use wire::Wire;

/// The app's own user API.
#[derive(Debug)]
pub struct Connector {
    wire: Wire,
    users: AppUsers,
    groups: Option<AppGroups>,
}

impl Connector {
    /// Puts settings to work; calls nobody.
    ///
    /// # Errors
    ///
    /// Trusted certificates cannot be read.
    pub fn new(settings: config::Connector) -> Result<Self, OutboundError> {
        let config::Connector {
            api,
            users,
            groups,
            errors,
        } = settings;
        Ok(Self {
            wire: Wire::new(api, errors)?,
            users,
            groups,
        })
    }

    /// What the app is called in messages.
    pub fn name(&self) -> &str {
        &self.wire.api.name
    }

    /// The attribute by which people here and there are the same.
    pub fn user_key(&self) -> &str {
        &self.users.kind.key
    }

    /// The attribute by which groups here and there are the same.
    pub fn group_key(&self) -> &str {
        self.groups
            .as_ref()
            .map_or("displayName", |groups| &groups.kind.key)
    }

    /// Attributes of people that the app holds.
    pub fn user_attributes(&self) -> impl Iterator<Item = &str> {
        self.users
            .kind
            .fields
            .iter()
            .filter_map(|field| field.attribute.as_deref())
    }
}
