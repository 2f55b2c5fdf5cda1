//! One call of the app's API.

use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::Value;
use url::Url;

use super::judge::{Answer, Reply, judge, reads};
use super::pace::Pace;
use super::render::{Context, Within, written};
use super::{AppFailure, Fate};
use crate::config::{Api, Body, BodyEncoding, Called, ErrorRule, Operation, TokenAt};
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
}

impl Wire {
    pub(super) fn new(api: Api, errors: Vec<ErrorRule>) -> Result<Self, OutboundError> {
        let outbound = Outbound::new(api.ca_file.as_deref(), api.timeout)?;
        let outbound = outbound.answers_up_to(MAX_ANSWER).trusting(&api.base);
        let pace = Pace::new(api.at_once, api.per_second, api.timeout);
        Ok(Self {
            api,
            errors,
            outbound,
            pace,
            token: Mutex::default(),
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

    fn address(
        &self,
        path: &crate::config::Template,
        query: Option<&crate::config::Template>,
        context: &Context<'_>,
    ) -> Result<Url, AppFailure> {
        let invalid = |why: super::render::Escapes| AppFailure::Invalid(why.to_string());
        let path = context.text(path, Within::Path).map_err(invalid)?;
        let base = self.api.base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{path}"))
            .map_err(|error| AppFailure::unreached(error.to_string()))?;
        if let Some(query) = query {
            let query = context.text(query, Within::Query).map_err(invalid)?;
            url.set_query(Some(&query));
        }
        Ok(url)
    }

    /// What would be sent.
    pub(super) fn request(
        &self,
        called: &Called,
        body: Option<&Body>,
        token: Option<&Secret>,
        context: &Context<'_>,
    ) -> Result<Request<Bytes>, AppFailure> {
        match (called, &self.api.endpoint) {
            (
                Called::Http {
                    method,
                    path,
                    query,
                },
                _,
            ) => {
                let url = self.address(path, query.as_ref(), context)?;
                let context = with_token(context, token);
                let body = body.and_then(|body| context.body(body));
                self.bare(method, &url, body, token, &context)
            }
            (Called::Procedure(name), Some(endpoint)) => {
                let Called::Http {
                    method,
                    path,
                    query,
                } = &endpoint.called
                else {
                    return Err(AppFailure::Cannot("call procedures"));
                };
                let url = self.address(path, query.as_ref(), context)?;
                let context = with_token(context, token);
                let params = body.and_then(|body| context.body(body));
                let params = params.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
                let context = context.with("call", name.as_str()).with("body", params);
                let body = context.body(&endpoint.envelope);
                self.bare(method, &url, body, token, &context)
            }
            (Called::Procedure(_), None) => Err(AppFailure::Cannot("call procedures")),
        }
    }

    fn bare(
        &self,
        method: &Method,
        url: &Url,
        body: Option<Value>,
        token: Option<&Secret>,
        context: &Context<'_>,
    ) -> Result<Request<Bytes>, AppFailure> {
        let unreached = |error: http::Error| AppFailure::unreached(error.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .body(Bytes::new())
            .map_err(unreached)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let context = with_token(context, token);
        for (name, template) in &self.api.headers {
            let text = context.text(template, Within::Text).unwrap_or_default();
            let value = HeaderValue::from_str(&text);
            headers.insert(
                name,
                value.map_err(|error| AppFailure::unreached(format!("{name}: {error}")))?,
            );
        }
        if let Some(body) = body {
            let kind = self.api.content_type.clone();
            headers.insert(
                CONTENT_TYPE,
                kind.unwrap_or_else(|| content_type(self.api.encoding)),
            );
            *request.body_mut() = encoded(&body, self.api.encoding);
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        operation: &str,
    ) -> Result<Answer, AppFailure> {
        let safe = reads(operation) || operation == "login" || request.method() == Method::GET;
        let first = self.once(request.clone()).await;
        match first {
            // Asked again where that changes nothing: an idle connection may just have been closed.
            Err(AppFailure::Unavailable { .. }) if safe => self.once(request).await,
            done => done,
        }
    }

    async fn once(&self, request: Request<Bytes>) -> Result<Answer, AppFailure> {
        let _turn = self.pace.turn().await?;
        let answer = self.outbound.call(request).await;
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

fn with_token<'a>(context: &Context<'a>, token: Option<&Secret>) -> Context<'a> {
    match token {
        Some(token) => context.clone().with("token", token.expose()),
        None => context.clone(),
    }
}

fn content_type(encoding: BodyEncoding) -> HeaderValue {
    HeaderValue::from_static(match encoding {
        BodyEncoding::Json => "application/json",
        BodyEncoding::Form => "application/x-www-form-urlencoded",
    })
}

fn encoded(body: &Value, encoding: BodyEncoding) -> Bytes {
    match (encoding, body) {
        (BodyEncoding::Form, Value::Object(members)) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in members {
                match value {
                    Value::Array(items) => {
                        for item in items {
                            form.append_pair(name, &written(item));
                        }
                    }
                    value => {
                        form.append_pair(name, &written(value));
                    }
                }
            }
            form.finish().into()
        }
        (BodyEncoding::Json | BodyEncoding::Form, body) => body.to_string().into(),
    }
}
