//! Sign-in with a password of ours.
//!
//! Gives the same answer after the same time to unknown people, people of an idp and wrong passwords.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;

use super::chooser::Asked;
use super::finish::refusal;
use super::form::{Fields, Purpose};
use super::steps::Step;
use super::{Attempt, Login};
use crate::crypto::{PasswordError, sha256};
use crate::identity::{IdpName, User};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::web::{Visit, answer, page};

/// The one answer to all that does not fit.
const WRONG: &str = "User name or password is wrong.";
/// Longest user name that is looked up, bytes.
const MAX_USER_NAME: usize = 1024;

impl Login {
    /// POST of the sign-in page.
    ///
    /// # Errors
    ///
    /// A form that is not ours, an inactive person whose password was right, a store that failed.
    pub(super) async fn sign_in_local(
        &self,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::form(visit, &self.origin(visit), body)?;
        let mut asked = Asked::read(self, &fields);
        // Login CSRF: the form was made for this browser.
        if !self.is_own_form(visit, &fields, Purpose::SignIn) {
            return Ok(self.show_again(visit, asked, &expired()));
        }
        let (name, password) = (
            asked.user_name.clone(),
            Secret::new(fields.text("password")),
        );
        if name.is_empty() || name.len() > MAX_USER_NAME || password.expose().is_empty() {
            return Ok(self.show_again(visit, asked, &incomplete()));
        }
        let client = visit.origin.client;
        let limits = &self.settings.limits;
        let attempt = match self.throttle.attempt(limits, &name, client, visit.now) {
            Ok(attempt) => attempt,
            Err(wait) => {
                let problem = too_many(wait);
                self.count(&IdpName::local(), problem.code);
                return Ok(self.show_again(visit, asked, &problem));
            }
        };
        match self.person(visit, &name, &password, &attempt).await? {
            Ok(user) => self.welcome_local(visit, user, asked).await,
            Err(problem) => {
                asked.user_name = name;
                Ok(self.show_again(visit, asked, &problem))
            }
        }
    }

    /// The person of this name and password; the inner error is what the form is shown again with.
    async fn person(
        &self,
        visit: &Visit,
        name: &str,
        password: &Secret,
        attempt: &Attempt,
    ) -> Result<Result<User, Problem>, Problem> {
        let undone = |error: Problem| {
            self.throttle.undone(attempt);
            error
        };
        let user = self
            .provision
            .local_account(&visit.origin.host, name)
            .await
            .map_err(|error| undone(Problem::internal(error)))?;
        let hash = user.as_ref().and_then(|user| user.password.as_ref());
        let right = match self.passwords.verify(password, hash).await {
            Ok(right) => right,
            Err(PasswordError::Busy) => return Ok(Err(undone(busy()))),
            Err(error) => return Err(undone(Problem::internal(error))),
        };
        match user {
            Some(user) if right => {
                self.throttle.succeeded(attempt, visit.now);
                Ok(Ok(user))
            }
            user => {
                let code = match &user {
                    None => "sign_in.no_such_account",
                    Some(_) => "sign_in.wrong_password",
                };
                // A name that nobody has may be a password in the wrong field: it is not written down (R41).
                let known = user.map(|user| user.user_name);
                let reason = Problem::new(StatusCode::UNAUTHORIZED, code, WRONG);
                let local = IdpName::local();
                match self.sign_in_refused(visit, &local, known, reason).await {
                    noted if noted.code == code => Ok(Err(wrong())),
                    failed => Err(failed),
                }
            }
        }
    }

    /// The password was right.
    async fn welcome_local(
        &self,
        visit: &Visit,
        user: User,
        asked: Asked,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if user.active && user.must_change_password {
            return Ok(self.demand_change(visit, &user, asked));
        }
        let name = user.user_name.clone();
        match self.provision.admit_local(user).await {
            Ok(admitted) => {
                let response = self.finish_local(visit, admitted, asked.return_to).await?;
                Ok(after_post(response))
            }
            Err(refused) => {
                let problem = refusal(refused);
                Err(self
                    .sign_in_refused(visit, &IdpName::local(), Some(name), problem)
                    .await)
            }
        }
    }

    /// R58: no session before the new password is set; what proves the old one stays here.
    fn demand_change(&self, visit: &Visit, user: &User, asked: Asked) -> Response<Full<Bytes>> {
        let browser = self.browser(visit).unwrap_or_default();
        let handle = self.steps.put(Step {
            tenant: user.tenant.clone(),
            user: user.id.clone(),
            password: super::password::fingerprint(user),
            browser: sha256(browser.as_bytes()),
            host: visit.origin.host.clone(),
            return_to: asked.return_to,
            at: visit.now,
        });
        answer::see_other(&format!(
            "{}/password?step={handle}",
            self.settings.paths.own
        ))
    }

    /// The page again for people, the problem for programs.
    fn show_again(
        &self,
        visit: &Visit,
        mut asked: Asked,
        problem: &Problem,
    ) -> Response<Full<Bytes>> {
        if !visit.is_navigation() {
            return answer::problem(problem, visit, &self.look);
        }
        asked.error = Some(in_full(problem));
        let mut response = self.sign_in_page(visit, problem.status, &asked);
        answer::add_fields(&mut response, problem);
        response
    }
}

/// 303: the form is not sent again to where the person goes (RFC 9110 15.4.4).
pub(super) fn after_post(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    if response.status() == StatusCode::FOUND {
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

/// A problem's text with how long to wait, for the top of a form.
pub(super) fn in_full(problem: &Problem) -> String {
    match problem.retry_after {
        Some(wait) => format!("{} {}", problem.detail, page::wait(wait)),
        None => problem.detail.to_owned(),
    }
}

fn wrong() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in.wrong", WRONG)
}

/// Too many wrong passwords, of this account or from this network.
pub(super) fn too_many(wait: Duration) -> Problem {
    let detail = "Too many failed sign-ins.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "sign_in.throttled", detail).retry_after(wait)
}

/// More passwords are being checked than the machine can.
pub(super) fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "sign_in.busy",
        "Many people are signing in at this moment.",
    )
    .retry_after(Duration::from_secs(2))
}

fn expired() -> Problem {
    Problem::forbidden(
        "sign_in.form",
        "This page was open for too long, or your browser keeps no cookies of this site. Please try again.",
    )
}

fn incomplete() -> Problem {
    Problem::bad_request(
        "sign_in.fields",
        "Please enter your user name and your password.",
    )
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
