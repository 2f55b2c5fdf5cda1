//! People of the app made, changed and removed: whoever is written to is looked at before, and afterwards.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::MutexGuard;

use super::known::key_of;
use super::membership::{self, Who};
use super::people::{is_off, is_on};
use super::records::Found;
use super::render::{Attributes, Context};
use super::{AppFailure, Connector, Kind, Known};
use crate::config::{Active, Only};
use crate::secret::Secret;

/// How often, and in what steps, a deletion is waited for.
const LOOKS: usize = 20;
const MOMENT: Duration = Duration::from_millis(150);

/// A record that was just made, and was read back under the key that it was made with: it is nobody's who was there.
#[derive(Debug)]
pub struct Made {
    /// What the app calls it.
    pub id: String,
    /// What could not be done after it was made.
    pub rest: Result<(), AppFailure>,
}

/// What became of somebody who shall be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The app has them no more.
    Removed,
    /// The app keeps the record and lets nobody in with it.
    Disabled,
    /// The app can do neither: the gate alone keeps them out.
    Left,
}

impl Connector {
    /// Makes a person, and deactivates them where they shall not be active. Look first: apps differ in how they refuse
    /// somebody who is there. The id that the app answers counts once it holds the wanted key.
    ///
    /// # Errors
    ///
    /// The app's, as long as nobody was made who is known to be the one.
    pub async fn create_user(
        &self,
        wanted: &Attributes,
        password: Option<&Secret>,
    ) -> Result<Made, AppFailure> {
        let key = &self.users.kind.key;
        if self.is_ignored(wanted.get(key)) {
            return Err(AppFailure::Ignored("users"));
        }
        if self.login(wanted).trim().is_empty() {
            return Err(AppFailure::Invalid(format!("nobody is made without {key}")));
        }
        let id = self.people().create(wanted, password).await?;
        let made = self.people().made(&id, wanted).await?;
        let rest = self.finish(&made, wanted).await;
        Ok(Made { id: made.id, rest })
    }

    async fn finish(&self, made: &Found, wanted: &Attributes) -> Result<(), AppFailure> {
        if is_off(wanted) && is_on(&made.attributes) {
            let _turn = self.turns.take(Kind::User, &made.id).await;
            self.set_active(made, false).await?;
            self.verify(&made.id, made, wanted, wanted).await?;
        }
        match self.wrongly_active(made, wanted) {
            Some(why) if !is_off(wanted) => Err(AppFailure::odd(why)),
            _ => Ok(()),
        }
    }

    /// Makes a person's record hold these attributes. What is not in `was` is judged afterwards: an app may say yes and do
    /// nothing. Gives the app's id and key afterwards: in some apps they are the same.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such record; [`AppFailure::Another`] when it has neither the key that we
    /// know nor the wanted one; the app's; the last administrator is not deactivated.
    pub async fn update_user(
        &self,
        known: &Known,
        wanted: &Attributes,
        was: &Attributes,
    ) -> Result<Known, AppFailure> {
        let _turn = self.turns.take(Kind::User, &known.id).await;
        let found = self.user(&known.id).await?.ok_or(AppFailure::Missing)?;
        if self.ignores(&found) || self.is_ignored(wanted.get(&self.users.kind.key)) {
            return Err(AppFailure::Ignored("users"));
        }
        let renamed = self.renames_users().then(|| self.login(wanted));
        known.check(&self.users.kind, &found, renamed.as_deref())?;
        let (on, off) = (is_on(&found.attributes), is_off(wanted));
        let held = found.attributes.get("active").and_then(Value::as_bool);
        let turns = match (held, wanted.get("active").and_then(Value::as_bool)) {
            (Some(held), Some(wanted)) if held != wanted => Some(wanted),
            (None, Some(wanted)) => Some(wanted),
            _ => None,
        };
        let _alone = if on && off && self.can_deactivate() {
            self.check_last(&found).await?
        } else {
            None
        };
        if !self.write_user(&found, wanted, turns).await? && turns.is_none() {
            return Ok(self.known_as(&found, known));
        }
        let id = self.id_after(&found.id, wanted);
        let after = self.verify(&id, &found, wanted, was).await?;
        Ok(self.known_as(&after, known))
    }

