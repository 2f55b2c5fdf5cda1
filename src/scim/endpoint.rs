//! The way of one SCIM request: address, token, limits, body, then who answers it.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use serde_json::Value;

use super::answer::Answer;
use super::bulk::MAX_PAYLOAD;
use super::call::{Call, activity_id};
use super::exchanges::Exchange;
use super::query::Query;
use super::render::Base;
use super::rooms::SMALL;
use super::route::{Kind, Route, route};
use super::{Denied, Scim, ScimError, ScimType, read_body};
use crate::identity::TenantSlug;
use crate::provision::Actor;
use crate::web::{self, BodyError, Visit};

/// Largest body, bytes: a group of 100,000 members fits.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// A body must be complete within this.
const BODY_TIME: Duration = Duration::from_mins(1);
const ALL: &str = "GET, POST";
const ONE: &str = "GET, PUT, PATCH, DELETE";
const ONE_WITHOUT_DELETE: &str = "GET, PUT, PATCH";

/// What was answered, and what the access log is told.
#[derive(Debug)]
pub struct Answered {
    /// The response.
    pub response: Response<Full<Bytes>>,
    /// The refusal, if it is one.
    pub refusal: Option<ScimError>,
}

impl From<ScimError> for Answered {
    fn from(error: ScimError) -> Self {
        Self {
            response: Answer::from(&error).into(),
            refusal: Some(error),
        }
    }
}

/// What a client sent, or is about to send.
enum Sent<B> {
    Whole(Result<Bytes, BodyError>),
    Waiting(B),
}

