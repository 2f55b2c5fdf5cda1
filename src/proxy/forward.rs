//! The one place that calls the upstream.

use std::pin::pin;
use std::sync::Arc;

use bytes::BytesMut;
use http::header::{AUTHORIZATION, COOKIE, EXPECT, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Full;
use tokio::time::Instant;

use super::body::{Body, Guarded, RequestBody};
use super::gate::Pass;
use super::in_use::InUse;
use super::trace::Trace;
use super::upgrade::Takeover;
use super::upstream::{Lease, UpstreamError};
use super::{After, Arrived, Before, DialError, Issued, Next, Proxy, Sanitized, resume, upgrade};
use crate::login::Kept;
use crate::metrics::Kind;
use crate::problem::Problem;
use crate::web::{Inbound, Visit, answer};

impl Proxy {
    /// Lets the request pass to the app, or says who has to sign in, or refuses. The visit's headers
    /// go to the app.
    pub async fn handle(
        &self,
        visit: &mut Visit,
        arrived: Arrived,
        trace: &mut Trace,
    ) -> Response<Body> {
        let resumed = resume::handle_of(visit);
        let pass = match self.gate.decide(visit, trace).await {
            Ok(pass) => pass,
            // Boxed as all that is rare: its room would be kept in every request.
            Err(turned) => {
                return Box::pin(self.turn_away(visit, arrived.body, turned, trace)).await;
            }
        };
        let navigation = visit.is_navigation();
        if let Some(away) = self.lead(visit, navigation, &pass) {
            return away;
        }
        let kept = resumed
            .map(|handle| self.resumed(visit, &handle, pass.live.as_deref()))
            .transpose();
        let outcome = match kept {
            Ok(kept) => {
                self.pass_on(visit, arrived, &pass, kept, navigation, trace)
                    .await
            }
            Err(problem) => Err(problem),
        };
        outcome.unwrap_or_else(|problem| {
            trace.note(&problem);
            answer::problem_to(&problem, navigation, visit, &self.login.look).map(Body::Own)
        })
    }

    /// A person without a session in the app is led through its `login_path` first.
    fn lead(&self, visit: &Visit, navigation: bool, pass: &Pass) -> Option<Response<Body>> {
        let live = pass.live.as_ref()?;
        let before = Before {
            method: &visit.method,
            path: &visit.path,
            headers: &visit.headers,
            navigation,
            identified: pass.grant.identified(),
            now: visit.now,
        };
        let location = self.app_sessions.lead(&before, live.as_ref())?;
        Some(answer::redirect(location.to_str().ok()?).map(Body::Own))
    }

    async fn pass_on(
        &self,
        visit: &mut Visit,
        arrived: Arrived,
        pass: &Pass,
        kept: Option<Kept>,
        navigation: bool,
        trace: &mut Trace,
    ) -> Result<Response<Body>, Problem> {
        let Arrived {
            inbound,
            body,
            upgrade,
        } = arrived;
        let mut headers = std::mem::take(&mut visit.headers);
        let origin = headers.get(ORIGIN).cloned();
        let leaves = self.app_sessions.is_logout(&visit.path);
        if leaves {
            // Our own sign-out follows and reads them again.
            visit.headers.clone_from(&headers);
        }
        let found = self.make_ready(&mut headers, visit, inbound, pass)?;
        let upgrade = upgrade.filter(|_| found.upgrade.as_ref().is_some_and(upgrade::is_websocket));
        let body = match kept {
            Some(kept) => {
                resume::describe(&kept, &mut headers);
                RequestBody::Whole(Full::new(kept.body))
            }
            None => self.body_of(&headers, pass, body).await?,
        };
        let mut request = Request::new(body);
        request.method_mut().clone_from(&visit.method);
        request.uri_mut().clone_from(&visit.uri);
        *request.version_mut() = Version::HTTP_11;
        let began = Instant::now();
        if upgrade.is_some() {
            upgrade::ask(&mut headers);
        }
        *request.headers_mut() = headers;
        let response = if let Some(login) = &self.app_login {
            // Boxed as all that few need: its room would be kept in every request.
            Box::pin(self.send_signed_in(login, upgrade, request, pass, leaves)).await
        } else {
            let sent = self.send(upgrade, request, pass).await;
            sent.map_err(|error| self.failed(error))
        };
        trace.upstream = Some(began.elapsed());
        let response = response?;
        if let Some(origin) = origin {
            self.cors.learn(&origin, response.headers());
        }
        self.give_back(visit, pass, &found, navigation, response)
            .await
    }

    /// The app's answer as the client gets it: its own session looked after, what is for us taken out.
    async fn give_back(
        &self,
        visit: &Visit,
        pass: &Pass,
        found: &Sanitized,
        navigation: bool,
        mut response: Response<Body>,
    ) -> Result<Response<Body>, Problem> {
        let status = response.status();
        let upgraded = status == StatusCode::SWITCHING_PROTOCOLS;
        self.sanitizer.response(response.headers_mut(), upgraded);
        let after = After {
            method: &visit.method,
            path: &visit.path,
            status,
            navigation,
            https: self.settings.public_url.is_https(),
            now: visit.now,
        };
        let live = pass.live.as_deref().map(|live| live as &dyn Issued);
        match self
            .app_sessions
            .after(&after, live, &found.stale, response.headers_mut())
        {
            Next::Pass => Ok(response),
            Next::EndSession { page } => {
                let mut ours = Box::pin(self.login.sign_out(visit)).await?.map(Body::Own);
                let (from, to) = if page {
                    (&response, &mut ours)
                } else {
                    (&ours, &mut response)
                };
                for cookie in from.headers().get_all(SET_COOKIE) {
                    to.headers_mut().append(SET_COOKIE, cookie.clone());
                }
                // Those that the app left in the browser end with the session as well.
                self.farewell(visit, to.headers_mut());
                Ok(if page { ours } else { response })
            }
        }
    }

    /// Expires the app's session cookies in an answer that ends, or refuses for want of, a session of ours.
    pub fn farewell(&self, visit: &Visit, answer: &mut HeaderMap) {
        let https = self.settings.public_url.is_https();
        self.app_sessions
            .farewell(&visit.headers, &visit.path, https, answer);
    }

    /// The request's fields as the app gets them: what could claim an identity goes, ours comes.
    fn make_ready(
        &self,
        headers: &mut HeaderMap,
        visit: &Visit,
        inbound: Inbound,
        pass: &Pass,
    ) -> Result<Sanitized, Problem> {
        let live = pass.live.as_deref().map(|live| live as &dyn Issued);
        let found = self
            .sanitizer
            .request(headers, &visit.origin, inbound, live)?;
        if pass.live.as_ref().is_some_and(|live| live.bearer) {
            // The token is for us; many apps would refuse it as one of theirs.
            headers.remove(AUTHORIZATION);
        }
        // 100-continue is answered here, when the body is first read.
        headers.remove(EXPECT);
        one_cookie_field(headers);
        let host = if self.settings.upstream.preserve_host {
            visit.origin.other_host(headers.get(HOST))
        } else {
            HeaderValue::from_str(self.upstream.authority()).ok()
        };
        if let Some(host) = host {
            headers.insert(HOST, host);
        }
        super::attach(&pass.grant, pass.prepared.as_deref(), headers);
        Ok(found)
    }

    pub(super) async fn send(
        &self,
        upgrade: Option<Takeover>,
        request: Request<RequestBody>,
        pass: &Pass,
    ) -> Result<Response<Body>, UpstreamError> {
        match upgrade {
            Some(client) => Box::pin(self.switch(client, request, pass)).await,
            None => self.exchange(request, pass).await,
        }
    }

    async fn exchange(
        &self,
        request: Request<RequestBody>,
        pass: &Pass,
    ) -> Result<Response<Body>, UpstreamError> {
        let uploads = matches!(request.body(), RequestBody::Stream(..));
        let mut sending = pin!(self.upstream.send(request));
        // R25: an upload of which the app takes nothing does not see by itself that its session ended.
        let (response, lease) = match &pass.live {
            Some(live) if uploads => {
                let mut ended = Box::pin(live.stop().cancelled());
                tokio::select! {
                    sent = &mut sending => sent?,
                    () = &mut ended => return Err(UpstreamError::Revoked),
                }
            }
            _ => sending.await?,
        };
        let guard = |body| Guarded::new(body, self.in_use(pass), self.upstream.idle_timeout);
        Ok(response.map(|body| Body::Upstream(Box::new((guard(body), lease)))))
    }

    async fn switch(
        &self,
        client: Takeover,
        request: Request<RequestBody>,
        pass: &Pass,
    ) -> Result<Response<Body>, UpstreamError> {
        let mut response = self.upstream.send_upgrade(request).await?;
        let in_use = self.in_use(pass);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let upstream = hyper::upgrade::on(&mut response);
            tokio::spawn(upgrade::join(
                client,
                upstream,
                in_use,
                self.upstream.idle_timeout,
            ));
            return Ok(response.map(|_none| Body::empty()));
        }
        let guard = |body| Guarded::new(body, in_use, self.upstream.idle_timeout);
        Ok(response.map(|body| Body::Upstream(Box::new((guard(body), Lease::none())))))
    }

    pub(super) fn in_use(&self, pass: &Pass) -> Option<InUse> {
        let live = pass.live.clone()?;
        Some(InUse::new(live, Arc::clone(&self.login.clock)))
    }

    pub(super) fn failed(&self, error: UpstreamError) -> Problem {
        let kind = match &error {
            UpstreamError::Dial(DialError::Slow { .. }) | UpstreamError::Slow(_) => "timeout",
            UpstreamError::Dial(_) => "connect",
            UpstreamError::Broken(_) => "broken",
            UpstreamError::Revoked => "revoked",
        };
        self.metrics
            .upstream_errors
            .get_or_create(&Kind { kind })
            .inc();
        error.into()
    }
}

/// HTTP/2 may send cookies in several fields; HTTP/1.1 wants one (RFC 9113 8.2.3).
fn one_cookie_field(headers: &mut HeaderMap) {
    let mut fields = headers.get_all(COOKIE).iter();
    let (Some(first), Some(_second)) = (fields.next(), fields.next()) else {
        return;
    };
    let mut joined = BytesMut::from(first.as_bytes());
    for field in headers.get_all(COOKIE).iter().skip(1) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(field.as_bytes());
    }
    if let Ok(joined) = HeaderValue::from_maybe_shared(joined.freeze()) {
        headers.insert(COOKIE, joined);
    }
}
