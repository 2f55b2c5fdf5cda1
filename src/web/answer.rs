//! Answers of our own: redirects, pages, JSON, problems. None is ever cached.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;

use super::Visit;
use super::page::{self, Look, Page};
use crate::problem::Problem;

/// What a 401 asks for (RFC 6750 3); RFC 9110 15.5.2 wants the field on every 401.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"sidegate\"");
/// No page of ours lends itself to other origins.
const ISOLATION: [(HeaderName, HeaderValue); 2] = [
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// 302 to a place that is already known to be safe; never cached.
pub fn redirect(location: &str) -> Response<Full<Bytes>> {
    to(StatusCode::FOUND, location)
}

/// 303: after a POST, go there with GET.
pub fn see_other(location: &str) -> Response<Full<Bytes>> {
    to(StatusCode::SEE_OTHER, location)
}

/// JSON; never cached.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(body) => answer(
            status,
            HeaderValue::from_static("application/json"),
            body.into(),
        ),
        Err(error) => plain_problem(&Problem::internal(error), ""),
    }
}

/// A page under its own CSP.
pub fn page(status: StatusCode, look: &Look, page: &Page) -> Response<Full<Bytes>> {
    let html = page.to_html(look);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let mut response = answer(status, kind, html.into());
    let headers = response.headers_mut();
    // R51: nothing runs, nothing is loaded, nobody frames us.
    let policy = HeaderValue::from_str(&page.policy(look));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("default-src 'none'")),
    );
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: under it browsers send `Origin: null` with our own forms (Fetch 3.2).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.extend(ISOLATION);
    response
}

/// A problem: a page for navigations, `application/problem+json` (RFC 9457) with `request_id` for
/// programs. `WWW-Authenticate` on 401, `Retry-After` where the problem has one. Text is fixed; nothing of the request is echoed.
pub fn problem(problem: &Problem, visit: &Visit, look: &Look) -> Response<Full<Bytes>> {
    problem_to(problem, visit.is_navigation(), visit, look)
}

/// The same when it is known already whether a person reads it: fields of `visit` may have been moved on.
pub fn problem_to(
    problem: &Problem,
    navigation: bool,
    visit: &Visit,
    look: &Look,
) -> Response<Full<Bytes>> {
    let request_id = &visit.origin.request_id;
    let response = if navigation {
        let text = page::problem(look, problem, request_id, &visit.method);
        let mut response = page(problem.status, look, &text);
        add_fields(&mut response, problem);
        response
    } else {
        plain_problem(problem, request_id)
    };
    for_method(response, &visit.method)
}

/// The same for a request whose path or host could not be read, so that there is no [`Visit`].
pub fn plain_problem(problem: &Problem, request_id: &str) -> Response<Full<Bytes>> {
    let body = json!({
        "type": "about:blank",
        // RFC 9457 4.2.1: the title of `about:blank` is the status phrase.
        "title": problem.status.canonical_reason().unwrap_or("Error"),
        "status": problem.status.as_u16(),
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    });
    let kind = HeaderValue::from_static("application/problem+json");
    let mut response = answer(problem.status, kind, body.to_string().into());
    add_fields(&mut response, problem);
    response
}

/// Puts the fields of a problem on a page that shows it in another way, such as the form again.
pub fn add_fields(response: &mut Response<Full<Bytes>>, problem: &Problem) {
    let headers = response.headers_mut();
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    if let Some(wait) = problem.retry_after {
        headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
    }
}

/// What HEAD gets of an answer: all of its fields, nothing of its body (RFC 9110 9.3.2).
pub fn for_method(response: Response<Full<Bytes>>, method: &Method) -> Response<Full<Bytes>> {
    if *method != Method::HEAD {
        return response;
    }
    let (mut head, body) = response.into_parts();
    if let Some(length) = http_body::Body::size_hint(&body).exact() {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    Response::from_parts(head, Full::default())
}

fn to(status: StatusCode, location: &str) -> Response<Full<Bytes>> {
    let Ok(location) = HeaderValue::from_str(location) else {
        let odd = "redirect target cannot be a header";
        return plain_problem(&Problem::internal(odd), "");
    };
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    let mut response = answer(status, kind, Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().insert(LOCATION, location);
    // A referrer could carry a path of the app to an idp.
    response
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn answer(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
