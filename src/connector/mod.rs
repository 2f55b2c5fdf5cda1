//! The app's own user API: a connector's settings put to work.
//!
//! Mapped attributes alone leave this area: what apps answer holds password hashes and API keys. Bodies are never logged.

mod belonging;
mod carried;
mod change;
mod dry_run;
mod failure;
#[cfg(test)]
mod fake;
mod groups;
mod holds;
mod intent;
mod judge;
mod known;
mod later;
mod ledger;
mod login;
mod look;
mod map;
mod membership;
mod pace;
mod pages;
mod people;
mod records;
mod rehearsal;
mod render;
mod request;
mod reseal;
mod search;
#[cfg(test)]
mod stub;
mod turns;
mod webhook;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, AppGroups, AppUsers};
use crate::metrics::Metrics;
use crate::outbound::OutboundError;

pub use belonging::LedgerError;
pub use change::{Made, Removal};
pub use dry_run::Unshown;
pub use failure::{AppFailure, Fate, Met};
pub use intent::Intent;
pub use known::Known;
pub use ledger::{Kind, Ledger, Link, Owner};
pub use look::Shown;
pub use records::Found;
pub use rehearsal::{Rehearsal, Step, ThrowAway};
pub use render::{Attributes, fill_body, fill_text, random_password};
pub use reseal::Resealed;
use turns::Turns;
pub use webhook::{Message, Queued, Webhook};
use wire::Wire;

/// The app's own user API.
#[derive(Debug)]
pub struct Connector {
    wire: Wire,
    users: AppUsers,
    groups: Option<AppGroups>,
    /// Of whoever may deactivate an administrator now: two at once could each be told that the other is left.
    administrators: tokio::sync::Mutex<()>,
    /// Of whoever changes one record of the app.
    turns: Turns,
}

impl Connector {
    /// Puts settings to work; calls nobody.
    ///
    /// # Errors
    ///
    /// Trusted certificates cannot be read.
    pub fn new(settings: config::Connector) -> Result<Self, OutboundError> {
        Self::counting(settings, Arc::default())
    }

    /// The same, with calls counted.
    ///
    /// # Errors
    ///
    /// Trusted certificates cannot be read.
    pub fn counting(
        settings: config::Connector,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutboundError> {
        let config::Connector {
            api,
            users,
            groups,
            errors,
            drift_every: _,
            forget: _,
        } = settings;
        let mut lists = vec![users.kind.list.clone()];
        lists.extend(groups.iter().map(|groups| groups.kind.list.clone()));
        Ok(Self {
            wire: Wire::new(api, errors, lists, metrics)?,
            users,
            groups,
            administrators: tokio::sync::Mutex::default(),
            turns: Turns::default(),
        })
    }

    /// How long a call may come to the app after its answer was given up: queues and gateways on the way wait, too.
    pub fn patience(&self) -> Duration {
        self.wire.api.timeout.saturating_mul(6)
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

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod call_tests;
#[cfg(test)]
mod holds_tests;
#[cfg(test)]
mod look_tests;
#[cfg(test)]
mod membership_tests;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whose_tests;
