//! The account that somebody has in the app, for signing in there on their behalf.

use super::begun::TakeOver;
use super::people::new_password;
use super::{AppSide, view};
use crate::connector::{Attributes, Ledger, Link, Owner};
use crate::identity::{TenantSlug, UserId};
use crate::provision::{People, Provision, Refused};
use crate::secret::Secret;

/// An account of the app.
#[derive(Debug)]
pub struct Account {
    /// What the app calls the person at sign-in.
    pub login: String,
    /// The password that we made, when it was asked for.
    pub password: Option<Secret>,
    /// What the directory says of the person, for templates.
    pub attributes: Attributes,
}

impl Provision {
    /// The account in the app of somebody who is let in; made, or found, where there is none yet. With `password` also
    /// the one that is kept; for an account that was there before us, a new one is set where the app's API can.
    ///
    /// # Errors
    ///
    /// Nobody active; no password is kept and none can be set; the app or the store failed.
    pub async fn account(
        &self,
        tenant: &TenantSlug,
        id: &UserId,
        password: bool,
    ) -> Result<Account, Refused> {
        let people = &self.people;
        let user = people.directory.user(tenant, id).await?;
        let user = user.filter(|user| user.active).ok_or(Refused::Inactive)?;
        let attributes = view::of_all(&user);
        let Some(app) = &people.app else {
            return Ok(Account {
                login: user.user_name,
                password: None,
                attributes,
            });
        };
        let take_over = if app.connector.goes_by_address() {
            TakeOver::Nobody
        } else {
            TakeOver::Anybody
        };
        people.ensure(&user, take_over).await?;
        let owner = AppSide::owner_of(&user);
        let none = Refused::NoAccount("the app has no account of this person");
        let link = app.ledger.link(&owner).await?.ok_or(none)?;
        let password = match (&link.password, password) {
            (_, false) => None,
            (Some(sealed), true) => Some(app.ledger.open(&owner, sealed)?),
            (None, true) => Some(people.give_password(app, &owner).await?),
        };
        Ok(Account {
            login: link.login,
            password,
            attributes,
        })
    }
}

impl People {
    /// Sets a password of ours for an account that has none of ours. The app's comes first: what is kept is what it took.
    async fn give_password(&self, app: &AppSide, owner: &Owner) -> Result<Secret, Refused> {
        if !app.connector.changes_password() {
            return Err(Refused::NoAccount(
                "the account was there before us, and the connector has no field of write = \"{password}\" that an \
                 update sends: its password cannot be set",
            ));
        }
        let _turn = self
            .state
            .turns
            .take((&owner.tenant, owner.id.as_str()))
            .await;
        let none = Refused::NoAccount("the app has no account of this person");
        let link = app.ledger.link(owner).await?.ok_or(none)?;
        if let Some(sealed) = &link.password {
            return Ok(app.ledger.open(owner, sealed)?);
        }
        let password = new_password();
        let link = Link {
            password: Some(app.ledger.seal(owner, &password)?),
            ..link
        };
        let known = app.known(owner, &link).await?;
        app.connector.set_password(&known, &password).await?;
        app.ledger.write(Ledger::tie(owner, &link)).await?;
        Ok(password)
    }
}
