//! Access tokens as `Bearer`, for apps on phones and desks and for programs that act for a person.

use http::StatusCode;

use super::Oidc;
use super::jws::{TokenError, VerifiedAccessToken, access_token, claimed_issuer, same_issuer};
use super::provider::Asker;
use crate::login::BearerCheck;
use crate::problem::Problem;

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "bearer.refused",
            "The access token is not valid here. Get a new one for this app.",
        )
        .because(error)
    }
}

impl Oidc {
    pub(super) async fn check_bearer(&self, token: &str) -> BearerCheck {
        // R33: without an audience of ours no token is for us.
        if self.settings.bearer_audiences.is_empty() {
            return BearerCheck::NotOurs;
        }
        let issuer = claimed_issuer(token);
        if !issuer.is_some_and(|issuer| same_issuer(&issuer, &self.settings.issuer.0)) {
            return BearerCheck::NotOurs;
        }
        match self.verified_bearer(token).await {
            Ok(verified) => {
                let expires = verified.expires();
                match self.mapping.bearer(verified, self.clock.now()) {
                    Ok(principal) => BearerCheck::Principal(Box::new(principal), expires),
                    Err(error) => BearerCheck::Refused(error.into()),
                }
            }
            Err(problem) => BearerCheck::Refused(problem),
        }
    }

    async fn verified_bearer(&self, token: &str) -> Result<VerifiedAccessToken, Problem> {
        let audiences = &self.settings.bearer_audiences;
        let known = self.provider.current().await?;
        let now = self.clock.now();
        match access_token(token, &known, audiences, now) {
            Err(error) if error.is_key() => {
                match self.provider.newer(&known, Asker::Stranger).await {
                    Some(newer) => Ok(access_token(token, &newer, audiences, now)?),
                    None => Err(error.into()),
                }
            }
            checked => Ok(checked?),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::oidc::fake::{Answer, FakeIdp, NOON, Signer, forged, with};

    const AUDIENCE: &str = "bearer_audiences = [\"api\"]";

    fn word(check: &BearerCheck) -> String {
        match check {
            BearerCheck::NotOurs => "not ours".to_owned(),
            BearerCheck::Principal(principal, _) => principal.link_subject.clone(),
            BearerCheck::Refused(problem) => problem.code.to_owned(),
        }
    }

    #[tokio::test]
    async fn r33_tokens_are_ours_when_the_issuer_is_and_good_when_all_fits() {
        let signer = Signer::ec("k1");
        let idp = FakeIdp::start(&[&signer]).await;
        let claims =
            json!({ "iss": idp.url, "sub": "sub-1", "aud": "api", "exp": NOON.as_secs() + 60 });
        let sign = |changes: Value| signer.sign(&with(&claims, &changes));
        let linked = format!("{}#sub-1", idp.url);
        let elsewhere = json!({ "iss": "https://other.test" });
        for (name, settings, token, want) in [
            ("good", AUDIENCE, sign(json!({})), linked.as_str()),
            ("none are taken here", "", sign(json!({})), "not ours"),
            ("another issuer", AUDIENCE, sign(elsewhere), "not ours"),
            (
                "opaque",
                AUDIENCE,
                "2YotnFZFEjr1zCsicMWpAA".to_owned(),
                "not ours",
            ),
            (
                "another audience",
                AUDIENCE,
                sign(json!({ "aud": "x" })),
                "bearer.refused",
            ),
            (
                "unsigned",
                AUDIENCE,
                forged(&json!({ "alg": "none" }), &claims, |_| vec![]),
                "bearer.refused",
            ),
            (
                "no user name",
                "bearer_audiences = [\"api\"]\nattributes.user_name = [\"upn\"]",
                sign(json!({})),
                "sign_in.claim",
            ),
        ] {
            let (rp, _) = idp.relying_party_at(&idp.scratch(), settings);
            assert_eq!(word(&rp.check_bearer(&token).await), want, "{name}");
        }
    }

    #[tokio::test]
    async fn a_rolled_key_is_fetched_and_an_idp_that_is_down_is_told() {
        let (old, new) = (Signer::ec("k1"), Signer::ec("k2"));
        let idp = FakeIdp::start(&[&old]).await;
        let claims =
            json!({ "iss": idp.url, "sub": "s", "aud": "api", "exp": NOON.as_secs() + 60 });
        let (rp, _) = idp.relying_party_at(&idp.scratch(), AUDIENCE);
        let linked = format!("{}#s", idp.url);
        assert_eq!(word(&rp.check_bearer(&old.sign(&claims)).await), linked);
        idp.publish(&[&new]);
        assert_eq!(word(&rp.check_bearer(&new.sign(&claims)).await), linked);
        assert_eq!(
            word(&rp.check_bearer(&old.sign(&claims)).await),
            "bearer.refused",
            "dropped"
        );
        idp.set("/jwks", Answer::Status(503));
        let (rp, _) = idp.relying_party_at(&idp.scratch(), AUDIENCE);
        let check = rp.check_bearer(&new.sign(&claims)).await;
        assert_eq!(word(&check), "sign_in.idp_unreachable");
    }
}
