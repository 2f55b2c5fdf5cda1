//! Answers to those who may not pass: the sign-in for people, 401 and 403 for programs.

use std::time::Duration;

use http::header::{COOKIE, SET_COOKIE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;

use super::gate::Turned;
use super::trace::Trace;
use super::{Body, Proxy, resume};
use crate::config::Anonymous;
use crate::crypto::random_token;
use crate::login::{MAX_KEPT, ReturnTo};
use crate::problem::Problem;
use crate::web::{self, Visit, answer};

/// A body to be kept must be complete within this.
const KEEP_TIME: Duration = Duration::from_secs(10);

impl Proxy {
    pub(super) async fn turn_away(
        &self,
        visit: &mut Visit,
        body: Incoming,
        turned: Turned,
        trace: &mut Trace,
    ) -> Response<Body> {
        let problem = match turned {
            Turned::Away(problem) => problem,
            Turned::SignIn { anonymous, again } => {
                let people = match anonymous {
                    Anonymous::Status => false,
                    Anonymous::Login => true,
                    Anonymous::Auto => visit.is_navigation(),
                };
                if people {
                    return self.sign_in(visit, body, again).await;
                }
                sign_in_first(again)
            }
        };
        trace.note(&problem);
        let mut response = answer::problem(&problem, visit, &self.login.look).map(Body::Own);
        // A page of another origin may read the refusal where the app lets it read answers (R10).
        self.cors.apply(&visit.headers, response.headers_mut());
        response
    }

    async fn sign_in(&self, visit: &mut Visit, body: Incoming, again: bool) -> Response<Body> {
        // A sign-in begun on another name than the public one could not be finished there.
        if !self.is_public_host(&visit.origin.host) {
            let target = visit.uri.path_and_query().map_or("/", PathAndQuery::as_str);
            return answer::redirect(&self.settings.public_url.join(target)).map(Body::Own);
        }
        let safe = matches!(visit.method, Method::GET | Method::HEAD);
        let return_to = if safe {
            let target = visit.uri.path_and_query().map_or("/", PathAndQuery::as_str);
            ReturnTo::within(target, &self.settings.paths)
        } else {
            self.after_sign_in(visit, body).await
        };
        let return_to = return_to.unwrap_or_else(ReturnTo::root);
        let mut expired = HeaderMap::new();
        self.farewell(visit, &mut expired);
        let mut response = self
            .login
            .challenge(visit, return_to, again)
            .await
            .map(Body::Own);
        response.headers_mut().extend(expired);
        if !safe {
            // The chooser sets no browser cookie, and without it the kept body would be lost.
            if let Some(browser) = self.login.browser(visit) {
                let cookie = self.login.browser_cookie(&browser).to_header();
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            if response.status() == StatusCode::FOUND {
                // 303 makes a GET of it, whatever the method was (RFC 9110 15.4.4).
                *response.status_mut() = StatusCode::SEE_OTHER;
            }
        }
        response
    }

    /// Where a request that is no plain navigation comes back to: the page that sends its body again, or
    /// says that it could not be kept.
    async fn after_sign_in(&self, visit: &mut Visit, body: Incoming) -> Option<ReturnTo> {
        let own = &self.settings.paths.own;
        let kept = if resume::may_keep(visit, &self.settings.public_url.origin()) {
            web::read(body, MAX_KEPT, KEEP_TIME).await.ok()
        } else {
            None
        };
        let Some(body) = kept else {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("lost", "1")
                .append_pair("to", visit.path.as_str())
                .finish();
            return ReturnTo::parse(&format!("{own}/resume?{query}"));
        };
        let browser = self.login.browser(visit).unwrap_or_else(|| {
            // Read again when the sign-in begins, as if the browser had sent it.
            let browser = random_token();
            let name = self.login.browser_cookie("").wire_name();
            if let Ok(cookie) = HeaderValue::try_from(format!("{name}={browser}")) {
                visit.headers.append(COOKIE, cookie);
            }
            browser
        });
        let handle = self.keep(visit, &browser, body);
        ReturnTo::parse(&format!("{own}/resume?kept={handle}"))
    }

    fn is_public_host(&self, host: &str) -> bool {
        let tenants = self
            .settings
            .tenants
            .iter()
            .flat_map(|tenant| &tenant.hosts);
        host == self.settings.public_url.host() || tenants.into_iter().any(|its| its == host)
    }
}

fn sign_in_first(again: bool) -> Problem {
    if again {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "session.too_old",
            "This needs a recent sign-in. Please sign in again.",
        )
    } else {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "session.required",
            "Please sign in first.",
        )
    }
}
