//! The directory's records.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{GroupId, IdpName, Role, TenantSlug, UserId};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// How a person signs in; the other way does not work for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignInMethod {
    /// Through an idp.
    #[default]
    External,
    /// With a password of ours.
    Local,
}

/// Who made a record and keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagedBy {
    /// A SCIM client.
    Scim,
    /// A first sign-in.
    SignIn,
    /// An operator, on the command line or the admin pages.
    Operator,
    /// Nobody any more: a SCIM client deleted the record, which stays, inactive, for operators to see
    /// (`provisioning.on_delete = "deactivate"`). SCIM does not see it, and its names are free for another.
    Retired,
}

/// A person in the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Ours, opaque.
    pub id: UserId,
    /// Whose directory the record is in.
    pub tenant: TenantSlug,
    /// Unique in the tenant by [`super::fold`] (RFC 7643 4.1.1).
    pub user_name: String,
    /// The SCIM client's identifier; opaque data, never an id of ours (R52).
    pub external_id: Option<String>,
    /// An inactive person is refused everywhere.
    pub active: bool,
    /// All other attributes in SCIM's JSON shape (RFC 7643 4.1): `displayName`, `name`, `emails`,
    /// `roles`, extensions by URN. Never `password`, `id`, `userName`, `externalId`, `active`, `meta`, `groups`.
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// The one way this person signs in.
    #[serde(default)]
    pub sign_in: SignInMethod,
    /// bcrypt hash of the local password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The password must be changed at the next sign-in.
    #[serde(default)]
    pub must_change_password: bool,
    /// Who keeps the record.
    pub managed_by: ManagedBy,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// Counts changes; 1 when made (`ETag`).
    pub version: u64,
}

impl User {
    /// `displayName`, else `name.formatted`, else given and family name, else the user name.
    pub fn display_name(&self) -> String {
        let text = |value: Option<&Value>| {
            value
                .and_then(Value::as_str)
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let name = self.attributes.get("name");
        let part = |key: &str| text(name.and_then(|name| name.get(key)));
        text(self.attributes.get("displayName"))
            .or_else(|| part("formatted"))
            .or_else(|| match (part("givenName"), part("familyName")) {
                (Some(given), Some(family)) => Some(format!("{given} {family}")),
                (given, family) => given.or(family),
            })
            .unwrap_or_else(|| self.user_name.clone())
    }

    /// The primary e-mail address, else the one of type `work`, else the first.
    pub fn email(&self) -> Option<&str> {
        let emails = self.attributes.get("emails")?.as_array()?;
        let primary = |e: &&Value| e.get("primary").and_then(Value::as_bool) == Some(true);
        let work = |e: &&Value| e.get("type").and_then(Value::as_str) == Some("work");
        emails
            .iter()
            .find(primary)
            .or_else(|| emails.iter().find(work))
            .or_else(|| emails.first())?
            .get("value")?
            .as_str()
    }

    /// The person as SCIM JSON without `meta` and `groups`: what templates call `user`.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = self.attributes.clone();
        json.insert("id".into(), self.id.as_str().into());
        json.insert("userName".into(), self.user_name.clone().into());
        json.insert("active".into(), self.active.into());
        json.insert("displayName".into(), self.display_name().into());
        if let Some(external_id) = &self.external_id {
            json.insert("externalId".into(), external_id.clone().into());
        }
        json
    }
}

/// A group in the directory. Its members are rows of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Ours, opaque.
    pub id: GroupId,
    /// Whose directory the record is in.
    pub tenant: TenantSlug,
    /// Unique in the tenant by [`super::fold`].
    pub display_name: String,
    /// The SCIM client's identifier; opaque data (R52).
    pub external_id: Option<String>,
    /// All other attributes in SCIM's JSON shape, without `members`.
    #[serde(default)]
    pub attributes: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// Counts changes; 1 when made (`ETag`).
    pub version: u64,
}

/// What ties a principal to a record: immutable once made (R54).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The configured idp.
    pub idp: IdpName,
    /// [`super::Principal::link_subject`].
    pub subject: String,
    /// The tenant in whose directory the record is: one person may be in several.
    pub tenant: TenantSlug,
}

/// What stays of a deleted person, so that a sign-in does not make them again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tombstone {
    /// The id the record had.
    pub id: UserId,
    /// Folded user name.
    pub user_name: String,
    /// The SCIM client's identifier.
    pub external_id: Option<String>,
    /// When it was deleted.
    pub deleted: Timestamp,
}

/// A person with all that policy and headers see of them.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The record.
    pub user: User,
    /// Display names, without the ignored ones; from the directory and, where it does not know
    /// the group, from the sign-in.
    pub groups: Vec<String>,
    /// After mapping, allowed ones only.
    pub roles: Vec<Role>,
    /// Their account in the app, where a connector knows it.
    pub account: Option<Account>,
}

/// A person's account in the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What the app calls it.
    pub id: String,
    /// Its login name, in the app's spelling.
    pub login: String,
}
