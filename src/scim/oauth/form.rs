//! What a client sends to the token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use url::form_urlencoded;

use super::super::auth::Refusal;
use super::OauthError;
use crate::secret::Secret;
use crate::web::Visit;

/// More parameters than any client sends.
const MAX: usize = 64;
/// Names that mean something to us: saying one twice is an attempt to be understood in two ways.
const ONCE: [&str; 6] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
];

/// Parameters; others than ours are let be (RFC 6749 3.2), such as `resource` and `baseAddress` of Entra's tests. No
/// `Debug`: secrets are among them (R41).
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(visit: &Visit, body: &[u8]) -> Result<Self, &'static str> {
        if let Some(kind) = visit.headers.get(CONTENT_TYPE) {
            let kind = kind.to_str().unwrap_or_default();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                return Err("The body must be application/x-www-form-urlencoded.");
            }
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            let twice = ONCE.contains(&name.as_ref()) && pairs.iter().any(|(its, _)| *its == name);
            // R37: two readers could each believe another one.
            if twice || pairs.len() >= MAX {
                return Err("A parameter stands twice, or there are too many.");
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// The value without the white space of pasting; an empty one is none (RFC 6749 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(its, _)| its == name);
        let value = pair.map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// Client id and secret.
    pub(super) fn client(&self, visit: &Visit) -> Result<(String, Secret), OauthError> {
        let body = match (self.get("client_id"), self.get("client_secret")) {
            (id, Some(secret)) => Some((id.unwrap_or_default().to_owned(), secret.to_owned())),
            (_, None) => None,
        };
        let header = in_header(visit)?;
        // Entra's "Both" sends the same in both. RFC 6749 2.3 knows no such thing, so two different ones are nobody's.
        if let (Some(body), Some(header)) = (&body, &header)
            && body != header
        {
            return Err(OauthError::Request(
                "Authorization and the body name two clients.",
            ));
        }
        let (id, secret) = header
            .or(body)
            .ok_or(OauthError::Client(Refusal::Missing))?;
        Ok((id, Secret::new(secret)))
    }
}

/// `client_secret_basic`: both parts are encoded as in a form (RFC 6749 2.3.1).
fn in_header(visit: &Visit) -> Result<Option<(String, String)>, OauthError> {
    let mut fields = visit.headers.get_all(AUTHORIZATION).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(OauthError::Request("Authorization stands twice."));
    }
    let pair = || {
        let (scheme, rest) = field.to_str().ok()?.trim().split_once(' ')?;
        let bytes = STANDARD.decode(rest.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        let basic = scheme.eq_ignore_ascii_case("basic");
        basic.then(|| (decoded(id), decoded(secret)))
    };
    let pair = pair().ok_or(OauthError::Client(Refusal::Missing))?;
    Ok(Some(pair))
}

fn decoded(text: &str) -> String {
    let whole = format!("x={}", text.trim().replace('&', "%26"));
    let value = form_urlencoded::parse(whole.as_bytes()).next();
    value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}
