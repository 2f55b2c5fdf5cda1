//! The browser is back from the idp (Core 3.1.2.5 and following).

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use openidconnect::core::{CoreIdToken, CoreTokenResponse};
use openidconnect::{OAuth2TokenResponse, TokenResponse};
use serde_json::Value;

use super::Oidc;
use super::idp_error::IdpError;
use super::params::Params;
use super::provider::{Asker, Known};
use super::userinfo::{self, UserInfoError, VerifiedUserInfo};
use super::verify::{Expected, IdTokenError, VerifiedIdToken, verify};
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::login::{Login, Pending, ReturnTo};
use crate::problem::{Problem, chain};
use crate::web::{Visit, answer};

/// Why an answer of the idp is no sign-in.
#[derive(Debug, thiserror::Error)]
enum CallbackError {
    #[error("no state")]
    NoState,
    #[error("the sign-in was begun at another idp")]
    OtherIdp,
    #[error("iss names another issuer, or is missing although the idp always sends it")]
    OtherIssuer,
    #[error("neither code nor error")]
    Nothing,
    #[error("the browser sent no cookie of a sign-in")]
    NoCookie,
    #[error("token endpoint sent no id token")]
    NoIdToken,
}

impl From<CallbackError> for Problem {
    fn from(error: CallbackError) -> Self {
        match error {
            CallbackError::NoCookie => Self::bad_request(
                "sign_in.cookies",
                "This sign-in was begun in another browser or window, or your browser keeps no cookies of this site. Allow cookies and start again at the app's address.",
            ),
            CallbackError::NoState
            | CallbackError::OtherIdp
            | CallbackError::OtherIssuer
            | CallbackError::Nothing
            | CallbackError::NoIdToken => Self::bad_request(
                "sign_in.answer",
                "Your sign-in service's answer does not fit this sign-in. Please start again.",
            ),
        }
        .because(error)
    }
}

impl From<IdTokenError> for Problem {
    /// One public text for every check; which one failed is the log's business.
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::Old(_) => Self::forbidden(
                "sign_in.not_again",
                "This page needs you to prove again who you are, and your sign-in service did not ask you. Sign out there, then try again.",
            ),
            IdTokenError::TooLarge
            | IdTokenError::Claims(_)
            | IdTokenError::Issuer(_)
            | IdTokenError::Party
            | IdTokenError::Future
            | IdTokenError::AccessToken
            | IdTokenError::Empty => Self::forbidden(
                "sign_in.token",
                "Your sign-in service's answer could not be verified. Please start again.",
            ),
        }
        .because(error)
    }
}

impl Oidc {
    pub(super) async fn callback(
        &self,
        login: &Login,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if visit.method != Method::GET {
            return Err(Problem::method_not_allowed());
        }
        let params = Params::read(visit.uri.query().unwrap_or_default().as_bytes())?;
        let state = params.get("state").ok_or(CallbackError::NoState)?;
        let browser = login.browser(visit);
        let host = &visit.origin.host;
        let pending = login
            .pending
            .take(state, browser.as_deref(), host, visit.now);
        let Some(pending) = pending else {
            return stale(login, visit, browser.is_some());
        };
        let idp = &self.mapping.idp;
        let (known, tokens) = match self.redeemed(&pending, &params).await {
            Ok(redeemed) => redeemed,
            Err(problem) => {
                // Nobody was proved, and anybody can come this far as often as they like: counted and logged, but
                // the audit is no place to fill.
                login.count(idp, problem.code);
                return Err(problem);
            }
        };
        match self.principal(&known, &tokens, &pending, visit.now).await {
            Ok(principal) => login.finish(visit, pending, principal).await,
            Err(problem) => Err(login.sign_in_refused(visit, idp, None, problem).await),
        }
    }

