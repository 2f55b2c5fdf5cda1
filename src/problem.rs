//! The one error a caller outside the process may see.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// A failure as the outside sees it, plus the cause only the log sees.
///
/// `Display` is the public text. The cause is reachable through `source()` and is written once,
/// by the access log, next to `code` and the request id.
#[derive(Debug)]
pub struct Problem {
    /// HTTP status of the answer; always 4xx or 5xx.
    pub status: StatusCode,
    /// Stable word for scripts and the manual, for example `session.required`.
    pub code: &'static str,
    /// One or two sentences for the person at the browser; never holds input.
    pub detail: &'static str,
    /// For `Retry-After` (RFC 9110 10.2.3).
    pub retry_after: Option<Duration>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Problem {
    /// A refusal or failure with a fixed public text.
    pub const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
            retry_after: None,
            cause: None,
        }
    }

    /// 400: the request itself cannot be served.
    pub const fn bad_request(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 403: known, and refused.
    pub const fn forbidden(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: not here, or not for you.
    pub const fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is nothing at this address.",
        )
    }

    /// 405: the address exists, the method does not.
    pub const fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "This address does not answer that method.",
        )
    }

    /// 500: the text says nothing, the log says all.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The service could not complete the request.",
        )
        .because(cause)
    }

    /// Keeps why, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Tells the caller when to come back.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The causes in one line, outermost first; empty when there are none. For the log alone.
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next = self.source();
        while let Some(cause) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

/// An error and its causes in one line, for logs and listings of the operator.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl StdError for Problem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_text_never_carries_the_cause() {
        let problem = Problem::forbidden("x.refused", "No.").because("because of 42");
        assert_eq!(problem.to_string(), "No. (x.refused)");
        assert_eq!(problem.causes(), "because of 42");
    }
}
