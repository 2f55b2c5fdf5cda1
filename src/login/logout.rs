//! Sign-out: our session first, then the idp's where it can be ended.
//!
//! Another site, a picture or a prefetch signs nobody out.

use bytes::Bytes;
use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::finish::event;
use super::form::{Fields, SEC_FETCH_SITE};
use super::{Login, Logout, SESSION_COOKIE};
use crate::audit::Event;
use crate::problem::Problem;
use crate::session::{End, Live};
use crate::web::{SetCookie, Visit, answer, page};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

impl Login {
    /// Our sign-out address.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub(super) async fn log_out(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        if is_meant(visit) {
            return self.sign_out(visit).await;
        }
        // What another site started shows a page; the page's own link is ours, and meant.
        let page = page::sign_out(&self.look);
        Ok(answer::page(StatusCode::OK, &self.look, &page))
    }

    /// Ends this browser's session and leads on to the idp's sign-out, else to our last page. Also for the
    /// app's own logout links.
    ///
    /// # Errors
    ///
    /// The store failed; the session has ended in memory all the same.
    pub async fn sign_out(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        let mut response = match self.current(visit) {
            Some(live) => {
                self.end(visit, &live).await?;
                self.after_sign_out(visit, &live).await
            }
            None => go(visit, &self.signed_out_page()),
        };
        let browser = self.browser_cookie("");
        let session = SetCookie {
            name: SESSION_COOKIE,
            ..browser.clone()
        };
        // With the browser cookie goes what waits for this browser: forms and sign-ins of the person who leaves.
        for cookie in [session, browser] {
            let headers = response.headers_mut();
            headers.append(SET_COOKIE, cookie.to_header());
        }
        Ok(response)
    }

    /// The last page: says whether the person may still be signed in elsewhere.
    ///
    /// # Errors
    ///
    /// The query cannot be read.
    pub(super) fn signed_out(&self, visit: &Visit) -> Result<Response<Full<Bytes>>, Problem> {
        let fields = Fields::query(visit)?;
        let open_at = fields.find("idp").and_then(|name| self.idp(name));
        let page = page::signed_out(&self.look, open_at.map(super::Idp::label));
        Ok(answer::page(StatusCode::OK, &self.look, &page))
    }

    /// Ends one session and writes it to the audit.
    ///
    /// # Errors
    ///
    /// The store failed; the session has ended in memory all the same.
    pub async fn end(&self, visit: &Visit, live: &Live) -> Result<(), Problem> {
        let record = &live.record;
        let which = End::Id(record.id.clone());
        let ended = self.sessions.end(&which, "logout").await;
        let known = live.prepared(visit.now);
        let event = Event {
            action: "session.ended".to_owned(),
            tenant: Some(record.tenant.to_string()),
            user: Some(record.user.to_string()),
            user_name: known.map(|known| known.identity.user.user_name.clone()),
            session: Some(record.id.clone()),
            reason: Some("logout".to_owned()),
            ..event(visit, &record.idp)
        };
        ended.map_err(Problem::internal)?;
        self.audit.write(event).await.map_err(Problem::internal)
    }

    async fn after_sign_out(&self, visit: &Visit, live: &Live) -> Response<Full<Bytes>> {
        let done = self.signed_out_page();
        let Some(idp) = self.idp(live.record.idp.as_str()) else {
            return go(visit, &done);
        };
        let back = format!("{}{done}", self.origin(visit));
        match idp.logout(&live.record, &back).await {
            Logout::Redirect(target) => go(visit, &target),
            Logout::Page(page) => page,
            Logout::Unsupported => go(visit, &format!("{done}?idp={}", idp.name())),
        }
    }

    fn signed_out_page(&self) -> String {
        format!("{}/logout/done", self.settings.paths.own)
    }
}

fn go(visit: &Visit, target: &str) -> Response<Full<Bytes>> {
    match visit.method {
        Method::GET | Method::HEAD => answer::redirect(target),
        _ => answer::see_other(target),
    }
}

/// Whether a person wants to sign out, as far as the browser tells: not another site, not a picture on a page,
/// not a guess at what will be clicked next.
fn is_meant(visit: &Visit) -> bool {
    let is = |name: &HeaderName, fits: &dyn Fn(&HeaderValue) -> bool| {
        visit.headers.get(name).is_none_or(fits)
    };
    visit.method != Method::HEAD
        && !visit.headers.contains_key(SEC_PURPOSE)
        && is(&SEC_FETCH_SITE, &|site| site != "cross-site")
        && is(&SEC_FETCH_DEST, &|dest| {
            dest == "document" || dest == "empty"
        })
}
