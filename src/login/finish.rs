//! The end of a sign-in: the only place where a session starts.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFRESH, SET_COOKIE, USER_AGENT,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::wrote::mark;
use super::{Login, Pending, ReturnTo, SESSION_COOKIE};
use crate::audit::Event;
use crate::config::SameSite;
use crate::crypto::{random_token, sha256};
use crate::identity::{ClaimedGroups, IdpKind, IdpName, Principal};
use crate::metrics::SignIn;
use crate::problem::Problem;
use crate::provision::{Actor, Admitted, Refused};
use crate::session::{Claims, End, Session};
use crate::web::{SetCookie, Visit, answer};

/// Longest `User-Agent` that is kept, bytes.
const MAX_AGENT: usize = 256;

impl Login {
    /// An idp proved who the person is: admits them and starts the session under a new id (R22).
    ///
    /// # Errors
    ///
    /// `provision` refuses the person, or the store failed.
    pub async fn finish(
        &self,
        visit: &Visit,
        pending: Pending,
        principal: Principal,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let actor = Actor {
            name: format!("idp:{}", principal.idp),
            client: visit.origin.client,
            request_id: Some(visit.origin.request_id.to_string()),
            ..Actor::default()
        };
        let host = visit.origin.host.as_str();
        let admitted = match self.provision.admit(host, &principal, &actor).await {
            Ok(admitted) => admitted,
            Err(refused) => {
                let user_name = Some(principal.user_name.clone());
                let problem = refusal(refused);
                return Err(self
                    .sign_in_refused(visit, &principal.idp, user_name, problem)
                    .await);
            }
        };
        let token = random_token();
        let mut session = self.session(visit, &token, &admitted, principal.idp, principal.kind);
        session.subject = principal.subject;
        session.name_id = principal.name_id;
        session.idp_session = principal.idp_session;
        session.id_token = principal.id_token;
        session.groups = principal.groups;
        session.claims = principal.claims.into();
        session.authenticated_at = principal.authenticated_at;
        if let Some(ends) = principal.session_ends {
            session.absolute_until = session.absolute_until.min(ends);
        }
        self.start(
            visit,
            session,
            &token,
            &admitted,
            pending.replaces,
            &pending.return_to,
        )
        .await
    }

    /// A local account proved its password.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn finish_local(
        &self,
        visit: &Visit,
        admitted: Admitted,
        return_to: ReturnTo,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let token = random_token();
        let mut session = self.session(visit, &token, &admitted, IdpName::local(), IdpKind::Local);
        session.subject.clone_from(&admitted.user().user_name);
        let return_to = ReturnTo::within(return_to.as_str(), &self.settings.paths)
            .unwrap_or_else(ReturnTo::root);
        self.start(visit, session, &token, &admitted, None, &return_to)
            .await
    }

    /// Counts a refused sign-in, writes it to the audit, and gives the problem back. Of those in which an idp proved
    /// nobody only some are written: a stranger must not be able to fill the store.
    pub async fn sign_in_refused(
        &self,
        visit: &Visit,
        idp: &IdpName,
        user_name: Option<String>,
        problem: Problem,
    ) -> Problem {
        self.count(idp, problem.code);
        let stranger = user_name.is_none() && *idp != IdpName::local();
        if stranger && !self.throttle.is_told(visit.origin.client, visit.now) {
            return problem;
        }
        let event = Event {
            action: "sign_in.refused".to_owned(),
            user_name,
            reason: Some(problem.code.to_owned()),
            ..event(visit, idp)
        };
        match self.audit.write(event).await {
            Ok(()) => problem,
            Err(error) => Problem::internal(error),
        }
    }

    fn session(
        &self,
        visit: &Visit,
        token: &str,
        admitted: &Admitted,
        idp: IdpName,
        kind: IdpKind,
    ) -> Session {
        let user = admitted.user();
        let agent = visit.header(&USER_AGENT).unwrap_or_default();
        Session {
            id: uuid::Uuid::new_v4().to_string(),
            key: sha256(token.as_bytes()),
            host: visit.origin.host.clone(),
            tenant: user.tenant.clone(),
            user: user.id.clone(),
            idp,
            kind,
            subject: String::new(),
            name_id: None,
            idp_session: None,
            id_token: None,
            groups: ClaimedGroups::Silent,
            claims: Claims::default(),
            created: visit.now,
            authenticated_at: visit.now,
            last_seen: visit.now,
            absolute_until: visit.now.plus(self.settings.session.absolute),
            client: visit.origin.client,
            user_agent: cut(agent, MAX_AGENT).to_owned(),
            app_cookies: Vec::new(),
        }
    }

    async fn start(
        &self,
        visit: &Visit,
        session: Session,
        token: &str,
        admitted: &Admitted,
        replaces: Option<String>,
        return_to: &ReturnTo,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let idp = session.idp.clone();
        let event = Event {
            action: "sign_in.ok".to_owned(),
            tenant: Some(session.tenant.to_string()),
            user: Some(session.user.to_string()),
            user_name: Some(admitted.user().user_name.clone()),
            session: Some(session.id.clone()),
            ..event(visit, &idp)
        };
        let id = session.id.clone();
        let writer = mark(&session);
        // R22: what this browser had before is dead, whoever it was.
        let old = [
            self.current(visit).map(|live| live.record.id.clone()),
            replaces,
        ];
        self.sessions
            .start(session, token, admitted.ticket())
            .await?;
        let mut done = self.audit.write(event).await;
        for old in old.into_iter().flatten() {
            let which = End::Id(old);
            let ended = self.end_and_tell(visit, &idp, &which, "replaced").await;
            done = done.and(ended);
        }
        if let Err(error) = done {
            // A session that the audit does not know must not be.
            let ended = self.sessions.end(&End::Id(id), "revoked").await;
            return Err(Problem::internal(ended.err().unwrap_or(error)));
        }
        self.count(&idp, "ok");
        let mut response = self.welcome(token, return_to);
        let cookie = self.person_cookie(&writer).to_header();
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }

    fn welcome(&self, token: &str, return_to: &ReturnTo) -> Response<Full<Bytes>> {
        let same_site = self.settings.session.same_site;
        let mut response = match same_site {
            // The way back from the idp is a cross-site navigation: a strict cookie would not travel along a redirect.
            SameSite::Strict => stepping_stone(return_to),
            SameSite::Lax | SameSite::None => answer::redirect(return_to.as_str()),
        };
        let cookie = SetCookie {
            name: SESSION_COOKIE,
            value: token,
            same_site: match same_site {
                SameSite::Strict => "strict",
                SameSite::Lax => "lax",
                SameSite::None => "none",
            },
            max_age: None,
            https: self.settings.public_url.is_https(),
        };
        response
            .headers_mut()
            .append(SET_COOKIE, cookie.to_header());
        response
    }

    /// Counts the end of a sign-in: `ok`, or the problem's code.
    pub fn count(&self, idp: &IdpName, outcome: &'static str) {
        let labels = SignIn {
            idp: idp.to_string(),
            outcome,
        };
        self.metrics.sign_ins.get_or_create(&labels).inc();
    }
}

