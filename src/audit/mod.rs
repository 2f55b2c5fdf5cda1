//! What happened to people and their sessions, in a chain of hashes that shows when somebody cut it.
//!
//! An entry's hash is taken over the hash before it and the entry's JSON up to `,"hash":`, so that
//! the chain can be checked from a copy of the lines with `sha256sum` alone. The first follows 64 zeros.

mod chain;
mod sink;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Clock, Timestamp};
use crate::storage::{Along, Embedded, StorageError};
use sink::Sink;

/// Entries that one call gives at most.
const PAGE: usize = 1000;

/// Something that happened. No secret ever stands in it (R41).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Event {
    /// `sign_in.ok`, `sign_in.refused`, `session.ended`, `user.created`, `user.changed`, `user.activated`,
    /// `user.deactivated`, `user.deleted`, `group.created`, `group.changed`, `group.deleted`, `link.created`, `password.set`, `request.refused`,
    /// `settings.reloaded`, `key.rolled`, …
    pub action: String,
    /// Who did it: `idp:entra`, `local`, `cli:uid=0`, `scim:NAME`, `system`.
    pub actor: String,
    /// Tenant, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The person's id, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The person's user name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The session's public id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The problem's code, or why it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Client address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// Id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The SCIM client's own id of what it did: Entra's `ActivityId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_id: Option<String>,
    /// The SCIM client's identifier of the person or group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The group's id, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The group's display name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// What changed, by attribute: `{"userName": {"before": …, "after": …}}`, for members
    /// `{"members": {"added": [id…], "removed": [id…]}}`. Long values are cut. Never a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Value>,
}

impl Event {
    /// Ids of the people whose history it belongs to.
    fn people(&self) -> impl Iterator<Item = &str> {
        let members = self.changes.as_ref().and_then(|its| its.get("members"));
        let listed = move |which: &str| members.and_then(|its| its.get(which)?.as_array());
        let listed = [listed("added"), listed("removed")].into_iter().flatten();
        let listed = listed.flatten().filter_map(Value::as_str);
        self.user.as_deref().into_iter().chain(listed)
    }
}

/// An event in the chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// Hex SHA-256 over the previous hash and this entry without its hash.
    pub hash: String,
}

/// What checking the chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All entries follow from each other.
    Whole {
        /// How many were checked.
        entries: u64,
    },
    /// The first entry that does not follow from the one before.
    Broken {
        /// Its number.
        number: u64,
    },
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this person, by the user name at that time, byte for byte.
    pub user_name: Option<String>,
    /// Of this person, by id: also what became of their memberships.
    pub user: Option<String>,
    /// Whose action starts so, such as `user.`.
    pub action: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Numbered below this: the next page after the last entry of one.
    pub before: Option<u64>,
}

impl Filter {
    fn fits(&self, entry: &Entry) -> bool {
        let Event {
            action, user_name, ..
        } = &entry.event;
        self.user_name
            .as_ref()
            .is_none_or(|name| user_name.as_ref() == Some(name))
            && self
                .action
                .as_ref()
                .is_none_or(|start| action.starts_with(start.as_str()))
    }
}

/// The chain.
pub struct Audit {
    store: Embedded,
    clock: Arc<dyn Clock>,
    sink: Option<Arc<Sink>>,
    retention: Duration,
}

impl Audit {
    /// In this store, and also to a file as JSON lines (mode 0600). The file is opened again for
    /// each entry, so that it can be moved away; entries missing at its end are added.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn new(
        store: Embedded,
        clock: Arc<dyn Clock>,
        file: Option<PathBuf>,
        retention: Duration,
    ) -> Result<Self, StorageError> {
        let sink = file
            .map(|file| Sink::start(store.clone(), &file).map(Arc::new))
            .transpose()?;
        Ok(Self {
            store,
            clock,
            sink,
            retention,
        })
    }

    /// The same chain by new settings. A file of the same path goes on where it is, with what it is behind.
    ///
    /// # Errors
    ///
    /// Another file cannot be opened.
    pub fn renewed(
        &self,
        file: Option<PathBuf>,
        retention: Duration,
    ) -> Result<Self, StorageError> {
        let same = |sink: &&Arc<Sink>| Some(sink.path()) == file.as_deref();
        let (store, clock) = (self.store.clone(), Arc::clone(&self.clock));
        match self.sink.as_ref().filter(same) {
            Some(sink) => Ok(Self {
                store,
                clock,
                sink: Some(Arc::clone(sink)),
                retention,
            }),
            None => Self::new(store, clock, file, retention),
        }
    }

    /// Appends; durable when it returns.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn write(&self, event: Event) -> Result<(), StorageError> {
        self.with(vec![event], |entries| {
            self.store.write(|transaction| entries.write(transaction))
        })
        .await
    }

    /// Appends in the commit of another write: `write` takes the entries along. They are there exactly when what
    /// they tell of is, and whoever waits for it waits for one commit.
    ///
    /// # Errors
    ///
    /// What `write` says; nothing was appended then.
    pub async fn with<T, E, W>(
        &self,
        events: Vec<Event>,
        write: impl FnOnce(Along) -> W,
    ) -> Result<T, E>
    where
        W: Future<Output = Result<T, E>>,
    {
        let at = self.clock.now();
        let append = move |transaction: &redb::WriteTransaction| {
            let mut events = events.iter();
            events.try_for_each(|event| chain::append(transaction, at, event))
        };
        let done = write(Along::new(append)).await?;
        if let Some(sink) = &self.sink {
            sink.wake();
        }
        Ok(done)
    }

    /// The newest entries, newest first, at most `limit`, never more than 1000.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn newest(&self, limit: usize) -> Result<Vec<Entry>, StorageError> {
        self.find(Filter::default(), limit).await
    }

    /// The newest entries that are asked for, newest first, at most `limit`, never more than 1000.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn find(&self, filter: Filter, limit: usize) -> Result<Vec<Entry>, StorageError> {
        let limit = limit.min(PAGE);
        self.store
            .read(move |snapshot| chain::find(snapshot, &filter, limit))
            .await
    }

    /// The entries behind a number as lines of JSON, oldest first, at most 1000: for exports.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn lines(&self, after: u64) -> Result<Vec<(u64, String)>, StorageError> {
        self.store
            .read(move |snapshot| chain::lines(snapshot, after, PAGE))
            .await
    }

    /// Checks the whole chain.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn verify(&self) -> Result<Verdict, StorageError> {
        self.store.read(chain::verify).await
    }

    /// Removes what is older than the retention, from the oldest on; the rest stays a chain. Gives
    /// how many went. To be called about once an hour.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn prune(&self) -> Result<u64, StorageError> {
        let before = self.clock.now().minus(self.retention);
        let mut removed: u64 = 0;
        // Looked at first, because a write costs a commit even when there is nothing to do.
        while self
            .store
            .read(move |it| chain::is_older(it, before))
            .await?
        {
            let prune = move |it: &redb::WriteTransaction| chain::prune(it, before, PAGE);
            removed = removed.saturating_add(self.store.write(prune).await?);
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod along_tests;
#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
