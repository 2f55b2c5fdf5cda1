//! What an answer of the app's API means: a rule of the connector says so, else its status.

use http::header::{LINK, LOCATION};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::carried::Carried;
use super::failure::words;
use super::{AppFailure, Fate, Met, later};
use crate::config::{ErrorRule, Meaning};

/// What the app answered, when it is no refusal.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) document: Value,
    pub(super) headers: HeaderMap,
}

/// An answer before it is judged.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) document: Value,
    pub(super) text: String,
    pub(super) headers: HeaderMap,
    /// What the request carried and nobody is told.
    pub(super) carried: Carried,
}

/// The first rule that fits; else what the status says.
pub(super) fn judge(
    rules: &[ErrorRule],
    operation: &str,
    answer: Answer,
) -> Result<Reply, AppFailure> {
    let rule = rule_for(rules, operation, &answer);
    let meaning = rule.map_or_else(|| by_status(answer.status), |rule| Some(rule.is));
    let Answer {
        status,
        document,
        text,
        headers,
        carried,
    } = answer;
    let retry_after = later::retry_after(&headers);
    match meaning {
        Some(Meaning::Ok) => {}
        Some(Meaning::Uniqueness) => {
            return Err(AppFailure::Uniqueness(words(&document, &text, &carried)));
        }
        Some(Meaning::Missing) => return Err(AppFailure::Missing),
        Some(Meaning::InvalidValue) => {
            return Err(AppFailure::Invalid(words(&document, &text, &carried)));
        }
        Some(Meaning::TooMany) => return Err(AppFailure::TooMany(retry_after)),
        Some(Meaning::Unavailable) | None => {
            return Err(AppFailure::Unavailable {
                met: met(status),
                why: carried.struck(&odd(status, &headers)),
                retry_after,
                fate: fate(status),
            });
        }
    }
    let is_page = text.trim_start().starts_with('<');
    if document.is_null() && is_page {
        return Err(AppFailure::odd(
            "it answers with a page, not with its API's JSON",
        ));
    }
    // Half a list, or a word of somebody in between, must not read as nobody.
    let says_nothing = document.is_null() && text.trim() != "null";
    if says_nothing && reads(operation) && status != StatusCode::NO_CONTENT {
        return Err(AppFailure::odd("it answers with something that is no JSON"));
    }
    Ok(Reply { document, headers })
}

fn rule_for<'a>(rules: &'a [ErrorRule], operation: &str, answer: &Answer) -> Option<&'a ErrorRule> {
    // Where the document is no JSON, patterns look at the text.
    let plain = Value::from(answer.text.as_str());
    let document = if answer.document.is_null() {
        &plain
    } else {
        &answer.document
    };
    rules.iter().find(|rule| {
        let meant =
            rule.operations.is_empty() || rule.operations.iter().any(|its| its == operation);
        meant && rule.condition.fits(answer.status.as_u16(), document)
    })
}

/// Whether this is a "not here" that anybody may have said: no rule names it and no API wrote it. It is the app's of a
/// record, or that of whoever stands before an app that is away.
pub(super) fn is_anybodys(rules: &[ErrorRule], operation: &str, answer: &Answer) -> bool {
    let plain = answer.document.is_null() && answer.text.trim() != "null";
    let missing = by_status(answer.status) == Some(Meaning::Missing);
    missing && plain && rule_for(rules, operation, answer).is_none()
}

/// Whether an operation changes nothing.
pub(super) fn reads(operation: &str) -> bool {
    let ends = [".list", ".find", ".get"];
    ends.iter().any(|end| operation.ends_with(end))
}

/// Of what was asked, when this is the answer.
fn fate(status: StatusCode) -> Fate {
    match status {
        // Whoever stands before the app has not waited for it.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Fate::Yet,
        _ if status.is_server_error() || status.is_redirection() => Fate::Perhaps,
        _ => Fate::Nothing,
    }
}

const fn met(status: StatusCode) -> Met {
    match status.as_u16() {
        502..=504 => Met::Nobody,
        _ => Met::Oddity,
    }
}

fn by_status(status: StatusCode) -> Option<Meaning> {
    match status.as_u16() {
        200..300 => Some(Meaning::Ok),
        404 | 410 => Some(Meaning::Missing),
        409 => Some(Meaning::Uniqueness),
        400 | 422 => Some(Meaning::InvalidValue),
        429 => Some(Meaning::TooMany),
        _ => None,
    }
}

fn odd(status: StatusCode, headers: &HeaderMap) -> String {
    let number = status.as_u16();
    match number {
        401 | 403 => format!("it refuses the connector's own credentials ({number})"),
        300..=399 => {
            let to = headers
                .get(LOCATION)
                .and_then(|it| it.to_str().ok())
                .unwrap_or("nowhere");
            let to: String = to.chars().filter(|c| !c.is_control()).take(100).collect();
            format!("it answers {number}, a redirect to {to}; is base right?")
        }
        _ => format!("it answers {number}"),
    }
}

/// The address of the next page in a `Link` header (RFC 8288 3).
pub(super) fn next_link(headers: &HeaderMap) -> Option<String> {
    let links = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    links.flat_map(|value| value.split(',')).find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().to_ascii_lowercase();
            parameter == "rel=next" || parameter == "rel=\"next\""
        });
        is_next.then(|| address.to_owned())
    })
}
