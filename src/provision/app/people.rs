//! People in the app, before the record is written.

use super::{AppSide, InApp, view};
use crate::clock::Timestamp;
use crate::connector::{
    AppFailure, Attributes, Found, Intent, Kind, Ledger, Link, Made, Owner, random_password,
};
use crate::crypto::Sealed;
use crate::identity::{User, fold};
use crate::provision::Refused;
use crate::secret::Secret;
use crate::storage::Along;

/// A password that nobody knows but us.
pub(super) fn new_password() -> Secret {
    Secret::new(random_password())
}

impl AppSide {
    pub(super) fn owner_of(user: &User) -> Owner {
        Owner::new(Kind::User, &user.tenant, &user.id)
    }

    fn key<'a>(&self, wanted: &'a Attributes) -> &'a str {
        let key = wanted.get(self.connector.user_key());
        key.and_then(|key| key.as_str()).unwrap_or_default()
    }

    pub(super) fn link(
        &self,
        app_id: String,
        wanted: &Attributes,
        password: Option<Sealed>,
    ) -> Link {
        Link {
            app_id,
            login: self.connector.login(wanted),
            unconfirmed: false,
            password,
        }
    }

    /// Makes a new person there. Whom the app has already is taken over where that is allowed; nobody's who is
    /// somebody else's with us.
    pub(in crate::provision) async fn make_user(
        &self,
        user: &User,
        take_over: bool,
        now: Timestamp,
    ) -> Result<InApp, Refused> {
        let (owner, wanted) = (Self::owner_of(user), view::of_user(&self.connector, user));
        let intent = Intent {
            create: serde_json::to_value(user).ok(),
            ..Intent::sync(None, now)
        };
        let (link, made) = self.place(&owner, &wanted, take_over, intent).await?;
        Ok(Self::done(owner, &link, made))
    }

    /// Finds or makes the app's record of somebody. What is begun is noted only when there was nobody of this key: so
    /// whoever is found there after a crash is ours.
    pub(super) async fn place(
        &self,
        owner: &Owner,
        wanted: &Attributes,
        take_over: bool,
        intent: Intent,
    ) -> Result<(Link, Option<String>), Refused> {
        let key = self.key(wanted);
        if let Some(found) = self.connector.find_user(key).await? {
            self.check_free(owner, &found).await?;
            if !take_over {
                let name = self.connector.name();
                return Err(
                    AppFailure::Uniqueness(format!("{name} has an account {key:?}")).into(),
                );
            }
            let intent = Intent {
                app_id: Some(found.id.clone()),
                ..intent
            };
            self.ledger.write(Ledger::intend(owner, &intent)).await?;
            // Made by us before a crash: then the intent has its password.
            let begun = self.ledger.intent(owner).await?;
            let password = begun.and_then(|intent| intent.password);
            return match self.connector.update_user(&found.id, wanted).await {
                Ok(id) => Ok((self.link(id, wanted, password), None)),
                Err(failure) => self.give_up(owner, failure).await,
            };
        }
        let password = self.connector.keeps_password().then(new_password);
        let sealed = password.as_ref().map(|text| self.ledger.seal(owner, text));
        let intent = Intent {
            password: sealed.transpose()?,
            ..intent
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        match self.create(wanted, password.as_ref()).await {
            Ok(id) => Ok((self.link(id.clone(), wanted, intent.password), Some(id))),
            Err(failure) => self.give_up(owner, failure).await,
        }
    }

    async fn create(
        &self,
        wanted: &Attributes,
        password: Option<&Secret>,
    ) -> Result<String, AppFailure> {
        let failure = match self.connector.create_user(wanted, password).await {
            Ok(Made { id, rest: Ok(()) }) => return Ok(id),
            Ok(Made {
                id,
                rest: Err(failure),
            }) => {
                // Half made: nobody rather than somebody whom the client did not ask for.
                return Err(match self.connector.remove_user(&id).await {
                    Ok(_) => failure.certainly_not(),
                    Err(_still_there) => failure.perhaps(),
                });
            }
            Err(failure) => failure,
        };
        if !failure.perhaps_done() {
            return Err(failure);
        }
        // No answer, or half of one: looked at once more.
        match self.connector.find_user(self.key(wanted)).await {
            Ok(Some(found)) => self
                .connector
                .update_user(&found.id, wanted)
                .await
                .map_err(|_| failure),
            Ok(None) => Err(failure.certainly_not()),
            Err(_not_now) => Err(failure),
        }
    }

    /// R53: an account of the app belongs to one record, of one tenant.
    pub(super) async fn check_free(&self, owner: &Owner, found: &Found) -> Result<(), Refused> {
        match self.ledger.owner(owner.kind, &found.id).await? {
            Some(its) if its != *owner => {
                Err(AppFailure::Uniqueness("it belongs to another record".to_owned()).into())
            }
            _ => Ok(()),
        }
    }

    /// Changes a person there; none when nothing of it concerns the app.
    pub(in crate::provision) async fn change_user(
        &self,
        before: &User,
        after: &User,
        now: Timestamp,
    ) -> Result<Option<InApp>, Refused> {
        let owner = Self::owner_of(after);
        let (link, owed) = (
            self.ledger.link(&owner).await?,
            self.ledger.intent(&owner).await?,
        );
        let wanted = view::of_change(&self.connector, before, after);
        let was = view::of_user(&self.connector, before);
        let Some(link) = link else {
            // Who is not let in needs no account.
            return match after.active {
                true => self.make_user(after, true, now).await.map(Some),
                false => Ok(None),
            };
        };
        if owed.is_none() && !link.unconfirmed && was == wanted {
            return Ok(None);
        }
        if owed.is_none() {
            self.ledger.write(Self::owe(&owner, now)).await?;
        }
        match self.bring(&owner, &link, &wanted, now).await {
            Ok(link) => Ok(Some(Self::done(owner, &link, None))),
            Err(Refused::App(failure)) => {
                // A refusal half-way: as it was, as far as the app lets us.
                let back = async || self.connector.update_user(&link.app_id, &was).await.is_ok();
                if owed.is_none() && !failure.perhaps_done() && (was == wanted || back().await) {
                    self.ledger.write(Ledger::settle(&owner)).await?;
                }
                Err(Refused::App(failure))
            }
            Err(refused) => Err(refused),
        }
    }

    /// Makes the app hold this of somebody who has an account there, or had one.
    pub(super) async fn bring(
        &self,
        owner: &Owner,
        link: &Link,
        wanted: &Attributes,
        now: Timestamp,
    ) -> Result<Link, Refused> {
        let key = self.key(wanted);
        if fold(key) != fold(&link.login)
            && let Some(other) = self.connector.find_user(key).await?
            && other.id != link.app_id
        {
            return Err(AppFailure::Uniqueness(format!("the app has an account {key:?}")).into());
        }
        match self.connector.update_user(&link.app_id, wanted).await {
            Ok(id) => Ok(self.link(id, wanted, link.password.clone())),
            // Gone behind our back: there again, unless they shall not be let in.
            Err(AppFailure::Missing) if crate::provision::app::is_active(wanted) => {
                let (link, _made) = self
                    .place(owner, wanted, true, Intent::sync(None, now))
                    .await?;
                Ok(link)
            }
            Err(AppFailure::Missing) => Ok(link.clone()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The record could not be written: who was made there goes again.
    pub(in crate::provision) async fn undo(&self, in_app: InApp) {
        let InApp {
            made,
            owner,
            along: _,
        } = in_app;
        let Some(id) = made else { return };
        if self.connector.remove_user(&id).await.is_ok() {
            // If not, the next look at what is owed does it.
            drop(self.ledger.write(Ledger::settle(&owner)).await);
        }
    }

    /// Rows that note, with the record, that the app has yet to follow.
    pub(in crate::provision) fn owes_user(user: &User, now: Timestamp) -> Along {
        Self::owe(&Self::owner_of(user), now)
    }
}
