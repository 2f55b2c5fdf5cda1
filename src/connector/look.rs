//! What the first page of the app's lists shows of the connector: whether ids and fields stand where it says.

use super::pages;
use super::records::Records;
use super::{AppFailure, Connector};
use crate::config::Field;

/// What the first page of a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
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
    /// What the app shows of people (`users.list`) and of groups (`groups.list`), each by the first page; the app's failure
    /// where it could not be read.
    pub async fn look(&self) -> Vec<(String, Result<Shown, AppFailure>)> {
        let people = Records {
            wire: &self.wire,
            kind: &self.users.kind,
            active: Some(&self.users.active),
        };
        let groups = self.groups.as_ref().map(|groups| Records {
            kind: &groups.kind,
            active: None,
            ..people
        });
        let mut all = Vec::new();
        for records in std::iter::once(people).chain(groups) {
            let name = records.kind.list.operation.name.clone();
            all.push((name, records.look().await));
        }
        all
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
