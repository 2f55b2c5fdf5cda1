//! Change of a local password: wanted by a person with a session, or demanded before they get one.
//!
//! Refuses whoever does not prove the old password, here and now or a moment ago (R58).

mod change;

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use http_body_util::Full;

use super::form::{Fields, Purpose, token};
use super::local::in_full;
use super::steps::Step;
use super::{Login, ReturnTo};
use crate::crypto::sha256;
use crate::identity::{SignInMethod, User};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::session::Live;
use crate::web::page::{self, ChangePassword};
use crate::web::{Visit, answer};

/// Whose password is to change, and what proves that it may.
enum Right {
    /// The old one was right a moment ago.
    Step { handle: String, step: Step },
    /// A session, and the old one with the form.
    Session(Arc<Live>),
}

/// Why nothing changed: the form again, or an end.
enum Stop {
    Again(Problem),
    End(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::End(problem)
    }
}

impl Login {
    /// GET of the page.
    ///
    /// # Errors
    ///
    /// A demanded change that took too long; a person whose password is not ours.
    pub(super) async fn show_password(
        &self,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::query(visit)?;
        let Some(right) = self.right(visit, &fields)? else {
            let back = format!("{}/password", self.settings.paths.own);
            let back = ReturnTo::within(&back, &self.settings.paths).unwrap_or_else(ReturnTo::root);
            return Ok(answer::redirect(&self.login_page(&back, false)));
        };
        let user = self.owner(&right).await?;
        if fields.find("changed").is_some() {
            let page = page::password_changed(&self.look);
            return Ok(answer::page(StatusCode::OK, &self.look, &page));
        }
        Ok(self.password_page(visit, &user, &right, None))
    }

    /// POST of the page.
    ///
    /// # Errors
    ///
    /// As with GET; a form that is not ours; a store that failed.
    pub(super) async fn change_password(
        &self,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::form(visit, &self.origin(visit), body)?;
        let right = self.right(visit, &fields)?.ok_or_else(too_late)?;
        let user = self.owner(&right).await?;
        let changed = self.change(visit, &fields, &right, user.clone()).await;
        match changed {
            Ok(response) => Ok(response),
            Err(Stop::End(problem)) => Err(problem),
            Err(Stop::Again(problem)) if visit.is_navigation() => {
                Ok(self.password_page(visit, &user, &right, Some(&problem)))
            }
            Err(Stop::Again(problem)) => Ok(answer::problem(&problem, visit, &self.look)),
        }
    }

    fn right(&self, visit: &Visit, fields: &Fields) -> Result<Option<Right>, Problem> {
        let Some(handle) = fields.find("step") else {
            return Ok(self.current(visit).map(Right::Session));
        };
        let browser = self.browser(visit);
        let host = &visit.origin.host;
        let step = self.steps.find(handle, browser.as_deref(), host, visit.now);
        let step = step.ok_or_else(too_late)?;
        let handle = handle.to_owned();
        Ok(Some(Right::Step { handle, step }))
    }

    /// The record as it is now: active, local and, after a step, with the password that was proved.
    async fn owner(&self, right: &Right) -> Result<User, Problem> {
        let (tenant, id) = match right {
            Right::Step { step, .. } => (&step.tenant, &step.user),
            Right::Session(live) => (&live.record.tenant, &live.record.user),
        };
        let found = self.provision.directory().user(tenant, id).await;
        let user = found.map_err(Problem::internal)?.ok_or_else(too_late)?;
        if !user.active || user.sign_in != SignInMethod::Local {
            return Err(not_ours());
        }
        match right {
            // R58: another password since then, set by an operator, ends what the old one proved.
            Right::Step { step, .. } if fingerprint(&user) != step.password => Err(too_late()),
            Right::Step { .. } | Right::Session(_) => Ok(user),
        }
    }

    fn password_page(
        &self,
        visit: &Visit,
        user: &User,
        right: &Right,
        problem: Option<&Problem>,
    ) -> Response<Full<Bytes>> {
        let (browser, cookie) = self.browser_or_new(visit);
        let error = problem.map(in_full);
        let page = ChangePassword {
            user_name: &user.user_name,
            step: match right {
                Right::Step { handle, .. } => Some(handle),
                Right::Session(_) => None,
            },
            token: &token(&browser, Purpose::Password),
            min_length: self.settings.local.min_length,
            error: error.as_deref(),
        };
        let status = problem.map_or(StatusCode::OK, |problem| problem.status);
        let mut response = answer::page(status, &self.look, &page.page(&self.look));
        if let Some(problem) = problem {
            answer::add_fields(&mut response, problem);
        }
        if let Some(cookie) = cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// Digest of the stored hash: changes with every new password.
pub(super) fn fingerprint(user: &User) -> crate::crypto::Digest {
    let hash = user.password.as_ref().map_or("", Secret::expose);
    sha256(hash.as_bytes())
}

fn too_late() -> Problem {
    Problem::bad_request(
        "sign_in.step",
        "This took too long, or it was done already. Please sign in again.",
    )
}

fn not_ours() -> Problem {
    Problem::forbidden(
        "password.external",
        "Your password is not kept here. Change it where you sign in.",
    )
}

#[cfg(test)]
mod tests;