pub(super) fn event(visit: &Visit, idp: &IdpName) -> Event {
    let local = *idp == IdpName::local();
    Event {
        actor: if local {
            idp.to_string()
        } else {
            format!("idp:{idp}")
        },
        client: visit.origin.client,
        request_id: Some(visit.origin.request_id.to_string()),
        ..Event::default()
    }
}

/// Says what the person can do; which record fits whom is the log's business.
#[expect(clippy::too_many_lines, reason = "a list: one entry for each refusal")]
pub(super) fn refusal(refused: Refused) -> Problem {
    let (code, detail) = match &refused {
        Refused::Inactive => (
            "sign_in.inactive",
            "Your account is not active. Ask for it to be activated, then sign in again.",
        ),
        Refused::Deleted => (
            "sign_in.deleted",
            "Your account was deleted. Ask for it to be set up again.",
        ),
        Refused::Unknown => (
            "sign_in.unknown",
            "You have no account here yet. Ask for one to be set up for you.",
        ),
        Refused::Domain => (
            "sign_in.domain",
            "People with your e-mail address cannot sign in here. Check that you chose the right account.",
        ),
        Refused::Tenant => (
            "sign_in.tenant",
            "Your organisation is not set up here. Check that you chose the right way to sign in.",
        ),
        Refused::Match(_) => (
            "sign_in.conflict",
            "There is already an account with your name that could be somebody else's. Ask for it to be connected with yours.",
        ),
        Refused::Method => (
            "sign_in.method",
            "Your account signs in another way. Go back and choose that one.",
        ),
        Refused::GroupOverage => (
            "sign_in.group_overage",
            "You are in too many groups for your sign-in service to list them, so your access cannot be worked out. Ask for the app's sign-in to be changed.",
        ),
        Refused::Claim(_) => (
            "sign_in.claim",
            "Your sign-in service did not send the details that are needed here. Ask for them to be added to its settings.",
        ),
        Refused::App(failure) => {
            let problem = if failure.passes() {
                Problem::new(
                    http::StatusCode::SERVICE_UNAVAILABLE,
                    "sign_in.app",
                    "Your account in the app cannot be set up now. Please try again in a moment.",
                )
            } else {
                Problem::forbidden(
                    "sign_in.app_refused",
                    "The app does not take your account. Ask for it to be set up for you.",
                )
            };
            return problem.because(refused);
        }
        Refused::Rule(_)
        | Refused::Outdated
        | Refused::NoConnector
        | Refused::Seal(_)
        | Refused::NoAccount(_)
        | Refused::Directory(_) => {
            return Problem::internal(refused);
        }
    };
    Problem::forbidden(code, detail).because(refused)
}

/// A page of our own that goes on by itself: from there the navigation is same-site.
fn stepping_stone(return_to: &ReturnTo) -> Response<Full<Bytes>> {
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Signed in" } }
            body { p { a href=(return_to.as_str()) { "Continue" } } }
        }
    };
    let mut response = Response::new(Full::new(page.into_string().into()));
    let headers = response.headers_mut();
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={}", return_to.as_str())) {
        headers.insert(REFRESH, refresh);
    }
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // R51: nothing on this page may load or run.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}
