//! What answers say to browsers and to programs.

use std::time::Duration;

use http::{HeaderMap, Uri};

use super::*;
use crate::clock::Timestamp;
use crate::web::{Origin, RequestPath};

fn visit(method: Method, accept: &'static str) -> Visit {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static(accept));
    Visit {
        method,
        uri: Uri::from_static("/notes?q=%3Cb%3Ecanary"),
        path: RequestPath::parse("/notes").unwrap(),
        headers,
        origin: Origin {
            client: None,
            https: true,
            host: "app.test".to_owned(),
            port: 443,
            request_id: "request-1".into(),
        },
        now: Timestamp::from_secs(1),
    }
}

fn text(response: Response<Full<Bytes>>) -> String {
    let mut body = response.into_body();
    let body = http_body_util::BodyExt::frame(&mut body);
    let frame = futures_util::FutureExt::now_or_never(body).unwrap();
    let data = frame.map(|frame| frame.unwrap().into_data().unwrap());
    String::from_utf8(data.unwrap_or_default().to_vec()).unwrap()
}

fn field<'a>(response: &'a Response<Full<Bytes>>, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

fn refused() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "session.required",
        "Please sign in first.",
    )
    .because("the canary died")
}

#[test]
fn programs_get_problem_json() {
    let look = Look::default();
    let response = problem(&refused(), &visit(Method::GET, "*/*"), &look);
    assert_eq!(field(&response, "content-type"), "application/problem+json");
    // R10: every 401 says how one may ask.
    assert_eq!(
        field(&response, "www-authenticate"),
        "Bearer realm=\"sidegate\""
    );
    assert_eq!(field(&response, "cache-control"), "no-store");
    insta::assert_snapshot!(text(response), @r#"{"code":"session.required","detail":"Please sign in first.","request_id":"request-1","status":401,"title":"Unauthorized","type":"about:blank"}"#);
    let plain = plain_problem(&Problem::method_not_allowed(), "request-2");
    assert_eq!(plain.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(text(plain).contains("request-2"));
}

#[test]
fn people_get_a_page() {
    let visit = visit(Method::GET, "text/html");
    let response = problem(&refused(), &visit, &Look::default());
    assert_eq!(field(&response, "content-type"), "text/html; charset=utf-8");
    assert_eq!(
        field(&response, "www-authenticate"),
        "Bearer realm=\"sidegate\""
    );
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let html = text(response);
    assert!(html.contains("request-1") && html.contains("session.required"));
    // The cause is for the log, and nothing of the request comes back.
    assert!(!html.contains("canary"));
}

#[test]
fn r51_pages_load_nothing_and_run_nothing() {
    for colour in ["", "#b3001b"] {
        let look = Look {
            colour: colour.to_owned(),
            ..Look::default()
        };
        let visit = visit(Method::GET, "text/html");
        let response = problem(&refused(), &visit, &look);
        let policy = field(&response, "content-security-policy");
        for part in [
            "default-src 'none'",
            "img-src data:",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{part}: {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("script"),
            "{policy}"
        );
        let hashes = policy.matches("'sha256-").count();
        assert_eq!(hashes, if colour.is_empty() { 1 } else { 2 });
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(field(&response, name), value, "{name}");
        }
    }
}

#[test]
fn waiting_is_told_twice() {
    let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "x.busy", "Busy.");
    for (secs, told, field_value) in [
        (0, "Please wait 1 second, then", "1"),
        (30, "Please wait 30 seconds, then", "30"),
        (91, "Please wait 2 minutes, then", "91"),
    ] {
        let busy = Problem::new(busy.status, busy.code, busy.detail);
        let busy = busy.retry_after(Duration::from_secs(secs));
        let response = problem(&busy, &visit(Method::GET, "text/html"), &Look::default());
        assert_eq!(field(&response, "retry-after"), field_value);
        assert!(text(response).contains(told), "{told}");
    }
}

#[test]
fn head_has_fields_alone() {
    let get = problem(
        &refused(),
        &visit(Method::GET, "text/html"),
        &Look::default(),
    );
    let head = problem(
        &refused(),
        &visit(Method::HEAD, "text/html"),
        &Look::default(),
    );
    assert_eq!(field(&head, "content-type"), field(&get, "content-type"));
    assert_eq!(field(&head, "content-length"), text(get).len().to_string());
    assert_eq!(text(head), "");
}

#[test]
fn r17_a_redirect_holds_one_line() {
    assert_eq!(field(&redirect("/notes"), "location"), "/notes");
    assert_eq!(redirect("/notes").status(), StatusCode::FOUND);
    assert_eq!(see_other("/notes").status(), StatusCode::SEE_OTHER);
    for odd in ["/a\r\nset-cookie: x=1", "/\u{0}"] {
        assert_eq!(redirect(odd).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
