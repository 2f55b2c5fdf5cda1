//! What waits, in the order in which it happened.

use std::time::Duration;

use redb::{ReadableTable as _, TableDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Webhook;
use crate::clock::Timestamp;
use crate::crypto::random_token;
use crate::storage::{Along, StorageError, table};

/// JSON of a [`Queued`], by number.
const WAITING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("webhook_queue");
/// The same of those that nobody took.
const ASIDE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("webhook_aside");
/// The number of the last message ever.
const LAST: TableDefinition<'_, (), u64> = TableDefinition::new("webhook_last");
/// Longest pause between two tries.
const LONGEST: Duration = Duration::from_hours(2);
/// Messages that are looked at for one round of posting.
const LOOK: usize = 20_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Message {
    /// `user.created`, `group.deleted`, …
    pub kind: &'static str,
    /// Of whom: messages of one are posted one after the other.
    pub about: String,
    /// What is told.
    pub data: Value,
}

/// A message that waits, or was put aside.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queued {
    /// Its place, and the `sequence` of its body: higher than that of any message before; 0 before it has one.
    #[serde(default)]
    pub number: u64,
    /// `webhook-id`: the same at every try.
    pub id: String,
    /// Of whom.
    pub about: String,
    /// What is posted.
    pub body: String,
    /// When it happened.
    pub at: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// Not before.
    pub due: Timestamp,
    /// What was met last.
    pub why: String,
}

impl Webhook {
    /// Rows that queue these, to be written with what they tell of; then [`Self::committed`].
    pub fn queue(&self, messages: Vec<Message>, now: Timestamp) -> Along {
        if messages.is_empty() {
            return Along::default();
        }
        Along::new(move |transaction| {
            let mut rows = transaction.open_table(WAITING)?;
            let aside = transaction.open_table(ASIDE)?;
            let last =
                |found: Option<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>)>| {
                    found.map_or(0, |(number, _)| number.value())
                };
            let mut counter = transaction.open_table(LAST)?;
            let ever = counter.get(())?.map_or(0, |number| number.value());
            let mut number = ever.max(last(rows.last()?)).max(last(aside.last()?));
            for Message { kind, about, data } in messages {
                number = number.saturating_add(1);
                let body = serde_json::json!({
                    "type": kind, "timestamp": now.to_rfc3339(), "sequence": number, "data": data,
                });
                let queued = Queued {
                    number,
                    id: format!("msg_{}", random_token()),
                    about,
                    body: body.to_string(),
                    at: now,
                    attempts: 0,
                    due: now,
                    why: String::new(),
                };
                rows.insert(number, serde_json::to_vec(&queued)?.as_slice())?;
            }
            counter.insert((), number)?;
            Ok(())
        })
    }

    /// What was queued is committed: it is posted now, not at the next look. Said before, it would be looked for in vain.
    pub fn committed(&self) {
        self.woken.notify_one();
    }

    /// What waits, oldest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn waiting(&self, most: usize) -> Result<Vec<Queued>, StorageError> {
        self.store
            .read(move |snapshot| rows(snapshot, WAITING, most))
            .await
    }

    /// What nobody took, oldest first.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn aside(&self, most: usize) -> Result<Vec<Queued>, StorageError> {
        self.store
            .read(move |snapshot| rows(snapshot, ASIDE, most))
            .await
    }

    /// The first that waits of each, as far as they are due.
    pub(super) async fn due(&self, now: Timestamp) -> Result<(Vec<Queued>, usize), StorageError> {
        let all = self.waiting(LOOK).await?;
        let count = all.len();
        let mut seen = std::collections::BTreeSet::new();
        let first = all
            .into_iter()
            .filter(|queued| seen.insert(queued.about.clone()));
        Ok((first.filter(|queued| queued.due <= now).collect(), count))
    }

    /// It was taken.
    pub(super) async fn taken(&self, number: u64) -> Result<(), StorageError> {
        let job = move |transaction: &redb::WriteTransaction| {
            transaction.open_table(WAITING)?.remove(number)?;
            Ok::<_, StorageError>(())
        };
        self.store.write(job).await
    }

    /// It was not: later, or never again by itself.
    pub(super) async fn refused(
        &self,
        queued: Queued,
        wait: Option<Duration>,
        now: Timestamp,
        why: String,
    ) -> Result<(), StorageError> {
        let attempts = queued.attempts.saturating_add(1);
        let pause = Duration::from_secs(5).saturating_mul(
            1_u32
                .checked_shl(queued.attempts.min(16))
                .unwrap_or(u32::MAX),
        );
        // What the receiver asks for, but no sooner: its tries would be over in a minute.
        let pause = wait.unwrap_or_default().max(pause).min(LONGEST);
        let over = attempts >= self.settings.attempts;
        let queued = Queued {
            attempts,
            due: now.plus(pause),
            why,
            ..queued
        };
        if over {
            tracing::error!(
                id = queued.id,
                about = queued.about,
                why = queued.why,
                "a webhook message is put aside: nobody takes it"
            );
        }
        let job = move |transaction: &redb::WriteTransaction| {
            let json = serde_json::to_vec(&queued)?;
            let mut waiting = transaction.open_table(WAITING)?;
            if over {
                waiting.remove(queued.number)?;
                transaction
                    .open_table(ASIDE)?
                    .insert(queued.number, json.as_slice())?;
            } else {
                waiting.insert(queued.number, json.as_slice())?;
            }
            Ok::<_, StorageError>(())
        };
        self.store.write(job).await
    }

    /// Puts those that were put aside back, all or the one of this id. Gives how many.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn again(&self, id: Option<&str>, now: Timestamp) -> Result<usize, StorageError> {
        let chosen = self.chosen(id).await?;
        let count = chosen.len();
        let job = move |transaction: &redb::WriteTransaction| {
            let mut waiting = transaction.open_table(WAITING)?;
            let mut aside = transaction.open_table(ASIDE)?;
            for queued in chosen {
                aside.remove(queued.number)?;
                let queued = Queued {
                    attempts: 0,
                    due: now,
                    ..queued
                };
                waiting.insert(queued.number, serde_json::to_vec(&queued)?.as_slice())?;
            }
            Ok::<_, StorageError>(())
        };
        self.store.write(job).await?;
        self.woken.notify_one();
        Ok(count)
    }

    /// Forgets those that were put aside, all or the one of this id. Gives how many.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn forget(&self, id: Option<&str>) -> Result<usize, StorageError> {
        let chosen = self.chosen(id).await?;
        let count = chosen.len();
        let job = move |transaction: &redb::WriteTransaction| {
            let mut aside = transaction.open_table(ASIDE)?;
            for queued in chosen {
                aside.remove(queued.number)?;
            }
            Ok::<_, StorageError>(())
        };
        self.store.write(job).await?;
        Ok(count)
    }

    async fn chosen(&self, id: Option<&str>) -> Result<Vec<Queued>, StorageError> {
        let mut all = self.aside(LOOK).await?;
        all.retain(|queued| id.is_none_or(|id| id == queued.id));
        Ok(all)
    }
}

fn rows(
    snapshot: &redb::ReadTransaction,
    definition: TableDefinition<'_, u64, &'static [u8]>,
    most: usize,
) -> Result<Vec<Queued>, StorageError> {
    let mut found = Vec::new();
    let Some(rows) = table(snapshot, definition)? else {
        return Ok(found);
    };
    for row in rows.iter()?.take(most) {
        let (_, value) = row?;
        found.push(serde_json::from_slice(value.value())?);
    }
    Ok(found)
}
