//! What is no form, who guesses, and assertions.

use super::*;

#[tokio::test]
async fn what_is_no_form_is_refused_as_oauth_says() {
    let world = World::new("scim.allowed_networks = ['192.0.2.0/24']").await;
    let form = "grant_type=client_credentials";
    let mut visit = world.visit("/scim/v2/oauth2/token", HOME, &[]);
    let got = send(&world, "acme", &visit, form).await;
    assert_eq!((got.status, got.word()), (405, "invalid_request"));
    assert_eq!(got.fields[ALLOW], "POST");
    visit.method = Method::POST;
    let json = HeaderValue::from_static("application/json");
    visit.headers.insert(CONTENT_TYPE, json);
    let got = send(&world, "acme", &visit, "{}").await;
    assert_eq!((got.status, got.word()), (400, "invalid_request"));
    visit.headers.remove(CONTENT_TYPE);
    assert_eq!(
        send(&world, "acme", &visit, form).await.word(),
        "invalid_client"
    );
    for _ in 0..2 {
        let value = HeaderValue::from_static("Basic eDp5");
        visit.headers.append(AUTHORIZATION, value);
    }
    assert_eq!(
        send(&world, "acme", &visit, form).await.word(),
        "invalid_request"
    );
    let mut away = world.visit("/scim/v2/oauth2/token", "198.51.100.1", &[]);
    away.method = Method::POST;
    let got = send(&world, "acme", &away, form).await;
    assert_eq!((got.status, got.word()), (403, "access_denied"));
}

#[tokio::test]
async fn r60_guessing_clients_wait() {
    let world = World::new("").await;
    for number in 0..30 {
        let guess = basic(&format!("id-{number}"), "x");
        let got = post(
            &world,
            "acme",
            Some(&guess),
            "grant_type=client_credentials",
        )
        .await;
        assert_eq!(got.status, 401);
    }
    let got = post(
        &world,
        "acme",
        Some(&basic("id", "x")),
        "grant_type=client_credentials",
    )
    .await;
    assert_eq!((got.status, got.word()), (429, "temporarily_unavailable"));
    assert_eq!(got.fields[RETRY_AFTER], "900");
    let assertion = format!(
        "grant_type=client_credentials&client_assertion_type={JWT_BEARER}&client_assertion=a.b.c"
    );
    assert_eq!(post(&world, "acme", None, &assertion).await.status, 429);
}

#[tokio::test]
async fn a_signed_assertion_is_traded_for_an_access_token() {
    let signer = Signer::rsa("k1");
    let issuer = FakeServer::start().await;
    issuer.publish(&[&signer]);
    let url = &issuer.url;
    let document = json!({ "issuer": url, "jwks_uri": format!("{url}/jwks") });
    issuer.set("/.well-known/openid-configuration", Answer::Json(document));
    let world = World::new(&format!(
        "{EXEMPT}\n[[scim.federation]]\nname = 'corp'\ntenant = 'acme'\nissuer = '{url}'\nsubjects = ['sub-1']\n\
         audiences = ['api://app']\nroles = ['MEMBER']"
    ))
    .await;
    let at = NOON.as_secs();
    let claims = |sub: &str| json!({ "iss": url, "sub": sub, "aud": "api://app", "exp": at + 300, "tid": "t-1" });
    let form = |assertion: &str| {
        format!(
            "grant_type=client_credentials&client_id=x&client_assertion_type={JWT_BEARER}&client_assertion={assertion}&scope=s"
        )
    };
    let good = form(&signer.sign(&claims("sub-1")));
    for _ in 0..2 {
        let got = post(&world, "acme", None, &good).await;
        assert_eq!(got.status, 200, "{}", got.cause);
        let visit = world.visit(
            "/scim/v2/Users",
            HOME,
            &[&format!("Bearer {}", got.token())],
        );
        let client = world.access.authenticate(&visit, "acme").await.unwrap();
        assert_eq!(client.actor(&visit).name, "scim:corp");
        assert!(
            client.may_give("MEMBER") && !client.may_give("ADMIN"),
            "R53"
        );
        assert_eq!(who(&world, "default", got.token()).await, None);
    }
    let got = post(&world, "acme", None, &form(&signer.sign(&claims("sub-2")))).await;
    assert_eq!((got.status, got.word()), (401, "invalid_client"));
    assert!(
        !got.body.to_string().contains("sub"),
        "the client learns nothing: {}",
        got.body
    );
    let want = format!(
        "assertion is refused, which claims iss=\"{url}\", aud=\"api://app\", sub=\"sub-2\", tid=\"t-1\": sub is not among the subjects"
    );
    assert_eq!(got.cause, want, "the admin learns what to change");
    for (name, tenant, form, want) in [
        ("another tenant", "default", good.clone(), "invalid_client"),
        ("no such tenant", "nowhere", good.clone(), "invalid_client"),
        (
            "another kind",
            "acme",
            good.replace("jwt-bearer", "saml2-bearer"),
            "invalid_request",
        ),
        (
            "no kind",
            "acme",
            good.replace("client_assertion_type", "x"),
            "invalid_request",
        ),
        (
            "a secret besides",
            "acme",
            format!("{good}&client_secret=x"),
            "invalid_request",
        ),
        (
            "nobody's signature",
            "acme",
            form("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."),
            "invalid_client",
        ),
    ] {
        assert_eq!(
            post(&world, tenant, None, &form).await.word(),
            want,
            "{name}"
        );
    }
    issuer.set("/jwks", Answer::Status(503));
    world.clock.advance(std::time::Duration::from_hours(25));
    let late = signer
        .sign(&json!({ "iss": url, "sub": "sub-1", "aud": "api://app", "exp": at + 1_000_000 }));
    let got = post(&world, "acme", None, &form(&late)).await;
    assert_eq!((got.status, got.word()), (503, "temporarily_unavailable"));
}
