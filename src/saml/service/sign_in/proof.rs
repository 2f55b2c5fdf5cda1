//! Whether an answer holds: off the async threads, a few at once.

use std::sync::Arc;
use std::time::Duration;

use super::{SignInError, request_id};
use crate::clock::Timestamp;
use crate::config::Comparison;
use crate::login::{Login, Pending};
use crate::problem::Problem;
use crate::saml::metadata::IdpMetadata;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::service::Saml;
use crate::saml::verify::{Expected, Trust, VerifiedAssertion, verify};
use crate::web::Visit;

/// How long an answer waits for its turn to be verified.
const TURN: Duration = Duration::from_secs(5);

impl Saml {
    /// Off the async threads; once more with newer metadata where the key is not known.
    pub(super) async fn verified(
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
            authn_context: match self.settings.authn_context_comparison {
                Comparison::Exact => self.settings.authn_context.clone(),
                // Which class is the stronger one is the idp's to know.
                Comparison::Minimum | Comparison::Maximum | Comparison::Better => Vec::new(),
            },
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
                authn_context: &job.authn_context,
                used: &*memory,
                now: job.now,
            };
            verify(&job.response, &trust, &expected)
        });
        Ok(done.await.map_err(|_panicked| SignInError::BrokenOff)?)
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
    authn_context: Vec<String>,
    now: Timestamp,
}
