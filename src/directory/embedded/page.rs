//! Pages in the order of making: buckets that lie before a page are counted, not read.

use super::order::{BUCKET, Count, Mark, Order, bucket, first_of, number, text};
use super::read::Rows;
use super::rows::Key;
use crate::directory::{DirectoryError, PageFrom};
use crate::identity::TenantSlug;

/// A page of ids.
pub(super) struct Ids {
    pub(super) total: usize,
    pub(super) found: Vec<String>,
    pub(super) next: Option<u64>,
}

impl Order {
    /// A page of ids, and how many there are.
    pub(super) fn page(
        &self,
        rows: &impl Rows,
        tenant: &TenantSlug,
        from: PageFrom,
        limit: usize,
        managed_only: bool,
    ) -> Result<Ids, DirectoryError> {
        let mut walk = Walk {
            beginning: self.at.all(tenant, &[])?,
            managed_only,
            skip: 0,
            after: None,
            found: Vec::new(),
            // One more than asked for tells whether there is another page.
            wanted: limit.saturating_add(1),
        };
        match from {
            PageFrom::Index(index) => walk.skip = index,
            PageFrom::After(place) => walk.after = Some(place),
        }
        let counts = self.count.all(tenant, &[])?;
        let mut total: usize = 0;
        for (name, row) in rows.list(&counts, &counts, usize::MAX)? {
            let row = String::from_utf8(row).unwrap_or_default();
            let (Some(bucket), Some(count)) = (number(&name), Count::read(&row)) else {
                continue;
            };
            let here = count.of(managed_only);
            total = total.saturating_add(here);
            walk.pass(rows, bucket, here)?;
        }
        let more = walk.found.len() > limit;
        walk.found.truncate(limit);
        Ok(Ids {
            total,
            next: walk.found.last().filter(|_| more).map(|(place, _)| *place),
            found: walk.found.into_iter().map(|(_, id)| id).collect(),
        })
    }
}

/// On the way through the buckets to a page.
struct Walk {
    beginning: Key,
    managed_only: bool,
    skip: usize,
    after: Option<u64>,
    found: Vec<(u64, String)>,
    wanted: usize,
}

impl Walk {
    /// Takes what belongs to the page out of a bucket; one that lies before it is not looked into.
    fn pass(&mut self, rows: &impl Rows, here: u64, count: usize) -> Result<(), DirectoryError> {
        let behind = self.after.is_some_and(|after| bucket(after) > here);
        if self.found.len() >= self.wanted || count == 0 || behind {
            return Ok(());
        }
        if self.skip >= count {
            self.skip = self.skip.saturating_sub(count);
            return Ok(());
        }
        let first = first_of(here);
        let first = self
            .after
            .map_or(first, |after| first.max(after.saturating_add(1)));
        let mut from = self.beginning.clone();
        from.0.extend_from_slice(text(first).as_bytes());
        let missing = self.wanted.saturating_sub(self.found.len());
        let read = if self.managed_only {
            BUCKET
        } else {
            self.skip.saturating_add(missing).min(BUCKET)
        };
        for (at, row) in rows.list(&self.beginning, &from, read)? {
            let row = String::from_utf8(row).unwrap_or_default();
            let (Some(place), Some((mark, id))) = (number(&at), Mark::read(&row)) else {
                continue;
            };
            if bucket(place) != here || self.found.len() >= self.wanted {
                break;
            }
            if self.managed_only && mark != Mark::Managed {
                continue;
            }
            if self.skip > 0 {
                self.skip = self.skip.saturating_sub(1);
            } else {
                self.found.push((place, id.to_owned()));
            }
        }
        Ok(())
    }
}
