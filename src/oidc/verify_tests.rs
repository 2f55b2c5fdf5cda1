//! Tokens of a good issuer, changed in one point each.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::{Value, json};

use super::*;
use jsonwebtoken::Algorithm;

use crate::oidc::fake::{FakeIdp, NOON, Signer, forged, hmac, with};

const AT: u64 = NOON.as_secs();

fn check(token: &str, known: &Known, again: bool) -> Result<VerifiedIdToken, String> {
    let access_token = AccessToken::new("at-1".to_owned());
    let expected = Expected {
        client_id: "sidegate",
        nonce: "the-nonce",
        access_token: &access_token,
        proved_since: again.then_some(NOON),
        now: NOON,
    };
    let token: CoreIdToken = token
        .parse()
        .map_err(|_unreadable| "unreadable".to_owned())?;
    verify(&token, known, &expected).map_err(|error| crate::problem::chain(&error))
}

#[tokio::test]
async fn r35_r38_only_a_fresh_token_of_the_issuer_for_us_verifies() {
    let signer = Signer::rsa("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let known = idp.known().await;
    for (name, changes, want) in [
        ("good", json!({}), ""),
        (
            "another issuer",
            json!({ "iss": "http://127.0.0.1:1" }),
            "issuer",
        ),
        (
            "issuer with a slash",
            json!({ "iss": format!("{}/", idp.url) }),
            "issuer",
        ),
        ("no issuer", json!({ "iss": "absent" }), "unreadable"),
        ("another audience", json!({ "aud": "other" }), "audience"),
        (
            "audience by prefix",
            json!({ "aud": "sidegate2" }),
            "audience",
        ),
        ("audience by case", json!({ "aud": "Sidegate" }), "audience"),
        ("no audience", json!({ "aud": "absent" }), "audience"),
        ("empty audience", json!({ "aud": [] }), "audience"),
        (
            "several audiences, not made to us",
            json!({ "aud": ["sidegate", "other"] }),
            "azp",
        ),
        (
            "several audiences, made to another",
            json!({ "aud": ["sidegate", "other"], "azp": "other" }),
            "azp",
        ),
        (
            "several audiences, made to us",
            json!({ "aud": ["sidegate", "other"], "azp": "sidegate" }),
            "",
        ),
        ("made to another", json!({ "azp": "other" }), "azp"),
        ("expired", json!({ "exp": AT - 91 }), "expired"),
        ("expires now, clocks differ", json!({ "exp": AT - 60 }), ""),
        ("no expiry", json!({ "exp": "absent" }), "unreadable"),
        ("expiry is a text", json!({ "exp": "soon" }), "unreadable"),
        ("issued in the future", json!({ "iat": AT + 91 }), "future"),
        ("issued a little ahead", json!({ "iat": AT + 60 }), ""),
        ("no time of issue", json!({ "iat": "absent" }), "unreadable"),
        ("another nonce", json!({ "nonce": "other" }), "nonce"),
        ("no nonce", json!({ "nonce": "absent" }), "nonce"),
        (
            "hash of another access token",
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
            "at_hash",
        ),
        (
            "empty hash of the access token",
            json!({ "at_hash": "" }),
            "at_hash",
        ),
        (
            "hash of this access token",
            json!({ "at_hash": at_hash("at-1") }),
            "",
        ),
        (
            "times as fractions",
            json!({ "iat": 1_799_999_999.5, "auth_time": 1_799_999_990.25 }),
            "",
        ),
        (
            "a verified address as text",
            json!({ "email_verified": "true" }),
            "",
        ),
        (
            "claims that are null",
            json!({ "name": null, "email": null, "given_name": null }),
            "",
        ),
    ] {
        let token = signer.sign(&with(&idp.claims(), &changes));
        let got = check(&token, &known, false).map_or_else(|error| error, |_| String::new());
        let fits = if want.is_empty() {
            got.is_empty()
        } else {
            got.to_lowercase().contains(want)
        };
        assert!(fits, "{name}: wanted {want:?}, got {got:?}");
    }
}

fn at_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&crate::crypto::sha256(token.as_bytes()).0[..16])
}

