//! What fits a question so far: the page alone, or everything when it must be sorted first.

use serde_json::{Map, Value};

use super::record::Record;
use super::schema::ResourceType;
use super::sort::Sort;

/// Which part of what fits is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// So many are left out before it.
    pub(super) skip: usize,
    /// So many are wanted.
    pub(super) count: usize,
}

/// What fits so far. Records are kept, and not what answers show of them: that is read for the page alone.
pub(super) struct Fitting {
    total: usize,
    /// With what is sorted by.
    kept: Vec<(Map<String, Value>, Record)>,
    cut: Cut,
    sorted: bool,
}

/// The part that was asked for.
pub(super) struct Fitted {
    pub(super) total: usize,
    pub(super) records: Vec<Record>,
    /// How many come before the next page; none on the last one.
    pub(super) next: Option<usize>,
}

impl Fitting {
    pub(super) const fn new(cut: Cut, sorted: bool) -> Self {
        Self {
            total: 0,
            kept: Vec::new(),
            cut,
            sorted,
        }
    }

    pub(super) fn add(&mut self, resource: Map<String, Value>, record: &Record) {
        let Cut { skip, count } = self.cut;
        let on_page = self.total >= skip && self.total.saturating_sub(skip) < count;
        if self.sorted {
            self.kept.push((resource, record.clone()));
        } else if on_page {
            self.kept.push((Map::new(), record.clone()));
        }
        self.total = self.total.saturating_add(1);
    }

    pub(super) fn cut(mut self, sort: Option<&Sort>, kind: &ResourceType) -> Fitted {
        let Cut { skip, count } = self.cut;
        let mut before = 0;
        if let Some(sort) = sort {
            sort.sort(&mut self.kept, kind);
            before = skip;
        }
        let records = self.kept.into_iter().map(|(_, record)| record);
        let records: Vec<_> = records.skip(before).take(count).collect();
        let given = skip.saturating_add(records.len());
        let more = given < self.total && !records.is_empty();
        Fitted {
            total: self.total,
            records,
            next: more.then_some(given),
        }
    }
}
