//! The idp's answer, by a POST from its site.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::time::{Instant, sleep_until};

use super::SignInError;
use crate::clock::Timestamp;
use crate::identity::Principal;
use crate::login::{Login, Pending};
use crate::problem::Problem;
use crate::saml::hint::Purpose;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::service::Saml;
use crate::saml::service::memory::Arrival;
use crate::saml::service::params::Params;
use crate::saml::time::SKEW;
use crate::saml::verify::MAX_AGE;
use crate::web::{Visit, answer};

/// Refusals go at an age of this or a multiple, whatever they are for: their time would tell somebody without a key of
/// the idp how far our decryption came (Jager and Somorovsky, CCS 2011).
const STEP: Duration = Duration::from_millis(100);

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
        let Some(response) = params.get("SAMLResponse") else {
            let nothing = Refusal::new(Check::Parameters, "SAMLResponse in the form", "none");
            self.tell(visit, &nothing, Purpose::SignIn, false);
            return Err(SignInError::NoResponse.into());
        };
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
                let goes = began.checked_add(levelled(began.elapsed()));
                sleep_until(goes.unwrap_or(began)).await;
                return Err(self.refuse(visit, refusal, pending.is_some()));
            }
        };
        let asked = assertion.request_id().is_some();
        let principal = self.mapping.principal(&assertion, visit.now);
        let principal = principal.inspect_err(|why| {
            self.tell(visit, &why.refusal(&assertion), Purpose::SignIn, asked);
        })?;
        let pending = pending.filter(|_| asked);
        if self.is_old(pending.as_ref(), &principal, visit.now) {
            self.tell(visit, &not_again(&principal), Purpose::SignIn, asked);
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

    /// Core 3.4.1, `ForceAuthn`: the idp says when the person proved who they are, and that is not before we asked. When
    /// it begins itself, not longer ago than an assertion may be: it must not be the way around.
    fn is_old(&self, pending: Option<&Pending>, principal: &Principal, now: Timestamp) -> bool {
        let anew = self.settings.proof.anew;
        let since = match pending {
            Some(pending) if pending.again || anew => pending.begun,
            None if anew => now.minus(MAX_AGE),
            Some(_) | None => return false,
        };
        principal.authenticated_at < since.minus(SKEW)
    }
}

/// The age at which an answer goes that is ready at this one.
fn levelled(age: Duration) -> Duration {
    let steps = age.as_millis().div_euclid(STEP.as_millis());
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    STEP.saturating_mul(steps.saturating_add(1))
}

fn not_again(principal: &Principal) -> Refusal {
    Refusal::new(
        Check::AuthnStatement,
        "an AuthnInstant after our request, which had ForceAuthn; with force_authn one of the last minutes where nobody asked",
        principal.authenticated_at.to_rfc3339(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_tell_nothing_go_at_whole_steps() {
        for (ready, goes) in [(0, 100), (1, 100), (99, 100), (100, 200), (250, 300)] {
            let age = levelled(Duration::from_millis(ready));
            assert_eq!(age, Duration::from_millis(goes), "{ready}");
        }
    }
}
