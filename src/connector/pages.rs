//! Lists of the app, page by page to their end.

use serde_json::Value;

use super::AppFailure;
use super::judge::{Reply, next_link};
use super::records::is_empty;
use super::render::{Context, written};
use super::wire::Wire;
use crate::config::{Called, Listing, Next, Style, Total};

/// Most records that one question reads.
const MAX_RECORDS: usize = 200_000;
/// Most pages of one list.
const MAX_PAGES: usize = if cfg!(test) { 30 } else { 20_000 };
/// What a list is not answered with.
pub(super) const NO_LIST: &str = "it answers 404 in place of its list";

/// Where the reading of one list stands.
#[derive(Default)]
struct Reading {
    /// Records so far.
    seen: usize,
    /// How many there are in all, by the latest page that tells.
    total: Option<usize>,
    /// Address of the next page, where pages have one.
    next: Option<String>,
}

/// All items of a list. One that ends before its own total, or does not end, is an error: half a list would read as
/// people who are gone.
pub(super) async fn items(
    wire: &Wire,
    listing: &Listing,
    context: &Context<'_>,
) -> Result<Vec<Value>, AppFailure> {
    let mut all: Vec<Value> = Vec::new();
    for called in &listing.operation.calls {
        one_list(wire, listing, called, context, &mut all).await?;
    }
    Ok(all)
}

async fn one_list(
    wire: &Wire,
    listing: &Listing,
    called: &Called,
    context: &Context<'_>,
    all: &mut Vec<Value>,
) -> Result<(), AppFailure> {
    let (mut reading, mut number, mut last) = (Reading::default(), listing.first, 0_usize);
    for _ in 0..MAX_PAGES {
        let context = context
            .clone()
            .with("limit", listing.size)
            .with("offset", reading.seen)
            .with("page", number);
        let reply = match &reading.next {
            Some(next) => match wire.follow(&listing.operation, next).await {
                Err(AppFailure::Missing) => {
                    return Err(AppFailure::odd("its next page is not there"));
                }
                reply => reply?,
            },
            None => match wire.call(&listing.operation, called, &context).await {
                // Behind their last page some have none.
                Err(AppFailure::Missing) if last > 0 => return reading.is_whole(),
                reply => reply?,
            },
        };
        let items = taken(listing, &reply)?;
        let got = items.len();
        let before = all.len().checked_sub(last).and_then(|at| all.get(at..));
        let again = last > 0 && before == Some(items.as_slice());
        if again && (got >= size(listing) || reading.next.is_some()) {
            return Err(AppFailure::odd("it gives the same page again and again"));
        }
        if again {
            // It has no pages, or gives the last one for every number behind it.
            return reading.is_whole();
        }
        last = got;
        all.extend(items);
        if all.len() > MAX_RECORDS {
            return Err(AppFailure::odd(format!(
                "it lists more than {MAX_RECORDS} records"
            )));
        }
        reading.seen = reading.seen.saturating_add(got);
        reading.total = total(listing, &reply).or(reading.total);
        number = number.saturating_add(1);
        if !reading.goes_on(listing, &reply, got)? {
            return reading.is_whole();
        }
    }
    Err(AppFailure::odd(format!(
        "it lists more than {MAX_PAGES} pages"
    )))
}

/// The first page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// How many there are in all, where it tells.
    pub(super) total: Option<usize>,
}

/// The first page of a list, asked for with so many records.
pub(super) async fn first(wire: &Wire, listing: &Listing, size: u32) -> Result<Page, AppFailure> {
    let operation = &listing.operation;
    let called = operation.calls.first();
    let called = called.ok_or(AppFailure::Cannot("list this"))?;
    let context = Context::default()
        .with("limit", size)
        .with("offset", 0)
        .with("page", listing.first);
    match wire.call(operation, called, &context).await {
        Err(AppFailure::Missing) => Err(AppFailure::odd(NO_LIST)),
        reply => {
            let reply = reply?;
            Ok(Page {
                items: taken(listing, &reply)?,
                total: total(listing, &reply),
            })
        }
    }
}

fn taken(listing: &Listing, reply: &Reply) -> Result<Vec<Value>, AppFailure> {
    match listing.items.of(&reply.document) {
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::Null) => Ok(Vec::new()),
        // Items by their names; where the whole answer is meant, an object is an error of some kind.
        Some(Value::Object(named))
            if !listing.items.is_whole() && named.values().all(Value::is_object) =>
        {
            Ok(named.values().cloned().collect())
        }
        // Some leave an empty list out.
        None if is_empty(&reply.document) || total(listing, reply) == Some(0) => Ok(Vec::new()),
        _ => {
            let name = &listing.operation.name;
            Err(AppFailure::odd(format!(
                "{name} gives no list where items says"
            )))
        }
    }
}

impl Reading {
    /// Whether the list goes on after a page of so many; with the address of its next page where it has one.
    fn goes_on(
        &mut self,
        listing: &Listing,
        reply: &Reply,
        got: usize,
    ) -> Result<bool, AppFailure> {
        match &listing.style {
            Style::None => Ok(false),
            Style::Next(at) => {
                let link = match at {
                    Next::At(at) => at
                        .of(&reply.document)
                        .and_then(|it| it.as_str().map(str::to_owned)),
                    Next::Header(name) => reply
                        .headers
                        .get(name)
                        .and_then(|value| value.to_str().ok().map(str::to_owned)),
                    Next::Link => next_link(&reply.headers),
                };
                let link = link.filter(|link| !link.is_empty());
                if link.is_some() && link == self.next {
                    return Err(AppFailure::odd("its next page is the one before"));
                }
                self.next = link;
                Ok(self.next.is_some())
            }
            // A short page is no end: some give fewer than they are asked for.
            Style::Offset | Style::Page => {
                Ok(got > 0 && self.total.is_none_or(|total| self.seen < total))
            }
        }
    }

    fn is_whole(&self) -> Result<(), AppFailure> {
        match self.total.filter(|total| self.seen < *total) {
            Some(total) => Err(AppFailure::odd(format!(
                "its list ends after {} of {total} records",
                self.seen
            ))),
            None => Ok(()),
        }
    }
}

fn size(listing: &Listing) -> usize {
    usize::try_from(listing.size).unwrap_or(usize::MAX)
}

fn total(listing: &Listing, reply: &Reply) -> Option<usize> {
    match listing.total.as_ref()? {
        Total::At(at) => written(at.of(&reply.document)?).parse().ok(),
        Total::Header(name) => reply.headers.get(name)?.to_str().ok()?.parse().ok(),
    }
}
