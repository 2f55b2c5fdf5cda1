//! Where a request's body ends: refused when two readers could see two ends (R61).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

use crate::problem::Problem;

/// Why a request's framing was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FramingError {
    /// Several `Content-Length` fields, or one that is no number (RFC 9112 6.3).
    #[error("content length is not one number")]
    Length,
    /// Another transfer coding than `chunked`, or `chunked` twice (RFC 9112 6.1).
    #[error("transfer coding is not chunked alone")]
    Coding,
    /// Both `Content-Length` and `Transfer-Encoding`.
    #[error("content length and transfer coding stand together")]
    Both,
}

impl From<FramingError> for Problem {
    fn from(error: FramingError) -> Self {
        Self::bad_request(
            "framing.refused",
            "The request's length is given in two ways. Please send it again.",
        )
        .because(error)
    }
}

/// R61: one length, or `chunked`, and never both.
pub(super) fn check(headers: &HeaderMap) -> Result<(), FramingError> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    let is_number = |value: &HeaderValue| {
        let digits = value.as_bytes();
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    if lengths.next().is_some() || length.is_some_and(|value| !is_number(value)) {
        return Err(FramingError::Length);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else {
        return Ok(());
    };
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err(FramingError::Coding);
    }
    if length.is_some() {
        return Err(FramingError::Both);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[expect(clippy::type_complexity, reason = "a table")]
    const FRAMINGS: &[(&str, &[(&str, &str)], Result<(), FramingError>)] = &[
        ("length", &[("Content-Length", "5")], Ok(())),
        ("chunked", &[("Transfer-Encoding", "Chunked")], Ok(())),
        ("neither", &[], Ok(())),
        (
            "two lengths",
            &[("Content-Length", "5"), ("Content-Length", "6")],
            Err(FramingError::Length),
        ),
        (
            "the same twice",
            &[("Content-Length", "5"), ("Content-Length", "5")],
            Err(FramingError::Length),
        ),
        (
            "a list",
            &[("Content-Length", "5, 5")],
            Err(FramingError::Length),
        ),
        (
            "a sign",
            &[("Content-Length", "+5")],
            Err(FramingError::Length),
        ),
        (
            "hex",
            &[("Content-Length", "0x5")],
            Err(FramingError::Length),
        ),
        (
            "nothing",
            &[("Content-Length", "")],
            Err(FramingError::Length),
        ),
        (
            "both",
            &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            Err(FramingError::Both),
        ),
        (
            "gzip",
            &[("Transfer-Encoding", "gzip")],
            Err(FramingError::Coding),
        ),
        (
            "gzip, chunked",
            &[("Transfer-Encoding", "gzip, chunked")],
            Err(FramingError::Coding),
        ),
        (
            "twice",
            &[
                ("Transfer-Encoding", "chunked"),
                ("Transfer-Encoding", "chunked"),
            ],
            Err(FramingError::Coding),
        ),
        (
            "identity",
            &[("Transfer-Encoding", "identity")],
            Err(FramingError::Coding),
        ),
        (
            "xchunked",
            &[("Transfer-Encoding", "xchunked")],
            Err(FramingError::Coding),
        ),
        (
            "vertical tab",
            &[("Transfer-Encoding", "chunked ;x")],
            Err(FramingError::Coding),
        ),
    ];

    #[test]
    fn r61_a_body_ends_at_one_place() {
        for (name, pairs, want) in FRAMINGS {
            let got = check(&fields(pairs));
            assert_eq!(got, *want, "{name}");
        }
    }
}
