//! Whole answers of an idp, from the query to the principal.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::{Value, json};

use super::*;
use crate::identity::{ClaimedGroups, IdpName};
use crate::login::{Begin, BeginRequest, Idp};
use crate::oidc::fake::{Answer, FakeIdp, NOON, Signer, pending, with};
use crate::secret::Secret;

const GOOD: &str = "code=the-code&state=the-state";

async fn finish(rp: &Oidc, query: &str, pending: &Pending) -> Result<Principal, Problem> {
    let params = Params::read(query.as_bytes())?;
    let (known, tokens) = rp.redeemed(pending, &params).await?;
    rp.principal(&known, &tokens, pending, NOON).await
}

#[tokio::test]
async fn a_person_comes_through_whole() {
    let signer = Signer::rsa("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    idp.grant(&signer.sign(&idp.claims()));
    let (rp, _) = idp.relying_party();
    let person = finish(&rp, GOOD, &pending()).await.unwrap();
    assert_eq!(person.user_name, "zoë.o’neil@例え.jp");
    assert_eq!(person.link_subject, format!("{}#sub-1", idp.url));
    assert_eq!(person.subject, "sub-1");
    assert_eq!(person.idp_session.as_deref(), Some("their-session"));
    assert!(person.email_verified && person.id_token.is_some());
    let groups = ["équipe, \"quoted\"", "staff"].map(str::to_owned).to_vec();
    assert_eq!(person.groups, ClaimedGroups::Known(groups));
    assert_eq!(idp.hits("/userinfo"), 0, "nothing was missing");
    let plan = idp.plan.lock().unwrap();
    // R36: the verifier of this sign-in goes with the code; the secret stays out of the form.
    let verifier = format!("code_verifier={}", "v".repeat(43));
    assert!(plan.token_form.contains(&verifier), "{}", plan.token_form);
    assert!(
        plan.token_form
            .contains("redirect_uri=https%3A%2F%2Fapp.test%2Foidc%2Fone%2Fcallback")
    );
    assert!(!plan.token_form.contains("secret"));
    assert!(plan.authorization.as_ref().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn r36_every_sign_in_begins_with_s256_state_and_nonce() {
    let idp = FakeIdp::start(&[&Signer::ec("k1")]).await;
    for (more, again, hint) in [
        ("", false, None),
        ("client_secret = \"x\"", true, Some("a b@x.test")),
    ] {
        let (rp, _) = idp.relying_party_at(&idp.scratch(), more);
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let begun = rp
            .begin(BeginRequest {
                handle: "the-state",
                origin: "https://app.test",
                nonce: "the-nonce",
                verifier: &verifier,
                again,
                hint,
            })
            .await;
        let Ok(Begin::Redirect(url)) = begun else {
            panic!("{begun:?}");
        };
        let url = url::Url::parse(&url).unwrap();
        let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query.len(), url.query_pairs().count(), "each once: {url}");
        let get = |name: &str| query.get(name).map(String::as_str);
        for (name, want) in [
            ("response_type", Some("code")),
            ("client_id", Some("sidegate")),
            ("redirect_uri", Some("https://app.test/oidc/one/callback")),
            ("scope", Some("openid profile email")),
            ("state", Some("the-state")),
            ("nonce", Some("the-nonce")),
            ("code_challenge_method", Some("S256")),
            // RFC 7636, appendix B.
            (
                "code_challenge",
                Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ),
            ("prompt", again.then_some("login")),
            ("max_age", again.then_some("0")),
            ("login_hint", hint),
            ("client_secret", None),
        ] {
            assert_eq!(get(name), want, "{name}");
        }
    }
}

#[tokio::test]
async fn r37_a_mixed_up_or_broken_answer_is_no_sign_in() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    idp.grant(&signer.sign(&idp.claims()));
    let (rp, _) = idp.relying_party();
    let other = Pending {
        idp: IdpName::try_from("two").unwrap(),
        ..pending()
    };
    let own = pending();
    let good_iss = format!("{GOOD}&iss={}", idp.url);
    for (name, query, pending, want) in [
        ("good", GOOD, &own, ""),
        ("good with iss", good_iss.as_str(), &own, ""),
        ("begun at another idp", GOOD, &other, "sign_in.answer"),
        (
            "iss of another idp",
            "code=c&state=s&iss=https%3A%2F%2Fevil.test",
            &own,
            "sign_in.answer",
        ),
        ("neither code nor error", "state=s", &own, "sign_in.answer"),
        ("empty code", "state=s&code=", &own, "sign_in.answer"),
        (
            "r37: two codes",
            "state=s&code=a&code=b",
            &own,
            "sign_in.parameters",
        ),
        (
            "r37: two states",
            "state=s&state=t&code=a",
            &own,
            "sign_in.parameters",
        ),
        (
            "cancelled",
            "state=s&error=access_denied",
            &own,
            "sign_in.denied",
        ),
        (
            "an error beside a code",
            "state=s&error=server_error&code=c",
            &own,
            "sign_in.idp_failed",
        ),
        (
            "wrong settings",
            "state=s&error=invalid_scope",
            &own,
            "sign_in.idp_settings",
        ),
    ] {
        let got = finish(&rp, query, pending)
            .await
            .map_or_else(|problem| problem.code, |_| "");
        assert_eq!(got, want, "{name}");
    }
    let always = json!({ "authorization_response_iss_parameter_supported": true });
    idp.set(
        "/.well-known/openid-configuration",
        Answer::Json(idp.document(&always)),
    );
    let (rp, _) = idp.relying_party();
    for (name, query, want) in [
        ("with iss", good_iss.as_str(), ""),
        ("iss left out", GOOD, "sign_in.answer"),
    ] {
        let got = finish(&rp, query, &own)
            .await
            .map_or_else(|problem| problem.code, |_| "");
        assert_eq!(got, want, "RFC 9207: {name}");
    }
}

#[tokio::test]
async fn what_the_token_endpoint_says_is_checked_and_never_echoed() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let (rp, _) = idp.relying_party();
    let token = |value: Value| Answer::Json(value);
    for (name, answer, want) in [
        (
            "no id token",
            token(json!({ "access_token": "canary", "token_type": "Bearer" })),
            "sign_in.answer",
        ),
        (
            "no access token",
            token(json!({ "id_token": "canary" })),
            "sign_in.idp_failed",
        ),
        (
            "id token is none",
            token(
                json!({ "access_token": "canary", "token_type": "Bearer", "id_token": "canary" }),
            ),
            "sign_in.idp_failed",
        ),
        (
            "another nonce",
            token(
                json!({ "access_token": "canary", "token_type": "Bearer", "id_token": signer.sign(&with(&idp.claims(), &json!({ "nonce": "canary" }))) }),
            ),
            "sign_in.token",
        ),
        ("an error page", Answer::Status(502), "sign_in.idp_failed"),
        (
            "a redirect",
            Answer::RedirectTo(format!("{}/jwks", idp.url)),
            "sign_in.idp_failed",
        ),
        (
            "too large",
            Answer::Bytes(Outbound::MAX_ANSWER + 1),
            "sign_in.idp_failed",
        ),
    ] {
        idp.set("/token", answer);
        let problem = finish(&rp, GOOD, &pending()).await.unwrap_err();
        assert_eq!(problem.code, want, "{name}: {}", problem.causes());
        // R41: tokens reach neither the person nor the log.
        let all = format!("{problem} {}", problem.causes());
        assert!(!all.contains("canary"), "{name}: {all}");
    }
}

