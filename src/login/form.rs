//! Forms and queries of our own pages: read strictly, and only from our own pages.
//!
//! Refuses forms that another site sends (login CSRF would sign a person in as somebody else), forms of another
//! browser, and fields that stand twice.

use http::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use http::{HeaderName, StatusCode};

use super::Login;
use crate::crypto::{random_token, sha256};
use crate::problem::Problem;
use crate::secret::same;
use crate::web::Visit;

/// Which site sent a request, by the browser's own word (Fetch Metadata, W3C).
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Fields by name, each at most once. No `Debug`: passwords are among them (R41).
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of the request's query.
    pub(super) fn query(visit: &Visit) -> Result<Self, Problem> {
        Self::read(visit.uri.query().unwrap_or_default().as_bytes())
    }

    /// Of a form that one of our own pages sent.
    pub(super) fn form(visit: &Visit, origin: &str, body: &[u8]) -> Result<Self, Problem> {
        from_our_page(visit, origin)?;
        let kind = visit.header(&CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "form.kind",
                "This address takes only the form of its own page.",
            ));
        }
        Self::read(body)
    }

    /// The field's value; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The field's value.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(its, _)| its == name);
        field.map(|(_, value)| value.as_str())
    }

    fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            // R37: a field that stands twice means two things. What is not UTF-8 means nothing.
            let twice = fields.iter().any(|(before, _)| *before == name);
            if twice || fields.len() >= 32 || value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(Problem::bad_request(
                    "form.fields",
                    "The form could not be read. Please go back and try again.",
                ));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }
}

/// What a form was made for: its token fits no other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    SignIn,
    Password,
}

impl Login {
    /// Value of the browser cookie, a new one when there is none, and the field that sets it in any case:
    /// it must not end while the page stands open.
    pub fn browser_or_new(&self, visit: &Visit) -> (String, Option<HeaderValue>) {
        let browser = self.browser(visit).unwrap_or_else(random_token);
        let cookie = self.browser_cookie(&browser).to_header();
        (browser, Some(cookie))
    }

    /// Whether a form carries the token of this browser: a form of our own page in this very browser does.
    pub(super) fn is_own_form(&self, visit: &Visit, fields: &Fields, purpose: Purpose) -> bool {
        let expected = self.browser(visit).map(|browser| token(&browser, purpose));
        // R28: in constant time.
        expected.is_some_and(|token| same(token.as_bytes(), fields.text("token").as_bytes()))
    }
}

/// A form's proof that its page was made for the browser with this cookie, which no script and no other site reads.
pub(super) fn token(browser: &str, purpose: Purpose) -> String {
    sha256(format!("sidegate form {purpose:?} {browser}").as_bytes()).to_hex()
}

/// Refuses what another site sends. Browsers say so themselves; programs say nothing.
fn from_our_page(visit: &Visit, origin: &str) -> Result<(), Problem> {
    let site = visit.headers.get(SEC_FETCH_SITE);
    let site_fits = site.is_none_or(|site| site == "same-origin" || site == "none");
    let its_origin = visit.headers.get(ORIGIN);
    // R18: scheme, host and port, compared whole.
    let origin_fits = its_origin.is_none_or(|its| its == origin);
    if site_fits && origin_fits {
        return Ok(());
    }
    Err(Problem::forbidden(
        "form.cross_site",
        "This form was not sent by our own page. Please open the page and try again.",
    ))
}
