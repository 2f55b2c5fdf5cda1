//! The change itself: the new password is fit, the old one was right, and what it ends.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::{Right, Stop, too_late};
use crate::audit::Event;
use crate::crypto::PasswordError;
use crate::identity::{IdpName, User};
use crate::login::Login;
use crate::login::finish::{event, refusal};
use crate::login::form::{Fields, Purpose};
use crate::login::local::{after_post, busy, too_many};
use crate::problem::Problem;
use crate::provision::Actor;
use crate::secret::Secret;
use crate::web::{Visit, answer};

impl Login {
    pub(super) async fn change(
        &self,
        visit: &Visit,
        fields: &Fields,
        right: &Right,
        user: User,
    ) -> Result<Response<Full<Bytes>>, Stop> {
        if !self.is_own_form(visit, fields, Purpose::Password) {
            return Err(Stop::Again(Problem::forbidden(
                "password.form",
                "This page was open for too long, or your browser keeps no cookies of this site. Please try again.",
            )));
        }
        let new = Secret::new(fields.text("new_password"));
        if !new.matches(fields.text("repeat_password")) {
            return Err(Stop::Again(unfit(
                "The two new passwords are not the same.",
            )));
        }
        self.passwords.acceptable(&new).map_err(not_taken)?;
        if let Right::Session(_) = right {
            let old = Secret::new(fields.text("password"));
            self.prove_old(visit, &user, &old).await?;
        }
        let old = user.password.as_ref();
        let unchanged = self.passwords.verify(&new, old).await;
        if unchanged.map_err(not_taken)? {
            return Err(Stop::Again(unfit(
                "Choose another password than the one you have.",
            )));
        }
        let hash = self.passwords.hash(&new).await.map_err(not_taken)?;
        self.store(visit, right, user, hash).await
    }

    /// R60: guessing here counts as guessing at sign-in.
    async fn prove_old(&self, visit: &Visit, user: &User, old: &Secret) -> Result<(), Stop> {
        let (limits, client) = (&self.settings.limits, visit.origin.client);
        let attempt = self
            .throttle
            .attempt(limits, &user.user_name, client, visit.now)
            .map_err(|wait| Stop::Again(too_many(wait)))?;
        match self.passwords.verify(old, user.password.as_ref()).await {
            Ok(true) => {
                self.throttle.succeeded(&attempt, visit.now);
                Ok(())
            }
            Ok(false) => {
                let problem =
                    Problem::forbidden("password.wrong", "The current password is wrong.");
                let event = Event {
                    action: "password.refused".to_owned(),
                    tenant: Some(user.tenant.to_string()),
                    user: Some(user.id.to_string()),
                    user_name: Some(user.user_name.clone()),
                    reason: Some(problem.code.to_owned()),
                    ..event(visit, &IdpName::local())
                };
                self.audit.write(event).await.map_err(Problem::internal)?;
                Err(Stop::Again(problem))
            }
            Err(error) => {
                self.throttle.undone(&attempt);
                Err(not_taken(error))
            }
        }
    }

    async fn store(
        &self,
        visit: &Visit,
        right: &Right,
        user: User,
        hash: Secret,
    ) -> Result<Response<Full<Bytes>>, Stop> {
        let keep = match right {
            // R58: of two forms with one proof, one counts.
            Right::Step { handle, .. } if !self.steps.end(handle) => return Err(too_late().into()),
            Right::Step { .. } => None,
            Right::Session(live) => Some(live.record.id.as_str()),
        };
        let actor = Actor {
            name: "local".to_owned(),
            client: visit.origin.client,
            request_id: Some(visit.origin.request_id.to_string()),
            ..Actor::default()
        };
        self.provision
            .set_password(&user.tenant, &user.id, hash, false, keep, &actor)
            .await
            .map_err(refusal)?;
        let Right::Step { step, .. } = right else {
            let done = format!("{}/password?changed=1", self.settings.paths.own);
            return Ok(answer::see_other(&done));
        };
        let renewed = self.provision.directory().user(&user.tenant, &user.id);
        let renewed = renewed.await.map_err(Problem::internal)?;
        let admitted = self
            .provision
            .admit_local(renewed.ok_or_else(too_late)?)
            .await
            .map_err(refusal)?;
        let response = self.finish_local(visit, admitted, step.return_to.clone());
        Ok(after_post(response.await?))
    }
}

fn unfit(detail: &'static str) -> Problem {
    Problem::bad_request("password.unfit", detail)
}

fn not_taken(error: PasswordError) -> Stop {
    Stop::Again(match error {
        PasswordError::TooLong => unfit(
            "The new password is too long: 72 bytes are the most. Most letters are one byte, letters with accents two, emoji four.",
        ),
        PasswordError::TooShort(_) => unfit("The new password is too short."),
        PasswordError::Nul => unfit("The new password holds a character that cannot be used."),
        PasswordError::Busy => busy(),
        error @ PasswordError::Bcrypt(_) => return Stop::End(Problem::internal(error)),
    })
}
