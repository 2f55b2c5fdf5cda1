//! A request on its way through the app's own session: signed, and signed anew when the app says that it has ended.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;

use super::AppLogin;
use super::failure::LoginFailure;
use super::sign_in;
use crate::problem::Problem;
use crate::proxy::Proxy;
use crate::proxy::body::{Body, Guarded, RequestBody};
use crate::proxy::gate::Pass;
use crate::proxy::upgrade::Takeover;
use crate::proxy::upstream::UpstreamError;
use crate::session::{Held, Live};
use crate::web;

/// A body of a known length up to this is read before it is sent on, so that it can be sent again, bytes.
const SMALL: usize = 64 * 1024;

impl Proxy {
    /// The body of a request as it goes on: streamed, or read first where the app's session may turn out to have ended
    /// and the request would have to be sent again.
    pub(in crate::proxy) async fn body_of(
        &self,
        headers: &HeaderMap,
        pass: &Pass,
        body: Incoming,
    ) -> Result<RequestBody, Problem> {
        if body.is_end_stream() {
            return Ok(RequestBody::empty());
        }
        let login = self.app_login.as_ref();
        let keeps = login.is_some_and(|login| login.settings.has_session());
        if let Some(live) = signs_for(pass).filter(|_| keeps && is_small(headers)) {
            let broken = |error| {
                let detail = "The request did not arrive whole. Please try again.";
                Problem::bad_request("body.broken", detail).because(error)
            };
            return tokio::select! {
                read = web::read(body, SMALL, self.upstream.idle_timeout) => {
                    read.map(|bytes| RequestBody::Whole(Full::new(bytes))).map_err(broken)
                }
                () = live.stop().cancelled() => Err(UpstreamError::Revoked.into()),
            };
        }
        let guarded = Guarded::new(body, self.in_use(pass), self.upstream.idle_timeout)
            .without(self.sanitizer.names());
        Ok(RequestBody::Stream(Box::new(guarded), Arc::default()))
    }

    /// Sends a request to an app that we sign in to. One that `leaves` is the app's own sign-out: that its session has
    /// ended then is what was asked for.
    pub(in crate::proxy) async fn send_signed_in(
        &self,
        login: &Arc<AppLogin>,
        upgrade: Option<Takeover>,
        mut request: Request<RequestBody>,
        pass: &Pass,
        leaves: bool,
    ) -> Result<Response<Body>, Problem> {
        login.strip(request.headers_mut());
        let Some(live) = signs_for(pass) else {
            let mut response = self.send_on(upgrade, request, pass).await?;
            login.strip_set(response.headers_mut());
            return Ok(response);
        };
        let uri = request.uri().clone();
        let ended = |response: &Response<Body>| {
            let (status, headers) = (response.status(), response.headers());
            login.signs.is_ended(&uri, status, headers)
        };
        let copy = upgrade.is_none().then(|| copy_of(&request)).flatten();
        let held = self.sign(login, live, request.headers_mut()).await?;
        let response = self.send_on(upgrade, request, pass).await?;
        if leaves || !ended(&response) {
            return Ok(self.taken_in(login, &held, response));
        }
        let now = self.login.clock.now();
        if !held.has_worked() {
            return self.never_worked(login, live, &held, response);
        }
        let may_renew = live.app().renew(&held, now);
        let Some(mut request) = copy.filter(|_| may_renew) else {
            let mut response = response;
            login.strip_set(response.headers_mut());
            return Ok(response);
        };
        // The answer that is let go takes its connection along.
        drop(response);
        let held = self.sign(login, live, request.headers_mut()).await?;
        let response = self.send_on(None, request, pass).await?;
        if ended(&response) && !held.has_worked() {
            return self.never_worked(login, live, &held, response);
        }
        Ok(self.taken_in(login, &held, response))
    }

    async fn send_on(
        &self,
        upgrade: Option<Takeover>,
        request: Request<RequestBody>,
        pass: &Pass,
    ) -> Result<Response<Body>, Problem> {
        let sent = self.send(upgrade, request, pass).await;
        sent.map_err(|error| self.failed(error))
    }

    fn taken_in(
        &self,
        login: &AppLogin,
        held: &Held,
        mut response: Response<Body>,
    ) -> Response<Body> {
        let now = self.login.clock.now();
        held.take_in(response.headers(), now, |name| login.is_named(name));
        login.strip_set(response.headers_mut());
        response
    }

    /// The app does not know the session that it has just begun. A refusal of one address may be meant, such as 401 to
    /// those without rights; a way to the sign-in page would be one in circles.
    fn never_worked(
        &self,
        login: &AppLogin,
        live: &Live,
        held: &Arc<Held>,
        mut response: Response<Body>,
    ) -> Result<Response<Body>, Problem> {
        if !response.status().is_redirection() {
            login.strip_set(response.headers_mut());
            return Ok(response);
        }
        live.app().forget(held);
        let now = self.login.clock.now();
        let failed = LoginFailure::NotTaken.told(now);
        login.attempts.of(live, now).fail(failed.clone());
        Err(failed.into())
    }

    /// Signs a request with what is held, which is made where nothing is: once for all that wait for it.
    async fn sign(
        &self,
        login: &Arc<AppLogin>,
        live: &Arc<Live>,
        headers: &mut HeaderMap,
    ) -> Result<Arc<Held>, Problem> {
        let held = if let Some(held) = login.held(live) {
            held
        } else {
            tokio::select! {
                made = Box::pin(self.make(login, live, headers)) => made?,
                // R25: nobody is signed in for a session that has ended.
                () = live.stop().cancelled() => return Err(UpstreamError::Revoked.into()),
            }
        };
        held.sign(headers);
        Ok(held)
    }

    async fn make(
        &self,
        login: &Arc<AppLogin>,
        live: &Arc<Live>,
        example: &HeaderMap,
    ) -> Result<Arc<Held>, Problem> {
        let clock = &self.login.clock;
        let attempt = login.attempts.of(live, clock.now());
        let turn = attempt.turn().await;
        if let Some(held) = login.held(live) {
            return Ok(held);
        }
        if let Some(failed) = attempt.failed(clock.now()) {
            return Err(failed.into());
        }
        let (login, live) = (Arc::clone(login), Arc::clone(live));
        let (upstream, clock) = (Arc::clone(&self.upstream), Arc::clone(clock));
        let example = sign_in::browser(example);
        // By itself: whoever goes away meanwhile, and comes again, would else be refused by the app any number of times
        // without one being remembered.
        let making = tokio::spawn(async move {
            // Until it is held, or the failure remembered.
            let _turn = turn;
            let made = login.make(&upstream, &live, &example, clock.now()).await;
            let made = made.map_err(|failure| {
                let failed = failure.told(clock.now());
                attempt.fail(failed.clone());
                Problem::from(failed)
            });
            let held = live.hold(Arc::new(made?));
            held.ok_or_else(|| UpstreamError::Revoked.into())
        });
        making.await.map_err(Problem::internal)?
    }
}

/// The session under which a request is signed: of somebody whose identity goes to the app.
fn signs_for(pass: &Pass) -> Option<&Arc<Live>> {
    pass.live.as_ref().filter(|_| pass.grant.identified())
}

fn is_small(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length <= SMALL) && !headers.contains_key(TRANSFER_ENCODING)
}

/// The same once more, where nothing of it has been streamed away. The app has done nothing of it: it says that
/// nobody is signed in.
fn copy_of(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let RequestBody::Whole(body) = request.body() else {
        return None;
    };
    let mut copy = Request::new(RequestBody::Whole(body.clone()));
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}
