//! What an operator is told of a refused message: in the log, and in `sidegate saml log`.

use super::Saml;
use crate::login::{EntraError, not_assigned};
use crate::problem::Problem;
use crate::saml::hint::Purpose;
use crate::saml::refusal::Refusal;
use crate::saml::refused::RefusedAnswer;
use crate::web::Visit;

impl Saml {
    /// `asked`: it fits a sign-in or sign-out that waits for it, so it is no stranger's.
    pub(super) fn tell(&self, visit: &Visit, refusal: &Refusal, purpose: Purpose, asked: bool) {
        let hint = refusal.hint(purpose);
        let portal_field = hint.field.map(|field| field.to_string());
        let portal_field = portal_field.as_deref();
        let (idp, check) = (self.mapping.idp.as_str(), refusal.check().as_str());
        let (expected, came, hint) = (refusal.expected(), refusal.came(), hint.todo);
        let request_id = &*visit.origin.request_id;
        // Two lines for two events: alerts look for them.
        match purpose {
            Purpose::SignIn => tracing::warn!(
                idp,
                check,
                expected,
                came,
                portal_field,
                hint,
                asked,
                request_id,
                "a sign-in is refused"
            ),
            Purpose::SignOut => tracing::warn!(
                idp,
                check,
                expected,
                came,
                portal_field,
                hint,
                asked,
                request_id,
                "a sign-out message is refused"
            ),
        }
        let from = (visit.origin.client, request_id);
        let idp = self.mapping.idp.clone();
        let answer = RefusedAnswer::new(idp, purpose, refusal.clone(), asked, from, visit.now);
        self.memory.refused().keep(answer);
    }

    /// Tells it, and gives what the person learns: one text for every check, so that nobody finds out which. Whose own
    /// sign-in it is and is not assigned at Entra is told that much.
    pub(super) fn refuse(&self, visit: &Visit, refusal: Refusal, asked: bool) -> Problem {
        self.tell(visit, &refusal, Purpose::SignIn, asked);
        let unassigned = refusal
            .entra()
            .as_ref()
            .is_some_and(EntraError::is_unassigned);
        let problem = if asked && unassigned {
            not_assigned()
        } else {
            Problem::forbidden(
                "sign_in.saml",
                "Your sign-in service's answer could not be verified. Please start again.",
            )
        };
        problem.because(refusal)
    }
}
