//! One call of the app's API.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::Value;

use super::judge::{Answer, Reply, judge, reads};
use super::pace::Pace;
use super::render::{Context, written};
use super::request::{content_type, encoded};
use super::{AppFailure, Fate};
use crate::config::{Api, Called, ErrorRule, Operation, TokenAt};
use crate::metrics::Metrics;
use crate::outbound::{Outbound, OutboundError};
use crate::secret::Secret;

/// Longest answer, bytes: some apps list everybody at once.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// The app's API.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) api: Api,
    errors: Vec<ErrorRule>,
    outbound: Outbound,
    pace: Pace,
    token: Mutex<Option<Secret>>,
    metrics: Arc<Metrics>,
}

impl Wire {
    pub(super) fn new(
        api: Api,
        errors: Vec<ErrorRule>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(api.ca_file.as_deref(), api.timeout)?;
        let outbound = outbound.answers_up_to(MAX_ANSWER).trusting(&api.base);
        let pace = Pace::new(api.at_once, api.per_second, api.timeout);
        Ok(Self {
            api,
            errors,
            outbound,
            pace,
            token: Mutex::default(),
            metrics,
        })
    }

    /// One operation of one call.
    pub(super) async fn run(
        &self,
        operation: &Operation,
        context: &Context<'_>,
    ) -> Result<Reply, AppFailure> {
        let called = operation
            .calls
            .first()
            .ok_or(AppFailure::Cannot("do this"))?;
        self.call(operation, called, context).await
    }

    pub(super) async fn call(
        &self,
        operation: &Operation,
        called: &Called,
        context: &Context<'_>,
    ) -> Result<Reply, AppFailure> {
        let build =
            |token: Option<&Secret>| self.request(called, operation.body.as_ref(), token, context);
        self.with_login(&operation.name, build).await
    }

    /// The next page of a list: its address must be below the base (no calls to elsewhere by what an app answers).
    pub(super) async fn follow(
        &self,
        operation: &Operation,
        next: &str,
    ) -> Result<Reply, AppFailure> {
        let url = self
            .api
            .base
            .join(next)
            .map_err(|_not_a_url| AppFailure::odd("its next page has no address"))?;
        let base = &self.api.base;
        let below = url.path().strip_prefix(base.path().trim_end_matches('/'));
        let below = below.is_some_and(|rest| rest.starts_with('/'));
        if url.origin() != base.origin() || !below {
            return Err(AppFailure::odd("its next page is elsewhere"));
        }
        let build = |token: Option<&Secret>| {
            self.bare(&Method::GET, &url, None, token, &Context::default())
        };
        self.with_login(&operation.name, build).await
    }

    async fn with_login(
        &self,
        operation: &str,
        build: impl Fn(Option<&Secret>) -> Result<Request<Bytes>, AppFailure>,
    ) -> Result<Reply, AppFailure> {
        let Some(login) = &self.api.login else {
            let answer = self.exchange(build(None)?, operation).await?;
            return judge(&self.errors, operation, answer);
        };
        let known = self
            .token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let token = match known {
            Some(token) => token,
            None => self.log_in().await?,
        };
        let answer = self.exchange(build(Some(&token))?, operation).await?;
        let ended =
            |it: &crate::config::Condition| it.fits(answer.status.as_u16(), &answer.document);
        if !login.again.iter().any(ended) {
            return judge(&self.errors, operation, answer);
        }
        let token = self.log_in().await?;
        let answer = self.exchange(build(Some(&token))?, operation).await?;
        judge(&self.errors, operation, answer)
    }

    async fn log_in(&self) -> Result<Secret, AppFailure> {
        let login = self
            .api
            .login
            .as_ref()
            .ok_or(AppFailure::Cannot("log in"))?;
        let called = login
            .operation
            .calls
            .first()
            .ok_or(AppFailure::Cannot("log in"))?;
        let context = Context::default();
        let Called::Http {
            method,
            path,
            query,
        } = called
        else {
            return Err(AppFailure::Cannot("log in"));
        };
        let url = self.address(path, query.as_ref(), &context)?;
        let body = login
            .operation
            .body
            .as_ref()
            .and_then(|body| context.body(body));
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(ACCEPT, "application/json");
        let bytes = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, content_type(login.encoding));
                encoded(&body, login.encoding)
            }
            None => Bytes::new(),
        };
        let request = request
            .body(bytes)
            .map_err(|error| AppFailure::unreached(error.to_string()))?;
        let answer = self.exchange(request, "login").await?;
        let reply = judge(&self.errors, "login", answer)?;
        let token = match &login.token {
            TokenAt::Document(at) => at.of(&reply.document).map(written),
            TokenAt::Header(name) => reply
                .headers
                .get(name)
                .and_then(|it| it.to_str().ok())
                .map(str::to_owned),
        };
        let token = token.filter(|token| !token.is_empty());
        let token = Secret::new(token.ok_or_else(|| AppFailure::odd("its login gives no token"))?);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &str,
    ) -> Result<Answer, AppFailure> {
        let safe = reads(operation) || operation == "login";
        let first = self.once(request.clone()).await;
        match first {
            // Asked again where that changes nothing, whatever the method: an idle connection may just have been closed.
            Err(AppFailure::Unavailable { .. }) if safe => self.once(request).await,
            done => done,
        }
    }

    async fn once(&self, request: Request<Bytes>) -> Result<Answer, AppFailure> {
        let _turn = self.pace.turn().await?;
        let answer = self.outbound.call(request).await;
        self.metrics.connector_calls.inc(match &answer {
            Ok(answer) if answer.status().is_server_error() => "failed",
            Ok(answer) if answer.status().is_client_error() => "refused",
            Ok(_) => "answered",
            Err(_) => "unreachable",
        });
        let answer = answer.map_err(|error| {
            self.pace.failed();
            let fate = if error.is_unconnected() {
                Fate::Nothing
            } else {
                Fate::Yet
            };
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let why = format!("{error}{}", cause.unwrap_or_default());
            AppFailure::Unavailable {
                why,
                retry_after: None,
                fate,
            }
        })?;
        if answer.status().is_server_error() {
            self.pace.failed();
        } else {
            self.pace.answered();
        }
        let (head, body) = answer.into_parts();
        let text = String::from_utf8_lossy(&body).into_owned();
        let document = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status: head.status,
            document,
            text,
            headers: head.headers,
        })
    }
}