    /// Writes what differs; gives whether anything but `active` did.
    async fn write_user(
        &self,
        found: &Found,
        wanted: &Attributes,
        turns: Option<bool>,
    ) -> Result<bool, AppFailure> {
        let apart = matches!(self.users.active, Active::Calls(..) | Active::MemberOf(_));
        let mut rest = wanted.clone();
        if apart {
            drop(rest.remove("active"));
        }
        if apart && turns == Some(false) {
            self.set_active(found, false).await?;
        }
        let changes = !self.people().differences(found, &rest).is_empty();
        self.people().update(found, &rest).await?;
        if apart && turns == Some(true) {
            self.set_active(found, true).await?;
        }
        Ok(changes)
    }

    fn known_as(&self, found: &Found, before: &Known) -> Known {
        let name = key_of(&self.users.kind, &found.attributes);
        Known::new(
            found.id.as_str(),
            name.unwrap_or_else(|| before.name().to_owned()),
        )
    }

    async fn set_active(&self, found: &Found, active: bool) -> Result<(), AppFailure> {
        let context = Context::default()
            .of(&found.attributes)
            .with("id", found.id.as_str());
        match (&self.users.active, active) {
            (Active::Calls(activate, _), true) => self.wire.run(activate, &context).await.map(drop),
            (Active::Calls(_, deactivate), false) => {
                self.wire.run(deactivate, &context).await.map(drop)
            }
            (Active::MemberOf(group), _) => {
                let members = self
                    .groups
                    .as_ref()
                    .and_then(|groups| groups.members.as_ref());
                let members = members.ok_or(AppFailure::Cannot("deactivate"))?;
                membership::of_user(&self.people(), members, Who::Id(&found.id), group, !active)
                    .await
            }
            (Active::Field, _) => {
                let wanted = Attributes::from([("active".to_owned(), active.into())]);
                self.people().update(found, &wanted).await
            }
            (Active::None, _) => Ok(()),
        }
    }

    /// Deletes a person, or deactivates them where the app cannot delete. Who is not there is gone.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Another`] when the record has another key than we know; the app's; the last administrator is not
    /// deleted.
    pub async fn remove_user(&self, known: &Known) -> Result<Removal, AppFailure> {
        let id = known.id.as_str();
        let _turn = self.turns.take(Kind::User, id).await;
        let Some(found) = self.user(id).await? else {
            return Ok(Removal::Removed);
        };
        if self.ignores(&found) {
            return Ok(Removal::Left);
        }
        known.check(&self.users.kind, &found, None)?;
        let kind = &self.users.kind;
        if kind.delete.is_none() && !self.can_deactivate() {
            return Ok(Removal::Left);
        }
        let _alone = self.check_last(&found).await?;
        if kind.delete.is_none() {
            if is_on(&found.attributes) {
                self.set_active(&found, false).await?;
                let off = Attributes::from([("active".to_owned(), false.into())]);
                self.verify(id, &found, &off, &off).await?;
            }
            return Ok(Removal::Disabled);
        }
        if kind.soft && !is_on(&found.attributes) {
            return Ok(Removal::Disabled);
        }
        self.people().delete(id).await?;
        // Some answer at once and delete a moment later.
        for _ in 0..LOOKS {
            match self.user(id).await? {
                None => return Ok(Removal::Removed),
                Some(left) if kind.soft && !is_on(&left.attributes) => {
                    return Ok(Removal::Disabled);
                }
                Some(_) => tokio::time::sleep(MOMENT).await,
            }
        }
        Err(AppFailure::odd("it says deleted, and still has them"))
    }

    /// Sets a person's password.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such record; [`AppFailure::Another`] when it has another key than we know;
    /// the app's; its API cannot.
    pub async fn set_password(&self, known: &Known, password: &Secret) -> Result<(), AppFailure> {
        let _turn = self.turns.take(Kind::User, &known.id).await;
        let found = self.user(&known.id).await?.ok_or(AppFailure::Missing)?;
        if self.ignores(&found) || !self.changes_password() {
            return Err(AppFailure::Cannot("set a password of ours"));
        }
        known.check(&self.users.kind, &found, None)?;
        let names = self.users.password_fields(Only::Update);
        let names: Vec<_> = names.map(|field| field.name.as_str()).collect();
        self.people().write(&found, &names, password).await
    }

    /// Nobody locks an app for good. Another administrator goes after this one has gone.
    async fn check_last(&self, found: &Found) -> Result<Option<MutexGuard<'_, ()>>, AppFailure> {
        if !self.administers(found) {
            return Ok(None);
        }
        let alone = self.administrators.lock().await;
        let all = self.people().list().await?;
        let other =
            |its: &Found| its.id != found.id && self.administers(its) && is_on(&its.attributes);
        if all.iter().any(other) {
            return Ok(Some(alone));
        }
        Err(AppFailure::LastAdministrator)
    }
}
