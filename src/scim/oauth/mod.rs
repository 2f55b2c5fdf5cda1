//! The token endpoint: client credentials (RFC 6749 4.4) and signed assertions (RFC 7523 2.2) for access tokens.
//!
//! Refuses unknown clients, assertions that do not fit, other grants, and parameters that stand twice (R37). Its
//! errors are OAuth's (RFC 6749 5.2), in JSON; which part was wrong is for the log alone.

mod error;
mod form;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::auth::{Access, Refusal};
use super::federation::VerifiedAssertion;
use super::token::{PREFIX, Proof, Shown, TokenError, Verified};
use crate::config::Tenant;
use crate::identity::fold;
use crate::problem::Problem;
use crate::web::{Visit, answer};
use error::{OauthError, refused};
use form::Form;

/// The one kind of assertion (RFC 7523 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the client gets, and what the log is told besides.
#[derive(Debug)]
pub struct TokenAnswer {
    /// Status, fields and body.
    pub response: Response<Full<Bytes>>,
    /// Why there is no token.
    pub problem: Option<Problem>,
}

impl Access {
    /// Answers a request to the token endpoint of the tenant of this name.
    pub async fn answer_token(&self, visit: &Visit, tenant: &str, body: &Bytes) -> TokenAnswer {
        match self.grant(visit, tenant, body).await {
            Ok(response) => TokenAnswer {
                response,
                problem: None,
            },
            Err(error) => {
                if let OauthError::Client(refusal) | OauthError::Refused(refusal) = &error {
                    self.count(refusal);
                }
                refused(error)
            }
        }
    }

    async fn grant(
        &self,
        visit: &Visit,
        tenant: &str,
        body: &Bytes,
    ) -> Result<Response<Full<Bytes>>, OauthError> {
        self.check_network(visit).map_err(OauthError::of)?;
        if visit.method != Method::POST {
            return Err(OauthError::Method);
        }
        let form = Form::read(visit, body).map_err(OauthError::Request)?;
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(OauthError::Grant),
            None => return Err(OauthError::Request("grant_type is missing.")),
        }
        let tenant = self.tenant(tenant);
        let (token, lifetime) = if let Some(assertion) = form.get("client_assertion") {
            let proved = self.by_assertion(visit, &form, assertion, tenant).await?;
            self.tokens().issue(Proof::Assertion(&proved)).await?
        } else {
            let proved = self.by_secret(visit, &form, tenant).await?;
            self.tokens().issue(Proof::Token(&proved)).await?
        };
        let body = json!({
            "access_token": token.expose(),
            "token_type": "Bearer",
            "expires_in": lifetime.as_secs(),
        });
        Ok(answer::json(StatusCode::OK, &body))
    }

    /// RFC 6749 2.3.1: in the header, in the body, or, as Entra can, in both alike.
    async fn by_secret(
        &self,
        visit: &Visit,
        form: &Form,
        tenant: Option<&Tenant>,
    ) -> Result<Verified, OauthError> {
        let (id, secret) = form.client(visit)?;
        let shown = Shown::Pair(&id, secret.expose());
        let verified = self
            .token(visit, shown, tenant)
            .await
            .map_err(OauthError::of)?;
        // RFC 6749 2.3.1: id and secret belong together, also where the secret names its token itself.
        let id = id.strip_prefix(PREFIX).unwrap_or(&id);
        if id != verified.id() && fold(id) != fold(verified.name()) {
            return Err(OauthError::Client(TokenError::Unknown.into()));
        }
        self.within_rate(verified.id(), visit)
            .map_err(OauthError::of)?;
        Ok(verified)
    }

    async fn by_assertion(
        &self,
        visit: &Visit,
        form: &Form,
        assertion: &str,
        tenant: Option<&Tenant>,
    ) -> Result<VerifiedAssertion, OauthError> {
        if form.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(OauthError::Request(
                "client_assertion_type is another one, or missing.",
            ));
        }
        // RFC 6749 2.3: one way to authenticate.
        if form.get("client_secret").is_some() {
            return Err(OauthError::Request(
                "client_secret stands beside client_assertion.",
            ));
        }
        let slug = tenant.map(|tenant| &tenant.slug);
        let client_id = form.get("client_id");
        let proved = self.trust().federation(assertion, client_id, slug).await;
        let proved = self.noting(visit, assertion, proved.map_err(Refusal::from));
        let proved = proved.map_err(OauthError::of)?;
        self.within_rate(proved.credential(), visit)
            .map_err(OauthError::of)?;
        Ok(proved)
    }
}

#[cfg(test)]
mod tests;
