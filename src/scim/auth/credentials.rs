//! What stands in `Authorization`, in every form that admins and idps bring it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::AUTHORIZATION;

use crate::secret::Secret;
use crate::web::Visit;

use super::super::token::{ACCESS_PREFIX, PREFIX};
use super::Refusal;

/// RFC 4648 4, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a client showed.
#[derive(Debug)]
pub(super) enum Credentials {
    /// A name or id, or nothing; and a token, or the secret of one.
    Shown(String, Secret),
    /// An access token of ours.
    Access(Secret),
    /// A signed token of somebody else.
    Signed(Secret),
}

impl Credentials {
    /// Reads `Authorization`. A query that holds a token is refused: it stands in logs and histories (RFC 6750 5.3).
    pub(super) fn read(visit: &Visit) -> Result<Self, Refusal> {
        let query = visit.uri.query().unwrap_or_default();
        let mut names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        if names.any(|name| name == "access_token") {
            return Err(Refusal::InQuery);
        }
        let mut fields = visit.headers.get_all(AUTHORIZATION).iter();
        let field = fields.next().ok_or(Refusal::Missing)?;
        // RFC 6750 2: one way to show a token, once.
        if fields.next().is_some() {
            return Err(Refusal::Twice);
        }
        let text = field.to_str().map_err(|_not_text| Refusal::Missing)?.trim();
        match scheme(text) {
            ("", "") => Err(Refusal::Missing),
            ("basic", rest) => Ok(basic(rest)),
            (_, rest) if rest.is_empty() => Err(Refusal::Missing),
            (_, rest) => Ok(Self::of(rest)),
        }
    }

    fn of(text: &str) -> Self {
        if text.starts_with(ACCESS_PREFIX) {
            Self::Access(Secret::new(text))
        } else if text.split('.').count() == 3 {
            Self::Signed(Secret::new(text))
        } else {
            Self::Shown(String::new(), Secret::new(text))
        }
    }
}

/// RFC 7617 2. Whoever has one field for a token and a form that wants two leaves one empty, or writes anything into it.
fn basic(text: &str) -> Credentials {
    let decoded = BASE64.decode(text).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.unwrap_or_default();
    let (name, secret) = decoded.split_once(':').unwrap_or(("", &decoded));
    let (name, secret) = (name.trim(), secret.trim());
    let is_token = |text: &str| text.starts_with(PREFIX) || text.starts_with(ACCESS_PREFIX);
    if is_token(secret) || (secret.is_empty() && is_token(name)) {
        let token = if secret.is_empty() { name } else { secret };
        return Credentials::of(token);
    }
    Credentials::Shown(name.to_owned(), Secret::new(secret))
}

/// The scheme in small letters and what follows it; a text without a scheme is a token by itself. Who pastes
/// `Bearer …` into a field that adds `Bearer` means it once.
fn scheme(text: &str) -> (&'static str, &str) {
    let (mut scheme, mut rest) = ("", text.trim());
    loop {
        let (word, after) = match rest.split_once(char::is_whitespace) {
            Some((word, after)) => (word, after.trim()),
            None => (rest, ""),
        };
        if word.eq_ignore_ascii_case("bearer") {
            (scheme, rest) = ("bearer", after);
        } else if word.eq_ignore_ascii_case("basic") && scheme.is_empty() {
            return ("basic", after);
        } else {
            return (scheme, rest);
        }
    }
}
