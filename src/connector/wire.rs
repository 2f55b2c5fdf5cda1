//! One call of the app's API.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::carried::Carried;
use super::judge::{Answer, Reply, is_anybodys, judge, reads};
use super::pace::Pace;
use super::pages;
use super::render::Context;
use super::{AppFailure, Fate, Met};
use crate::config::{Api, Called, ErrorRule, Listing, Operation};
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
    /// How to read all people, and all groups: what answers while the app is there.
    lists: Vec<Listing>,
    outbound: Outbound,
    pace: Pace,
    /// Held by who logs in: the others wait for what it brings.
    pub(super) token: tokio::sync::Mutex<Option<Secret>>,
    metrics: Arc<Metrics>,
}

impl Wire {
    pub(super) fn new(
        api: Api,
        errors: Vec<ErrorRule>,
        lists: Vec<Listing>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(api.ca_file.as_deref(), api.timeout)?;
        let outbound = outbound.answers_up_to(MAX_ANSWER).at_once(api.at_once);
        let outbound = outbound.trusting(&api.base);
        let pace = Pace::new(api.at_once, api.per_second, api.timeout);
        Ok(Self {
            api,
            errors,
            lists,
            outbound,
            pace,
            token: tokio::sync::Mutex::default(),
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
        self.with_login(&operation.name, context.carried(), build)
            .await
    }

    /// The next page of a list. Apps name it by their public address: path and query of it count, which must be below
    /// the base, and the base's own origin is called (no calls to elsewhere by what an app answers).
    pub(super) async fn follow(
        &self,
        operation: &Operation,
        next: &str,
    ) -> Result<Reply, AppFailure> {
        let url = self.next_page(next)?;
        let context = Context::default();
        let build = |token: Option<&Secret>| {
            let body = (None, self.api.encoding);
            self.bare(&Method::GET, &url, body, token, &context)
        };
        self.with_login(&operation.name, context.carried(), build)
            .await
    }

    fn next_page(&self, next: &str) -> Result<Url, AppFailure> {
        let base = &self.api.base;
        let named = base
            .join(next)
            .map_err(|_not_a_url| AppFailure::odd("its next page has no address"))?;
        let below = named.path().strip_prefix(base.path().trim_end_matches('/'));
        let below = below.filter(|rest| rest.starts_with('/') && !leads_away(rest));
        if below.is_none() || !["http", "https"].contains(&named.scheme()) {
            return Err(AppFailure::odd("its next page is elsewhere"));
        }
        let mut url = base.clone();
        url.set_path(named.path());
        url.set_query(named.query());
        Ok(url)
    }

    async fn with_login(
        &self,
        operation: &str,
        carried: &Carried,
        build: impl Fn(Option<&Secret>) -> Result<Request<Bytes>, AppFailure>,
    ) -> Result<Reply, AppFailure> {
        let Some(login) = &self.api.login else {
            let answer = self.exchange(build(None)?, operation, carried).await?;
            return self.judged(operation, answer).await;
        };
        let token = self.token(login, None).await?;
        let answer = self
            .exchange(build(Some(&token))?, operation, carried)
            .await?;
        let ended =
            |it: &crate::config::Condition| it.fits(answer.status.as_u16(), &answer.document);
        if !login.again.iter().any(ended) {
            return self.judged(operation, answer).await;
        }
        let token = self.token(login, Some(&token)).await?;
        let answer = self
            .exchange(build(Some(&token))?, operation, carried)
            .await?;
        self.judged(operation, answer).await
    }

    /// What an answer means; an app that asks for a rest has it, and a 404 that anybody may have said is looked into.
    pub(super) async fn judged(
        &self,
        operation: &str,
        answer: Answer,
    ) -> Result<Reply, AppFailure> {
        let asks = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        let asks = asks.contains(&answer.status);
        let anybodys = is_anybodys(&self.errors, operation, &answer);
        let reply = judge(&self.errors, operation, answer);
        if let Err(
            AppFailure::TooMany(Some(wait))
            | AppFailure::Unavailable {
                retry_after: Some(wait),
                ..
            },
        ) = &reply
            && asks
        {
            self.pace.rest(*wait);
        }
        match reply {
            Err(AppFailure::Missing) if anybodys => Err(self.confirmed(operation).await),
            reply => reply,
        }
    }

    /// Apps answer an honest 404 with nothing or a page, too. It is theirs when their list answers; else whoever stands
    /// before them said it, and a deletion would be taken for done.
    async fn confirmed(&self, operation: &str) -> AppFailure {
        let away = "it answers 404 with something that is no JSON";
        let listing = match operation {
            "login" | "users.list" | "groups.list" => None,
            _ if operation.starts_with("users.") => self.lists.first(),
            _ => self.lists.last(),
        };
        let Some(listing) = listing else {
            return AppFailure::unreached(away);
        };
        // It may lead here again, but for a list, and then no further.
        match Box::pin(pages::first(self, listing, 1)).await {
            Ok(_) => AppFailure::Missing,
            Err(AppFailure::Unavailable {
                why, retry_after, ..
            }) => AppFailure::Unavailable {
                met: Met::Nobody,
                why: format!("{away}, and of its list: {why}"),
                retry_after,
                fate: Fate::Nothing,
            },
            Err(failure) => AppFailure::unreached(format!("{away}, and of its list: {failure}")),
        }
    }

    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &str,
        carried: &Carried,
    ) -> Result<Answer, AppFailure> {
        let safe = reads(operation) || operation == "login";
        let first = self.once(request.clone()).await;
        let (head, body) = match first {
            // Asked again where that changes nothing, whatever the method: an idle connection may just have been closed.
            Err(AppFailure::Unavailable { .. }) if safe => self.once(request).await,
            done => done,
        }?
        .into_parts();
        let text = String::from_utf8_lossy(&body).into_owned();
        let document = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status: head.status,
            document,
            text,
            headers: head.headers,
            carried: carried.clone(),
        })
    }

    async fn once(&self, request: Request<Bytes>) -> Result<Response<Bytes>, AppFailure> {
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
                met: Met::Nobody,
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
        Ok(answer)
    }
}

/// Whether a path holds something that whoever decodes it takes for a step (R14).
fn leads_away(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let steps = ["%2f", "%5c", "%2e%2e", "%00", "\\"];
    steps.iter().any(|step| path.contains(step))
}
