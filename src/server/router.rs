//! Which part answers a request: our own addresses by exact prefix, everything else the proxy.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::access_log::{Line, Logged};
use super::app::App;
use super::connection::Wire;
use super::shared::Shared;
use crate::identity::IdpKind;
use crate::problem::Problem;
use crate::proxy::{Arrived, Body, FramingError, Takeover, Trace, Verdict};
use crate::scim::ScimError;
use crate::web::{self, BodyError, Inbound, Origin, RequestPath, Visit, answer};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;

/// Largest body that our own addresses read, bytes.
const MAX_OWN_BODY: usize = 64 * 1024;
/// Largest form with a SAML response, bytes: 256 KiB of base64, every character escaped, and what stands beside it.
const MAX_ASSERTION_BODY: usize = 1024 * 1024;
/// It must be complete within this.
const OWN_BODY_TIME: Duration = Duration::from_secs(20);

/// Answers one request, whatever happens to it.
pub(super) async fn answer(
    shared: &Shared,
    wire: &Arc<Wire>,
    mut request: Request<Incoming>,
) -> Result<Response<Logged>, Infallible> {
    let app = shared.app.load_full();
    let inbound = wire.inbound;
    // Boxed at once: it goes with the answer, which is moved often.
    let mut line = Box::new(Line::new(wire, shared.log.clone()));
    let Line { visit, trace, .. } = &mut *line;
    let upgrade = request
        .headers()
        .contains_key(http::header::UPGRADE)
        .then(|| Takeover {
            connection: hyper::upgrade::on(&mut request),
            place: wire.place.clone(),
            close: shared.stop.closing().child_token(),
        });
    let (mut parts, body) = request.into_parts();
    let is_scim = below(parts.uri.path(), app.scim.prefix()).is_some();
    let framing = wire.framing.as_ref();
    let escaped = framing.and_then(|its| its.escaped(&parts.uri));
    if let Some(target) = escaped.and_then(|target| Uri::try_from(target).ok()) {
        parts.uri = target;
    }
    let doubled = framing.is_some_and(|framing| framing.is_doubled());
    let response = match read(&app, inbound, parts, doubled) {
        Ok(read) => {
            let visit = visit.insert(read);
            if let Some(own) = own_address(&app, visit) {
                // Boxed because it is rare, and its room would be kept in every request.
                Box::pin(own_answer(&app, visit, own, body, trace)).await
            } else {
                let arrived = Arrived {
                    inbound,
                    body,
                    upgrade,
                };
                app.proxy.handle(visit, arrived, trace).await
            }
        }
        Err((problem, request_id)) => {
            trace.note(&problem);
            let response = if is_scim {
                ScimError::from(problem).into()
            } else {
                answer::plain_problem(&problem, &request_id)
            };
            let mut response = response.map(Body::Own);
            if doubled {
                // What follows on this connection cannot be told apart.
                let close = HeaderValue::from_static("close");
                response
                    .headers_mut()
                    .insert(http::header::CONNECTION, close);
            }
            response
        }
    };
    app.metrics.requests.inc(class(response.status()));
    app.metrics.decisions.inc(trace.verdict.as_str());
    wire.outflow.answered(trace.live.as_ref());
    line.status = response.status();
    Ok(response.map(|body| Logged::new(body, line)))
}

/// The head, read once: path, origin, target (R15).
fn read(
    app: &App,
    inbound: Inbound,
    parts: Parts,
    doubled: bool,
) -> Result<Visit, (Problem, Arc<str>)> {
    let Parts {
        method,
        uri,
        headers,
        ..
    } = parts;
    let authority = uri.authority().map(http::uri::Authority::as_str);
    let origin = Origin::read(
        inbound,
        &headers,
        authority,
        &app.settings.server.trusted_proxies,
    )
    .map_err(|error| (error.into(), Arc::from("-")))?;
    let refuse = |problem| (problem, Arc::clone(&origin.request_id));
    if doubled {
        return Err(refuse(FramingError::Both.into()));
    }
    if method == Method::CONNECT || method == Method::TRACE {
        return Err(refuse(Problem::method_not_allowed()));
    }
    // R15: methods are told apart by case (RFC 9110 9.1), and some apps do not: `post` would pass a rule for `POST` by.
    if method
        .as_str()
        .bytes()
        .any(|byte| byte.is_ascii_lowercase())
    {
        return Err(refuse(Problem::bad_request(
            "method.spelling",
            "The request's method is not written in capitals.",
        )));
    }
    let path = RequestPath::of(&uri).map_err(|error| refuse(error.into()))?;
    Ok(Visit {
        method,
        uri: path.uri(),
        path,
        headers,
        origin,
        now: app.clock.now(),
    })
}

