//! The browser, here with its cookies, for what the idp proved a moment ago.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::SignInError;
use crate::crypto::{random_token, sha256};
use crate::login::{Login, Pending, ReturnTo};
use crate::problem::Problem;
use crate::saml::service::Saml;
use crate::saml::service::params::Params;
use crate::secret::Secret;
use crate::web::{Visit, answer};

impl Saml {
    /// The browser is here with its cookies, for what the idp proved a moment ago.
    pub(in crate::saml::service) async fn go_on(
        &self,
        login: &Login,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let params = Params::query(visit)?;
        let word = params.get("continue");
        let arrival = word
            .and_then(|word| self.memory.take_arrival(word, visit.now))
            .filter(|its| its.idp == self.mapping.idp && its.host == visit.origin.host);
        let browser = login.browser(visit);
        let Some(arrival) = arrival else {
            return stale(login, visit, browser.is_some());
        };
        let pending = match &arrival.handle {
            Some(handle) => {
                let host = &visit.origin.host;
                let begun = login
                    .pending
                    .take(handle, browser.as_deref(), host, visit.now);
                let Some(begun) = begun else {
                    return stale(login, visit, browser.is_some());
                };
                begun
            }
            None => self.unsolicited(login, visit, arrival.return_to.as_deref()),
        };
        login.finish(visit, pending, arrival.principal).await
    }

    /// As if it had been begun here: the idp's wish where to go counts only as a path of this host (R17).
    fn unsolicited(&self, login: &Login, visit: &Visit, return_to: Option<&str>) -> Pending {
        let paths = &login.settings.paths;
        let return_to = return_to.and_then(|text| ReturnTo::within(text, paths));
        Pending {
            handle: random_token(),
            browser: sha256(random_token().as_bytes()),
            idp: self.mapping.idp.clone(),
            nonce: random_token(),
            verifier: Secret::new(random_token()),
            origin: login.origin(visit),
            return_to: return_to.unwrap_or_else(ReturnTo::root),
            host: visit.origin.host.clone(),
            client: visit.origin.client,
            begun: visit.now,
            again: false,
            replaces: login.current(visit).map(|live| live.record.id.clone()),
        }
    }
}

/// No such sign-in waits: the back button after success, a tab that was open too long, another browser.
fn stale(login: &Login, visit: &Visit, has_cookie: bool) -> Result<Response<Full<Bytes>>, Problem> {
    if login.current(visit).is_some() {
        return Ok(answer::redirect("/"));
    }
    // Without cookies every new sign-in would end here again: a page stops the circle.
    if !has_cookie {
        return Err(SignInError::NoCookie.into());
    }
    Ok(answer::redirect(
        &login.login_page(&ReturnTo::root(), false),
    ))
}
