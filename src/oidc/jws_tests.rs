//! Access tokens and logout tokens of a good issuer, changed in one point each.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header};
use serde_json::json;

use super::*;
use crate::oidc::fake::{FakeIdp, NOON, Signer, forged, hmac, with};

const AT: u64 = NOON.as_secs();

fn audiences() -> Vec<String> {
    vec!["api://app".to_owned(), "https://app.test".to_owned()]
}

fn access_claims(idp: &FakeIdp) -> Value {
    json!({ "iss": idp.url, "sub": "sub-1", "aud": "api://app", "iat": AT, "exp": AT + 300, "azp": "phone" })
}

fn logout_claims(idp: &FakeIdp) -> Value {
    json!({
        "iss": idp.url, "sub": "sub-1", "sid": "s-1", "aud": "sidegate", "iat": AT, "jti": "j-1",
        "events": { LOGOUT: {} },
    })
}

#[tokio::test]
async fn r33_a_bearer_token_is_for_us_and_ends() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let known = idp.known().await;
    for (name, changes, want) in [
        ("good", json!({}), ""),
        (
            "the other audience of ours",
            json!({ "aud": ["x", "https://app.test"] }),
            "",
        ),
        (
            "another audience",
            json!({ "aud": "api://other" }),
            "audience",
        ),
        (
            "audience by prefix",
            json!({ "aud": "api://app/x" }),
            "audience",
        ),
        (
            "our client id is no audience",
            json!({ "aud": "sidegate" }),
            "audience",
        ),
        ("no audience", json!({ "aud": "absent" }), "audience"),
        ("empty audience", json!({ "aud": [] }), "audience"),
        (
            "audience of another type",
            json!({ "aud": { "api://app": 1 } }),
            "audience",
        ),
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
        (
            "issuers as a list",
            json!({ "iss": [idp.url.as_str()] }),
            "issuer",
        ),
        ("no issuer", json!({ "iss": "absent" }), "issuer"),
        ("expired", json!({ "exp": AT - 90 }), "expired"),
        ("expired, clocks differ", json!({ "exp": AT - 89 }), ""),
        ("no expiry", json!({ "exp": "absent" }), "exp"),
        ("expiry is a text", json!({ "exp": "soon" }), "exp"),
        ("expiry is negative", json!({ "exp": -1 }), "exp"),
        ("not yet", json!({ "nbf": AT + 91 }), "yet"),
        ("not before is a text", json!({ "nbf": "later" }), "nbf"),
        ("issued in the future", json!({ "iat": AT + 91 }), "yet"),
        (
            "times as fractions",
            json!({ "iat": 1_799_999_999.5, "exp": 1_800_000_100.5 }),
            "",
        ),
        ("no subject", json!({ "sub": "absent" }), "sub"),
        ("subject is a number", json!({ "sub": 7 }), "sub"),
        (
            "a program's own token, RFC 9068",
            json!({ "client_id": "job", "sub": "job" }),
            "program",
        ),
        (
            "a program's own token, Entra",
            json!({ "idtyp": "app" }),
            "program",
        ),
        (
            "a logout token",
            json!({ "events": { LOGOUT: {} } }),
            "logout",
        ),
        ("an id token by nonce", json!({ "nonce": "n" }), "id token"),
        ("by at_hash", json!({ "at_hash": "h" }), "id token"),
        ("by c_hash", json!({ "c_hash": "h" }), "id token"),
        ("of Keycloak", json!({ "typ": "ID" }), "id token"),
        (
            "an access token of an old Keycloak",
            json!({ "nonce": "n", "typ": "Bearer" }),
            "",
        ),
    ] {
        let token = signer.sign(&with(&access_claims(&idp), &changes));
        let got = access_token(&token, &known, &audiences(), NOON);
        let got = got.map_or_else(|error| error.to_string(), |_| String::new());
        let fits = if want.is_empty() {
            got.is_empty()
        } else {
            got.contains(want)
        };
        assert!(fits, "{name}: wanted {want:?}, got {got:?}");
    }
}

