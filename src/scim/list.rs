//! Lists: an index where there is one, else a bounded look at everybody (RFC 7644 3.4.2; RFC 9865).

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::call::Call;
use super::filter::{Filter, Lookup, Test};
use super::fitting::{Cut, Fitting};
use super::query::Query;
use super::record::Record;
use super::route::Kind;
use super::schema::Schemas;
use super::sort::Sort;
use super::wanted::{Members, Wanted};
use super::{Projection, Scim, ScimError, ScimType};
use crate::directory::{MOST_FOUND, PageFrom};

/// Schema of a list (RFC 7644 3.4.2).
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Resources read at once.
const CHUNK: usize = 500;
/// Questions without an index at once; more wait.
const SCANS: usize = 2;

/// One page, and what stands around it.
struct Page {
    total: usize,
    resources: Vec<Value>,
    next: Option<String>,
}

/// What one question asks of each resource.
struct Question<'q> {
    kind: Kind,
    lookup: Lookup,
    test: Option<Test>,
    sort: Option<Sort>,
    looked_at: Wanted,
    projection: &'q Projection,
    start: Start,
    count: usize,
}

impl Question<'_> {
    /// What an answer shows.
    fn shown(&self, schemas: &Schemas) -> Wanted {
        Wanted::shown(self.projection, schemas)
    }
}

/// Where a page starts.
#[derive(Clone, Copy)]
enum Start {
    /// Behind so many.
    Index(usize),
    /// Behind this place in the order of making.
    After(u64),
}

/// Keeps questions without an index from taking all memory.
pub(super) struct Scans(Semaphore);

impl Default for Scans {
    fn default() -> Self {
        Self(Semaphore::new(SCANS))
    }
}

impl Scim {
    /// Answers a list of people, of groups, or of both.
    ///
    /// # Errors
    ///
    /// `invalidFilter`, `invalidValue`, `invalidCursor`, `tooMany`; the directory failed.
    #[expect(clippy::too_many_lines, reason = "one walk, read from top to bottom")]
    pub(super) async fn list(
        &self,
        call: &Call,
        kind: Option<Kind>,
        query: &Query,
    ) -> Result<Value, ScimError> {
        let settings = &self.settings.scim;
        let largest = settings.max_page_size as usize;
        let count = query
            .count
            .unwrap_or(settings.page_size as usize)
            .min(largest);
        let filter = query
            .filter
            .as_deref()
            .filter(|text| !text.trim().is_empty());
        let filter: Option<Filter> = filter.map(str::parse).transpose()?;
        let projection = query.projection()?;
        let start = start(query)?;
        let kinds = match kind {
            Some(kind) => vec![kind],
            None => vec![Kind::User, Kind::Group],
        };
        let both = kinds.len() > 1;
        let mut all = Page {
            total: 0,
            resources: Vec::new(),
            next: None,
        };
        let mut skip = match start {
            Start::Index(index) => index,
            Start::After(_) if both => {
                return Err(ScimError::of(
                    ScimType::InvalidCursor,
                    "cursor: pages of all kinds of resources go by startIndex",
                ));
            }
            Start::After(_) => 0,
        };
        for kind in kinds {
            let of = kind.of(&self.schemas);
            let (filter, sort) = (filter.as_ref(), query.sort()?);
            let question = Question {
                kind,
                lookup: filter.map_or(Lookup::Everything, |filter| filter.lookup(of)),
                test: filter.map(|filter| filter.prepare(of)).transpose()?,
                looked_at: Wanted::looked_at(of, filter, sort.as_ref()),
                sort,
                projection: &projection,
                start: if both { Start::Index(skip) } else { start },
                count: count.saturating_sub(all.resources.len()),
            };
            let page = self.page(call, &question).await?;
            skip = skip.saturating_sub(page.total);
            all.total = all.total.saturating_add(page.total);
            all.resources.extend(page.resources);
            all.next = page.next;
        }
        let mut list = json!({
            "schemas": [LIST],
            "totalResults": all.total,
            "itemsPerPage": all.resources.len(),
            "Resources": all.resources,
        });
        if let Some(list) = list.as_object_mut() {
            match (&query.cursor, all.next) {
                (Some(_), Some(next)) => drop(list.insert("nextCursor".to_owned(), next.into())),
                (Some(_), None) => {}
                (None, _) => {
                    let index = query.start_index.unwrap_or(1);
                    list.insert("startIndex".to_owned(), index.into());
                }
            }
        }
        Ok(list)
    }

    async fn page(&self, call: &Call, question: &Question<'_>) -> Result<Page, ScimError> {
        match &question.lookup {
            Lookup::Everything if question.test.is_none() && question.sort.is_none() => {
                self.in_order(call, question).await
            }
            Lookup::Everything => {
                let _turn = self.scans.0.acquire().await;
                self.among(call, question, None).await
            }
            Lookup::Id(_)
            | Lookup::UserName(_)
            | Lookup::ExternalId(_)
            | Lookup::Email(_)
            | Lookup::DisplayName(_)
            | Lookup::Member(_)
            | Lookup::AnyOf(_) => {
                let records = self.found(call, question.kind, &question.lookup).await?;
                self.among(call, question, Some(records)).await
            }
        }
    }

