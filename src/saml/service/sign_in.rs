//! Sign-in (Profiles 4.1): our request, and what the idp's answer becomes.
//!
//! The answer comes by a POST from the idp's site, with which browsers send no `SameSite=Lax` cookie. So it is verified
//! first, with the request that its `RelayState` names, and then the browser is sent once to ourselves: only there, with
//! its cookie, is the sign-in finished, and only in the browser that began it (R22).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use openssl::error::ErrorStack;
use tokio::time::{Instant, sleep_until};

use super::Saml;
use super::memory::Arrival;
use super::params::Params;
use super::send::Sent;
use crate::config::Binding;
use crate::crypto::{random_token, sha256};
use crate::identity::Principal;
use crate::login::{Begin, BeginRequest, Login, Pending, ReturnTo};
use crate::problem::Problem;
use crate::saml::message::AuthnRequest;
use crate::saml::metadata::{Endpoint, IdpMetadata};
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::SKEW;
use crate::saml::verify::{Expected, Trust, VerifiedAssertion, verify};
use crate::secret::Secret;
use crate::web::{Visit, answer};

/// Answers that must not be told by their time go at this age, whatever happened.
const BLIND: Duration = Duration::from_millis(100);
/// How long an answer waits for its turn to be verified.
const TURN: Duration = Duration::from_secs(5);

/// Why an answer of the idp is no sign-in, besides what [`Refusal`] says.
#[derive(Debug, thiserror::Error)]
enum SignInError {
    #[error("idp has no address for sign-in")]
    NoEndpoint,
    #[error("form holds no SAMLResponse")]
    NoResponse,
    #[error("person was to prove anew who they are, and the idp did not ask them")]
    NotAgain,
    #[error("the browser sent no cookie of a sign-in")]
    NoCookie,
    #[error("too many answers are verified at once")]
    Busy,
    #[error("verification broke off")]
    BrokenOff,
    #[error("request cannot be signed")]
    Signing(#[from] ErrorStack),
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoResponse => Self::bad_request(
                "sign_in.answer",
                "Your sign-in service's answer does not fit this sign-in. Please start again.",
            ),
            SignInError::NotAgain => Self::forbidden(
                "sign_in.not_again",
                "This page needs you to prove again who you are, and your sign-in service did not ask you. Sign out there, then try again.",
            ),
            SignInError::NoCookie => Self::bad_request(
                "sign_in.cookies",
                "This sign-in was begun in another browser or window, or your browser keeps no cookies of this site. Allow cookies and start again at the app's address.",
            ),
            SignInError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign_in.busy",
                "Too many people are signing in at the moment. Please try again in a minute.",
            )
            .retry_after(Duration::from_secs(5)),
            SignInError::NoEndpoint | SignInError::BrokenOff | SignInError::Signing(_) => {
                return Self::internal(error);
            }
        }
        .because(error)
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

impl Saml {
    /// Our request, by the binding that was configured where the idp has it.
    pub(super) fn ask(
        &self,
        known: &IdpMetadata,
        request: &BeginRequest<'_>,
    ) -> Result<Begin, Problem> {
        let (redirect, post) = (&known.sign_in.redirect, &known.sign_in.post);
        let by_post = match self.settings.binding {
            Binding::Redirect => redirect.is_none(),
            Binding::Post => post.is_some(),
        };
        let endpoint = if by_post { post } else { redirect };
        let Endpoint { location, .. } = endpoint.as_ref().ok_or(SignInError::NoEndpoint)?;
        let (id, acs) = (
            request_id(request.nonce),
            self.address(request.origin, "sso"),
        );
        let message = AuthnRequest {
            id: &id,
            issued: self.now(),
            destination: location.as_str(),
            issuer: &self.entity_id,
            acs: &acs,
            again: request.again,
            name_id_format: self.settings.name_id_format.as_deref(),
        }
        .write();
        let signs = self.settings.sign_requests || known.wants_signed_requests;
        let mut location = location.clone();
        // Entra has no `Subject` in requests, and this for it.
        if let Some(hint) = request.hint
            && location.host_str() == Some("login.microsoftonline.com")
        {
            location.query_pairs_mut().append_pair("login_hint", hint);
        }
        let sent = self.sent(&message, &location, Some(request.handle), by_post, signs);
        Ok(match sent.map_err(SignInError::Signing)? {
            Sent::To(target) => Begin::Redirect(target),
            Sent::Page(page) => Begin::Page(page),
        })
    }

