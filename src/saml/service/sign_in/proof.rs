//! Whether an answer holds: off the async threads, a few at once.

use std::sync::Arc;

use super::{SignInError, request_id};
use crate::clock::Timestamp;
use crate::login::{Login, Pending};
use crate::problem::Problem;
use crate::saml::metadata::IdpMetadata;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::service::Saml;
use crate::saml::service::source::Asker;
use crate::saml::service::turns::Turn;
use crate::saml::verify::{Expected, Trust, VerifiedAssertion, verify};
use crate::web::Visit;

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
        let client = visit.origin.client;
        let turn = self.sign_ins.take(client).await?;
        let origin = pending.map_or_else(|| login.origin(visit), |pending| pending.origin.clone());
        let job = Job {
            response: response.to_owned(),
            entity_id: self.entity_id.clone(),
            acs: self.address(&origin, "sso"),
            request: pending.map(|pending| request_id(&pending.nonce)),
            idp_initiated: self.settings.idp_initiated,
            signed_response: self.settings.signed_response,
            authn_context: self.settings.proof.demanded().to_vec(),
            now: visit.now,
        };
        let job = Arc::new(job);
        let first = self.run(&job, known, turn).await?;
        // What is encrypted tells nobody which check failed, so a new key may be the reason (R49).
        let perhaps_a_new_key = matches!(&first, Err(refusal) if matches!(
            refusal.check(),
            Check::Signature | Check::Certificate | Check::Decryption
        ));
        let asker = match (&job.request, job.idp_initiated) {
            (Some(_), _) => Asker::Awaited,
            (None, true) => Asker::Unasked,
            (None, false) => return Ok(first),
        };
        if perhaps_a_new_key && let Some(newer) = self.source.newer(known, asker).await {
            // Not kept while the idp was asked: one that does not answer must not stop those whose key is known.
            let turn = self.sign_ins.take(client).await?;
            return self.run(&job, &newer, turn).await;
        }
        Ok(first)
    }

    async fn run(
        &self,
        job: &Arc<Job>,
        known: &Arc<IdpMetadata>,
        turn: Turn,
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
            let verified = verify(&job.response, &trust, &expected);
            drop(turn);
            verified
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
