//! The way to the idp, and the code for the tokens (Core 3.1).

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use openidconnect::core::{CoreAuthPrompt, CoreClient, CoreResponseType, CoreTokenResponse};
use openidconnect::{
    AuthType, AuthUrl, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySet, LoginHint,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenUrl,
};

use super::Oidc;
use super::idp_error::IdpError;
use super::provider::Known;
use crate::login::{BeginRequest, Pending};
use crate::outbound::{Outbound, OutboundError};
use crate::problem::{Problem, chain};

/// With `max_age` the idp must say when the person proved who they are (Core 3.1.2.1); this one excludes nobody.
const ANY_AGE: Duration = Duration::from_hours(24 * 365);

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// A setting or address that makes no request.
#[derive(Debug, thiserror::Error)]
#[error("authorization request cannot be made")]
struct ClientError(#[from] url::ParseError);

/// The token endpoint answered with something that is no answer.
#[derive(Debug, thiserror::Error)]
#[error("token endpoint: {0}")]
struct TokenEndpointError(String);

impl Oidc {
    pub(super) fn authorization_url(
        &self,
        known: &Known,
        request: &BeginRequest<'_>,
    ) -> Result<String, Problem> {
        let client = self.client(known, request.origin)?;
        // R36: always S256, whatever the idp announces.
        let verifier = PkceCodeVerifier::new(request.verifier.expose().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let (state, nonce) = (request.handle.to_owned(), request.nonce.to_owned());
        let mut url = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .set_pkce_challenge(challenge);
        for scope in self
            .settings
            .scopes
            .iter()
            .filter(|scope| *scope != "openid")
        {
            url = url.add_scope(Scope::new(scope.clone()));
        }
        if request.again {
            url = url
                .add_prompt(CoreAuthPrompt::Login)
                .set_max_age(Duration::ZERO);
        } else if self.wants_auth_time {
            url = url.set_max_age(ANY_AGE);
        }
        if let Some(hint) = request.hint {
            url = url.set_login_hint(LoginHint::new(hint.to_owned()));
        }
        Ok(url.url().0.to_string())
    }

    pub(super) async fn redeem(
        &self,
        known: &Known,
        pending: &Pending,
        code: &str,
    ) -> Result<CoreTokenResponse, Problem> {
        let client = self.client(known, &pending.origin)?;
        let outbound = self.outbound.clone();
        let http = move |request: HttpRequest| send(outbound.clone(), request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.expose().to_owned()))
            .request_async(&http)
            .await;
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => {
                let words = answer.error_description().map(String::as_str);
                IdpError::new(answer.error().as_ref(), words).at_token()
            }
            // The answer itself may hold tokens: it stays out of the log (R41).
            RequestTokenError::Parse(error, _) => failed(TokenEndpointError(error.to_string())),
            RequestTokenError::Request(error) => failed(error),
            RequestTokenError::Other(why) => failed(TokenEndpointError(why)),
        })
    }

    /// Our address that the idp sends browsers back to.
    pub(super) fn callback_url(&self, origin: &str) -> String {
        format!("{origin}{}/{}/callback", self.prefix, self.mapping.idp)
    }

    fn client(&self, known: &Known, origin: &str) -> Result<Client, Problem> {
        let auth = if known.metadata.basic {
            AuthType::BasicAuth
        } else {
            AuthType::RequestBody
        };
        let made = || {
            let client = CoreClient::new(
                ClientId::new(self.settings.client_id.clone()),
                IssuerUrl::new(known.metadata.issuer.clone())?,
                JsonWebKeySet::default(),
            )
            .set_auth_uri(AuthUrl::from_url(
                known.metadata.authorization_endpoint.clone(),
            ))
            .set_token_uri(TokenUrl::from_url(known.metadata.token_endpoint.clone()))
            .set_redirect_uri(RedirectUrl::new(self.callback_url(origin))?)
            .set_auth_type(auth);
            Ok(match &self.settings.client_secret {
                Some(secret) => {
                    client.set_client_secret(ClientSecret::new(secret.expose().to_owned()))
                }
                None => client,
            })
        };
        made().map_err(|error: url::ParseError| Problem::internal(ClientError(error)))
    }
}

async fn send(outbound: Outbound, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
    let request: Request<Bytes> = request.map(Bytes::from);
    let answer = outbound.call(request).await?;
    Ok(answer.map(|body| body.to_vec()))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    tracing::debug!(cause = chain(&error), "token endpoint failed");
    Problem::new(
        http::StatusCode::BAD_GATEWAY,
        "sign_in.idp_failed",
        "Your sign-in service had a problem. Please try again in a minute.",
    )
    .because(error)
}
