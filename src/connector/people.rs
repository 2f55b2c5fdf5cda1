//! People of the app.

use serde_json::Value;

use super::records::{Found, Records};
use super::render::Attributes;
use super::{AppFailure, Connector, Known};
use crate::config::Active;
use crate::identity::fold;

impl Connector {
    pub(super) fn people(&self) -> Records<'_> {
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
        // Nobody is meant, and not everybody who has none.
        if value.trim().is_empty() {
            return Ok(None);
        }
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

    pub(super) fn ignores(&self, found: &Found) -> bool {
        self.is_ignored(found.attributes.get(&self.users.kind.key))
    }

    pub(super) fn is_ignored(&self, key: Option<&Value>) -> bool {
        let key = key.and_then(Value::as_str).map(fold);
        key.is_some_and(|key| self.users.kind.ignore.contains(&key))
    }

    /// Whether this account has a key that we know; true where the app does not tell the key.
    pub fn is_known(&self, known: &Known, found: &Found) -> bool {
        known.check(&self.users.kind, found, None).is_ok()
    }

    /// The app's id of somebody once they hold this: where the id is the key, and the key is changed there, another key is
    /// another id.
    pub fn id_after(&self, id: &str, wanted: &Attributes) -> String {
        let kind = &self.users.kind;
        let field = kind.field(&kind.key);
        let is_key = field.is_some_and(|field| field.read.as_ref() == Some(&kind.id));
        let key = wanted
            .get(&kind.key)
            .and_then(Value::as_str)
            .filter(|_| is_key && self.renames_users());
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

    /// Whether the app tells people apart by their address.
    pub fn goes_by_address(&self) -> bool {
        self.user_key() == "emails.value"
    }

    /// Whether the app lets a login name be changed.
    pub fn renames_users(&self) -> bool {
        super::map::is_written(&self.users.kind, &self.users.kind.key)
    }

    /// Whether somebody who is deleted may be in the app all the same, asleep.
    pub const fn keeps_deleted_users(&self) -> bool {
        self.users.kind.delete.is_none() || self.users.kind.soft
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

    pub(super) fn administers(&self, found: &Found) -> bool {
        let says = self.users.administrator.as_ref();
        says.is_some_and(|(at, test)| at.of(&found.record).is_some_and(|it| test.fits(it)))
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
}

/// Whoever is not said to be inactive is active.
pub(super) fn is_on(attributes: &Attributes) -> bool {
    attributes.get("active") != Some(&Value::Bool(false))
}

pub(super) fn is_off(wanted: &Attributes) -> bool {
    !is_on(wanted)
}