impl Scim {
    /// Answers a request below the prefix; `rest` follows it.
    pub async fn answer<B>(&self, visit: &Visit, rest: &str, body: B) -> Answered
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (tenant, route) = route(rest);
        if route == Route::Token {
            return self.token(visit, &tenant, body).await;
        }
        let mut exchange = Exchange::begin(visit, rest);
        // What is small is taken whole before anything is said: a connection with half a body on it is lost.
        let small = body
            .size_hint()
            .upper()
            .is_some_and(|its| its <= SMALL as u64);
        let sent = if small {
            Sent::Whole(web::read(body, SMALL, BODY_TIME).await)
        } else {
            Sent::Waiting(body)
        };
        let handled = self.handle(visit, &tenant, route, sent, &mut exchange);
        let answered = handled.await;
        exchange.end(&answered);
        self.exchanges.keep(exchange);
        match answered {
            Ok(answer) => Answered {
                response: answer.into(),
                refusal: None,
            },
            Err(error) => error.into(),
        }
    }

    async fn token<B>(&self, visit: &Visit, tenant: &str, body: B) -> Answered
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if visit.method != Method::POST {
            return ScimError::method("POST").into();
        }
        match web::read(body, SMALL, BODY_TIME).await {
            Ok(body) => {
                let answered = self.access.answer_token(visit, tenant, &body).await;
                Answered {
                    response: answered.response,
                    refusal: answered.problem.map(ScimError::from),
                }
            }
            Err(error) => unread(&error).into(),
        }
    }

    async fn handle<B>(
        &self,
        visit: &Visit,
        tenant: &str,
        route: Route,
        sent: Sent<B>,
        exchange: &mut Exchange,
    ) -> Result<Answer, ScimError>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if route == Route::Me
            && let Some(answer) = self.me(visit).await?
        {
            return Ok(answer);
        }
        let call = self.caller(visit, tenant, &route).await?;
        exchange.is_of(&call);
        self.pause.check()?;
        let query = Query::of_url(visit.uri.query().unwrap_or_default())?;
        if !matches!(visit.method, Method::POST | Method::PUT | Method::PATCH) {
            return self.without_body(&call, visit, &route, &query).await;
        }
        if !takes_body(&route, &visit.method) {
            return Err(self.elsewhere(&route));
        }
        check_content_type(visit)?;
        let limit = if route == Route::Bulk {
            MAX_PAYLOAD
        } else {
            MAX_BODY
        };
        let (bytes, room) = match sent {
            Sent::Whole(bytes) => (bytes.map_err(|error| unread(&error))?, None),
            // A little too much is read, so that the client sees the answer; far too much is not.
            Sent::Waiting(body) if body.size_hint().lower() > (limit as u64).saturating_mul(2) => {
                return Err(unread(&BodyError::TooLarge(limit)));
            }
            Sent::Waiting(body) => {
                let read = self.rooms.read(call.tenant(), body, limit, BODY_TIME);
                read.await.map_err(|error| unread(&error))?
            }
        };
        let body = read_body(&bytes)?;
        exchange.brings(&body);
        self.pause.check()?;
        let answer = self.with_body(&call, visit, &route, body, &query).await;
        drop(room);
        answer
    }

    /// What is no address at all is told to whoever has a token, and no more: not which tenants there are.
    async fn caller(&self, visit: &Visit, tenant: &str, route: &Route) -> Result<Call, ScimError> {
        let rest = visit.path.as_str().strip_prefix(&*self.prefix);
        let rest = rest.unwrap_or_default().trim_matches('/');
        let of_address = self.call(visit, tenant).await;
        if of_address.is_err() && *route == Route::Nothing && !rest.contains('/') {
            return self.call(visit, TenantSlug::default().as_str()).await;
        }
        of_address
    }

    /// Who calls. The address's tenant must be the token's own: another one is as unknown as none.
    async fn call(&self, visit: &Visit, tenant: &str) -> Result<Call, ScimError> {
        let client = self
            .access
            .authenticate(visit, tenant)
            .await
            .map_err(denied)?;
        let base = self.base(client.tenant());
        let actor = Actor {
            activity_id: activity_id(&visit.headers),
            dry_run: self.settings.scim.dry_run,
            ..client.actor(visit)
        };
        Ok(Call::new(client, base, actor, &visit.headers))
    }

    /// Where the resources of a tenant are.
    pub(super) fn base(&self, tenant: &TenantSlug) -> Base {
        let prefix = &self.settings.paths.scim;
        let path = if *tenant == TenantSlug::default() {
            prefix.clone()
        } else {
            format!("{prefix}/{tenant}")
        };
        Base(self.settings.public_url.join(&path))
    }

    async fn without_body(
        &self,
        call: &Call,
        visit: &Visit,
        route: &Route,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let get = matches!(visit.method, Method::GET | Method::HEAD);
        let delete = visit.method == Method::DELETE;
        match route {
            Route::All(kind) if get => Ok(Answer::ok(self.list(call, Some(*kind), query).await?)),
            Route::One(kind, id) if get => self.read(call, *kind, id, query).await,
            Route::One(kind, id) if delete && self.settings.scim.delete => match kind {
                Kind::User => self.delete_user(call, id).await,
                Kind::Group => self.delete_group(call, id).await,
            },
            Route::ServiceProviderConfig | Route::Schemas(_) | Route::ResourceTypes(_) if get => {
                self.discovery(call, route, visit.uri.query().unwrap_or_default())
            }
            // RFC 7644 3.11: a SCIM client is nobody's alias.
            Route::Me => Err(ScimError::new(
                StatusCode::NOT_IMPLEMENTED,
                "/Me is the person of a session; this is a SCIM client's token",
            )),
            Route::All(_)
            | Route::One(..)
            | Route::Search(_)
            | Route::Bulk
            | Route::ServiceProviderConfig
            | Route::Schemas(_)
            | Route::ResourceTypes(_)
            | Route::Token
            | Route::Nothing => Err(self.elsewhere(route)),
        }
    }

    async fn with_body(
        &self,
        call: &Call,
        visit: &Visit,
        route: &Route,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        match (route, visit.method.as_str()) {
            (Route::All(kind), "POST") => self.create(call, *kind, body, query).await,
            (Route::One(kind, id), "PUT") => self.replace(call, *kind, id, body, query).await,
            (Route::One(kind, id), "PATCH") => self.patch(call, *kind, id, &body, query).await,
            (Route::Search(kind), "POST") => {
                let empty = serde_json::Map::new();
                let query = Query::of_search(body.as_object().unwrap_or(&empty))?;
                Ok(Answer::ok(self.list(call, *kind, &query).await?))
            }
            (Route::Bulk, "POST") => self.bulk(call, body).await,
            (other, _) => Err(self.elsewhere(other)),
        }
    }

    pub(super) async fn create(
        &self,
        call: &Call,
        kind: Kind,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        match kind {
            Kind::User => self.create_user(call, body, query).await,
            Kind::Group => self.create_group(call, body, query).await,
        }
    }

    pub(super) async fn replace(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
        body: Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        match kind {
            Kind::User => self.replace_user(call, id, body, query).await,
            Kind::Group => self.replace_group(call, id, body, query).await,
        }
    }

    pub(super) async fn patch(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
        body: &Value,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        match kind {
            Kind::User => self.patch_user(call, id, body, query).await,
            Kind::Group => self.patch_group(call, id, body, query).await,
        }
    }

    async fn read(
        &self,
        call: &Call,
        kind: Kind,
        id: &str,
        query: &Query,
    ) -> Result<Answer, ScimError> {
        let record = self.one(call, kind, id).await?;
        let record = record.ok_or_else(|| ScimError::not_found(kind.as_str()))?;
        if call.has(record.version()) {
            return Ok(Answer::empty(StatusCode::NOT_MODIFIED));
        }
        self.resource_answer(call, StatusCode::OK, record, query)
            .await
    }

    /// 404, or 405 with what the address answers.
    pub(super) fn elsewhere(&self, route: &Route) -> ScimError {
        match route {
            Route::All(_) => ScimError::method(ALL),
            Route::One(..) if self.settings.scim.delete => ScimError::method(ONE),
            Route::One(..) => ScimError::method(ONE_WITHOUT_DELETE),
            Route::Search(_) | Route::Bulk | Route::Token => ScimError::method("POST"),
            Route::ServiceProviderConfig | Route::Schemas(_) | Route::ResourceTypes(_) => {
                ScimError::method("GET")
            }
            Route::Me => ScimError::method("GET"),
            Route::Nothing => ScimError::new(
                StatusCode::NOT_FOUND,
                "there is nothing at this address: the Tenant URL ends in /scim/v2 or /scim/v2/{tenant}, \
                 and below it are Users, Groups, Schemas, ResourceTypes, ServiceProviderConfig and Bulk",
            ),
        }
    }
}