#[tokio::test]
async fn r35_bearer_and_logout_tokens_are_signed_by_the_issuer() {
    let (rsa, ec, ed) = (Signer::rsa("k1"), Signer::ec("k2"), Signer::ed("k3"));
    let stranger = Signer::ec("k2");
    let idp = FakeIdp::start(&[&rsa, &ec, &ed]).await;
    let known = idp.known().await;
    let public = URL_SAFE_NO_PAD
        .decode(ec.jwk["x"].as_str().unwrap())
        .unwrap();
    let header = |alg: &str| json!({ "alg": alg, "kid": "k2" });
    for (claims, logout) in [(access_claims(&idp), false), (logout_claims(&idp), true)] {
        let typ = |named: &'static str| {
            ec.sign_as(&claims, move |h: &mut Header| {
                h.typ = Some(named.to_owned());
            })
        };
        let mut cut = ec.sign(&claims);
        cut.truncate(cut.rfind('.').unwrap() + 1);
        for (name, token, ok) in [
            ("RS256", rsa.sign(&claims), true),
            ("ES256", ec.sign(&claims), true),
            ("EdDSA", ed.sign(&claims), true),
            (
                "PS256 with an RSA key",
                rsa.sign_as(&claims, |h| h.alg = Algorithm::PS256),
                true,
            ),
            (
                "no id of a key",
                ec.sign_as(&claims, |h| h.kid = None),
                true,
            ),
            ("no type", ec.sign_as(&claims, |h| h.typ = None), true),
            ("access token type", typ("at+jwt"), !logout),
            (
                "access token type, long",
                typ("application/AT+JWT"),
                !logout,
            ),
            ("logout token type", typ("logout+jwt"), logout),
            ("another type", typ("secevent+jwt"), false),
            (
                "alg none",
                forged(&header("none"), &claims, |_| Vec::new()),
                false,
            ),
            (
                "alg none in another case",
                forged(&header("nOnE"), &claims, |_| Vec::new()),
                false,
            ),
            (
                "no alg",
                forged(&json!({ "kid": "k2" }), &claims, |_| Vec::new()),
                false,
            ),
            (
                "alg unknown",
                forged(&header("ES256K"), &claims, |_| vec![0; 64]),
                false,
            ),
            (
                "HS256 with the public key",
                forged(&header("HS256"), &claims, |m| hmac(&public, m)),
                false,
            ),
            ("no signature", cut, false),
            (
                "a stranger's key under the same id",
                stranger.sign(&claims),
                false,
            ),
            (
                "an id of no key",
                ec.sign_as(&claims, |h| h.kid = Some("k9".into())),
                false,
            ),
            (
                "another key's id",
                ec.sign_as(&claims, |h| h.kid = Some("k1".into())),
                false,
            ),
            (
                "its own key in the header",
                stranger.sign_as(&claims, |h| {
                    h.jwk = serde_json::from_value(stranger.jwk.clone()).ok();
                }),
                false,
            ),
            (
                "an extension",
                ec.sign_as(&claims, |h| h.crit = Some(vec!["b64".into()])),
                false,
            ),
            ("four parts", format!("{}.x", ec.sign(&claims)), false),
            ("nothing", String::new(), false),
        ] {
            let got = if logout {
                logout_token(&token, &known, "sidegate", NOON).map(drop)
            } else {
                access_token(&token, &known, &audiences(), NOON).map(drop)
            };
            assert_eq!(got.is_ok(), ok, "{name}, logout {logout}: {got:?}");
        }
    }
}

#[tokio::test]
async fn r38_a_logout_token_is_fresh_named_and_no_id_token() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let known = idp.known().await;
    for (name, changes, want) in [
        ("good", json!({}), ""),
        ("with expiry", json!({ "exp": AT + 120 }), ""),
        ("subject alone", json!({ "sid": "absent" }), ""),
        ("session alone", json!({ "sub": "absent" }), ""),
        (
            "neither",
            json!({ "sid": "absent", "sub": "absent" }),
            "sub or sid",
        ),
        ("both empty", json!({ "sid": "", "sub": "" }), "sub or sid"),
        ("expired", json!({ "exp": AT - 90 }), "expired"),
        ("expiry is a text", json!({ "exp": "x" }), "exp"),
        ("no time of issue", json!({ "iat": "absent" }), "iat"),
        ("old", json!({ "iat": AT - 301 }), "old"),
        ("from the future", json!({ "iat": AT + 91 }), "yet"),
        ("no name", json!({ "jti": "absent" }), "jti"),
        ("empty name", json!({ "jti": "" }), "jti"),
        ("an id token", json!({ "events": "absent" }), "event"),
        ("another event", json!({ "events": { "x": {} } }), "event"),
        (
            "the event is no object",
            json!({ "events": { LOGOUT: true } }),
            "event",
        ),
        ("events as a list", json!({ "events": [LOGOUT] }), "event"),
        ("a nonce", json!({ "nonce": "n" }), "nonce"),
        ("another audience", json!({ "aud": "other" }), "audience"),
        ("no audience", json!({ "aud": "absent" }), "audience"),
        (
            "another issuer",
            json!({ "iss": "http://127.0.0.1:1" }),
            "issuer",
        ),
    ] {
        let token = signer.sign(&with(&logout_claims(&idp), &changes));
        let got = logout_token(&token, &known, "sidegate", NOON);
        let got = got.map_or_else(|error| error.to_string(), |_| String::new());
        let fits = if want.is_empty() {
            got.is_empty()
        } else {
            got.contains(want)
        };
        assert!(fits, "{name}: wanted {want:?}, got {got:?}");
    }
}

#[test]
fn only_a_jws_of_the_configured_issuer_is_looked_at() {
    let token = |claims: &Value| forged(&json!({ "alg": "none" }), claims, |_| Vec::new());
    let configured = Url::parse("https://idp.test").unwrap();
    for (name, token, want) in [
        ("ours", token(&json!({ "iss": "https://idp.test" })), true),
        (
            "ours with a slash",
            token(&json!({ "iss": "https://idp.test/" })),
            true,
        ),
        (
            "another's",
            token(&json!({ "iss": "https://idp.test.evil.test" })),
            false,
        ),
        ("no issuer", token(&json!({})), false),
        ("opaque", "2YotnFZFEjr1zCsicMWpAA".to_owned(), false),
        ("five parts (encrypted)", "a.b.c.d.e".to_owned(), false),
        ("no JSON", "YQ.YQ.YQ".to_owned(), false),
        (
            "huge",
            format!("{}.{}.{}", "a".repeat(70_000), "b", "c"),
            false,
        ),
    ] {
        let got = claimed_issuer(&token).is_some_and(|issuer| same_issuer(&issuer, &configured));
        assert_eq!(got, want, "{name}");
    }
}
