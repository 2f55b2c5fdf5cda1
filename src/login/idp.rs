//! What an idp must be able to do, whatever it speaks. Implemented by `oidc` and `saml`.

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::Login;
use crate::identity::{IdpKind, IdpName, Principal};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::session::Session;
use crate::web::Visit;

/// What a sign-in begins with; handle, nonce and verifier are random, kept in [`super::Pending`], and used once.
#[derive(Clone, Debug)]
pub struct BeginRequest<'a> {
    /// `state` of OpenID Connect, `RelayState` of SAML.
    pub handle: &'a str,
    /// Our origin that the browser comes back to, such as `https://app.example.com`: a tenant can have its own host.
    pub origin: &'a str,
    /// `nonce`; the request's `ID` in SAML.
    pub nonce: &'a str,
    /// PKCE code verifier (RFC 7636 4.1).
    pub verifier: &'a Secret,
    /// The person must prove who they are again, whatever session the idp has (`prompt=login`, `ForceAuthn`).
    pub again: bool,
    /// What the person typed into the chooser's e-mail field.
    pub hint: Option<&'a str>,
}

/// Where the browser goes to sign in.
#[derive(Debug)]
pub enum Begin {
    /// There, with GET.
    Redirect(String),
    /// A page that posts itself there (SAML's POST binding).
    Page(Response<Full<Bytes>>),
}

/// How the idp's own session can be ended from our side.
#[derive(Debug)]
pub enum Logout {
    /// There, with GET; the idp sends the browser back.
    Redirect(String),
    /// A page that posts itself there; the idp sends the browser back.
    Page(Response<Full<Bytes>>),
    /// It cannot; the person stays signed in there.
    Unsupported,
}

/// What checking a bearer token found.
#[derive(Debug)]
pub enum BearerCheck {
    /// Not a token of this idp: ask the next, and leave the field for the app.
    NotOurs,
    /// Verified.
    Principal(Box<Principal>, crate::clock::Timestamp),
    /// A token of this idp that must not be used; the cause is for the log.
    Refused(Problem),
}

/// One configured idp.
#[async_trait]
pub trait Idp: Send + Sync {
    /// In paths, logs and listings.
    fn name(&self) -> &IdpName;
    /// On the chooser's button.
    fn label(&self) -> &str;
    /// How it speaks.
    fn kind(&self) -> IdpKind;
    /// E-mail domains, folded, whose people sign in here.
    fn domains(&self) -> &[String];
    /// Where the browser goes.
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Begin, Problem>;
    /// Where the browser goes after our session ended, to end the idp's; `return_to` is absolute.
    async fn logout(&self, session: &Session, return_to: &str) -> Logout;
    /// Verifies an access token; the second half of [`BearerCheck::Principal`] is its `exp`.
    async fn bearer(&self, token: &str) -> BearerCheck;
    /// Answers below this idp's prefix; `rest` is what stands after the name (`/oidc/{idp}/callback`), with SAML before it
    /// (`/saml2/sso/{idp}`).
    async fn answer(
        &self,
        login: &Login,
        visit: &Visit,
        rest: &str,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Problem>;
    /// Fetches metadata and keys anew when they are due; called about once a minute. Failures are kept for `doctor`, logged and counted.
    async fn refresh(&self);
    /// Whether it could sign somebody in now; the text is for the operator.
    async fn ready(&self) -> Result<(), String>;
}
