//! People in the app, before the record is written.

use serde_json::Value;

use super::begun::TakeOver;
use super::view::Wanted;
use super::{AppSide, InApp, view};
use crate::clock::Timestamp;
use crate::connector::{
    AppFailure, Attributes, Intent, Kind, Known, Ledger, Link, Owner, random_password,
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

    /// What the app tells a person apart by.
    pub(super) fn name_of(&self, user: &User) -> String {
        self.key(&view::of_user(&self.connector, user)).to_owned()
    }

    /// What the app shall hold of somebody who is gone here.
    pub(super) fn out(&self, name: &str) -> Attributes {
        Attributes::from([
            (self.connector.user_key().to_owned(), name.into()),
            ("active".to_owned(), false.into()),
        ])
    }

    pub(super) fn key<'a>(&self, wanted: &'a Attributes) -> &'a str {
        let key = wanted.get(self.connector.user_key());
        key.and_then(Value::as_str).unwrap_or_default()
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

    /// The same of somebody who was there: an app that cannot rename, or writes names its own way, goes on calling them
    /// as it does.
    pub(super) fn link_again(
        &self,
        known: Known,
        wanted: &Attributes,
        password: Option<Sealed>,
    ) -> Link {
        let held = known.name().to_owned();
        let mut link = self.link(known.id, wanted, password);
        if !self.connector.renames_users() || fold(&held) != fold(&link.login) {
            link.login = held;
        }
        link
    }

    /// Makes a new person there. Whom the app has already is taken over where that is allowed; nobody's who is
    /// somebody else's with us. With `anew`, who sleeps there was somebody who is deleted here.
    pub(in crate::provision) async fn make_user(
        &self,
        user: &User,
        (take_over, anew): (TakeOver, bool),
        now: Timestamp,
    ) -> Result<InApp, Refused> {
        let owner = Self::owner_of(user);
        let wanted = Wanted::of_user(&self.connector, user);
        let intent = Intent {
            create: serde_json::to_value(user).ok(),
            anew,
            ..Intent::sync(now)
        };
        let (link, made) = self.place(&owner, &wanted, take_over, intent).await?;
        Ok(Self::done(owner, &link, made))
    }

    /// Changes a person there; none when nothing of it concerns the app.
    pub(in crate::provision) async fn change_user(
        &self,
        before: &User,
        after: &User,
        take_over: TakeOver,
        now: Timestamp,
    ) -> Result<Option<InApp>, Refused> {
        let owner = Self::owner_of(after);
        let (link, owed) = (
            self.ledger.link(&owner).await?,
            self.ledger.intent(&owner).await?,
        );
        let wanted = Wanted::of_change(&self.connector, before, after);
        let was = view::of_user(&self.connector, before);
        let Some(link) = link else {
            if !after.active {
                let link = self.shut(&owner, &wanted, take_over, now).await?;
                return Ok(link.map(|link| Self::done(owner, &link, None)));
            }
            let made = self.make_user(after, (take_over, false), now);
            return made.await.map(Some);
        };
        if owed.is_none() && !link.unconfirmed && was == wanted.all {
            return Ok(None);
        }
        let intent = Intent::sync(now).named(self.key(&wanted.all));
        self.ledger.write(Ledger::intend(&owner, &intent)).await?;
        let brought = self.bring(&owner, &link, (take_over, now), &wanted, &was);
        match brought.await {
            Ok(link) => Ok(Some(Self::done(owner, &link, None))),
            Err(Refused::App(failure)) => {
                // A refusal half-way: as it was, as far as the app lets us.
                let known = self.known(&owner, &link).await?;
                let back = async || {
                    let put = self.connector.update_user(&known, &was, &was).await;
                    matches!(
                        put,
                        Ok(_) | Err(AppFailure::Missing | AppFailure::Another(_))
                    )
                };
                if !failure.perhaps_done() && (was == wanted.all || back().await) {
                    return self.give_up(&owner, owed.as_ref(), failure).await;
                }
                Err(Refused::App(failure))
            }
            Err(refused) => Err(refused),
        }
    }

    /// Who has no account of ours there and shall not be let in: one of their name is theirs, and is deactivated. None
    /// where there is nothing to do.
    pub(super) async fn shut(
        &self,
        owner: &Owner,
        wanted: &Wanted,
        take_over: TakeOver,
        now: Timestamp,
    ) -> Result<Option<Link>, Refused> {
        let key = self.key(&wanted.all);
        if key.is_empty() || !self.connector.can_deactivate() {
            return Ok(None);
        }
        let found = self.connector.find_user(key).await?;
        let Some(found) = found.filter(|found| super::is_active(&found.attributes)) else {
            return Ok(None);
        };
        if self.check_free(owner, &found).await.is_err()
            || !self.may_take_over(&owner.tenant, &found, take_over).await?
        {
            return Ok(None);
        }
        let before = self.ledger.intent(owner).await?;
        let link = self.take_over(owner, wanted, &found, Intent::sync(now), before);
        link.await.map(Some)
    }

    /// Makes the app hold this of somebody who has an account there, or had one; `was` is what the app should hold by now.
    pub(super) async fn bring(
        &self,
        owner: &Owner,
        link: &Link,
        (take_over, now): (TakeOver, Timestamp),
        wanted: &Wanted,
        was: &Attributes,
    ) -> Result<Link, Refused> {
        let known = self.known(owner, link).await?;
        let key = self.key(&wanted.all);
        if self.connector.renames_users()
            && fold(key) != fold(&link.login)
            && let Some(other) = self.connector.find_user(key).await?
            && other.id != known.id
        {
            return Err(AppFailure::Uniqueness(format!("the app has an account {key:?}")).into());
        }
        match self.connector.update_user(&known, &wanted.said, was).await {
            Ok(known) => Ok(self.link_again(known, &wanted.all, link.password.clone())),
            // Gone behind our back: there again, unless they shall not be let in.
            Err(AppFailure::Missing) if super::is_active(&wanted.all) => {
                let (link, _made) = self
                    .place(owner, wanted, take_over, Intent::sync(now))
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
        let Some(known) = made else { return };
        if self.connector.remove_user(&known).await.is_ok() {
            // If not, the next look at what is owed does it.
            drop(self.ledger.write(Ledger::settle(&owner)).await);
        }
    }

    /// Rows that note, with the record, that the app has yet to follow.
    pub(in crate::provision) fn owes_user(&self, user: &User, now: Timestamp) -> Along {
        let intent = Intent::sync(now).named(&self.name_of(user));
        Ledger::intend(&Self::owner_of(user), &intent)
    }
}
