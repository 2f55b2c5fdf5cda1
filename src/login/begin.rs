//! The beginning of a sign-in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::SET_COOKIE;
use http_body_util::Full;

use super::{BROWSER_COOKIE, Begin, BeginRequest, Idp, Login, Pending, ReturnTo, SESSION_COOKIE};
use crate::config::Tenant;
use crate::crypto::{random_token, sha256};
use crate::identity::fold;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::session::Live;
use crate::web::{OwnCookies, SetCookie, Visit, answer};

/// The browser cookie outlives the slowest sign-in by far.
const BROWSER_LIFE: Duration = Duration::from_mins(30);

impl Login {
    /// Answers a navigation that needs somebody: straight to the only idp, else to the chooser.
    /// `again` asks the idp to let the person prove again who they are (`max_auth_age`).
    pub async fn challenge(
        &self,
        visit: &Visit,
        return_to: ReturnTo,
        again: bool,
    ) -> Response<Full<Bytes>> {
        // To prove it again, the person goes where they came from: a chooser would forget what was asked.
        let same = again
            .then(|| self.current(visit))
            .flatten()
            .and_then(|live| self.idp(live.record.idp.as_str()));
        let Some(idp) = same.or_else(|| self.only_idp(visit)) else {
            return answer::redirect(&self.login_page(&return_to, again));
        };
        match self.begin(idp, visit, return_to, again, None).await {
            Ok(response) => response,
            Err(problem) => {
                let (idp, cause) = (idp.name().as_str(), problem.causes());
                let request_id = &*visit.origin.request_id;
                tracing::warn!(idp, cause, request_id, "a sign-in cannot begin");
                answer::problem(&problem, visit, &self.look)
            }
        }
    }

    /// Begins at one idp: keeps a [`super::Pending`], sets the browser cookie, sends the browser there.
    ///
    /// # Errors
    ///
    /// The idp cannot be used now.
    pub async fn begin(
        &self,
        idp: &dyn Idp,
        visit: &Visit,
        return_to: ReturnTo,
        again: bool,
        hint: Option<&str>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let browser = self.browser(visit).unwrap_or_else(random_token);
        let pending = Pending {
            handle: random_token(),
            browser: sha256(browser.as_bytes()),
            idp: idp.name().clone(),
            nonce: random_token(),
            verifier: Secret::new(random_token()),
            origin: self.origin(visit),
            // R17: whoever called has checked; a target that begins a sign-in again would go in circles.
            return_to: ReturnTo::within(return_to.as_str(), &self.settings.paths)
                .unwrap_or_else(ReturnTo::root),
            host: visit.origin.host.clone(),
            client: visit.origin.client,
            begun: visit.now,
            again,
            replaces: self.current(visit).map(|live| live.record.id.clone()),
        };
        let begin = idp
            .begin(BeginRequest {
                handle: &pending.handle,
                origin: &pending.origin,
                nonce: &pending.nonce,
                verifier: &pending.verifier,
                again,
                hint,
            })
            .await?;
        self.pending.put(pending);
        let mut response = match begin {
            Begin::Redirect(location) => answer::redirect(&location),
            Begin::Page(page) => page,
        };
        let cookie = self.browser_cookie(&browser).to_header();
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }

    /// Value of the browser cookie, when there is one.
    pub fn browser(&self, visit: &Visit) -> Option<String> {
        let name = self.browser_cookie("").wire_name();
        let ours = |value: &&str| value.len() == 43 && value.bytes().all(|b| b.is_ascii_graphic());
        OwnCookies::values(&visit.headers, &name)
            .find(ours)
            .map(str::to_owned)
    }

    /// Our cookie that ties sign-ins and kept bodies to a browser; set again at each sign-in, so that it does not
    /// end in the middle of one.
    pub fn browser_cookie<'a>(&self, value: &'a str) -> SetCookie<'a> {
        SetCookie {
            name: BROWSER_COOKIE,
            value,
            same_site: "lax",
            max_age: Some(BROWSER_LIFE),
            https: self.settings.public_url.is_https(),
        }
    }

    /// The live session of this browser.
    pub fn current(&self, visit: &Visit) -> Option<Arc<Live>> {
        let name = SetCookie {
            name: SESSION_COOKIE,
            ..self.browser_cookie("")
        }
        .wire_name();
        OwnCookies::values(&visit.headers, &name)
            .find_map(|token| self.sessions.find(token, &visit.origin.host, visit.now))
    }

    /// The idp of this name.
    pub fn idp(&self, name: &str) -> Option<&dyn Idp> {
        self.idps
            .iter()
            .find(|idp| idp.name().as_str() == name)
            .map(AsRef::as_ref)
    }

    /// The idps whose people may sign in on this host: those of its tenant, else all.
    pub fn choices(&self, visit: &Visit) -> Vec<&dyn Idp> {
        let tenant = self.tenant_of_host(&visit.origin.host);
        let offered = |idp: &&dyn Idp| {
            tenant.is_none_or(|tenant| tenant.idps.is_empty() || tenant.idps.contains(idp.name()))
        };
        self.idps
            .iter()
            .map(AsRef::as_ref)
            .filter(offered)
            .collect()
    }

    /// The idp to go to without asking: the only one, when there are no local accounts beside it.
    pub fn only_idp(&self, visit: &Visit) -> Option<&dyn Idp> {
        match self.choices(visit).as_slice() {
            [only] if !self.settings.local.enabled => Some(*only),
            _ => None,
        }
    }

    /// Path of the chooser, with the target to come back to. `again`: a session that exists is not enough,
    /// else the chooser and whoever asked would send the browser back and forth.
    pub fn login_page(&self, return_to: &ReturnTo, again: bool) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("return_to", return_to.as_str());
        if again {
            query.append_pair("again", "1");
        }
        let query = query.finish();
        format!("{}/login?{query}", self.settings.paths.own)
    }

    /// Our origin as this browser sees it: a tenant's own host, else `public_url`.
    pub fn origin(&self, visit: &Visit) -> String {
        let public = &self.settings.public_url;
        // R18: only hosts that an operator wrote down; a `Host` of the client's choice never gets into an address.
        if self.tenant_of_host(&visit.origin.host).is_none() {
            return public.origin();
        }
        let port = public.url().port();
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{}{port}", public.url().scheme(), visit.origin.host)
    }

    fn tenant_of_host(&self, host: &str) -> Option<&Tenant> {
        let host = fold(host);
        self.settings
            .tenants
            .iter()
            .find(|tenant| tenant.hosts.contains(&host))
    }
}

#[cfg(test)]
#[path = "begin_tests.rs"]
mod tests;
