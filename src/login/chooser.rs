//! The sign-in page, and the ways past it: a named idp, an e-mail domain, the only idp, a session that exists.

use http::header::SET_COOKIE;
use http::{Response, StatusCode};

use bytes::Bytes;
use http_body_util::Full;

use super::form::{Fields, Purpose, token};
use super::{Idp, Login, ReturnTo};
use crate::identity::Email;
use crate::problem::Problem;
use crate::web::page::{self, Choice, LocalForm, SignIn};
use crate::web::{Visit, answer};

/// What the sign-in page carries through, and why it is shown again.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Where the person wants to go.
    pub(super) return_to: ReturnTo,
    /// Whether a session that exists is not enough.
    pub(super) again: bool,
    /// What was typed.
    pub(super) user_name: String,
    /// What was typed where an address finds an idp.
    pub(super) email: String,
    /// Why it is shown again.
    pub(super) error: Option<String>,
}

impl Asked {
    /// From a query or a form.
    pub(super) fn read(login: &Login, fields: &Fields) -> Self {
        let return_to = fields.text("return_to");
        Self {
            // R17: anything but a path of the app is the front page.
            return_to: ReturnTo::within(return_to, &login.settings.paths)
                .unwrap_or_else(ReturnTo::root),
            again: fields.find("again").is_some(),
            user_name: fields.text("username").trim().to_owned(),
            email: String::new(),
            error: None,
        }
    }
}

impl Login {
    /// GET of the sign-in page.
    ///
    /// # Errors
    ///
    /// No such idp, or it cannot be used now.
    pub(super) async fn choose(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::query(visit)?;
        let mut asked = Asked::read(self, &fields);
        if !asked.again && self.is_signed_in(visit).await {
            return Ok(answer::redirect(asked.return_to.as_str()));
        }
        let choices = self.choices(visit);
        let begin = |idp: &dyn Idp| idp.name().clone();
        let named = match (fields.find("idp"), fields.find("email")) {
            (Some(name), _) => {
                let idp = choices.iter().find(|idp| idp.name().as_str() == name);
                Some(begin(*idp.ok_or_else(Problem::not_found)?))
            }
            (None, Some(address)) => {
                if let Some(idp) = self.by_address(visit, address) {
                    return Ok(self.lead_on(idp, &asked, address));
                }
                asked.email = address.to_owned();
                asked.error = Some(UNKNOWN_DOMAIN.to_owned());
                None
            }
            (None, None) => self.only_idp(visit).map(begin),
        };
        match named.as_ref().and_then(|name| self.idp(name.as_str())) {
            Some(idp) => {
                let hint = fields.find("hint");
                self.begin(idp, visit, asked.return_to, asked.again, hint)
                    .await
            }
            None => Ok(self.sign_in_page(visit, StatusCode::OK, &asked)),
        }
    }

    /// The page, with the cookie that its form needs.
    pub(super) fn sign_in_page(
        &self,
        visit: &Visit,
        status: StatusCode,
        asked: &Asked,
    ) -> Response<Full<Bytes>> {
        let choices = self.choices(visit);
        let (browser, cookie) = self.browser_or_new(visit);
        let token = token(&browser, Purpose::SignIn);
        let page = SignIn {
            by_email: choices.iter().any(|idp| !idp.domains().is_empty()),
            email: &asked.email,
            choices: choices
                .into_iter()
                .map(|idp| Choice {
                    label: idp.label().to_owned(),
                    href: self.link(idp, asked, None),
                })
                .collect(),
            local: self.settings.local.enabled.then_some(LocalForm {
                token: &token,
                user_name: &asked.user_name,
            }),
            error: asked.error.as_deref(),
            return_to: asked.return_to.as_str(),
            again: asked.again,
        };
        let mut response = answer::page(status, &self.look, &page.page(&self.look));
        if let Some(cookie) = cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// Whether this browser has a session of somebody who still is somebody.
    async fn is_signed_in(&self, visit: &Visit) -> bool {
        match self.current(visit) {
            // A session without its person would send the browser back and forth.
            Some(live) => !matches!(self.prepare.prepare(&live, visit.now).await, Ok(None)),
            None => false,
        }
    }

    /// The idp of an address' domain, compared whole (R31).
    fn by_address(&self, visit: &Visit, address: &str) -> Option<&dyn Idp> {
        let domain = Email::try_from(address.trim()).ok()?.domain();
        self.choices(visit)
            .into_iter()
            .find(|idp| idp.domains().contains(&domain))
    }

    /// A page that goes on to the idp: after a form, Chrome's `form-action` would stop a redirect to it.
    fn lead_on(&self, idp: &dyn Idp, asked: &Asked, address: &str) -> Response<Full<Bytes>> {
        let link = self.link(idp, asked, Some(address.trim()));
        answer::page(
            StatusCode::OK,
            &self.look,
            &page::leaving(idp.label(), &link),
        )
    }

    fn link(&self, idp: &dyn Idp, asked: &Asked, hint: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("idp", idp.name().as_str())
            .append_pair("return_to", asked.return_to.as_str());
        if asked.again {
            query.append_pair("again", "1");
        }
        if let Some(hint) = hint {
            query.append_pair("hint", hint);
        }
        format!("{}/login?{}", self.settings.paths.own, query.finish())
    }
}

const UNKNOWN_DOMAIN: &str =
    "No sign-in is set up for that e-mail address. Check it, or choose another way below.";