    /// The idp's answer (Bindings 3.5): verified, kept for a moment, and the browser sent to fetch it.
    pub(super) async fn arrive(
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
            .is_some_and(|pending| is_old(pending, &principal))
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

    /// Off the async threads; once more with newer metadata where the key is not known.
    async fn verified(
        &self,
        known: &Arc<IdpMetadata>,
        response: &str,
        pending: Option<&Pending>,
        visit: &Visit,
        login: &Login,
    ) -> Result<Result<VerifiedAssertion, Refusal>, Problem> {
        let slot = tokio::time::timeout(TURN, self.slots.acquire()).await;
        let _slot = slot.map_err(|_elapsed| SignInError::Busy)?;
        let origin = pending.map_or_else(|| login.origin(visit), |pending| pending.origin.clone());
        let job = Job {
            response: response.to_owned(),
            entity_id: self.entity_id.clone(),
            acs: self.address(&origin, "sso"),
            request: pending.map(|pending| request_id(&pending.nonce)),
            idp_initiated: self.settings.idp_initiated,
            signed_response: self.settings.signed_response,
            now: visit.now,
        };
        let job = Arc::new(job);
        let first = self.run(&job, known).await?;
        let unknown_key = matches!(&first, Err(refusal)
            if matches!(refusal.check(), Check::Signature | Check::Certificate));
        if unknown_key && let Some(newer) = self.source.newer(known).await {
            return self.run(&job, &newer).await;
        }
        Ok(first)
    }

    async fn run(
        &self,
        job: &Arc<Job>,
        known: &Arc<IdpMetadata>,
    ) -> Result<Result<VerifiedAssertion, Refusal>, Problem> {
        let (job, known) = (Arc::clone(job), Arc::clone(known));
        let (keys, memory) = (Arc::clone(&self.keys), Arc::clone(&self.memory));
        let done = tokio::task::spawn_blocking(move || {
            let trust = Trust {
                entity_id: &known.entity_id,
                certificates: &known.certificates,
                decryption_keys: &keys.decrypt,
            };
            let request = job.request.as_deref();
            let expected = Expected {
                entity_id: &job.entity_id,
                acs: &job.acs,
                requests: request.as_slice(),
                idp_initiated: job.idp_initiated,
                signed_response: job.signed_response,
                used: &*memory,
                now: job.now,
            };
            verify(&job.response, &trust, &expected)
        });
        Ok(done.await.map_err(|_panicked| SignInError::BrokenOff)?)
    }

    /// The browser is here with its cookies, for what the idp proved a moment ago.
    pub(super) async fn go_on(
        &self,
        login: &Login,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let params = Params::query(visit)?;
        let word = params.get("continue");
        let arrival = word
            .and_then(|word| self.memory.take_arrival(word, visit.now))
            .filter(|its| its.idp == self.mapping.idp && its.host == visit.origin.host);
        let browser = login.browser(visit);
        let Some(arrival) = arrival else {
            return stale(login, visit, browser.is_some());
        };
        let pending = match &arrival.handle {
            Some(handle) => {
                let host = &visit.origin.host;
                let begun = login
                    .pending
                    .take(handle, browser.as_deref(), host, visit.now);
                let Some(begun) = begun else {
                    return stale(login, visit, browser.is_some());
                };
                begun
            }
            None => self.unsolicited(login, visit, arrival.return_to.as_deref()),
        };
        login.finish(visit, pending, arrival.principal).await
    }

    /// As if it had been begun here: the idp's wish where to go counts only as a path of this host (R17).
    fn unsolicited(&self, login: &Login, visit: &Visit, return_to: Option<&str>) -> Pending {
        let paths = &login.settings.paths;
        let return_to = return_to.and_then(|text| ReturnTo::within(text, paths));
        Pending {
            handle: random_token(),
            browser: sha256(random_token().as_bytes()),
            idp: self.mapping.idp.clone(),
            nonce: random_token(),
            verifier: Secret::new(random_token()),
            origin: login.origin(visit),
            return_to: return_to.unwrap_or_else(ReturnTo::root),
            host: visit.origin.host.clone(),
            client: visit.origin.client,
            begun: visit.now,
            again: false,
            replaces: login.current(visit).map(|live| live.record.id.clone()),
        }
    }
}

/// What a verification needs, to be moved to its thread.
struct Job {
    response: String,
    entity_id: String,
    acs: String,
    request: Option<String>,
    idp_initiated: bool,
    signed_response: bool,
    now: crate::clock::Timestamp,
}

/// A letter that XML wants, then the random bits that the sign-in keeps (Core 1.3.4).
fn request_id(nonce: &str) -> String {
    format!("_{nonce}")
}

fn is_old(pending: &Pending, principal: &Principal) -> bool {
    pending.again && principal.authenticated_at < pending.begun.minus(SKEW)
}

/// No such sign-in waits: the back button after success, a tab that was open too long, another browser.
fn stale(login: &Login, visit: &Visit, has_cookie: bool) -> Result<Response<Full<Bytes>>, Problem> {
    if login.current(visit).is_some() {
        return Ok(answer::redirect("/"));
    }
    // Without cookies every new sign-in would end here again: a page stops the circle.
    if !has_cookie {
        return Err(SignInError::NoCookie.into());
    }
    Ok(answer::redirect(
        &login.login_page(&ReturnTo::root(), false),
    ))
}
