//! The app behind the directory: the directory stays the record, the app is kept in step.
//!
//! What is begun in the app is noted before the first call and struck out in the commit that makes it true here, so
//! that after a crash at any point the next start, or the client's next try, ends in the same state.

mod account;
mod begun;
mod commit;
mod drift;
mod drift_groups;
mod group_commit;
mod group_owed;
mod groups;
mod leave;
mod lookup;
mod owed;
mod people;
mod place;
mod view;

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::connector::{
    AppFailure, Attributes, Connector, Found, Intent, Kind, Known, Ledger, Link, Owner,
};
use crate::identity::User;
use crate::provision::Refused;
use crate::storage::{Along, StorageError};

pub use account::Account;
pub(super) use begun::{Begun, TakeOver};
pub use drift::{Drift, DriftKind};
pub use lookup::{Plan, Planned};
pub use owed::Owed;

/// The app's own user API, and what lasts of it with us.
#[derive(Clone)]
pub struct AppSide {
    pub(super) connector: Arc<Connector>,
    pub(super) ledger: Ledger,
}

/// What is done in the app and not yet with us.
pub(super) struct InApp {
    /// To be written with the record: whose is whose, and that it is done.
    pub(super) along: Along,
    /// What was made there just now.
    made: Option<Known>,
    owner: Owner,
}

/// Whether somebody of these attributes is let in.
fn is_active(wanted: &Attributes) -> bool {
    wanted.get("active") != Some(&false.into())
}

impl AppSide {
    /// With what an app's API and a store are.
    pub const fn new(connector: Arc<Connector>, ledger: Ledger) -> Self {
        Self { connector, ledger }
    }

    /// The ledger, to read.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The app's record of a person.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn link_of(&self, user: &User) -> Result<Option<Link>, StorageError> {
        self.ledger.link(&Self::owner_of(user)).await
    }

    /// The app's API.
    pub const fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// The app's record of one of ours, with every key that it may have there by now.
    pub(super) async fn known(&self, owner: &Owner, link: &Link) -> Result<Known, Refused> {
        let owed = self.ledger.intent(owner).await?;
        let names = owed.map(|owed| owed.names).unwrap_or_default();
        let mut known = Known::from(link).or(names.clone());
        if owner.kind == Kind::Group {
            return Ok(known);
        }
        // Where the id is the name, a rename without an answer led to another one.
        let called = |name: &String| {
            let key = self.connector.user_key().to_owned();
            let so = Attributes::from([(key, name.as_str().into())]);
            self.connector.id_after(&link.app_id, &so)
        };
        let others = names.iter().rev().map(called);
        let others: Vec<String> = others.filter(|id| *id != link.app_id).collect();
        if others.is_empty() || self.connector.user(&link.app_id).await?.is_some() {
            return Ok(known);
        }
        for id in others {
            if let Some(found) = self.connector.user(&id).await?
                && self.check_free(owner, &found).await.is_ok()
            {
                known.id = found.id;
                break;
            }
        }
        Ok(known)
    }

    /// Whether an account is still the one that was linked: nothing is written to one of another name.
    async fn is_theirs(
        &self,
        owner: &Owner,
        link: &Link,
        account: &Found,
    ) -> Result<bool, Refused> {
        let known = self.known(owner, link).await?;
        Ok(self.connector.is_known(&known, account))
    }

    /// Tied, and nothing owed.
    fn done(owner: Owner, link: &Link, made: Option<Known>) -> InApp {
        let along = Ledger::tie(&owner, link).and(Ledger::settle(&owner));
        InApp { along, made, owner }
    }

    /// Notes that the app is to hold what the directory holds.
    pub(super) fn owe(owner: &Owner, now: Timestamp) -> Along {
        Ledger::intend(owner, &Intent::sync(now))
    }

    /// After a failure: what is certainly not done is owed no more than it was before.
    async fn give_up<T>(
        &self,
        owner: &Owner,
        before: Option<&Intent>,
        failure: AppFailure,
    ) -> Result<T, Refused> {
        if !failure.perhaps_done() {
            self.ledger.write(Ledger::put_back(owner, before)).await?;
        }
        Err(failure.into())
    }
}
