//! Assertions of a good issuer changed in one point each, and issuers that fail, on a real socket.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::clock::ManualClock;
use crate::crypto::fake::{Signer, forged, hmac, with};
use crate::outbound::fake::{Answer, FakeServer};

const AT: u64 = 1_800_000_000;
const TID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

struct World {
    server: FakeServer,
    trust: Trust,
    clock: Arc<ManualClock>,
}

async fn world(keys: &[&Signer], more: &str) -> World {
    let server = FakeServer::start().await;
    server.publish(keys);
    let url = &server.url;
    server.set("/.well-known/openid-configuration", document(url, url));
    let set = json!({ "keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() });
    server.set(&format!("/{TID}/discovery/keys"), Answer::Json(set));
    let text = format!(
        "public_url = 'https://app.test'\nupstream.url = 'http://127.0.0.1:1'\nlocal.enabled = true\n\
         [scim]\nentra_tenants = ['{TID}=acme']\n\
         [[scim.federation]]\nname = 'corp'\nissuer = '{url}'\nsubjects = ['sub-1', 'sub-2']\n\
         audiences = ['api://app', 'guid']\n{more}\n\
         [[tenant]]\nslug = 'default'\n[[tenant]]\nslug = 'acme'\n"
    );
    let settings = Settings::parse(&text).unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(AT)));
    let shared: Arc<dyn Clock> = clock.clone();
    let trust = Trust::new(&settings, &shared, url).unwrap();
    World {
        server,
        trust,
        clock,
    }
}

fn document(issuer: &str, keys: &str) -> Answer {
    Answer::Json(json!({ "issuer": issuer, "jwks_uri": format!("{keys}/jwks") }))
}

fn claims(issuer: &str) -> Value {
    json!({ "iss": issuer, "sub": "sub-1", "aud": "api://app", "iat": AT, "nbf": AT, "exp": AT + 300, "jti": "j" })
}

fn slug(text: &str) -> TenantSlug {
    TenantSlug::try_from(text).unwrap()
}

impl World {
    async fn word(&self, assertion: &str) -> String {
        self.told(assertion, None, "default").await
    }

    async fn told(&self, assertion: &str, client_id: Option<&str>, tenant: &str) -> String {
        let tenant = slug(tenant);
        let checked = self
            .trust
            .federation(assertion, client_id, Some(&tenant))
            .await;
        told(checked)
    }
}

fn told(checked: Result<VerifiedAssertion, AssertionRefused>) -> String {
    match checked {
        Ok(verified) => verified.credential().to_owned(),
        Err(refused) => refused.why.to_string(),
    }
}

#[tokio::test]
async fn r33_an_assertion_is_of_whom_and_for_what_the_settings_say() {
    let signer = Signer::ec("k1");
    let world = world(&[&signer], "tenant_ids = ['t-1']\nroles = ['MEMBER']").await;
    let good = with(&claims(&world.server.url), &json!({ "tid": "t-1" }));
    let slash = format!("{}/", world.server.url);
    for (name, changes, want) in [
        ("good", json!({}), "federation:corp"),
        (
            "the other subject",
            json!({ "sub": "sub-2" }),
            "federation:corp",
        ),
        (
            "audiences",
            json!({ "aud": ["x", "guid"] }),
            "federation:corp",
        ),
        (
            "clocks differ",
            json!({ "exp": AT - 89, "iat": AT + 90, "nbf": AT + 90 }),
            "federation:corp",
        ),
        (
            "no iat, no nbf",
            json!({ "iat": "absent", "nbf": "absent" }),
            "federation:corp",
        ),
        (
            "Okta's scopes",
            json!({ "scp": ["scim"] }),
            "federation:corp",
        ),
        (
            "another subject",
            json!({ "sub": "sub-3" }),
            "sub is not among",
        ),
        (
            "subject by prefix",
            json!({ "sub": "sub-1x" }),
            "sub is not among",
        ),
        (
            "subject in capitals",
            json!({ "sub": "SUB-1" }),
            "sub is not among",
        ),
        ("no subject", json!({ "sub": "absent" }), "sub is missing"),
        (
            "another audience",
            json!({ "aud": "api://other" }),
            "aud is not among",
        ),
        (
            "audience by prefix",
            json!({ "aud": "api://app/x" }),
            "aud is not among",
        ),
        (
            "no audience",
            json!({ "aud": "absent" }),
            "aud is not among",
        ),
        ("empty audience", json!({ "aud": [] }), "aud is not among"),
        (
            "another Entra tenant",
            json!({ "tid": "t-2" }),
            "tid is not among",
        ),
        (
            "no Entra tenant",
            json!({ "tid": "absent" }),
            "tid is not among",
        ),
        (
            "another issuer",
            json!({ "iss": "https://other.test" }),
            "has this issuer",
        ),
        (
            "issuer with a slash",
            json!({ "iss": slash }),
            "has this issuer",
        ),
        ("no issuer", json!({ "iss": "absent" }), "has this issuer"),
        ("expired", json!({ "exp": AT - 90 }), "has expired"),
        ("no expiry", json!({ "exp": "absent" }), "exp is missing"),
        (
            "expiry is a text",
            json!({ "exp": "soon" }),
            "exp is missing",
        ),
        ("not yet", json!({ "nbf": AT + 91 }), "not valid yet"),
        (
            "issued in the future",
            json!({ "iat": AT + 91 }),
            "not valid yet",
        ),
        ("not before is a text", json!({ "nbf": "x" }), "nbf or iat"),
    ] {
        let assertion = signer.sign(&with(&good, &changes));
        let got = world.word(&assertion).await;
        assert!(got.contains(want), "{name}: wanted {want:?}, got {got:?}");
    }
    let assertion = signer.sign(&good);
    for round in 0..3 {
        assert_eq!(
            world.word(&assertion).await,
            "federation:corp",
            "again {round}"
        );
    }
    let verified = world
        .trust
        .federation(&assertion, None, Some(&slug("default")))
        .await
        .unwrap();
    assert_eq!(verified.roles(), Some(&["MEMBER".to_owned()][..]));
    for (client_id, tenant, want) in [
        (Some("corp"), "default", "federation:corp"),
        (
            Some("whatever the admin wrote"),
            "default",
            "federation:corp",
        ),
        (
            Some("corp"),
            "acme",
            "no [[scim.federation]] of this tenant has this issuer",
        ),
        (
            None,
            "acme",
            "no [[scim.federation]] of this tenant has this issuer",
        ),
    ] {
        assert_eq!(
            world.told(&assertion, client_id, tenant).await,
            want,
            "{client_id:?} {tenant}"
        );
    }
    let nowhere = world.trust.federation(&assertion, None, None).await;
    assert!(nowhere.is_err(), "a tenant that does not exist");
}