    /// The tokens for an answer of the idp that fits the sign-in.
    async fn redeemed(
        &self,
        pending: &Pending,
        params: &Params,
    ) -> Result<(Arc<Known>, CoreTokenResponse), Problem> {
        // Mix-up (RFC 9700 4.4): each idp has its own redirect URI, and the answer comes to that of the asked one.
        if pending.idp != self.mapping.idp {
            return Err(CallbackError::OtherIdp.into());
        }
        let known = self.provider.current().await?;
        // RFC 9207 2.4: when there is an `iss`, and where there always is one, it names the asked issuer.
        match params.get("iss") {
            Some(issuer) if issuer != known.metadata.issuer => {
                return Err(CallbackError::OtherIssuer.into());
            }
            None if known.metadata.says_iss => return Err(CallbackError::OtherIssuer.into()),
            _ => {}
        }
        if let Some(error) = params.get("error") {
            let words = params.get("error_description");
            return Err(IdpError::new(error, words).at_authorization());
        }
        let code = params.get("code").ok_or(CallbackError::Nothing)?;
        let tokens = self.redeem(&known, pending, code).await?;
        Ok((known, tokens))
    }

    /// The person whom these tokens prove.
    async fn principal(
        &self,
        known: &Arc<Known>,
        tokens: &CoreTokenResponse,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Principal, Problem> {
        let raw = tokens.id_token().ok_or(CallbackError::NoIdToken)?;
        let token = self.verified(known, raw, tokens, pending, now).await?;
        let more = self.more(known, &token, tokens).await?;
        Ok(self.mapping.principal(token, more, now)?)
    }

    async fn verified(
        &self,
        known: &Arc<Known>,
        raw: &CoreIdToken,
        tokens: &CoreTokenResponse,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<VerifiedIdToken, IdTokenError> {
        let expected = Expected {
            client_id: &self.settings.client_id,
            nonce: &pending.nonce,
            access_token: tokens.access_token(),
            proved_since: pending.again.then_some(pending.begun),
            now,
        };
        match verify(raw, known, &expected) {
            Err(error) if error.is_signature() => {
                match self.provider.newer(known, Asker::SignIn).await {
                    Some(newer) => verify(raw, &newer, &expected),
                    None => Err(error),
                }
            }
            verified => verified,
        }
    }

    /// What `UserInfo` adds. An idp that answers badly there has proved the person all the same: with fewer claims.
    async fn more(
        &self,
        known: &Known,
        token: &VerifiedIdToken,
        tokens: &CoreTokenResponse,
    ) -> Result<Option<VerifiedUserInfo>, Problem> {
        let Some(endpoint) = &known.metadata.userinfo_endpoint else {
            return Ok(None);
        };
        if !self.mapping.incomplete(token.claims()) {
            return Ok(None);
        }
        let subject = token.claims().get("sub").and_then(Value::as_str);
        match userinfo::fetch(&self.outbound, endpoint, tokens.access_token(), subject).await {
            Ok(more) => Ok(Some(more)),
            Err(UserInfoError::Subject) => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                "sign_in.userinfo",
                "Your sign-in service's answers do not fit together. Please start again.",
            )
            .because(UserInfoError::Subject)),
            Err(error) => {
                let (idp, cause) = (self.mapping.idp.as_str(), chain(&error));
                tracing::warn!(
                    idp,
                    cause,
                    "userinfo brought nothing; the id token's claims have to do"
                );
                Ok(None)
            }
        }
    }
}

/// No such sign-in waits: the back button after success, a bookmark, a tab that was open too long.
fn stale(login: &Login, visit: &Visit, has_cookie: bool) -> Result<Response<Full<Bytes>>, Problem> {
    if login.current(visit).is_some() {
        return Ok(answer::redirect("/"));
    }
    // Without cookies every new sign-in would end here again: a page stops the circle.
    if !has_cookie {
        return Err(CallbackError::NoCookie.into());
    }
    Ok(answer::redirect(
        &login.login_page(&ReturnTo::root(), false),
    ))
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
