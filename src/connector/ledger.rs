//! What lasts beside the directory: whose record is whose in the app, and what was begun and is not known to be done.

use redb::{ReadableTable as _, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::crypto::{SealError, SealKey, Sealed};
use crate::identity::TenantSlug;
use crate::secret::Secret;
use crate::storage::{Along, Embedded, StorageError, table};

/// JSON of a [`Link`], by kind, tenant and our id.
pub(super) const LINKS: TableDefinition<'_, (&str, &str, &str), &[u8]> =
    TableDefinition::new("connector_links");
/// Tenant and our id, by kind and the app's id.
pub(super) const OWNERS: TableDefinition<'_, (&str, &str), (&str, &str)> =
    TableDefinition::new("connector_owners");
/// JSON of an [`Intent`], by kind, tenant and our id.
pub(super) const INTENTS: TableDefinition<'_, (&str, &str, &str), &[u8]> =
    TableDefinition::new("connector_intents");

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person.
    User,
    /// A group.
    Group,
}

/// A record of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Of what.
    pub kind: Kind,
    /// Whose.
    pub tenant: TenantSlug,
    /// Its id with us.
    pub id: String,
}

/// Its record in the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the app calls it.
    pub app_id: String,
    /// What the app holds as the key, in its spelling: the login name.
    pub login: String,
    /// It was finished after its client had gone away: the client asks again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
    /// The password that we made for it, where we sign in there for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
}

/// Something begun in the app that is not known to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// A record that shall be made, as it shall be; none: the app is to hold what the directory holds, which may be nothing.
    pub create: Option<Value>,
    /// The app's id, once it is known.
    pub app_id: Option<String>,
    /// The password that the record is made with: so that a crash in between does not lose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// Keys that the app's record may have by now: of changes whose answer is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// When it was begun.
    pub since: Timestamp,
    /// When it was tried last.
    pub tried: Timestamp,
    /// How often it was tried again.
    pub attempts: u32,
    /// What was met last.
    pub why: String,
}

impl Intent {
    /// The app is to hold what the directory holds.
    pub const fn sync(app_id: Option<String>, since: Timestamp) -> Self {
        Self {
            create: None,
            app_id,
            password: None,
            names: Vec::new(),
            since,
            tried: since,
            attempts: 0,
            why: String::new(),
        }
    }

    /// The name of the record that is being made.
    pub fn name(&self) -> Option<&str> {
        let record = self.create.as_ref()?;
        let name = record
            .get("user_name")
            .or_else(|| record.get("display_name"));
        name?.as_str()
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

impl Owner {
    /// A person or group of ours.
    pub fn new(kind: Kind, tenant: &TenantSlug, id: impl std::fmt::Display) -> Self {
        Self {
            kind,
            tenant: tenant.clone(),
            id: id.to_string(),
        }
    }

    fn key(&self) -> (&str, &str, &str) {
        (self.kind.word(), self.tenant.as_str(), &self.id)
    }

    /// What a sealed password is bound to. Neither kinds nor tenants hold a line break.
    fn place(&self) -> String {
        format!(
            "{}\n{}\n{}",
            self.kind.word(),
            self.tenant.as_str(),
            self.id
        )
    }
}

/// What lasts beside the directory.
#[derive(Clone)]
pub struct Ledger {
    pub(super) store: Embedded,
    key: SealKey,
}

impl Ledger {
    /// In this store; passwords are sealed with this key.
    pub const fn new(store: Embedded, key: SealKey) -> Self {
        Self { store, key }
    }

    /// A password as it lasts: for this owner's rows alone.
    ///
    /// # Errors
    ///
    /// The library refused.
    pub fn seal(&self, owner: &Owner, password: &Secret) -> Result<Sealed, SealError> {
        self.key.seal(password, &owner.place())
    }

    /// The password that was sealed for this owner.
    ///
    /// # Errors
    ///
    /// Another key sealed it, or it is another row's.
    pub fn open(&self, owner: &Owner, sealed: &Sealed) -> Result<Secret, SealError> {
        self.key.open(sealed, &owner.place())
    }

    /// The app's record of one of ours.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn link(&self, owner: &Owner) -> Result<Option<Link>, StorageError> {
        let owner = owner.clone();
        let read = move |snapshot: &redb::ReadTransaction| {
            let Some(rows) = table(snapshot, LINKS)? else {
                return Ok(None);
            };
            let row = rows.get(owner.key())?;
            Ok::<_, StorageError>(
                row.map(|row| serde_json::from_slice(row.value()))
                    .transpose()?,
            )
        };
        self.store.read(read).await
    }

    /// Whose a record of the app is.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn owner(&self, kind: Kind, app_id: &str) -> Result<Option<Owner>, StorageError> {
        let app_id = app_id.to_owned();
        let read = move |snapshot: &redb::ReadTransaction| {
            let Some(rows) = table(snapshot, OWNERS)? else {
                return Ok(None);
            };
            let row = rows.get((kind.word(), app_id.as_str()))?;
            let owner = row.and_then(|row| {
                let (tenant, id) = row.value();
                Some(Owner {
                    kind,
                    tenant: TenantSlug::try_from(tenant).ok()?,
                    id: id.to_owned(),
                })
            });
            Ok::<_, StorageError>(owner)
        };
        self.store.read(read).await
    }