#[tokio::test]
async fn the_client_id_chooses_among_federations() {
    let signer = Signer::ec("k1");
    let server = "[[scim.federation]]\nname = 'other'\nissuer = 'https://idp.test'\nsubjects = ['s']\naudiences = ['a']";
    let world = world(&[&signer], server).await;
    let assertion = signer.sign(&claims(&world.server.url));
    assert_eq!(world.word(&assertion).await, "federation:corp");
    let other = world.told(&assertion, Some("other"), "default").await;
    assert!(other.contains("has this issuer"), "RFC 7521 4.2: {other}");
}

#[tokio::test]
async fn r35_only_the_issuers_keys_count() {
    let (rsa, ec) = (Signer::rsa("k1"), Signer::ec("k2"));
    let stranger = Signer::ec("k2");
    let world = world(&[&rsa, &ec], "").await;
    let claims = claims(&world.server.url);
    let typ = |named: &'static str| ec.sign_as(&claims, |h| h.typ = Some(named.to_owned()));
    let header = |alg: &str| json!({ "alg": alg, "kid": "k2" });
    for (name, assertion, ok) in [
        ("RS256", rsa.sign(&claims), true),
        ("ES256", ec.sign(&claims), true),
        ("no type", ec.sign_as(&claims, |h| h.typ = None), true),
        (
            "no id of a key",
            ec.sign_as(&claims, |h| h.kid = None),
            true,
        ),
        ("a client's type", typ("client-authentication+jwt"), true),
        ("an access token", typ("at+jwt"), false),
        ("a logout token", typ("logout+jwt"), false),
        (
            "a stranger's key under the same id",
            stranger.sign(&claims),
            false,
        ),
        (
            "alg none",
            forged(&header("none"), &claims, |_| Vec::new()),
            false,
        ),
        (
            "HS256",
            forged(&header("HS256"), &claims, |m| hmac(b"x", m)),
            false,
        ),
        (
            "an extension",
            ec.sign_as(&claims, |h| h.crit = Some(vec!["b64".into()])),
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
            "what Microsoft's test sends",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".to_owned(),
            false,
        ),
        ("no JWS", "x".to_owned(), false),
        ("nothing", String::new(), false),
    ] {
        let got = world.word(&assertion).await;
        assert_eq!(got == "federation:corp", ok, "{name}: {got}");
    }
}

#[tokio::test]
async fn entra_tokens_open_the_tenant_that_the_settings_name() {
    let signer = Signer::rsa("k1");
    let world = world(&[&signer], "").await;
    let good = json!({
        "iss": format!("https://sts.windows.net/{TID}/"), "aud": ENTRA_AUDIENCE, "tid": TID, "sub": "s", "oid": "s",
        "appid": "00000014-0000-0000-c000-000000000000", "iat": AT, "nbf": AT, "exp": AT + 3600, "ver": "1.0",
    });
    let other = "11111111-1111-1111-1111-111111111111";
    let credential = format!("entra:{TID}");
    for (name, tenant, changes, want) in [
        ("good", "acme", json!({}), credential.as_str()),
        (
            "another tenant of ours",
            "default",
            json!({}),
            "no scim.entra_tenants",
        ),
        (
            "another Entra tenant",
            "acme",
            json!({ "iss": format!("https://sts.windows.net/{other}/") }),
            "no scim.entra_tenants",
        ),
        (
            "its issuer, another tid",
            "acme",
            json!({ "tid": other }),
            "tid is not among",
        ),
        (
            "no tid",
            "acme",
            json!({ "tid": "absent" }),
            "tid is not among",
        ),
        (
            "for another API",
            "acme",
            json!({ "aud": "api://app" }),
            "aud is not among",
        ),
        (
            "issuer of version 2",
            "acme",
            json!({ "iss": format!("https://login.microsoftonline.com/{TID}/v2.0") }),
            "no scim.entra_tenants",
        ),
        ("expired", "acme", json!({ "exp": AT - 90 }), "has expired"),
        (
            "a person's",
            "acme",
            json!({ "scp": "user_impersonation" }),
            "speaks for a person",
        ),
    ] {
        let token = signer.sign(&with(&good, &changes));
        let got = told(world.trust.entra(&token, Some(&slug(tenant))).await);
        assert!(got.contains(want), "{name}: wanted {want:?}, got {got:?}");
    }
    let stranger = Signer::rsa("k1").sign(&good);
    let got = told(world.trust.entra(&stranger, Some(&slug("acme"))).await);
    assert_eq!(got, "signature is wrong");
}

mod keys_tests;
