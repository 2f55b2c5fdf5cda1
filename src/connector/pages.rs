//! Lists of the app, page by page to their end.

use serde_json::Value;

use super::AppFailure;
use super::judge::{Reply, next_link};
use super::records::is_empty;
use super::render::{Context, written};
use super::wire::Wire;
use crate::config::{Listing, Style, Total};

/// Most records that one question reads.
const MAX_RECORDS: usize = 200_000;
/// Most pages of one list.
const MAX_PAGES: usize = 20_000;
/// What a list is not answered with.
pub(super) const NO_LIST: &str = "it answers 404 in place of its list";

/// All items of a list.
pub(super) async fn items(
    wire: &Wire,
    listing: &Listing,
    context: &Context<'_>,
) -> Result<Vec<Value>, AppFailure> {
    let mut all: Vec<Value> = Vec::new();
    for called in &listing.operation.calls {
        let (mut seen, mut number) = (0_usize, listing.first);
        let (mut last, mut next) = (0_usize, None::<String>);
        for _ in 0..MAX_PAGES {
            let context = context
                .clone()
                .with("limit", listing.size)
                .with("offset", seen)
                .with("page", number);
            let reply = match &next {
                Some(next) => wire.follow(&listing.operation, next).await?,
                None => wire.call(&listing.operation, called, &context).await?,
            };
            let items = taken(listing, &reply)?;
            let got = items.len();
            let before = all.len().checked_sub(last).and_then(|at| all.get(at..));
            if last > 0 && before == Some(items.as_slice()) {
                return Err(AppFailure::odd("it gives the same page again and again"));
            }
            last = got;
            all.extend(items);
            if all.len() > MAX_RECORDS {
                return Err(AppFailure::odd(format!(
                    "it lists more than {MAX_RECORDS} records"
                )));
            }
            seen = seen.saturating_add(got);
            number = number.saturating_add(1);
            match go_on(listing, &reply, got, seen) {
                Some(link) => next = link,
                None => break,
            }
        }
    }
    Ok(all)
}

/// The first page of a list, asked for with so many records.
pub(super) async fn first(
    wire: &Wire,
    listing: &Listing,
    size: u32,
) -> Result<Vec<Value>, AppFailure> {
    let operation = &listing.operation;
    let called = operation.calls.first();
    let called = called.ok_or(AppFailure::Cannot("list this"))?;
    let context = Context::default()
        .with("limit", size)
        .with("offset", 0)
        .with("page", listing.first);
    match wire.call(operation, called, &context).await {
        Err(AppFailure::Missing) => Err(AppFailure::odd(NO_LIST)),
        reply => taken(listing, &reply?),
    }
}

fn taken(listing: &Listing, reply: &Reply) -> Result<Vec<Value>, AppFailure> {
    match listing.items.of(&reply.document) {
        Some(Value::Array(items)) => Ok(items.clone()),
        Some(Value::Null) => Ok(Vec::new()),
        None if is_empty(&reply.document) => Ok(Vec::new()),
        _ => {
            let name = &listing.operation.name;
            Err(AppFailure::odd(format!(
                "{name} gives no list where items says"
            )))
        }
    }
}

/// Whether the list goes on; with the address of its next page where it has one.
#[expect(
    clippy::option_option,
    reason = "no next page is not the same as a next page by number"
)]
fn go_on(listing: &Listing, reply: &Reply, got: usize, seen: usize) -> Option<Option<String>> {
    if got == 0 {
        return None;
    }
    let size = usize::try_from(listing.size).unwrap_or(usize::MAX);
    let total = match &listing.total {
        Some(Total::At(at)) => at
            .of(&reply.document)
            .and_then(|it| written(it).parse::<usize>().ok()),
        Some(Total::Header(name)) => reply
            .headers
            .get(name)
            .and_then(|it| it.to_str().ok()?.parse().ok()),
        None => None,
    };
    match &listing.style {
        Style::None => None,
        Style::Next(at) => {
            let link = match at {
                Some(at) => at
                    .of(&reply.document)
                    .and_then(|it| it.as_str().map(str::to_owned)),
                None => next_link(&reply.headers),
            };
            link.filter(|link| !link.is_empty()).map(Some)
        }
        Style::Offset | Style::Page => match total {
            Some(total) => (seen < total).then_some(None),
            None => (got >= size).then_some(None),
        },
    }
}
