//! Sessions that end because an idp says so, or because the same browser starts another.

use std::sync::Arc;

use super::Login;
use super::finish::event;
use crate::audit::Event;
use crate::identity::IdpName;
use crate::problem::Problem;
use crate::session::{End, Live};
use crate::storage::StorageError;
use crate::web::Visit;

impl Login {
    /// The idp ended its session, or all sessions of a person: ours go with it.
    ///
    /// # Errors
    ///
    /// The store failed; the sessions have ended in memory all the same.
    pub async fn end_by_idp(
        &self,
        visit: &Visit,
        idp: &IdpName,
        subject: Option<String>,
        session: Option<String>,
    ) -> Result<(), Problem> {
        let which = End::Idp {
            idp: idp.clone(),
            subject,
            session,
        };
        self.end_and_tell(visit, idp, &which, "idp_logout")
            .await
            .map_err(Problem::internal)
    }

    /// Ends sessions and writes each end to the audit; `by` is the idp through which it came.
    pub(super) async fn end_and_tell(
        &self,
        visit: &Visit,
        by: &IdpName,
        which: &End,
        why: &'static str,
    ) -> Result<(), StorageError> {
        let ended = self.sessions.end(which, why).await;
        let mut told = Ok(());
        for live in ended.as_deref().unwrap_or_default() {
            let written = self.audit.write(end_of(live, why, event(visit, by))).await;
            told = told.and(written);
        }
        ended.and(told)
    }
}

fn end_of(live: &Arc<Live>, why: &str, base: Event) -> Event {
    let record = &live.record;
    Event {
        action: "session.ended".to_owned(),
        tenant: Some(record.tenant.to_string()),
        user: Some(record.user.to_string()),
        session: Some(record.id.clone()),
        reason: Some(why.to_owned()),
        ..base
    }
}
