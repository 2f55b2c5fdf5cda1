//! Whose account of the app becomes whose: made anew, or taken over where that is allowed.

use serde_json::Value;

use super::begun::TakeOver;
use super::people::new_password;
use super::view::Wanted;
use super::{AppSide, is_active};
use crate::connector::{
    AppFailure, Attributes, Found, Intent, Kind, Known, Ledger, Link, Made, Owner,
};
use crate::identity::TenantSlug;
use crate::provision::Refused;
use crate::secret::Secret;

/// What an operator reads in the idp's log of somebody whom the app had before.
const LINKS_IT: &str = "`sidegate user import --from connector --apply` links it";

impl AppSide {
    /// Finds or makes the app's record of somebody. What is begun is noted only when there was nobody of this key: so
    /// whoever is found there after a crash is ours.
    pub(super) async fn place(
        &self,
        owner: &Owner,
        wanted: &Wanted,
        take_over: TakeOver,
        intent: Intent,
    ) -> Result<(Link, Option<Known>), Refused> {
        let key = self.key(&wanted.all);
        if key.is_empty() {
            let (app, key) = (self.connector.name(), self.connector.user_key());
            let why = format!("{app} tells people apart by {key}, and there is none");
            return Err(AppFailure::Invalid(why).into());
        }
        let intent = intent.named(key);
        let before = self.ledger.intent(owner).await?;
        if let Some(found) = self.connector.find_user(key).await? {
            self.check_take_over(owner, &found, take_over).await?;
            let link = self.take_over(owner, wanted, &found, intent, before);
            return Ok((link.await?, None));
        }
        let password = self.connector.keeps_password().then(new_password);
        let sealed = password.as_ref().map(|text| self.ledger.seal(owner, text));
        let intent = Intent {
            password: sealed.transpose()?,
            anew: false,
            ..intent
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        let failure = match self.create(owner, &wanted.all, password.as_ref()).await {
            Ok(known) => {
                let link = self.link(known.id.clone(), &wanted.all, intent.password);
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

    pub(super) async fn check_take_over(
        &self,
        owner: &Owner,
        found: &Found,
        take_over: TakeOver,
    ) -> Result<(), Refused> {
        if self.may_take_over(&owner.tenant, found, take_over).await? {
            return Ok(());
        }
        self.check_free(owner, found).await?;
        let (name, login) = (
            self.connector.name(),
            self.connector.login(&found.attributes),
        );
        let why = format!("{name} has an account {login:?}; {LINKS_IT}");
        Err(AppFailure::Uniqueness(why).into())
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
    pub(super) async fn take_over(
        &self,
        owner: &Owner,
        wanted: &Wanted,
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
        let sleeps = !self.connector.can_deactivate() || !is_active(&found.attributes);
        let intent = Intent {
            app_id: Some(found.id.clone()),
            anew: intent.anew && sleeps,
            ..intent
        };
        self.ledger.write(Ledger::intend(owner, &intent)).await?;
        // Made by us before a crash: then the intent has its password.
        let begun = self.ledger.intent(owner).await?;
        let password = begun.and_then(|intent| intent.password);
        match self.dress(found, wanted, intent.anew).await {
            Ok(known) => Ok(self.link_again(known, &wanted.all, password)),
            Err(failure) => self.give_up(owner, before.as_ref(), failure).await,
        }
    }

    async fn create(
        &self,
        owner: &Owner,
        wanted: &Attributes,
        password: Option<&Secret>,
    ) -> Result<Known, AppFailure> {
        let known = |id| Known::new(id, self.connector.login(wanted));
        let failure = match self.connector.create_user(wanted, password).await {
            // R53: some apps give whom they have when they cannot make another.
            Ok(Made { id, .. }) if self.is_anothers(owner, &id).await => {
                let why = format!("it answers a create with the account {id:?} of somebody else");
                return Err(AppFailure::Ambiguous(why));
            }
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
            Ok(Some(found)) if self.check_free(owner, &found).await.is_err() => {
                Err(failure.certainly_not())
            }
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
        let key = match owner.kind {
            Kind::User => self.connector.user_key(),
            Kind::Group => self.connector.group_key(),
        };
        let name = found.attributes.get(key).and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let theirs = |(its, intent): (Owner, Intent)| {
            its.kind == owner.kind
                && its.tenant != owner.tenant
                && (intent.app_id.as_ref() == Some(&found.id) || intent.is_called(name))
        };
        if self.ledger.intents().await?.into_iter().any(theirs) {
            return Err(another().into());
        }
        Ok(())
    }

    /// Whether an account is somebody's here, or may be what is being made.
    pub(super) async fn is_somebodys(&self, found: &Found) -> Result<bool, Refused> {
        let owner = self.ledger.owner(Kind::User, &found.id).await?;
        let (name, intents) = (self.key(&found.attributes), self.ledger.intents().await?);
        let meant =
            |intent: &Intent| intent.app_id.as_ref() == Some(&found.id) || intent.is_called(name);
        Ok(owner.is_some() || intents.iter().any(|(_, intent)| meant(intent)))
    }

    /// Whether an account is the record of somebody else with us. When that cannot be told it counts as theirs.
    async fn is_anothers(&self, owner: &Owner, app_id: &str) -> bool {
        let its = self.ledger.owner(owner.kind, app_id).await;
        !its.is_ok_and(|its| its.is_none_or(|its| its == *owner))
    }
}
