//! People in the app, before the record is written.

use serde_json::Value;

use super::begun::TakeOver;
use super::{AppSide, InApp, view};
use crate::clock::Timestamp;
use crate::connector::{
    AppFailure, Attributes, Found, Intent, Kind, Known, Ledger, Link, Made, Owner, random_password,
};
use crate::crypto::Sealed;
use crate::identity::{Group, TenantSlug, User, fold};
use crate::provision::Refused;
use crate::secret::Secret;
use crate::storage::Along;

/// What an operator reads in the idp's log of somebody whom the app had before.
const LINKS_IT: &str = "`sidegate user import --from connector --apply` links it";

/// A password that nobody knows but us.
pub(super) fn new_password() -> Secret {
    Secret::new(random_password())
}

impl AppSide {
    pub(super) fn owner_of(user: &User) -> Owner {
        Owner::new(Kind::User, &user.tenant, &user.id)
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
    /// somebody else's with us.
    pub(in crate::provision) async fn make_user(
        &self,
        user: &User,
        take_over: TakeOver,
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
        take_over: TakeOver,
        intent: Intent,
    ) -> Result<(Link, Option<Known>), Refused> {
        let key = self.key(wanted);
        let before = self.ledger.intent(owner).await?;
        if let Some(found) = self.connector.find_user(key).await? {
            if !self.may_take_over(&owner.tenant, &found, take_over).await? {
                self.check_free(owner, &found).await?;
                let name = self.connector.name();
                let why = format!("{name} has an account {key:?}; {LINKS_IT}");
                return Err(AppFailure::Uniqueness(why).into());
            }
            let link = self.take_over(owner, wanted, &found, intent, before);
            return Ok((link.await?, None));
        }
        let password = self.connector.keeps_password().then(new_password);
        let sealed = password.as_ref().map(|text| self.ledger.seal(owner, text));
        let intent = Intent {
            password: sealed.transpose()?,
            ..intent
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        let failure = match self.create(wanted, password.as_ref()).await {
            Ok(known) => {
                let link = self.link_again(known.clone(), wanted, intent.password);
                return Ok((link, Some(known)));
            }
            Err(failure) => failure,
        };
        // A call of ours that was given up came there first, or somebody else did.
        if matches!(failure, AppFailure::Uniqueness(_))
            && let Some(found) = self.connector.find_user(key).await?
            && self.may_take_over(&owner.tenant, &found, take_over).await?
        {
            let link = self.take_over(owner, wanted, &found, intent, before);
            return Ok((link.await?, None));
        }
        self.give_up(owner, before.as_ref(), failure).await
    }

    /// R53: nobody becomes an administrator of the app because a SCIM client says that they are one.
    pub(super) async fn may_take_over(
        &self,
        tenant: &TenantSlug,
        found: &Found,
        take_over: TakeOver,
    ) -> Result<bool, AppFailure> {
        match take_over {
            TakeOver::Nobody => return Ok(false),
            TakeOver::Anybody => return Ok(true),
            TakeOver::Ordinary => {}
        }
        if !self.connector.is_administrator(found).await? {
            return Ok(true);
        }
        tracing::warn!(
            tenant = tenant.as_str(),
            account = found.id,
            login = self.connector.login(&found.attributes),
            "a SCIM client asks for an administrator's account of the app; an operator may link it"
        );
        Ok(false)
    }

    /// Whom the app shows, under the key that it shows.
    pub(super) fn known_as(&self, found: &Found) -> Known {
        Known::new(found.id.as_str(), self.connector.login(&found.attributes))
    }

    /// Whom the app has becomes somebody's here.
    async fn take_over(
        &self,
        owner: &Owner,
        wanted: &Attributes,
        found: &Found,
        intent: Intent,
        before: Option<Intent>,
    ) -> Result<Link, Refused> {
        if let Err(refused) = self.check_free(owner, found).await {
            let Refused::App(failure) = refused else {
                return Err(refused);
            };
            return self.give_up(owner, before.as_ref(), failure).await;
        }
        let intent = Intent {
            app_id: Some(found.id.clone()),
            ..intent
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        // Made by us before a crash: then the intent has its password.
        let begun = self.ledger.intent(owner).await?;
        let password = begun.and_then(|intent| intent.password);
        let known = self.known_as(found);
        match self.connector.update_user(&known, wanted, wanted).await {
            Ok(known) => Ok(self.link_again(known, wanted, password)),
            Err(failure) => self.give_up(owner, before.as_ref(), failure).await,
        }
    }

    async fn create(
        &self,
        wanted: &Attributes,
        password: Option<&Secret>,
    ) -> Result<Known, AppFailure> {
        let known = |id| Known::new(id, self.connector.login(wanted));
        let failure = match self.connector.create_user(wanted, password).await {
            Ok(Made { id, rest: Ok(()) }) => return Ok(known(id)),
            Ok(Made {
                id,
                rest: Err(failure),
            }) => {
                // Half made: nobody rather than somebody whom the client did not ask for.
                return Err(match self.connector.remove_user(&known(id)).await {
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
                .update_user(&self.known_as(&found), wanted, wanted)
                .await
                .map_err(|_| failure),
            Ok(None) if failure.may_come() => Err(failure),
            Ok(None) => Err(failure.certainly_not()),
            Err(_not_now) => Err(failure),
        }
    }

    /// R53: an account of the app belongs to one record, of one tenant; also one that is being made, as long as
    /// nobody knows whether this is it.
    pub(super) async fn check_free(&self, owner: &Owner, found: &Found) -> Result<(), Refused> {
        let another = || AppFailure::Uniqueness("it belongs to another record".to_owned());
        match self.ledger.owner(owner.kind, &found.id).await? {
            Some(its) if its == *owner => return Ok(()),
            Some(_) => return Err(another().into()),
            None => {}
        }
        let theirs = |its: &Owner, intent: &Intent| {
            its.kind == owner.kind
                && its.tenant != owner.tenant
                && self.is_meant(its.kind, intent, found)
        };
        let mut all = self.ledger.intents().await?.into_iter();
        let begun = all.any(|(its, intent)| theirs(&its, &intent));
        if begun { Err(another().into()) } else { Ok(()) }
    }

    /// Whether an account there may be what is being made.
    fn is_meant(&self, kind: Kind, intent: &Intent, found: &Found) -> bool {
        let Some(record) = intent.create.clone() else {
            return false;
        };
        let (key, wanted) = match kind {
            Kind::User => {
                let user = serde_json::from_value::<User>(record);
                let wanted = user.map(|user| view::of_user(&self.connector, &user));
                (self.connector.user_key(), wanted)
            }
            Kind::Group => {
                let group = serde_json::from_value::<Group>(record);
                let wanted = group.map(|group| view::of_group(&group));
                (self.connector.group_key(), wanted)
            }
        };
        let text = |of: &Attributes| of.get(key).and_then(Value::as_str).map(fold);
        wanted
            .is_ok_and(|wanted| text(&wanted).is_some() && text(&wanted) == text(&found.attributes))
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
        let wanted = view::of_change(&self.connector, before, after);
        let was = view::of_user(&self.connector, before);
        let Some(link) = link else {
            // Who is not let in needs no account.
            if !after.active {
                return Ok(None);
            }
            return self.make_user(after, take_over, now).await.map(Some);
        };
        if owed.is_none() && !link.unconfirmed && was == wanted {
            return Ok(None);
        }
        let meant = owed.as_ref().and_then(|owed| owed.app_id.clone());
        // Where the id is the name: by which one they are found if the answer never comes.
        let id = self.connector.id_after(&link.app_id, &wanted);
        let id = meant.clone().or(Some(id).filter(|id| *id != link.app_id));
        let intent = Intent {
            names: vec![self.connector.login(&wanted)],
            ..Intent::sync(id, now)
        };
        self.ledger.write(Ledger::intend(&owner, &intent)).await?;
        let place = (meant.as_deref(), take_over, now);
        let brought = self.bring(&owner, &link, place, &wanted, &was);
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
                if !failure.perhaps_done() && (was == wanted || back().await) {
                    return self.give_up(&owner, owed.as_ref(), failure).await;
                }
                Err(Refused::App(failure))
            }
            Err(refused) => Err(refused),
        }
    }

    /// Makes the app hold this of somebody who has an account there, or had one; `meant` is the id of theirs that a
    /// change without an answer was to lead to, `was` what the app should hold by now.
    pub(super) async fn bring(
        &self,
        owner: &Owner,
        link: &Link,
        (meant, take_over, now): (Option<&str>, TakeOver, Timestamp),
        wanted: &Attributes,
        was: &Attributes,
    ) -> Result<Link, Refused> {
        let mut known = self.known(owner, link).await?;
        if let Some(meant) = meant
            && self.connector.user(&known.id).await?.is_none()
            && let Some(found) = self.connector.user(meant).await?
            && self.check_free(owner, &found).await.is_ok()
        {
            known.id = found.id;
        }
        let key = self.key(wanted);
        if self.connector.renames_users()
            && fold(key) != fold(&link.login)
            && let Some(other) = self.connector.find_user(key).await?
            && other.id != known.id
        {
            return Err(AppFailure::Uniqueness(format!("the app has an account {key:?}")).into());
        }
        match self.connector.update_user(&known, wanted, was).await {
            Ok(known) => Ok(self.link_again(known, wanted, link.password.clone())),
            // Gone behind our back: there again, unless they shall not be let in.
            Err(AppFailure::Missing) if crate::provision::app::is_active(wanted) => {
                let (link, _made) = self
                    .place(owner, wanted, take_over, Intent::sync(None, now))
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
    pub(in crate::provision) fn owes_user(user: &User, now: Timestamp) -> Along {
        Self::owe(&Self::owner_of(user), now)
    }
}
