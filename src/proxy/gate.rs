//! May this request pass, and as whom? Cookie or bearer, session, what the directory says now, policy.

use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::prepare::Prepare;
use super::trace::{Trace, Verdict};
use crate::clock::Timestamp;
use crate::config::{Anonymous, Tenant};
use crate::crypto::{random_token, sha256};
use crate::identity::{IdpName, Principal};
use crate::login::{BearerCheck, Idp};
use crate::policy::{Asked, Decision, Grant, Person, Policy};
use crate::problem::Problem;
use crate::provision::{Actor, Provision};
use crate::session::{Live, Prepared, Session, Sessions};
use crate::web::{OwnCookies, Visit};

/// Longest bearer token that is looked at, bytes.
const MAX_BEARER: usize = 16 * 1024;

/// What deciding needs.
pub(super) struct Gate {
    pub(super) policy: Policy,
    pub(super) sessions: Arc<Sessions>,
    pub(super) provision: Arc<Provision>,
    pub(super) idps: Vec<Arc<dyn Idp>>,
    pub(super) prepare: Arc<Prepare>,
    /// Name of the session cookie on the wire.
    pub(super) cookie: String,
}

/// A request that may pass.
pub(super) struct Pass {
    pub(super) grant: Grant,
    pub(super) live: Option<Arc<Live>>,
    pub(super) prepared: Option<Arc<Prepared>>,
}

/// A request that may not pass.
pub(super) enum Turned {
    /// Somebody has to sign in.
    SignIn { anonymous: Anonymous, again: bool },
    /// Refused for good.
    Away(Problem),
}

impl Gate {
    pub(super) async fn decide(&self, visit: &Visit, trace: &mut Trace) -> Result<Pass, Turned> {
        let (live, mut problem) = match self.who(visit).await {
            Ok(live) => (live, None),
            Err(problem) => (None, Some(problem)),
        };
        // R26: whoever has no active record any more is nobody, whatever cookie comes. And nobody is
        // whom the app cannot be told of: they are refused wherever somebody has to be signed in.
        let mut prepared = None;
        if let Some(live) = &live {
            match self.prepare.of(live, visit.now).await {
                Ok(told) => prepared = told,
                Err(error) => problem = Some(error),
            }
        }
        let live = live.filter(|_| prepared.is_some());
        let decision = self.ask_policy(visit, live.as_deref(), prepared.as_deref());
        trace.prepared.clone_from(&prepared);
        trace.live.clone_from(&live);
        match decision {
            Decision::Allow(grant) => {
                trace.decided(Verdict::Allow, grant.rule(), "");
                Ok(Pass {
                    grant,
                    live,
                    prepared,
                })
            }
            Decision::SignIn { anonymous, rule } => {
                trace.decided(Verdict::SignIn, rule, "");
                let sign_in = Turned::SignIn {
                    anonymous,
                    again: false,
                };
                Err(problem.map_or(sign_in, Turned::Away))
            }
            Decision::SignInAgain { rule } => {
                trace.decided(Verdict::SignIn, rule, "max_auth_age");
                Err(Turned::SignIn {
                    anonymous: Anonymous::Auto,
                    again: true,
                })
            }
            Decision::Refuse { rule, why } => {
                trace.decided(Verdict::Refuse, rule, why);
                Err(Turned::Away(refusal(why)))
            }
        }
    }

    fn ask_policy(
        &self,
        visit: &Visit,
        live: Option<&Live>,
        prepared: Option<&Prepared>,
    ) -> Decision {
        let asked = Asked {
            path: &visit.path,
            method: &visit.method,
            client: visit.origin.client,
            now: visit.now,
        };
        let person = prepared.zip(live).map(|(prepared, live)| Person {
            identity: &prepared.identity,
            authenticated_at: live.record.authenticated_at,
        });
        self.policy.decide(asked, person)
    }

    /// The session of the cookie, else the use of the bearer token. `Err` is a token of ours that must not be used.
    async fn who(&self, visit: &Visit) -> Result<Option<Arc<Live>>, Problem> {
        let cookie = OwnCookies::values(&visit.headers, &self.cookie)
            .find_map(|token| self.sessions.find(token, &visit.origin.host, visit.now));
        match (cookie, bearer_token(visit)) {
            (Some(live), _) => Ok(Some(live)),
            // Boxed because it is rare, and its room would be kept in every request.
            (None, Some(token)) => Box::pin(self.bearer(visit, token)).await,
            (None, None) => Ok(None),
        }
    }