/// One of our own addresses.
#[derive(Clone, Copy)]
enum Own<'a> {
    /// Below `[paths] own`; what follows the prefix.
    Login(&'a str),
    /// Below `[paths] oidc` or `[paths] saml`; the idp's name and what is asked of it.
    Idp(&'a str, &'a str),
    /// An address that only SAML has, of no idp.
    NoIdp,
    /// Below `[paths] scim`; what follows the prefix.
    Scim(&'a str),
}

fn own_address<'a>(app: &App, visit: &'a Visit) -> Option<Own<'a>> {
    let path = visit.path.as_str();
    // Idps' admins double slashes; nothing of the app is below it, so no rule is passed by.
    if let Some(rest) = below(path, app.scim.prefix()) {
        return Some(Own::Scim(rest));
    }
    if !visit.path.odd().is_empty() {
        return None;
    }
    let below = |prefix: &str| below(path, prefix)?.strip_prefix('/');
    let paths = &app.settings.paths;
    if let Some(rest) = below(&paths.own) {
        return Some(Own::Login(rest));
    }
    // An app that has an address below these keeps it, unless an idp of ours has that name and speaks so. What only
    // SAML has is ours once there is a SAML idp: a mistyped name must not come out as an answer of the app's.
    let speaks = |name: &str, kind| app.login.idp(name).is_some_and(|idp| idp.kind() == kind);
    if let Some((what, idp)) = below(&paths.saml).and_then(|rest| rest.split_once('/')) {
        if speaks(idp, IdpKind::Saml) {
            return Some(Own::Idp(idp, what));
        }
        let saml = matches!(what, "service-provider-metadata" | "sso" | "slo");
        let any = || app.login.idps.iter().any(|idp| idp.kind() == IdpKind::Saml);
        return (saml && any()).then_some(Own::NoIdp);
    }
    let (idp, rest) = below(&paths.oidc)?.split_once('/')?;
    speaks(idp, IdpKind::Oidc).then_some(Own::Idp(idp, rest))
}

/// What follows a prefix: nothing, or a slash and the rest.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

async fn own_answer(
    app: &App,
    visit: &Visit,
    own: Own<'_>,
    body: Incoming,
    trace: &mut Trace,
) -> Response<Body> {
    trace.verdict = Verdict::Own;
    if let Own::Scim(rest) = own {
        let answered = app.scim.answer(visit, rest, body).await;
        if let Some(refusal) = answered.refusal {
            trace.code = refusal.code();
            trace.cause = refusal.causes();
        }
        return answered.response.map(Body::Own);
    }
    let most = match own {
        Own::Idp(_, "sso") => MAX_ASSERTION_BODY,
        Own::Idp(..) | Own::NoIdp | Own::Login(_) | Own::Scim(_) => MAX_OWN_BODY,
    };
    let answered = match web::read(body, most, OWN_BODY_TIME).await {
        Ok(body) => own_part(app, visit, own, body).await,
        Err(error) => Err(unread(error)),
    };
    let response = answered.unwrap_or_else(|problem| {
        trace.note(&problem);
        answer::problem(&problem, visit, &app.look)
    });
    response.map(Body::Own)
}

async fn own_part(
    app: &App,
    visit: &Visit,
    own: Own<'_>,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Problem> {
    match own {
        Own::Login("jwks.json") => Ok(key_set(app.proxy.jwks())),
        Own::Login(rest) => {
            let mut response = app.login.answer(visit, rest, body).await?;
            if rest == "logout" && response.status().is_redirection() {
                app.proxy.farewell(visit, response.headers_mut());
            }
            Ok(response)
        }
        Own::Idp(name, rest) => match app.login.idp(name) {
            Some(idp) => idp.answer(&app.login, visit, rest, body).await,
            None => Err(Problem::not_found()),
        },
        Own::NoIdp => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "idp.unknown",
            "No sign-in service of this name is set up here. Check the name at the end of the address.",
        )),
        Own::Scim(_) => Err(Problem::not_found()),
    }
}

/// Keys change rarely and are asked for often (RFC 7517 8.5.1).
fn key_set(document: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(document));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}

fn unread(error: BodyError) -> Problem {
    let (status, code, detail) = match error {
        BodyError::TooLarge(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "body.too_large",
            "What was sent is too large.",
        ),
        BodyError::Slow(_) => (
            StatusCode::REQUEST_TIMEOUT,
            "body.slow",
            "What was sent did not arrive in time.",
        ),
        BodyError::Broken(_) => (
            StatusCode::BAD_REQUEST,
            "body.broken",
            "What was sent did not arrive whole.",
        ),
    };
    Problem::new(status, code, detail).because(error)
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        101 => "101",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
