//! A form that met an ended session is sent again after sign-in: the page that asks posts to the old
//! address with `sidegate-resume=HANDLE`, and the kept body takes the place of the new one.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri};

use super::Proxy;
use crate::crypto::sha256;
use crate::login::{Asker, Kept, MAX_KEPT, mark};
use crate::problem::Problem;
use crate::session::Live;
use crate::web::Visit;

const PARAMETER: &str = "sidegate-resume";

/// Takes the handle out of a POST's query, so that neither policy nor the app sees it.
pub(super) fn handle_of(visit: &mut Visit) -> Option<String> {
    if visit.method != Method::POST {
        return None;
    }
    let query = visit.uri.query()?;
    let (_, handle) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == PARAMETER)?;
    let handle = handle.to_owned();
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            pair.split_once('=')
                .is_none_or(|(name, _)| name != PARAMETER)
        })
        .collect();
    let path = visit.uri.path();
    let target = if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    };
    let target = PathAndQuery::from_maybe_shared(target).ok()?;
    visit.uri = Uri::from(target);
    Some(handle)
}

/// Whether a body may be kept: a form or JSON that a page of ours sent, as it is: what it unpacks to has no limit
/// here, and its encoding would be lost. A form of another site must not be replayed with a session that it never had (the cookie's `SameSite` would have stopped it).
pub(super) fn may_keep(visit: &Visit, public_origin: &str) -> bool {
    let kind = visit.header(&CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let fits = [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json",
    ]
    .iter()
    .any(|fits| kind.eq_ignore_ascii_case(fits));
    let text = |name: &str| {
        visit
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let same_site = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == public_origin,
        (None, None) => false,
    };
    let length = visit
        .header(&http::header::CONTENT_LENGTH)
        .and_then(|length| length.parse::<usize>().ok());
    fits && same_site
        && !visit.headers.contains_key(CONTENT_ENCODING)
        && visit.method == Method::POST
        && length.is_some_and(|length| length <= MAX_KEPT)
}

impl Proxy {
    /// The body that waits for this very request from this browser. Who sends it was asked on the page.
    pub(super) fn resumed(
        &self,
        visit: &Visit,
        handle: &str,
        live: Option<&Live>,
    ) -> Result<Kept, Problem> {
        let browser = self.login.browser(visit);
        let gone = || {
            Problem::new(
                http::StatusCode::GONE,
                "resume.gone",
                "What you sent was kept for a while and is gone now. Please go back and enter it again.",
            )
        };
        let person = live.map(|live| mark(&live.record));
        let asker = Asker {
            browser: browser.as_deref(),
            person: person.as_deref(),
            now: visit.now,
        };
        let kept = self.login.kept.take(handle, asker);
        let kept = kept.map_err(|missing| gone().because(missing))?;
        let target = visit.uri.path_and_query().map_or("", PathAndQuery::as_str);
        if kept.method == visit.method && kept.target == target {
            Ok(kept)
        } else {
            Err(gone())
        }
    }

    /// Keeps a body and says under which handle.
    pub(super) fn keep(&self, visit: &Visit, browser: &str, body: bytes::Bytes) -> String {
        self.login.kept.put(Kept {
            method: visit.method.clone(),
            target: visit
                .uri
                .path_and_query()
                .map_or("/", PathAndQuery::as_str)
                .to_owned(),
            content_type: visit.header(&CONTENT_TYPE).unwrap_or_default().to_owned(),
            body,
            browser: sha256(browser.as_bytes()),
            writer: self.login.writer(visit),
            at: visit.now,
        })
    }
}

/// What the app gets instead of the page's own form.
pub(super) fn describe(kept: &Kept, headers: &mut HeaderMap) {
    headers.remove(http::header::CONTENT_LENGTH);
    headers.remove(http::header::TRANSFER_ENCODING);
    match http::HeaderValue::from_str(&kept.content_type) {
        Ok(kind) => headers.insert(CONTENT_TYPE, kind),
        Err(_) => headers.remove(CONTENT_TYPE),
    };
}