    async fn bearer(&self, visit: &Visit, token: &str) -> Result<Option<Arc<Live>>, Problem> {
        let host = named_host(&visit.origin.host, self.provision.tenants());
        if let Some(live) = self.sessions.find_bearer(token, host, visit.now) {
            return Ok(Some(live));
        }
        for idp in &self.idps {
            match idp.bearer(token).await {
                BearerCheck::NotOurs => {}
                BearerCheck::Refused(problem) => return Err(problem),
                BearerCheck::Principal(principal, expires) => {
                    return self
                        .admit(visit, *principal, expires, token)
                        .await
                        .map(Some);
                }
            }
        }
        Ok(None)
    }

    async fn admit(
        &self,
        visit: &Visit,
        principal: Principal,
        expires: Timestamp,
        token: &str,
    ) -> Result<Arc<Live>, Problem> {
        let actor = Actor {
            name: format!("idp:{}", principal.idp),
            client: visit.origin.client,
            request_id: Some(visit.origin.request_id.to_string()),
            ..Actor::default()
        };
        let admitted = self
            .provision
            .admit(&visit.origin.host, &principal, &actor)
            .await
            .map_err(|refused| invalid_token().because(refused))?;
        let user = admitted.user();
        let session = Session {
            id: random_token(),
            key: sha256(token.as_bytes()),
            host: named_host(&visit.origin.host, self.provision.tenants()).to_owned(),
            tenant: user.tenant.clone(),
            user: user.id.clone(),
            idp: IdpName::clone(&principal.idp),
            kind: principal.kind,
            subject: principal.subject,
            name_id: principal.name_id,
            idp_session: principal.idp_session,
            id_token: None,
            groups: principal.groups,
            claims: principal.claims.into(),
            created: visit.now,
            authenticated_at: principal.authenticated_at,
            last_seen: visit.now,
            absolute_until: expires,
            client: visit.origin.client,
            user_agent: String::new(),
            app_cookies: Vec::new(),
        };
        Ok(self
            .sessions
            .present_bearer(session, token, admitted.ticket())?)
    }
}

/// R23: the use of a token on a tenant's own host is none on another tenant's. A host that no tenant named makes
/// no difference, so that one token cannot fill what is remembered.
fn named_host<'h, 't>(host: &'h str, mut tenants: impl Iterator<Item = &'t Tenant>) -> &'h str {
    let named = tenants.any(|tenant| tenant.hosts.iter().any(|its| its == host));
    if named { host } else { "" }
}

/// The one `Authorization: Bearer` of a request (RFC 6750 2.1).
fn bearer_token(visit: &Visit) -> Option<&str> {
    let (scheme, token) = visit.header(&AUTHORIZATION)?.split_once(' ')?;
    let fits = scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_BEARER;
    fits.then(|| token.trim())
}

fn invalid_token() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "bearer.refused",
        "The access token is not accepted here.",
    )
}

fn refusal(why: &str) -> Problem {
    match why {
        "network" => Problem::forbidden(
            "policy.network",
            "This address cannot be reached from your network.",
        ),
        "path_spelling" => Problem::bad_request(
            "path.spelling",
            "The address is spelled in a way that is not accepted here.",
        ),
        _ => Problem::forbidden(
            "policy.refused",
            "You are signed in, but this is not open to you.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn r23_a_bearer_use_is_of_one_tenants_host() {
        let text = "public_url = \"https://app.test\"\nupstream.url = \"http://127.0.0.1:1\"\nlocal.enabled = true\n\
                    [[tenant]]\nslug = \"a\"\nhosts = [\"a.test\"]\n[[tenant]]\nslug = \"b\"\nhosts = [\"b.test\"]\n";
        let tenants = Settings::parse(text).unwrap().tenants;
        for (host, want) in [
            ("a.test", "a.test"),
            ("b.test", "b.test"),
            ("app.test", ""),
            ("made-up.test", ""),
        ] {
            assert_eq!(named_host(host, tenants.iter()), want, "{host}");
        }
    }
}
