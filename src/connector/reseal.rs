//! Kept passwords, sealed anew under another key.

use redb::{ReadableTable as _, TableDefinition};
use serde_json::Value;

use super::ledger::{INTENTS, LINKS, Ledger, Owner, rows};
use crate::crypto::{SealKeys, Sealed};
use crate::storage::StorageError;

/// Rows of one commit.
const ROWS: usize = 256;
const PASSWORD: &str = "password";

/// By kind, tenant and our id: JSON with a password in it, or none.
type Rows = TableDefinition<'static, (&'static str, &'static str, &'static str), &'static [u8]>;

/// What became of the passwords that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed under the key of now.
    pub anew: usize,
    /// No key that is here opens them; they stay as they are.
    pub lost: usize,
}

impl Ledger {
    /// Seals anew under the key of now what the one before it sealed, some rows a commit. Each row is either as it was or
    /// sealed anew, and opens with one of the two, wherever the machine stops; the next time goes on from there.
    ///
    /// # Errors
    ///
    /// The store failed; what is sealed anew stays so.
    pub async fn reseal(&self) -> Result<Resealed, StorageError> {
        let mut done = Resealed::default();
        for (table, name) in [(LINKS, "links"), (INTENTS, "intents")] {
            let (old, lost) = self.not_of_now(table).await?;
            done.lost = done.lost.saturating_add(lost);
            if !old.is_empty() {
                tracing::info!(
                    passwords = old.len(),
                    rows = name,
                    "kept passwords are of the previous key: sealing them anew"
                );
            }
            for some in old.chunks(ROWS) {
                self.reseal_some(table, some.to_vec()).await?;
                done.anew = done.anew.saturating_add(some.len());
                tracing::debug!(passwords = done.anew, "sealed anew so far");
            }
        }
        if done.anew > 0 {
            tracing::info!(
                passwords = done.anew,
                "kept passwords are sealed anew; the previous key opens nothing more in this store"
            );
        }
        if done.lost > 0 {
            tracing::warn!(
                passwords = done.lost,
                "kept passwords are sealed with a key that is not here: bring it back, or name it as storage.previous_seal_key_file"
            );
        }
        Ok(done)
    }

    /// Whose passwords the previous key opens, and how many no key does.
    async fn not_of_now(&self, table: Rows) -> Result<(Vec<Owner>, usize), StorageError> {
        let keys = self.keys.clone();
        let read = move |snapshot: &redb::ReadTransaction| {
            let (mut old, mut lost) = (Vec::new(), 0_usize);
            for (owner, row) in rows::<Value>(snapshot, table, None)? {
                match sealed(&row).map(|sealed| (keys.seals(&sealed), keys.opens(&sealed))) {
                    None | Some((true, _)) => {}
                    Some((false, true)) => old.push(owner),
                    Some((false, false)) => lost = lost.saturating_add(1),
                }
            }
            Ok::<_, StorageError>((old, lost))
        };
        self.store.read(read).await
    }

    /// All of these, or none.
    async fn reseal_some(&self, table: Rows, owners: Vec<Owner>) -> Result<(), StorageError> {
        let keys = self.keys.clone();
        let write = move |transaction: &redb::WriteTransaction| {
            let mut rows = transaction.open_table(table)?;
            for owner in &owners {
                let row = rows.get(owner.key())?;
                let row = row.map(|row| serde_json::from_slice::<Value>(row.value()));
                // Gone, or written meanwhile.
                let Some(row) = row.transpose()? else {
                    continue;
                };
                let Some(row) = renewed(&keys, owner, row) else {
                    continue;
                };
                rows.insert(owner.key(), serde_json::to_vec(&row)?.as_slice())?;
            }
            Ok::<_, StorageError>(())
        };
        self.store.write(write).await
    }
}

fn sealed(row: &Value) -> Option<Sealed> {
    let sealed = row.get(PASSWORD).filter(|sealed| sealed.is_string())?;
    serde_json::from_value(sealed.clone()).ok()
}

