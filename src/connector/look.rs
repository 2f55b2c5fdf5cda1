//! What the first page of the app's lists shows of the connector: whether ids and fields stand where it says.

use super::pages;
use super::records::Records;
use super::{AppFailure, Connector};
use crate::config::Field;

/// What the first page of a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `users.list` or `groups.list`.
    pub operation: String,
    /// Records on it.
    pub records: usize,
    /// Records in all, where the app tells.
    pub total: Option<usize>,
    /// Attributes that at least one of them holds.
    pub read: Vec<String>,
    /// Fields whose place is in none of them.
    pub nowhere: Vec<String>,
}

impl Connector {
    /// Asks the app for the first page of people, and of groups.
    ///
    /// # Errors
    ///
    /// Never as a whole: each list has its own answer.
    pub async fn look(&self) -> Vec<(String, Result<Shown, AppFailure>)> {
        let mut all = Vec::new();
        for records in [Some(self.people()), self.group_records()] {
            let Some(records) = records else { continue };
            let name = records.kind.list.operation.name.clone();
            all.push((name, records.look().await));
        }
        all
    }

    fn group_records(&self) -> Option<Records<'_>> {
        Some(Records {
            wire: &self.wire,
            kind: &self.groups.as_ref()?.kind,
            active: None,
        })
    }
}

impl Records<'_> {
    async fn look(&self) -> Result<Shown, AppFailure> {
        let listing = &self.kind.list;
        let page = pages::first(self.wire, listing, listing.size).await?;
        let mut held = Vec::new();
        for item in &page.items {
            let found = self.found(item.clone())?;
            if !listing.thin {
                held.push(found.record);
            } else if held.is_empty() {
                // One of them is enough to see where its fields are.
                held.extend(self.get(&found.id).await?.map(|found| found.record));
            }
        }
        let is_read = |field: &&Field| {
            let at = field.read.as_ref();
            at.is_some_and(|at| held.iter().any(|record| at.of(record).is_some()))
        };
        let fields = self.kind.fields.iter().filter(|field| field.read.is_some());
        let (read, nowhere): (Vec<_>, Vec<_>) = fields.partition(is_read);
        let attributes = read.into_iter().filter_map(|field| field.attribute.clone());
        Ok(Shown {
            operation: listing.operation.name.clone(),
            records: page.items.len(),
            total: page.total,
            read: attributes.collect(),
            nowhere: nowhere
                .into_iter()
                .map(|field| field.name.clone())
                .collect(),
        })
    }
}
