//! The idp's answer, by a POST from its site.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::time::{Instant, sleep_until};

use super::SignInError;
use crate::identity::Principal;
use crate::login::{Login, Pending};
use crate::problem::Problem;
use crate::saml::refusal::Refusal;
use crate::saml::service::Saml;
use crate::saml::service::memory::Arrival;
use crate::saml::service::params::Params;
use crate::saml::time::SKEW;
use crate::web::{Visit, answer};

/// Answers that must not be told by their time go at this age, whatever happened.
const BLIND: Duration = Duration::from_millis(100);

impl Saml {
    /// The idp's answer (Bindings 3.5): verified, kept for a moment, and the browser sent to fetch it.
    pub(in crate::saml::service) async fn arrive(
        &self,
        login: &Login,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let idp = &self.mapping.idp;
        match self.arrival(login, visit, body).await {
            Ok(arrival) => {
                let word = self.memory.arrived(arrival, visit.now);
                let target = format!("{}/sso/{idp}?continue={}", self.prefix, word.expose());
                Ok(answer::see_other(&target))
            }
            Err(problem) => Err(login.sign_in_refused(visit, idp, None, problem).await),
        }
    }

    async fn arrival(&self, login: &Login, visit: &Visit, body: &[u8]) -> Result<Arrival, Problem> {
        let began = Instant::now();
        let params = Params::form(visit, body)?;
        let response = params.get("SAMLResponse").ok_or(SignInError::NoResponse)?;
        let state = params.get("RelayState");
        let host = &visit.origin.host;
        let pending = state
            .and_then(|handle| login.pending.look(handle, host, visit.now))
            .filter(|pending| pending.idp == self.mapping.idp);
        let known = self.source.current().await?;
        let verified = self
            .verified(&known, response, pending.as_ref(), visit, login)
            .await?;
        let assertion = match verified {
            Ok(assertion) => assertion,
            Err(refusal) => {
                if refusal.is_blind() {
                    sleep_until(began.checked_add(BLIND).unwrap_or(began)).await;
                }
                let (idp, check) = (self.mapping.idp.as_str(), refusal.check().as_str());
                let (expected, came) = (refusal.expected(), refusal.came());
                let request_id = &*visit.origin.request_id;
                tracing::warn!(
                    idp,
                    check,
                    expected,
                    came,
                    request_id,
                    "a sign-in is refused"
                );
                return Err(refused(refusal));
            }
        };
        let principal = self.mapping.principal(&assertion, visit.now)?;
        let pending = pending.filter(|_| assertion.request_id().is_some());
        if pending
            .as_ref()
            .is_some_and(|pending| self.is_old(pending, &principal))
        {
            return Err(SignInError::NotAgain.into());
        }
        Ok(Arrival {
            idp: self.mapping.idp.clone(),
            host: host.clone(),
            return_to: state.filter(|_| pending.is_none()).map(str::to_owned),
            handle: pending.map(|pending| pending.handle),
            principal,
        })
    }

    /// Core 3.4.1, `ForceAuthn`: the idp says when the person proved who they are, and that is not before we asked.
    fn is_old(&self, pending: &Pending, principal: &Principal) -> bool {
        (pending.again || self.settings.force_authn)
            && principal.authenticated_at < pending.begun.minus(SKEW)
    }
}

/// One text for every check; which one failed is the operator's business.
fn refused(refusal: Refusal) -> Problem {
    Problem::forbidden(
        "sign_in.saml",
        "Your sign-in service's answer could not be verified. Please start again.",
    )
    .because(refusal)
}
