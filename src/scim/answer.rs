//! Answers of SCIM: always `application/scim+json` (RFC 7644 3.1), errors too.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};

use super::ScimError;
use super::render::etag;

/// What a client is asked for on 401 (RFC 6750 3).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"scim\"");

/// An answer before it is bytes.
#[derive(Debug)]
pub(super) struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Document; none on 204 and 304.
    pub body: Option<Value>,
    /// Fields besides the usual ones.
    pub fields: HeaderMap,
}

impl Answer {
    /// 200 with a document.
    pub(super) fn ok(body: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body.into()),
            fields: HeaderMap::new(),
        }
    }

    /// Without a document.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: None,
            fields: HeaderMap::new(),
        }
    }

    /// A resource with its version, and with 201 where it is (RFC 7644 3.3, 3.14).
    pub(super) fn resource(
        status: StatusCode,
        resource: Map<String, Value>,
        location: &str,
        version: u64,
    ) -> Self {
        let mut fields = HeaderMap::new();
        if let Ok(version) = HeaderValue::try_from(etag(version)) {
            fields.insert(ETAG, version);
        }
        if status == StatusCode::CREATED
            && let Ok(location) = HeaderValue::try_from(location)
        {
            fields.insert(LOCATION, location);
        }
        Self {
            status,
            body: Some(resource.into()),
            fields,
        }
    }

    /// The resource's id, for those who refer to it.
    pub(super) fn id(&self) -> Option<String> {
        Some(self.body.as_ref()?.get("id")?.as_str()?.to_owned())
    }

    /// The resource's version.
    pub(super) fn version(&self) -> Option<&str> {
        self.fields.get(ETAG)?.to_str().ok()
    }
}

impl From<&ScimError> for Answer {
    fn from(error: &ScimError) -> Self {
        let mut answer = Self {
            status: error.status,
            body: Some(error.to_json()),
            fields: HeaderMap::new(),
        };
        if error.status == StatusCode::UNAUTHORIZED {
            let challenge = error.challenge.clone();
            answer
                .fields
                .insert(WWW_AUTHENTICATE, challenge.unwrap_or(CHALLENGE));
        }
        if let Some(wait) = error.retry_after {
            answer
                .fields
                .insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        if let Some(methods) = error.allow {
            answer
                .fields
                .insert(ALLOW, HeaderValue::from_static(methods));
        }
        answer
    }
}

impl From<ScimError> for Response<Full<Bytes>> {
    fn from(error: ScimError) -> Self {
        Answer::from(&error).into()
    }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let body = answer.body.map(|body| body.to_string());
        let mut response = Response::new(Full::from(body.unwrap_or_default()));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/scim+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.extend(answer.fields);
        response
    }
}
