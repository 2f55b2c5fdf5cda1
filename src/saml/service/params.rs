//! Fields of a form, each at most once (R37).

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use url::form_urlencoded;

use crate::problem::Problem;
use crate::web::Visit;

/// More fields than any idp sends.
const MAX: usize = 32;

/// A form or query that can mean one thing only.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The body of a POST.
    pub(super) fn form(visit: &Visit, body: &[u8]) -> Result<Self, Problem> {
        let is_form = |kind: &HeaderValue| {
            let kind = kind.as_bytes().split(|byte| *byte == b';').next();
            kind.is_some_and(|kind| {
                kind.trim_ascii()
                    .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
            })
        };
        if !visit.headers.get(CONTENT_TYPE).is_some_and(is_form) {
            return Err(unreadable());
        }
        Self::read(body)
    }

    /// What stands behind the question mark.
    pub(super) fn query(visit: &Visit) -> Result<Self, Problem> {
        Self::read(visit.uri.query().unwrap_or_default().as_bytes())
    }

    fn read(text: &[u8]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if pairs.len() >= MAX || pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(unreadable());
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// The value; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(its, _)| its == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

fn unreadable() -> Problem {
    Problem::bad_request(
        "sign_in.parameters",
        "Your sign-in service's answer cannot be read. Please start again.",
    )
}