/// The row with its password sealed anew; none where that is not to be done, or cannot be.
fn renewed(keys: &SealKeys, owner: &Owner, mut row: Value) -> Option<Value> {
    let before = sealed(&row).filter(|sealed| !keys.seals(sealed))?;
    let place = owner.place();
    let text = keys.open(&before, &place).ok()?;
    let anew = serde_json::to_value(keys.seal(&text, &place).ok()?).ok()?;
    row.as_object_mut()?.insert(PASSWORD.to_owned(), anew);
    Some(row)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Timestamp;
    use crate::connector::{Intent, Kind, Link};
    use crate::crypto::SealKey;
    use crate::identity::TenantSlug;
    use crate::metrics::Metrics;
    use crate::secret::Secret;
    use crate::storage::Embedded;

    const MANY: usize = 600;

    fn owner(number: usize) -> Owner {
        Owner::new(Kind::User, &TenantSlug::default(), number)
    }

    fn password(number: usize) -> Secret {
        Secret::new(format!("password {number}"))
    }

    /// With the passwords of many people, and of one who is being made, sealed with this key.
    async fn filled(store: &Embedded, key: &SealKey) -> Ledger {
        let ledger = Ledger::new(store.clone(), key.clone());
        let mut all = crate::storage::Along::default();
        for number in 0..MANY {
            let owner = owner(number);
            let link = Link {
                app_id: number.to_string(),
                login: number.to_string(),
                unconfirmed: number == 7,
                password: (number != 8).then(|| ledger.seal(&owner, &password(number)).unwrap()),
            };
            all = all.and(Ledger::tie(&owner, &link));
        }
        let intent = Intent {
            password: ledger.seal(&owner(MANY), &password(MANY)).ok(),
            ..Intent::sync(Timestamp::from_secs(1))
        };
        ledger
            .write(all.and(Ledger::intend(&owner(MANY), &intent)))
            .await
            .unwrap();
        ledger
    }

    /// How many of the passwords this one opens, all of them right.
    async fn opened(ledger: &Ledger) -> usize {
        let mut all: Vec<_> = ledger
            .links(Kind::User)
            .await
            .unwrap()
            .into_iter()
            .map(|(owner, link)| (owner, link.password))
            .collect();
        all.extend(
            ledger
                .intents()
                .await
                .unwrap()
                .into_iter()
                .map(|(owner, intent)| (owner, intent.password)),
        );
        let opens = all.iter().filter_map(|(owner, sealed)| {
            let text = ledger.open(owner, sealed.as_ref()?).ok()?;
            assert_eq!(text.expose(), password(owner.id.parse().unwrap()).expose());
            Some(())
        });
        opens.count()
    }

    fn store() -> Embedded {
        Embedded::in_memory(Arc::new(Metrics::new())).unwrap()
    }

    #[tokio::test]
    async fn wherever_it_stops_every_row_opens_and_the_next_time_goes_on() {
        let (store, old, new) = (store(), SealKey::random(), SealKey::random());
        let before = filled(&store, &old).await;
        let keys = SealKeys::new(new.clone(), Some(old));
        let (both, after) = (Ledger::new(store.clone(), keys), Ledger::new(store, new));
        let mut left = both.not_of_now(LINKS).await.unwrap().0;
        assert_eq!((left.len(), opened(&both).await), (MANY - 1, MANY));
        // Cut off after any number of rows.
        for some in [1, 2, 100] {
            let (now, later) = left.split_at(some);
            both.reseal_some(LINKS, now.to_vec()).await.unwrap();
            left = later.to_vec();
            assert_eq!(opened(&both).await, MANY, "with both");
            assert_eq!(
                opened(&before).await,
                left.len() + 1,
                "with the old one alone"
            );
        }
        let done = both.reseal().await.unwrap();
        assert_eq!(
            done,
            Resealed {
                anew: left.len() + 1,
                lost: 0
            }
        );
        assert_eq!((opened(&after).await, opened(&before).await), (MANY, 0));
        let rest = after.link(&owner(7)).await.unwrap().unwrap();
        assert!(rest.unconfirmed, "nothing else is changed");
        assert_eq!(both.reseal().await.unwrap(), Resealed::default(), "once");
        assert_eq!(after.reseal().await.unwrap(), Resealed::default());
    }

    #[tokio::test]
    async fn what_no_key_opens_is_counted_and_left() {
        let (store, old) = (store(), SealKey::random());
        let before = filled(&store, &old).await;
        for previous in [None, Some(SealKey::random())] {
            let other = Ledger::new(store.clone(), SealKeys::new(SealKey::random(), previous));
            let done = other.reseal().await.unwrap();
            assert_eq!(
                done,
                Resealed {
                    anew: 0,
                    lost: MANY
                }
            );
            assert_eq!(opened(&before).await, MANY);
        }
    }
}
