//! May this request pass, and as whom? Cookie or bearer, session, what the directory says now, policy.

use std::sync::Arc;

use super::prepare::Prepare;
use super::trace::{Trace, Verdict};
use crate::config::Anonymous;
use crate::login::{Login, bearer_token};
use crate::policy::{Asked, Decision, Grant, Person, Policy};
use crate::problem::Problem;
use crate::session::{Live, Prepared};
use crate::web::{OwnCookies, Visit};

/// What deciding needs.
pub(super) struct Gate {
    pub(super) policy: Policy,
    pub(super) login: Arc<Login>,
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
        let cookie = OwnCookies::values(&visit.headers, &self.cookie).find_map(|token| {
            self.login
                .sessions
                .find(token, &visit.origin.host, visit.now)
        });
        match (cookie, bearer_token(visit)) {
            (Some(live), _) => Ok(Some(live)),
            // Boxed because it is rare, and its room would be kept in every request.
            (None, Some(token)) => Box::pin(self.login.bearer(visit, token)).await,
            (None, None) => Ok(None),
        }
    }
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
