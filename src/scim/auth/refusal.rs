//! Why a client was not let in, and what it is told.

use std::time::Duration;

use http::{HeaderValue, StatusCode};

use crate::problem::Problem;

use super::super::error::ScimError;
use super::super::federation::AssertionRefused;
use super::super::token::TokenError;

/// What a 401 asks for (RFC 6750 3; RFC 7644 2 takes any scheme, RFC 9110 15.5.2 wants the field).
const CHALLENGE: &str = "Bearer realm=\"SCIM\"";
/// The same where something was shown (RFC 6750 3.1).
const INVALID: &str = "Bearer realm=\"SCIM\", error=\"invalid_token\"";
/// When too much is being checked at this moment.
const SOON: Duration = Duration::from_secs(2);

/// Why a client was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The address is not in `scim.allowed_networks`.
    #[error("client's network is not in scim.allowed_networks")]
    Network,
    /// Nothing in `Authorization`.
    #[error("no token was shown")]
    Missing,
    /// `Authorization` stands twice.
    #[error("Authorization stands twice")]
    Twice,
    /// A token in the query.
    #[error("a token stands in the query")]
    InQuery,
    /// The token was not taken.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The assertion was not taken.
    #[error(transparent)]
    Assertion(Box<AssertionRefused>),
    /// Too many failures of this network.
    #[error("too many failed tries")]
    Throttled(Duration),
    /// More requests than `scim.rate`.
    #[error("more requests than scim.rate")]
    Rate,
}

impl From<AssertionRefused> for Refusal {
    fn from(refused: AssertionRefused) -> Self {
        Self::Assertion(Box::new(refused))
    }
}

/// What a client that was not let in is answered.
#[derive(Debug)]
pub struct Denied {
    /// Status and body. Its cause is for the log.
    pub error: ScimError,
    /// `WWW-Authenticate`, on a 401.
    pub challenge: Option<HeaderValue>,
}

impl Refusal {
    /// The word in `sidegate_scim_refused_total`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Missing | Self::Twice | Self::InQuery => "missing",
            Self::Token(error) => match error {
                TokenError::Form | TokenError::Unknown | TokenError::Secret(_) => "unknown",
                TokenError::Revoked(_) => "revoked",
                TokenError::Expired(_) => "expired",
                TokenError::Tenant { .. } => "tenant",
                TokenError::Busy(_) => "busy",
            },
            Self::Assertion(_) => "assertion",
            Self::Throttled(_) => "throttled",
            Self::Rate => "rate",
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let missing = |detail| Self::new(StatusCode::UNAUTHORIZED, "scim.token", detail);
        let too_many = |code, detail| Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
        match &refusal {
            Refusal::Network => Self::forbidden(
                "scim.network",
                "Requests from this network are not taken here. The operator of this service can allow it.",
            ),
            Refusal::Missing => {
                missing("Authorization is missing. Send the token as: Authorization: Bearer TOKEN")
            }
            Refusal::Twice => missing("Authorization stands twice. Send one token."),
            Refusal::InQuery => missing(
                "A token in the address is not taken. Send it as: Authorization: Bearer TOKEN",
            ),
            Refusal::Token(TokenError::Busy(_)) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "scim.busy",
                "Too many tokens are being checked. Try again in a moment.",
            )
            .retry_after(SOON),
            Refusal::Assertion(refused) if refused.is_ours() => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "scim.issuer",
                "The keys of the token's issuer cannot be reached at the moment. Try again in a minute.",
            )
            .retry_after(Duration::from_secs(30)),
            // One text whatever is wrong: which tokens and tenants there are is told to nobody.
            Refusal::Token(
                TokenError::Form
                | TokenError::Unknown
                | TokenError::Secret(_)
                | TokenError::Revoked(_)
                | TokenError::Expired(_)
                | TokenError::Tenant { .. },
            )
            | Refusal::Assertion(_) => missing(
                "The token is not valid for this address. Check that all of it was pasted, that it is of this tenant, and that it was neither revoked nor has expired.",
            ),
            Refusal::Throttled(wait) => too_many(
                "scim.throttled",
                "Too many requests with a wrong token came from this network. Try again later.",
            )
            .retry_after(*wait),
            Refusal::Rate => too_many("scim.rate", "Too many requests at once. Try again in a second.")
                .retry_after(Duration::from_secs(1)),
        }
        .because(refusal)
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        let challenge = match &refusal {
            Refusal::Missing | Refusal::Twice | Refusal::InQuery => CHALLENGE,
            Refusal::Token(_)
            | Refusal::Assertion(_)
            | Refusal::Network
            | Refusal::Throttled(_)
            | Refusal::Rate => INVALID,
        };
        let error = ScimError::from(Problem::from(refusal));
        let is_401 = error.status == StatusCode::UNAUTHORIZED;
        Self {
            challenge: is_401.then_some(HeaderValue::from_static(challenge)),
            error,
        }
    }
}
