//! OAuth's errors (RFC 6749 5.2), and what of ours becomes which.

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::super::auth::Refusal;
use super::super::token::TokenError;
use super::TokenAnswer;
use crate::problem::Problem;
use crate::storage::StorageError;
use crate::web::answer;

/// What a 401 asks for (RFC 6749 5.2).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"SCIM\"");

/// Why a client gets no access token.
#[derive(Debug, thiserror::Error)]
pub(super) enum OauthError {
    #[error("{0}")]
    Request(&'static str),
    #[error("grant_type is another one")]
    Grant,
    #[error("method is not POST")]
    Method,
    #[error("client is not taken")]
    Client(#[source] Refusal),
    #[error("client is not heard")]
    Refused(#[source] Refusal),
    #[error("access token cannot be kept")]
    Store(#[from] StorageError),
}

impl OauthError {
    /// One mistake of the client, or of ours at this moment.
    pub(super) fn of(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::Network
            | Refusal::Throttled(_)
            | Refusal::Rate
            | Refusal::Token(TokenError::Busy(_)) => Self::Refused(refusal),
            Refusal::Assertion(refused) if refused.is_ours() => Self::Refused(refusal),
            Refusal::Missing
            | Refusal::Twice
            | Refusal::InQuery
            | Refusal::Token(_)
            | Refusal::Assertion(_) => Self::Client(refusal),
        }
    }

    /// RFC 6749 5.2; for what it does not know, the words of 4.1.2.1.
    fn code(&self) -> &'static str {
        match self {
            Self::Request(_) | Self::Method => "invalid_request",
            Self::Grant => "unsupported_grant_type",
            Self::Client(_) => "invalid_client",
            Self::Refused(Refusal::Network) => "access_denied",
            Self::Refused(_) | Self::Store(_) => "temporarily_unavailable",
        }
    }
}

impl From<OauthError> for Problem {
    fn from(error: OauthError) -> Self {
        match error {
            OauthError::Request(what) => Self::bad_request("scim.oauth", what).because(error),
            OauthError::Grant => Self::bad_request(
                "scim.oauth",
                "grant_type must be client_credentials.",
            )
            .because(error),
            OauthError::Method => Self::method_not_allowed().because(error),
            OauthError::Client(refusal) => Self::new(
                StatusCode::UNAUTHORIZED,
                "scim.client",
                "The client is unknown, or what it showed is not valid. Check client id, client secret and token endpoint.",
            )
            .because(refusal),
            OauthError::Refused(refusal) => refusal.into(),
            OauthError::Store(error) => error.into(),
        }
    }
}

/// The answer to a client that gets none.
pub(super) fn refused(error: OauthError) -> TokenAnswer {
    let code = error.code();
    let problem = Problem::from(error);
    let body = json!({ "error": code, "error_description": problem.detail });
    let mut response = answer::json(problem.status, &body);
    let headers = response.headers_mut();
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    }
    if problem.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    if let Some(wait) = problem.retry_after {
        headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
    }
    TokenAnswer {
        response,
        problem: Some(problem),
    }
}