fn takes_body(route: &Route, method: &Method) -> bool {
    match route {
        Route::All(_) | Route::Search(_) | Route::Bulk => *method == Method::POST,
        Route::One(..) => matches!(*method, Method::PUT | Method::PATCH),
        Route::Me
        | Route::ServiceProviderConfig
        | Route::Schemas(_)
        | Route::ResourceTypes(_)
        | Route::Token
        | Route::Nothing => false,
    }
}

fn denied(denied: Denied) -> ScimError {
    let mut error = denied.error;
    error.challenge = denied.challenge;
    error
}

/// `application/scim+json`, `application/json`, or none, with any parameters (RFC 7644 3.1, 3.8).
fn check_content_type(visit: &Visit) -> Result<(), ScimError> {
    let Some(kind) = visit.headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let taken = ["application/scim+json", "application/json"];
    if taken.iter().any(|its| its.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    Err(ScimError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Content-Type: must be application/scim+json or application/json",
    ))
}

fn unread(error: &BodyError) -> ScimError {
    match error {
        BodyError::TooLarge(limit) => ScimError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes"),
        ),
        BodyError::Slow(_) => ScimError::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        ),
        BodyError::Broken(_) => {
            ScimError::of(ScimType::InvalidSyntax, "the body did not arrive whole")
        }
    }
}
