//! The error form of SCIM (RFC 7644 3.12).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::problem::Problem;

/// Schema of an error document.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What kind of mistake it is (RFC 7644 table 9; the last three RFC 9865 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScimType {
    /// The filter cannot be read, or compares what cannot be compared.
    InvalidFilter,
    /// More results, or more work, than allowed.
    TooMany,
    /// Another resource has this value.
    Uniqueness,
    /// The attribute may not be changed so.
    Mutability,
    /// The body cannot be read.
    InvalidSyntax,
    /// The path of a PATCH operation cannot be read or leads nowhere.
    InvalidPath,
    /// The path of a PATCH operation fits no value.
    NoTarget,
    /// A value is missing or not of the attribute's type.
    InvalidValue,
    /// No such version of the protocol.
    InvalidVers,
    /// Not in an URL.
    Sensitive,
    /// The cursor is not one of ours.
    InvalidCursor,
    /// The cursor is too old.
    ExpiredCursor,
    /// `count` is no number that fits.
    InvalidCount,
}

impl ScimType {
    /// As it stands in `scimType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal as the SCIM client sees it. `detail` names attribute and reason for the admin who reads it
/// in the idp's log; it is at most [`MAX_DETAIL`] bytes and shown to authenticated clients alone.
#[derive(Debug)]
pub struct ScimError {
    /// HTTP status.
    pub status: StatusCode,
    /// `scimType`, where table 9 has one.
    pub scim_type: Option<ScimType>,
    /// `detail`.
    pub detail: Cow<'static, str>,
    /// For `Retry-After`.
    pub retry_after: Option<Duration>,
    /// For `Allow`, on 405.
    pub allow: Option<&'static str>,
    /// For `WWW-Authenticate`, on 401.
    pub challenge: Option<HeaderValue>,
    cause: Option<Box<Problem>>,
}

/// Longest `detail`, bytes.
pub const MAX_DETAIL: usize = 1024;

impl ScimError {
    /// With this status and text.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut detail = detail.into();
        if detail.len() > MAX_DETAIL {
            let end = detail.floor_char_boundary(MAX_DETAIL);
            detail.to_mut().truncate(end);
        }
        Self {
            status,
            scim_type: None,
            detail,
            retry_after: None,
            allow: None,
            challenge: None,
            cause: None,
        }
    }

    /// 400 of this type; `uniqueness` is 409 (RFC 7644 3.3).
    pub fn of(scim_type: ScimType, detail: impl Into<Cow<'static, str>>) -> Self {
        let status = match scim_type {
            ScimType::Uniqueness => StatusCode::CONFLICT,
            ScimType::InvalidFilter
            | ScimType::TooMany
            | ScimType::Mutability
            | ScimType::InvalidSyntax
            | ScimType::InvalidPath
            | ScimType::NoTarget
            | ScimType::InvalidValue
            | ScimType::InvalidVers
            | ScimType::Sensitive
            | ScimType::InvalidCursor
            | ScimType::ExpiredCursor
            | ScimType::InvalidCount => StatusCode::BAD_REQUEST,
        };
        Self {
            scim_type: Some(scim_type),
            ..Self::new(status, detail)
        }
    }

    /// 404: no such resource or endpoint.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 405: the address answers other methods only (RFC 9110 15.5.6).
    pub fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("this address answers {allow} only"),
            )
        }
    }

    /// For the log alone: what the client was told, and what is behind it.
    pub fn causes(&self) -> String {
        match self.cause.as_ref().map(|problem| problem.causes()) {
            Some(causes) if !causes.is_empty() => format!("{}: {causes}", self.detail),
            _ => self.detail.to_string(),
        }
    }

    /// A stable word for the access log.
    pub fn code(&self) -> &'static str {
        if let Some(problem) = &self.cause {
            return problem.code;
        }
        match (self.scim_type, self.status.as_u16()) {
            (Some(ScimType::InvalidFilter), _) => "scim.invalid_filter",
            (Some(ScimType::TooMany), _) => "scim.too_many",
            (Some(ScimType::Uniqueness), _) => "scim.uniqueness",
            (Some(ScimType::Mutability), _) => "scim.mutability",
            (Some(ScimType::InvalidSyntax), _) => "scim.invalid_syntax",
            (Some(ScimType::InvalidPath), _) => "scim.invalid_path",
            (Some(ScimType::NoTarget), _) => "scim.no_target",
            (Some(ScimType::InvalidValue), _) => "scim.invalid_value",
            (Some(ScimType::InvalidVers), _) => "scim.invalid_vers",
            (Some(ScimType::Sensitive), _) => "scim.sensitive",
            (
                Some(ScimType::InvalidCursor | ScimType::ExpiredCursor | ScimType::InvalidCount),
                _,
            ) => "scim.invalid_page",
            (None, 401) => "scim.token",
            (None, 403) => "scim.forbidden",
            (None, 404) => "scim.not_found",
            (None, 405) => "scim.method",
            (None, 412) => "scim.version",
            (None, 413) => "scim.too_large",
            (None, 415) => "scim.content_type",
            (None, 429) => "scim.rate",
            (None, 503) => "scim.paused",
            (None, _) => "scim.failed",
        }
    }

    /// The document (RFC 7644 3.12): `status` is a text.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "schemas": [ERROR_SCHEMA],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if let (Some(kind), Some(object)) = (self.scim_type, json.as_object_mut()) {
            object.insert("scimType".to_owned(), kind.as_str().into());
        }
        json
    }

    /// Keeps the failure, for the log.
    #[must_use]
    pub fn because(mut self, problem: Problem) -> Self {
        self.cause = Some(Box::new(problem));
        self
    }

    /// What the log is told besides: the failure behind a 5xx.
    pub fn cause(&self) -> Option<&Problem> {
        self.cause.as_deref()
    }
}

impl fmt::Display for ScimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ScimError {}

impl From<Problem> for ScimError {
    fn from(problem: Problem) -> Self {
        Self {
            retry_after: problem.retry_after,
            // RFC 9110 15.5.6: what an address takes is told with every 405.
            allow: (problem.status == StatusCode::METHOD_NOT_ALLOWED)
                .then_some("GET, POST, PUT, PATCH, DELETE"),
            ..Self::new(problem.status, problem.detail)
        }
        .because(problem)
    }
}
