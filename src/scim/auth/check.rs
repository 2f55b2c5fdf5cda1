//! One check of what was shown, however many ask, and a count of what failed.

use super::super::token::{Shown, TokenError, Verified};
use super::{Access, Refusal};
use crate::config::Tenant;
use crate::crypto::{Digest, sha256};
use crate::web::Visit;

impl Access {
    /// The token that was shown: remembered, or checked once however many ask at this moment.
    pub(in crate::scim) async fn token(
        &self,
        visit: &Visit,
        shown: Shown<'_>,
        tenant: Option<&Tenant>,
    ) -> Result<Verified, Refusal> {
        let slug = tenant.map(|tenant| &tenant.slug);
        if let Some(verified) = self.tokens.recall(shown, slug) {
            return Ok(verified);
        }
        let what = digest(shown);
        let Digest([lane, ..]) = what;
        // A job that sends twenty requests at once costs one bcrypt, and is one try.
        let _turn = match self.lanes.get(usize::from(lane)) {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        if let Some(verified) = self.tokens.recall(shown, slug) {
            return Ok(verified);
        }
        let limits = &self.settings.limits;
        let attempt = self
            .failures
            .attempt(limits, what, visit.origin.client, visit.now)
            .map_err(Refusal::Throttled)?;
        let verified = self.tokens.verify(shown, slug).await;
        match &verified {
            Ok(_right) => self.failures.succeeded(&attempt, visit.now),
            Err(TokenError::Busy(_)) => self.failures.undone(&attempt),
            Err(_wrong) => {}
        }
        Ok(verified?)
    }

    /// Counts what failed without costing anything, so that nobody may go on guessing.
    pub(in crate::scim) fn noting<T>(
        &self,
        visit: &Visit,
        text: &str,
        result: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if result.is_err() {
            let (limits, client) = (&self.settings.limits, visit.origin.client);
            let what = sha256(text.as_bytes());
            let _counts_as_failed = self
                .failures
                .attempt(limits, what, client, visit.now)
                .map_err(Refusal::Throttled)?;
        }
        result
    }
}

fn digest(shown: Shown<'_>) -> Digest {
    match shown {
        Shown::Token(text) => sha256(text.trim().as_bytes()),
        Shown::Pair(who, secret) => sha256(format!("{}\n{}", who.trim(), secret.trim()).as_bytes()),
    }
}