#[tokio::test]
async fn r35_signatures_are_the_issuers_and_asymmetric() {
    let (rsa, ec, ed) = (Signer::rsa("k1"), Signer::ec("k2"), Signer::ed("k3"));
    let stranger = Signer::rsa("k1");
    let idp = FakeIdp::start(&[&rsa, &ec, &ed]).await;
    let known = idp.known().await;
    let claims = idp.claims();
    let public = URL_SAFE_NO_PAD
        .decode(rsa.jwk["n"].as_str().unwrap())
        .unwrap();
    let header = |alg: &str| json!({ "alg": alg, "kid": "k1", "typ": "JWT" });
    let mut cut = rsa.sign(&claims);
    cut.truncate(cut.rfind('.').unwrap() + 1);
    let other_claims = rsa.sign(&with(&claims, &json!({ "sub": "sub-2" })));
    let swapped = {
        let (good, other): (Vec<_>, Vec<_>) = (
            rsa.sign(&claims).split('.').map(str::to_owned).collect(),
            other_claims.split('.').collect(),
        );
        format!("{}.{}.{}", good[0], other[1], good[2])
    };
    for (name, token, ok) in [
        ("RS256", rsa.sign(&claims), true),
        ("ES256", ec.sign(&claims), true),
        ("EdDSA", ed.sign(&claims), true),
        (
            "alg none",
            forged(&header("none"), &claims, |_| Vec::new()),
            false,
        ),
        (
            "alg NONE",
            forged(&header("NONE"), &claims, |_| Vec::new()),
            false,
        ),
        (
            "alg unknown",
            forged(&header("XX256"), &claims, |_| vec![1]),
            false,
        ),
        ("no signature", cut, false),
        (
            "HS256 with the public key",
            forged(&header("HS256"), &claims, |m| hmac(&public, m)),
            false,
        ),
        (
            "HS256 with the client's secret",
            forged(&header("HS256"), &claims, |m| hmac(b"the secret", m)),
            false,
        ),
        (
            "a stranger's key under the same id",
            stranger.sign(&claims),
            false,
        ),
        (
            "an id of no key",
            rsa.sign_as(&claims, |h| h.kid = Some("k9".into())),
            false,
        ),
        (
            "an algorithm that is not announced",
            rsa.sign_as(&claims, |h| h.alg = Algorithm::RS512),
            false,
        ),
        ("claims of another token", swapped, false),
        (
            "an access token's type",
            rsa.sign_as(&claims, |h| h.typ = Some("at+jwt".into())),
            false,
        ),
        (
            "a logout token's type",
            rsa.sign_as(&claims, |h| h.typ = Some("logout+jwt".into())),
            false,
        ),
        (
            "an extension",
            rsa.sign_as(&claims, |h| h.crit = Some(vec!["x".into()])),
            false,
        ),
        (
            "its own key in the header",
            stranger.sign_as(&claims, |h| {
                h.jwk = serde_json::from_value(stranger.jwk.clone()).ok();
            }),
            false,
        ),
    ] {
        assert_eq!(check(&token, &known, false).is_ok(), ok, "{name}");
    }
}

#[tokio::test]
async fn to_prove_again_means_again() {
    let signer = Signer::rsa("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let known = idp.known().await;
    for (name, changes, again, ok) in [
        ("not asked", json!({}), false, true),
        ("asked, nothing said", json!({}), true, false),
        (
            "asked, proved before",
            json!({ "auth_time": AT - 91 }),
            true,
            false,
        ),
        ("asked, proved now", json!({ "auth_time": AT }), true, true),
        (
            "asked, clocks differ",
            json!({ "auth_time": AT - 60 }),
            true,
            true,
        ),
        (
            "proved in the future",
            json!({ "auth_time": AT + 9000 }),
            true,
            true,
        ),
    ] {
        let token = signer.sign(&with(&idp.claims(), &changes));
        let got = check(&token, &known, again);
        assert_eq!(got.is_ok(), ok, "{name}");
        let proved = got.ok().and_then(|token| token.auth_time());
        assert!(proved.is_none_or(|time| time <= NOON), "{name}");
    }
}

#[tokio::test]
async fn every_claim_arrives() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let claims = with(
        &idp.claims(),
        &json!({ "realm_access": { "roles": ["a"] }, "odd": [1, null] }),
    );
    let known = idp.known().await;
    let token = check(&signer.sign(&claims), &known, false).unwrap();
    assert_eq!(&Value::Object(token.claims().clone()), &claims);
}
