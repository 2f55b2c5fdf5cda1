//! The end, in both directions: ours is told to the idp, the idp's is told to us.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use url::Url;

use super::Oidc;
use super::jws::{REMEMBER, TokenError, VerifiedLogoutToken, logout_token};
use super::params::Params;
use super::provider::Asker;
use crate::clock::Timestamp;
use crate::crypto::{Digest, JwsError, random_token, sha256};
use crate::identity::IdpName;
use crate::login::{Login, Logout};
use crate::problem::{Problem, chain};
use crate::secret::Secret;
use crate::session::Session;
use crate::web::Visit;

/// Logout tokens that are remembered at once.
const MAX_SEEN: usize = 20_000;

/// Logout tokens that came, of each idp; to be kept as long as the process runs (R38).
#[derive(Default)]
pub struct UsedTokens(Mutex<HashMap<IdpName, Arc<Seen>>>);

impl UsedTokens {
    pub(super) fn of(&self, idp: &IdpName) -> Arc<Seen> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(idp.clone()).or_default())
    }
}

/// Names of logout tokens that came from one idp.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<Digest, Timestamp>>);

impl Seen {
    /// Whether this one comes for the first time.
    fn first(&self, id: &str, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SEEN {
            seen.retain(|_, until| *until > now);
        }
        // R38: when none can be remembered, none is taken.
        if seen.len() >= MAX_SEEN {
            return false;
        }
        let until = now.plus(REMEMBER);
        match seen.insert(sha256(id.as_bytes()), until) {
            Some(before) => before <= now,
            None => true,
        }
    }
}

/// Why an order to end sessions is not followed.
#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("logout token came before")]
    Replayed,
    #[error("logout_token is missing, repeated, or not in a form")]
    Form,
}

impl Oidc {
    /// RP-Initiated Logout 1.0, 2.
    pub(super) fn logout_url(&self, session: &Session, return_to: &str) -> Logout {
        let known = self.provider.known();
        let endpoint = known
            .as_ref()
            .and_then(|known| known.metadata.end_session_endpoint.clone());
        let Some(mut url) = endpoint else {
            return Logout::Unsupported;
        };
        let hint = session.id_token.as_ref().map(Secret::expose);
        {
            let mut query = url.query_pairs_mut();
            // Without one the idp asks the person.
            if let Some(hint) = hint {
                query.append_pair("id_token_hint", hint);
            }
            query
                .append_pair("client_id", &self.settings.client_id)
                .append_pair("post_logout_redirect_uri", return_to)
                .append_pair("state", &random_token());
        }
        Logout::Redirect(url.into())
    }

    /// Back-Channel Logout 1.0, 2.5 to 2.8.
    pub(super) async fn back_channel(
        &self,
        login: &Login,
        visit: &Visit,
        body: &[u8],
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if visit.method != Method::POST {
            return Err(Problem::method_not_allowed());
        }
        let form = visit.header(&CONTENT_TYPE).is_some_and(is_form);
        let order = if form {
            self.order(body).await
        } else {
            Err(OrderError::Form)
        };
        let order = match order {
            Ok(order) => order,
            Err(error) => {
                let (idp, cause) = (self.mapping.idp.as_str(), chain(&error));
                tracing::warn!(idp, cause, "a back-channel logout is refused");
                return Ok(plain(
                    StatusCode::BAD_REQUEST,
                    "application/json",
                    &json!({ "error": "invalid_request", "error_description": "the logout token is not accepted" }).to_string(),
                ));
            }
        };
        login
            .end_by_idp(visit, &self.mapping.idp, order.subject, order.session)
            .await?;
        Ok(plain(StatusCode::OK, "text/plain; charset=utf-8", ""))
    }