    /// All of a kind.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn links(&self, kind: Kind) -> Result<Vec<(Owner, Link)>, StorageError> {
        self.store
            .read(move |snapshot| rows(snapshot, LINKS, Some(kind)))
            .await
    }

    /// Everything that is not known to be done.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn intents(&self) -> Result<Vec<(Owner, Intent)>, StorageError> {
        self.store
            .read(|snapshot| rows(snapshot, INTENTS, None))
            .await
    }

    /// What is not known to be done of one record.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn intent(&self, owner: &Owner) -> Result<Option<Intent>, StorageError> {
        let owner = owner.clone();
        let read = move |snapshot: &redb::ReadTransaction| {
            let Some(rows) = table(snapshot, INTENTS)? else {
                return Ok(None);
            };
            let row = rows.get(owner.key())?;
            Ok::<_, StorageError>(
                row.map(|row| serde_json::from_slice(row.value()))
                    .transpose()?,
            )
        };
        self.store.read(read).await
    }

    /// Writes by itself.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn write(&self, along: Along) -> Result<(), StorageError> {
        self.store
            .write(move |transaction| along.write(transaction))
            .await
    }

    /// Ties a record of ours to one of the app; what it was tied to before is free.
    pub fn tie(owner: &Owner, link: &Link) -> Along {
        let (owner, link) = (owner.clone(), link.clone());
        Along::new(move |transaction| {
            let mut links = transaction.open_table(LINKS)?;
            let mut owners = transaction.open_table(OWNERS)?;
            let json = serde_json::to_vec(&link)?;
            let before = links.insert(owner.key(), json.as_slice())?;
            let before: Option<Link> =
                before.and_then(|row| serde_json::from_slice(row.value()).ok());
            if let Some(before) = before.filter(|before| before.app_id != link.app_id) {
                owners.remove((owner.kind.word(), before.app_id.as_str()))?;
            }
            owners.insert(
                (owner.kind.word(), link.app_id.as_str()),
                (owner.tenant.as_str(), owner.id.as_str()),
            )?;
            Ok(())
        })
    }

    /// Forgets the app's record of one of ours.
    pub fn untie(owner: &Owner) -> Along {
        let owner = owner.clone();
        Along::new(move |transaction| {
            let mut links = transaction.open_table(LINKS)?;
            let before = links.remove(owner.key())?;
            let before: Option<Link> =
                before.and_then(|row| serde_json::from_slice(row.value()).ok());
            if let Some(before) = before {
                transaction
                    .open_table(OWNERS)?
                    .remove((owner.kind.word(), before.app_id.as_str()))?;
            }
            Ok(())
        })
    }

    /// Notes what is begun. A password and names that were noted stay until it is settled: the record may have been made
    /// with them.
    pub fn intend(owner: &Owner, intent: &Intent) -> Along {
        let (owner, mut intent) = (owner.clone(), intent.clone());
        Along::new(move |transaction| {
            let mut rows = transaction.open_table(INTENTS)?;
            let before = rows.get(owner.key())?;
            let before: Option<Intent> =
                before.and_then(|row| serde_json::from_slice(row.value()).ok());
            if let Some(before) = before {
                intent.password = intent.password.or(before.password);
                let more = before.names.into_iter();
                let more: Vec<_> = more.filter(|name| !intent.names.contains(name)).collect();
                intent.names.extend(more);
            }
            let json = serde_json::to_vec(&intent)?;
            rows.insert(owner.key(), json.as_slice())?;
            Ok(())
        })
    }

    /// It is done, or known to be undone.
    pub fn settle(owner: &Owner) -> Along {
        let owner = owner.clone();
        Along::new(move |transaction| {
            transaction.open_table(INTENTS)?.remove(owner.key())?;
            Ok(())
        })
    }
}

type Rows<'a> = TableDefinition<'a, (&'static str, &'static str, &'static str), &'static [u8]>;

fn rows<T: for<'de> Deserialize<'de>>(
    snapshot: &redb::ReadTransaction,
    definition: Rows<'_>,
    only: Option<Kind>,
) -> Result<Vec<(Owner, T)>, StorageError> {
    let mut found = Vec::new();
    let Some(rows) = table(snapshot, definition)? else {
        return Ok(found);
    };
    for row in rows.iter()? {
        let (key, value) = row?;
        let (word, tenant, id) = key.value();
        let kind = if word == Kind::User.word() {
            Kind::User
        } else {
            Kind::Group
        };
        let Ok(tenant) = TenantSlug::try_from(tenant) else {
            continue;
        };
        if only.is_none_or(|only| only == kind) {
            let owner = Owner {
                kind,
                tenant,
                id: id.to_owned(),
            };
            found.push((owner, serde_json::from_slice(value.value())?));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
