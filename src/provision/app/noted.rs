//! Why the app does not follow yet, beside what it owes.

use crate::connector::{AppFailure, Intent, Ledger, Owner};
use crate::provision::{People, Refused};

impl People {
    /// A first try in vain: if anything is left to do, it is noted why. What was owed before keeps its own reason where
    /// nothing of this try is left.
    pub(in crate::provision) async fn noted<T>(
        &self,
        owner: &Owner,
        done: Result<T, Refused>,
    ) -> Result<T, Refused> {
        if let (Err(Refused::App(failure)), Some(app)) = (&done, &self.app) {
            let owed = app.ledger.intent(owner).await?;
            let is_told = owed.is_none_or(|intent| !intent.why.is_empty());
            if failure.perhaps_done() || !is_told {
                self.note(owner, failure).await?;
            }
        }
        done
    }

    pub(super) async fn note(&self, owner: &Owner, failure: &AppFailure) -> Result<(), Refused> {
        let Some(app) = &self.app else { return Ok(()) };
        if let Some(intent) = app.ledger.intent(owner).await? {
            let intent = Intent {
                attempts: intent.attempts.saturating_add(1),
                tried: self.clock.now(),
                why: failure.to_string(),
                ..intent
            };
            app.ledger.write(Ledger::intend(owner, &intent)).await?;
        }
        Ok(())
    }
}