    /// Front-Channel Logout 1.0, 3: a frame of the idp's page, without our cookies.
    pub(super) async fn front_channel(
        &self,
        login: &Login,
        visit: &Visit,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        if visit.method != Method::GET {
            return Err(Problem::method_not_allowed());
        }
        let params = Params::read(visit.uri.query().unwrap_or_default().as_bytes())?;
        let known = self.provider.current().await?;
        let refused = || {
            Problem::bad_request(
                "logout.parameters",
                "This sign-out names no session of this sign-in service.",
            )
        };
        // Both or nothing: `sid` is what only the idp and we know, so nobody else can end a session with it.
        let session = params.get("sid").ok_or_else(refused)?;
        if params.get("iss") != Some(&known.metadata.issuer) {
            return Err(refused());
        }
        let session = Some(session.to_owned());
        login
            .end_by_idp(visit, &self.mapping.idp, None, session)
            .await?;
        let mut page = plain(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "<!doctype html>",
        );
        let frame = Url::parse(&known.metadata.issuer)
            .map(|issuer| issuer.origin().ascii_serialization())
            .unwrap_or_default();
        let policy = format!("default-src 'none'; frame-ancestors {frame}");
        if let Ok(policy) = HeaderValue::try_from(policy) {
            page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        Ok(page)
    }

    async fn order(&self, body: &[u8]) -> Result<VerifiedLogoutToken, OrderError> {
        let params = Params::read(body).map_err(|_repeated| OrderError::Form)?;
        let token = params.get("logout_token").ok_or(OrderError::Form)?;
        let known = self.provider.current().await;
        let known = known.map_err(|_unknown| TokenError::Jws(JwsError::Key))?;
        let now = self.clock.now();
        let client_id = &self.settings.client_id;
        let order = match logout_token(token, &known, client_id, now) {
            Err(error) if error.is_key() => {
                match self.provider.newer(&known, Asker::Stranger).await {
                    Some(newer) => logout_token(token, &newer, client_id, now)?,
                    None => return Err(error.into()),
                }
            }
            checked => checked?,
        };
        // R38: once.
        if !self.seen.first(&order.id, now) {
            return Err(OrderError::Replayed);
        }
        Ok(order)
    }
}

fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn plain(status: StatusCode, kind: &'static str, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::fake::{Answer, FakeIdp, NOON, Signer, session};
    use crate::secret::Secret;

    #[test]
    fn r38_a_logout_token_counts_once_while_it_could_be_fresh() {
        let seen = Seen::default();
        let late = NOON.plus(REMEMBER);
        for (name, id, now, want) in [
            ("first", "a", NOON, true),
            ("again", "a", NOON, false),
            ("another", "b", NOON, true),
            (
                "again, later",
                "a",
                late.minus(std::time::Duration::from_secs(1)),
                false,
            ),
            ("when it would be too old", "b", late, true),
        ] {
            assert_eq!(seen.first(id, now), want, "{name}");
        }
        for number in 0..MAX_SEEN {
            seen.first(&number.to_string(), late);
        }
        assert!(!seen.first("one too many", late));
        assert!(seen.first("old ones go", late.plus(REMEMBER)));
    }

    #[tokio::test]
    async fn r38_a_logout_token_that_was_used_stays_used_over_a_reload() {
        let signer = Signer::ec("k1");
        let idp = FakeIdp::start(&[&signer]).await;
        let at = NOON.as_secs();
        let token = signer.sign(&serde_json::json!({
            "iss": idp.url, "sub": "sub-1", "sid": "s-1", "aud": "sidegate", "iat": at, "jti": "j-1",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }));
        let body = format!("logout_token={token}");
        let (before, _) = idp.relying_party();
        assert!(before.order(body.as_bytes()).await.is_ok());
        let (after, _) = idp.relying_party();
        let again = after.order(body.as_bytes()).await;
        assert!(matches!(again, Err(OrderError::Replayed)));
    }

    #[tokio::test]
    async fn the_way_to_the_idps_sign_out() {
        let idp = FakeIdp::start(&[&Signer::ec("k1")]).await;
        let (rp, _) = idp.relying_party();
        let back = "https://app.test/.sidegate/logout/done";
        let mut session = session();
        assert!(
            matches!(rp.logout_url(&session, back), Logout::Unsupported),
            "not known yet"
        );
        rp.provider.current().await.unwrap();
        for hint in [None, Some("a.b.c")] {
            session.id_token = hint.map(Secret::new);
            let Logout::Redirect(url) = rp.logout_url(&session, back) else {
                panic!("{hint:?}");
            };
            let url = Url::parse(&url).unwrap();
            assert_eq!(url.path(), "/end");
            let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
            assert_eq!(query.get("id_token_hint").map(String::as_str), hint);
            assert_eq!(query["client_id"], "sidegate");
            assert_eq!(query["post_logout_redirect_uri"], back);
            assert_eq!(query["state"].len(), 43);
        }
        let none = serde_json::json!({ "end_session_endpoint": null });
        idp.set(
            "/.well-known/openid-configuration",
            Answer::Json(idp.document(&none)),
        );
        let (rp, _) = idp.relying_party();
        rp.provider.current().await.unwrap();
        assert!(matches!(rp.logout_url(&session, back), Logout::Unsupported));
    }
}
