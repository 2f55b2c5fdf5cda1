//! People of the app.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::MutexGuard;

use super::membership;
use super::records::{Found, Records};
use super::render::{Attributes, Context};
use super::{AppFailure, Connector};
use crate::config::{Active, Only};
use crate::identity::fold;
use crate::secret::Secret;

/// How often, and in what steps, a deletion is waited for.
const LOOKS: usize = 20;
const MOMENT: Duration = Duration::from_millis(150);

/// A record that was just made.
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
    fn people(&self) -> Records<'_> {
        Records {
            wire: &self.wire,
            kind: &self.users.kind,
            active: Some(&self.users.active),
        }
    }

    /// A person by the app's id.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn user(&self, id: &str) -> Result<Option<Found>, AppFailure> {
        self.people().get(id).await
    }

    /// The one person of this key; nobody who is never touched.
    ///
    /// # Errors
    ///
    /// Several are meant; the app's.
    pub async fn find_user(&self, key: &str) -> Result<Option<Found>, AppFailure> {
        self.find_user_by(&self.users.kind.key, key).await
    }

    /// The same, by another attribute; nobody where the app does not hold it.
    ///
    /// # Errors
    ///
    /// Several are meant; the app's.
    pub async fn find_user_by(
        &self,
        attribute: &str,
        value: &str,
    ) -> Result<Option<Found>, AppFailure> {
        let found = self.people().find(attribute, value).await?;
        Ok(found.filter(|found| !self.ignores(found)))
    }

    /// Everybody but those who are never touched.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn users(&self) -> Result<Vec<Found>, AppFailure> {
        let mut all = self.people().list().await?;
        all.retain(|found| !self.ignores(found));
        Ok(all)
    }

    fn ignores(&self, found: &Found) -> bool {
        self.is_ignored(found.attributes.get(&self.users.kind.key))
    }

    fn is_ignored(&self, key: Option<&Value>) -> bool {
        let key = key.and_then(Value::as_str).map(fold);
        key.is_some_and(|key| self.users.kind.ignore.contains(&key))
    }

    /// Makes a person, and deactivates them where they shall not be active. Look first: apps differ in how they refuse
    /// somebody who is there.
    ///
    /// # Errors
    ///
    /// The app's, as long as nobody was made.
    pub async fn create_user(
        &self,
        wanted: &Attributes,
        password: Option<&Secret>,
    ) -> Result<Made, AppFailure> {
        if self.is_ignored(wanted.get(&self.users.kind.key)) {
            return Err(AppFailure::Ignored("users"));
        }
        let id = self.people().create(wanted, password).await?;
        let rest = self.finish(&id, wanted).await;
        Ok(Made { id, rest })
    }

    async fn finish(&self, id: &str, wanted: &Attributes) -> Result<(), AppFailure> {
        let made = self.user(id).await?;
        let made = made.ok_or_else(|| AppFailure::odd("it does not know whom it has just made"))?;
        if is_off(wanted) && is_on(&made.attributes) {
            self.set_active(&made, false).await?;
            self.verify(id, wanted).await?;
        }
        Ok(())
    }

    /// Makes a person's record hold these attributes. Gives the app's id afterwards: in some apps it is the name.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such record; the app's; the last administrator is not deactivated.
    pub async fn update_user(&self, id: &str, wanted: &Attributes) -> Result<String, AppFailure> {
        let found = self.user(id).await?.ok_or(AppFailure::Missing)?;
        if self.ignores(&found) || self.is_ignored(wanted.get(&self.users.kind.key)) {
            return Err(AppFailure::Ignored("users"));
        }
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
        let apart = matches!(self.users.active, Active::Calls(..) | Active::MemberOf(_));
        let mut rest = wanted.clone();
        if apart {
            drop(rest.remove("active"));
        }
        if apart && turns == Some(false) {
            self.set_active(&found, false).await?;
        }
        let changes = !self.people().differences(&found, &rest).is_empty();
        self.people().update(&found, &rest).await?;
        if apart && turns == Some(true) {
            self.set_active(&found, true).await?;
        }
        if !changes && turns.is_none() {
            return Ok(found.id);
        }
        let id = self.id_after(&found.id, wanted);
        self.verify(&id, wanted).await?;
        Ok(id)
    }

    /// The app's id of somebody once they hold this: where the id is the key, another key is another id.
    pub fn id_after(&self, id: &str, wanted: &Attributes) -> String {
        let kind = &self.users.kind;
        let field = kind.field(&kind.key);
        let is_key = field.is_some_and(|field| field.read.as_ref() == Some(&kind.id));
        let key = wanted
            .get(&kind.key)
            .and_then(Value::as_str)
            .filter(|_| is_key);
        match (key, field) {
            (Some(key), Some(field)) if fold(key) != fold(id) => {
                if field.lower {
                    key.to_lowercase()
                } else {
                    key.to_owned()
                }
            }
            _ => id.to_owned(),
        }
    }

    /// Reads back: who shall not be active is not, and whoever shall be there is.
    async fn verify(&self, id: &str, wanted: &Attributes) -> Result<(), AppFailure> {
        let after = self.user(id).await?;
        let after =
            after.ok_or_else(|| AppFailure::odd("it does not know whom it has just changed"))?;
        let active = after.attributes.get("active").and_then(Value::as_bool);
        match (active, wanted.get("active").and_then(Value::as_bool)) {
            (Some(is), Some(wanted)) if is != wanted && self.can_deactivate() => {
                let (is, wanted) = (word(is), word(wanted));
                Err(AppFailure::odd(format!(
                    "it took the change to {wanted}, and says {is}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Names of wanted attributes that an account does not hold.
    pub fn differences(&self, found: &Found, wanted: &Attributes) -> Vec<String> {
        let mut differing = self.people().differences(found, wanted);
        let wanted = wanted.get("active").and_then(Value::as_bool);
        if self.can_deactivate() && wanted.is_some_and(|wanted| wanted != is_on(&found.attributes))
        {
            differing.insert("active".to_owned(), Value::Null);
        }
        differing.into_keys().collect()
    }

    /// Whether the app knows deactivated people.
    pub const fn can_deactivate(&self) -> bool {
        !matches!(self.users.active, Active::None)
    }

    /// Whether the app lets a login name be changed.
    pub fn renames_users(&self) -> bool {
        super::map::is_written(&self.users.kind, &self.users.kind.key)
    }

    /// Whether somebody who is deleted may be in the app all the same, asleep.
    pub const fn keeps_deleted_users(&self) -> bool {
        self.users.kind.delete.is_none() || self.users.kind.soft
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
                membership::of_user(&self.people(), members, &found.id, group, !active).await
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
    /// The app's; the last administrator is not deleted.
    pub async fn remove_user(&self, id: &str) -> Result<Removal, AppFailure> {
        let Some(found) = self.user(id).await? else {
            return Ok(Removal::Removed);
        };
        if self.ignores(&found) {
            return Ok(Removal::Left);
        }
        let kind = &self.users.kind;
        if kind.delete.is_none() && !self.can_deactivate() {
            return Ok(Removal::Left);
        }
        let _alone = self.check_last(&found).await?;
        if kind.delete.is_none() {
            if is_on(&found.attributes) {
                self.set_active(&found, false).await?;
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

    /// Whether the app says that this account is an administrator's: as it was found, or as it is read by itself, for a
    /// search may leave that out.
    ///
    /// # Errors
    ///
    /// The app's.
    pub async fn is_administrator(&self, found: &Found) -> Result<bool, AppFailure> {
        if self.users.administrator.is_none() || self.administers(found) {
            return Ok(self.administers(found));
        }
        let whole = self.user(&found.id).await?;
        Ok(whole.is_some_and(|whole| self.administers(&whole)))
    }

    fn administers(&self, found: &Found) -> bool {
        let says = self.users.administrator.as_ref();
        says.is_some_and(|(at, test)| at.of(&found.record).is_some_and(|it| test.fits(it)))
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

    /// What the app calls a person of these attributes at sign-in.
    pub fn login(&self, wanted: &Attributes) -> String {
        let kind = &self.users.kind;
        let key = wanted
            .get(&kind.key)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if kind.field(&kind.key).is_some_and(|field| field.lower) {
            key.to_lowercase()
        } else {
            key.to_owned()
        }
    }

    /// Whether making a person needs a password that is kept for later.
    pub fn keeps_password(&self) -> bool {
        self.users.keeps_password()
    }

    /// Whether a kept password can be set anew.
    pub fn changes_password(&self) -> bool {
        self.users.changes_password()
    }

    /// Sets a person's password.
    ///
    /// # Errors
    ///
    /// [`AppFailure::Missing`] when there is no such record; the app's; its API cannot.
    pub async fn set_password(&self, id: &str, password: &Secret) -> Result<(), AppFailure> {
        let found = self.user(id).await?.ok_or(AppFailure::Missing)?;
        if self.ignores(&found) || !self.changes_password() {
            return Err(AppFailure::Cannot("set a password of ours"));
        }
        let names = self.users.password_fields(Only::Update);
        let names: Vec<_> = names.map(|field| field.name.as_str()).collect();
        self.people().write(&found, &names, password).await
    }
}

/// Whoever is not said to be inactive is active.
pub(super) fn is_on(attributes: &Attributes) -> bool {
    attributes.get("active") != Some(&Value::Bool(false))
}

fn is_off(wanted: &Attributes) -> bool {
    !is_on(wanted)
}

const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}
