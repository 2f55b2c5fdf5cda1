//! `/healthz`, `/readyz`, `/metrics` on the ops listener; nothing about people.
//!
//! Refuses every other path and every method but GET and HEAD. No header of a request counts (R6).

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::login::Login;
use crate::metrics::Metrics;
use crate::storage::{Embedded, StorageError};

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// What `prometheus-client` writes (`OpenMetrics` 1.0).
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Longest wait for the store before it counts as not writable.
const STORE_TIME: Duration = Duration::from_secs(2);

/// One thing that must hold before requests should come here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `serving`, `store`, `sign_in`.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// Why not, or what is worth knowing; empty when there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Check {
    fn from(name: &'static str, result: Result<String, String>) -> Self {
        let ok = result.is_ok();
        let (Ok(reason) | Err(reason)) = result;
        Self { name, ok, reason }
    }
}

/// What the answers are made of.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// Counters.
    pub metrics: &'a Metrics,
    /// The store.
    pub storage: &'a Embedded,
    /// Signing in.
    pub login: &'a Login,
    /// All listeners are open.
    pub listening: bool,
    /// We are stopping: no new requests should come.
    pub draining: bool,
}

/// Answers one request of the ops listener.
pub async fn answer(method: &Method, path: &str, state: State<'_>) -> Response<Full<Bytes>> {
    let checks = match path {
        "/readyz" => checks(state).await,
        _ => Vec::new(),
    };
    respond(method, path, state.metrics, &checks)
}

async fn checks(state: State<'_>) -> Vec<Check> {
    let mut idps = Vec::new();
    for idp in &state.login.idps {
        idps.push((idp.name().as_str().to_owned(), idp.ready().await));
    }
    let write = state.storage.write(|_nothing| Ok::<(), StorageError>(()));
    let store = match tokio::time::timeout(STORE_TIME, write).await {
        Ok(Ok(())) => Ok(String::new()),
        Ok(Err(error)) => Err(format!("not writable: {error}")),
        Err(_late) => Err(format!("no commit within {} s", STORE_TIME.as_secs())),
    };
    vec![
        Check::from("serving", serving(state.listening, state.draining)),
        Check::from("store", store),
        Check::from(
            "sign_in",
            sign_in(state.login.settings.local.enabled, &idps),
        ),
    ]
}

fn serving(listening: bool, draining: bool) -> Result<String, String> {
    match (listening, draining) {
        (_, true) => Err(
            "stopping: requests in flight are finished, new ones should go elsewhere".to_owned(),
        ),
        (false, false) => Err("listeners are not open yet".to_owned()),
        (true, false) => Ok(String::new()),
    }
}

/// One way to sign in is enough: the others are told, and do not take the whole app away.
fn sign_in(local: bool, idps: &[(String, Result<(), String>)]) -> Result<String, String> {
    let failed: Vec<String> = idps
        .iter()
        .filter_map(|(name, ready)| ready.as_ref().err().map(|why| format!("{name}: {why}")))
        .collect();
    let usable = local || failed.len() < idps.len() || idps.is_empty();
    let told = failed.join("; ");
    if usable { Ok(told) } else { Err(told) }
}

fn respond(
    method: &Method,
    path: &str,
    metrics: &Metrics,
    checks: &[Check],
) -> Response<Full<Bytes>> {
    let known = matches!(path, "/healthz" | "/readyz" | "/metrics");
    let reads = method == Method::GET || method == Method::HEAD;
    let (status, kind, text) = match path {
        _ if known && !reads => (
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "GET or HEAD\n".to_owned(),
        ),
        // R6: by exact path alone, whatever else the request says.
        "/healthz" => (StatusCode::OK, PLAIN, "ok\n".to_owned()),
        "/readyz" => readyz(checks),
        "/metrics" => (StatusCode::OK, OPENMETRICS, metrics.to_text()),
        _ => (
            StatusCode::NOT_FOUND,
            PLAIN,
            "/healthz, /readyz, /metrics\n".to_owned(),
        ),
    };
    let body = if method == Method::HEAD {
        String::new()
    } else {
        text
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn readyz(checks: &[Check]) -> (StatusCode, &'static str, String) {
    // No check at all would be a mistake of ours; it must not look like health.
    let ready = !checks.is_empty() && checks.iter().all(|check| check.ok);
    let text = serde_json::json!({ "ready": ready, "checks": checks });
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, JSON, format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, ok: bool) -> Check {
        Check {
            name,
            ok,
            reason: String::new(),
        }
    }

    #[test]
    fn r06_health_answers_by_exact_path_and_nothing_else() {
        let metrics = Metrics::new();
        let ready = [check("serving", true), check("store", true)];
        for (method, path, want) in [
            ("GET", "/healthz", 200),
            ("HEAD", "/healthz", 200),
            ("POST", "/healthz", 405),
            ("GET", "/healthz/", 404),
            ("GET", "/HEALTHZ", 404),
            ("GET", "/healthz/../metrics", 404),
            ("GET", "//healthz", 404),
            ("GET", "/", 404),
            ("POST", "/", 404),
            ("GET", "/readyz", 200),
            ("GET", "/metrics", 200),
            ("DELETE", "/metrics", 405),
        ] {
            let method = method.parse().unwrap();
            let answer = respond(&method, path, &metrics, &ready);
            assert_eq!(answer.status(), want, "{method} {path}");
        }
    }

    #[test]
    fn one_failed_check_is_enough() {
        for (name, checks, want) in [
            (
                "all hold",
                vec![check("serving", true), check("store", true)],
                200,
            ),
            (
                "one does not",
                vec![check("serving", true), check("store", false)],
                503,
            ),
            ("none was made", vec![], 503),
        ] {
            let (status, _, text) = readyz(&checks);
            assert_eq!(status, want, "{name}: {text}");
        }
    }

    #[test]
    fn draining_and_starting_are_not_ready() {
        assert!(serving(true, false).is_ok());
        assert!(serving(false, false).is_err());
        assert!(serving(true, true).is_err());
    }

    #[test]
    fn one_way_to_sign_in_is_enough() {
        let up = |name: &str| (name.to_owned(), Ok(()));
        let down = |name: &str| (name.to_owned(), Err("no keys".to_owned()));
        for (name, local, idps, want) in [
            ("only public rules", false, vec![], Ok("")),
            ("local accounts", true, vec![], Ok("")),
            (
                "local beside a dead idp",
                true,
                vec![down("a")],
                Ok("a: no keys"),
            ),
            (
                "one of two",
                false,
                vec![down("a"), up("b")],
                Ok("a: no keys"),
            ),
            (
                "both dead",
                false,
                vec![down("a"), down("b")],
                Err("a: no keys; b: no keys"),
            ),
        ] {
            let got = sign_in(local, &idps);
            assert_eq!(
                got.as_ref().map(String::as_str).map_err(String::as_str),
                want,
                "{name}"
            );
        }
    }
}
