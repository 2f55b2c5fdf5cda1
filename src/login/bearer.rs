//! Access tokens of mobile and desktop apps, shown as `Bearer` (R33 to R35).

use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::{BearerCheck, Login};
use crate::clock::Timestamp;
use crate::config::Tenant;
use crate::crypto::{random_token, sha256};
use crate::identity::{IdpName, Principal};
use crate::problem::Problem;
use crate::provision::Actor;
use crate::session::{Live, Session};
use crate::web::Visit;

/// Longest bearer token that is looked at, bytes.
const MAX_BEARER: usize = 16 * 1024;

impl Login {
    /// The use of an access token of one of the idps (RFC 6750); none when it is a token of nobody's here.
    ///
    /// # Errors
    ///
    /// It is a token of an idp's that must not be used.
    pub async fn bearer(&self, visit: &Visit, token: &str) -> Result<Option<Arc<Live>>, Problem> {
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
pub fn bearer_token(visit: &Visit) -> Option<&str> {
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