    /// Everybody, in the order of making: a late page costs what an early one costs.
    async fn in_order(&self, call: &Call, question: &Question<'_>) -> Result<Page, ScimError> {
        let from = match question.start {
            Start::Index(index) => PageFrom::Index(index),
            Start::After(place) => PageFrom::After(place),
        };
        let mut chunk = self
            .chunk(call, question.kind, from, question.count)
            .await?;
        let fits = self
            .on_page(call, &chunk.records, &question.shown(&self.schemas))
            .await?;
        if fits < chunk.records.len() {
            chunk = self.chunk(call, question.kind, from, fits).await?;
        }
        Ok(Page {
            total: chunk.total,
            resources: self.shown(call, question, &chunk.records).await?,
            next: chunk.next.map(|place| format!("a{place}")),
        })
    }

    /// Those that fit, of some or of everybody; sorted and cut.
    async fn among(
        &self,
        call: &Call,
        question: &Question<'_>,
        records: Option<Vec<Record>>,
    ) -> Result<Page, ScimError> {
        let cut = Cut {
            skip: match question.start {
                Start::Index(index) => index,
                // A cursor of a question with a filter counts what it has given.
                Start::After(given) => usize::try_from(given).unwrap_or(usize::MAX),
            },
            count: question.count,
        };
        let mut fitting = Fitting::new(cut, question.sort.is_some());
        if let Some(records) = records {
            self.fit(call, question, &records, &mut fitting).await?;
        } else {
            self.fit_everybody(call, question, &mut fitting).await?;
        }
        let kind = question.kind.of(&self.schemas);
        let mut fitted = fitting.cut(question.sort.as_ref(), kind);
        let fits = self
            .on_page(call, &fitted.records, &question.shown(&self.schemas))
            .await?;
        if fits < fitted.records.len() {
            fitted.records.truncate(fits);
            fitted.next = Some(cut.skip.saturating_add(fits));
        }
        Ok(Page {
            total: fitted.total,
            resources: self.shown(call, question, &fitted.records).await?,
            next: fitted.next.map(|given| format!("i{given}")),
        })
    }

    async fn fit_everybody(
        &self,
        call: &Call,
        question: &Question<'_>,
        fitting: &mut Fitting,
    ) -> Result<(), ScimError> {
        let mut from = PageFrom::Index(0);
        let mut looked_at = 0_usize;
        loop {
            let chunk = self.chunk(call, question.kind, from, CHUNK).await?;
            looked_at = looked_at.saturating_add(chunk.records.len());
            if looked_at > MOST_FOUND {
                return Err(too_many());
            }
            self.fit(call, question, &chunk.records, fitting).await?;
            match chunk.next {
                Some(place) => from = PageFrom::After(place),
                None => return Ok(()),
            }
        }
    }

    async fn fit(
        &self,
        call: &Call,
        question: &Question<'_>,
        records: &[Record],
        fitting: &mut Fitting,
    ) -> Result<(), ScimError> {
        // All members of one group at a time, and no more.
        let at_once = match question.looked_at.members {
            Members::Everybody => 1,
            Members::Nobody | Members::These(_) => CHUNK,
        };
        for some in records.chunks(at_once) {
            let resources = self.rendered(call, some, &question.looked_at).await?;
            for (resource, record) in resources.into_iter().zip(some) {
                let test = question.test.as_ref();
                if test.is_none_or(|test| test.fits(&resource)) {
                    fitting.add(resource, record);
                }
            }
        }
        Ok(())
    }

    /// What is answered of a page.
    async fn shown(
        &self,
        call: &Call,
        question: &Question<'_>,
        records: &[Record],
    ) -> Result<Vec<Value>, ScimError> {
        let projection = question.projection;
        let wanted = question.shown(&self.schemas);
        let mut resources = self.rendered(call, records, &wanted).await?;
        for resource in &mut resources {
            projection.apply(resource, question.kind.of(&self.schemas));
        }
        Ok(resources.into_iter().map(Value::Object).collect())
    }
}

/// `cursor` wins over `startIndex`; ours say how they count: `a` a place in the order of making, `i` an index.
fn start(query: &Query) -> Result<Start, ScimError> {
    let index = query.start_index.unwrap_or(1).saturating_sub(1);
    let Some(cursor) = query.cursor.as_deref() else {
        return Ok(Start::Index(index));
    };
    let place = |text: &str| text.parse::<u64>().ok();
    if cursor.is_empty() {
        return Ok(Start::Index(0));
    }
    let indexed = query.filter.is_some() || query.sort_by.is_some();
    match (cursor.strip_prefix('a'), cursor.strip_prefix('i')) {
        (Some(rest), _) if !indexed => place(rest).map(Start::After),
        (_, Some(rest)) if indexed => place(rest).map(Start::After),
        _ => None,
    }
    .ok_or_else(|| {
        ScimError::of(
            ScimType::InvalidCursor,
            "cursor: not one that was given for this question",
        )
    })
}

/// The answer to a question that looks at too much.
pub(super) fn too_many() -> ScimError {
    ScimError::of(
        ScimType::TooMany,
        format!(
            "filter or sortBy looks at more than {MOST_FOUND} resources; \
             narrow it by id, userName, externalId, emails or displayName with eq"
        ),
    )
}