use crate::outbound::Outbound;

#[tokio::test]
async fn a_rolled_key_is_fetched_when_its_first_token_comes() {
    let (old, new) = (Signer::ec("k1"), Signer::ec("k2"));
    let idp = FakeIdp::start(&[&old]).await;
    let (rp, _) = idp.relying_party();
    idp.grant(&old.sign(&idp.claims()));
    finish(&rp, GOOD, &pending()).await.unwrap();
    idp.publish(&[&new, &old]);
    idp.grant(&new.sign(&idp.claims()));
    finish(&rp, GOOD, &pending()).await.unwrap();
    assert_eq!(idp.hits("/jwks"), 2);
    let stranger = Signer::ec("k3");
    idp.grant(&stranger.sign(&idp.claims()));
    let problem = finish(&rp, GOOD, &pending()).await.unwrap_err();
    assert_eq!(problem.code, "sign_in.token");
    // A key that was dropped stops working once the new set is known.
    idp.publish(&[&new]);
    let (rp, _) = idp.relying_party();
    idp.grant(&old.sign(&idp.claims()));
    assert!(finish(&rp, GOOD, &pending()).await.is_err());
}

#[tokio::test]
async fn userinfo_adds_what_is_missing_of_the_same_person_only() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let (rp, _) = idp.relying_party();
    let few = json!({ "email": "absent", "email_verified": "absent", "groups": "absent" });
    idp.grant(&signer.sign(&with(&idp.claims(), &few)));
    for (name, answer, want) in [
        (
            "same person",
            Answer::Json(
                json!({ "sub": "sub-1", "email": "z@x.test", "groups": ["g"], "name": "Other" }),
            ),
            Ok(Some("z@x.test")),
        ),
        (
            "another person",
            Answer::Json(json!({ "sub": "sub-2", "email": "z@x.test" })),
            Err("sign_in.userinfo"),
        ),
        (
            "nobody",
            Answer::Json(json!({ "email": "z@x.test" })),
            Err("sign_in.userinfo"),
        ),
        ("an error", Answer::Status(500), Ok(None)),
        ("no JSON", Answer::Bytes(10), Ok(None)),
        (
            "too large",
            Answer::Json(
                json!({ "sub": "sub-1", "email": "z@x.test", "pad": "x".repeat(140_000) }),
            ),
            Ok(None),
        ),
        (
            "an answer that is an error",
            Answer::JsonAs(401, json!({ "sub": "sub-1", "email": "z@x.test" })),
            Ok(None),
        ),
    ] {
        idp.set("/userinfo", answer);
        let got = finish(&rp, GOOD, &pending()).await;
        if let Ok(person) = &got {
            assert_eq!(
                person.display_name.as_deref(),
                Some("Zoë O’Neil"),
                "what is signed comes first"
            );
        }
        let got = got
            .as_ref()
            .map(|person| person.email.as_deref())
            .map_err(|problem| problem.code);
        assert_eq!(got, want, "{name}");
    }
}

#[tokio::test]
async fn an_unreachable_idp_is_told_as_such() {
    let idp = FakeIdp::start(&[&Signer::ec("k1")]).await;
    idp.set("/jwks", Answer::Status(503));
    let (rp, _) = idp.relying_party();
    let problem = finish(&rp, GOOD, &pending()).await.unwrap_err();
    assert_eq!(problem.code, "sign_in.idp_unreachable");
    assert!(problem.retry_after.is_some());
    assert!(rp.ready().await.unwrap_err().contains("503"));
}
