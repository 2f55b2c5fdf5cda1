//! Sign-out in both directions, and bearer tokens, with a real OpenID provider.

#![expect(clippy::too_many_lines, reason = "tables of cases")]

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::oidc::{idp_settings, person, sign_in};
use crate::support::{Answer, AtIdp, OidcIdp, Seen, Sidegate, UpstreamApp};

const FORM: &str = "application/x-www-form-urlencoded";
const BACK: &str = "/oidc/corp/backchannel-logout";

async fn gate_before(app: &UpstreamApp, idp: &OidcIdp, more: &str) -> Sidegate {
    let gate = Sidegate::start(&app.url(), &idp_settings("corp", idp, more)).await;
    idp.trust(&gate.url(), "corp").await;
    gate
}

async fn token(idp: &OidcIdp, wanted: Value) -> String {
    let made: Value = idp.control("POST", "/test/token", &wanted).await.json();
    made["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_here_signs_out_there() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let (mut browser, mut at_idp) = (gate.browser(), AtIdp::new(&idp));
    let led = browser.get("/").await.location().to_owned();
    let back = at_idp.sign_in(&led, "alice").await;
    browser.get(&back).await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    // Without a sign-out the provider would let the person in again unasked.
    let led = gate.browser().get("/").await.location().to_owned();
    assert!(
        at_idp
            .follow(&led)
            .await
            .starts_with("/oidc/corp/callback?")
    );

    let out = browser.get("/.sidegate/logout").await;
    assert_eq!(out.status, 302, "{}", out.text());
    assert!(
        out.location().starts_with(&idp.issuer),
        "{}",
        out.location()
    );
    assert!(out.location().contains("id_token_hint="));
    let done = at_idp.sign_out(out.location()).await;
    assert!(done.starts_with("/.sidegate/logout/done?state="), "{done}");
    assert_eq!(browser.get(&done).await.status, 200);
    assert_eq!(person(&mut browser).await, None);
    let led = browser.get("/").await.location().to_owned();
    let form = at_idp.look(&led).await.text();
    assert!(form.contains("password"), "{form}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r38_the_idp_ends_our_sessions_once_and_with_its_own_word() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let (mut alice, mut bob) = (gate.browser(), gate.browser());
    sign_in(&mut alice, &idp, "/", "alice").await;
    sign_in(&mut bob, &idp, "/", "bob").await;
    let sent: Value = idp
        .control("POST", "/test/logout-user", &json!({ "user": "alice" }))
        .await
        .json();
    assert_eq!(sent[0]["ok"], true, "{sent}");
    assert_eq!(person(&mut alice).await, None);
    assert_eq!(person(&mut bob).await.as_deref(), Some("bob"));

    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let order = |claims: Value, header: Value| {
        let mut all = json!({ "events": event, "scope": null, "client_id": null });
        all.as_object_mut()
            .unwrap()
            .extend(claims.as_object().unwrap().clone());
        json!({ "user": "bob", "audience": "sidegate", "claims": all, "header": header })
    };
    let logout = json!({ "typ": "logout+jwt" });
    let mut idp_side = gate.program();
    for (name, wanted) in [
        (
            "another audience",
            order(json!({ "aud": "other" }), logout.clone()),
        ),
        ("no name", order(json!({ "jti": null }), logout.clone())),
        ("a nonce", order(json!({ "nonce": "n" }), logout.clone())),
        ("no event", order(json!({ "events": {} }), logout.clone())),
        (
            "an access token",
            order(json!({}), json!({ "typ": "at+jwt" })),
        ),
        (
            "old",
            order(json!({ "iat": 1_700_000_000 }), logout.clone()),
        ),
        ("a stranger's key", {
            let mut wanted = order(json!({}), logout.clone());
            wanted["foreign_key"] = json!(true);
            wanted
        }),
    ] {
        let body = format!("logout_token={}", token(&idp, wanted).await);
        let answer = idp_side
            .send(Method::POST, BACK, &[(CONTENT_TYPE, FORM)], &body)
            .await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        assert_eq!(answer.json::<Value>()["error"], "invalid_request");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(person(&mut bob).await.as_deref(), Some("bob"), "{name}");
    }
    let good = format!(
        "logout_token={}",
        token(&idp, order(json!({}), logout)).await
    );
    let twice = format!("{good}&{good}");
    for (name, kind, body, status) in [
        ("r37: two tokens", FORM, &twice, 400),
        ("not a form", "application/json", &good, 400),
        ("the order", FORM, &good, 200),
        ("the same order again", FORM, &good, 400),
    ] {
        let answer = idp_side
            .send(Method::POST, BACK, &[(CONTENT_TYPE, kind)], body)
            .await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    assert_eq!(person(&mut bob).await, None);
    assert_eq!(idp_side.get(BACK).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_the_idp_ends_one_session() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let (mut one, mut two) = (gate.browser(), gate.browser());
    sign_in(&mut one, &idp, "/", "alice").await;
    sign_in(&mut two, &idp, "/", "alice").await;
    // The provider tells the ids of its sessions when it cannot reach us.
    let away = json!({ "backchannel_logout_uri": "http://127.0.0.1:1/" });
    idp.control("PUT", "/test/client", &away).await;
    let alice = json!({ "user": "alice" });
    let sent: Value = idp
        .control("POST", "/test/logout-user", &alice)
        .await
        .json();
    let theirs = sent[0]["sid"].as_str().unwrap();
    let issuer: String = url::form_urlencoded::byte_serialize(idp.issuer.as_bytes()).collect();
    let address = "/oidc/corp/frontchannel-logout";
    let mut frame = gate.browser();
    for (name, query, status) in [
        ("nothing", String::new(), 400),
        ("no session", format!("iss={issuer}"), 400),
        ("no issuer", "sid=x".to_owned(), 400),
        (
            "another issuer",
            "iss=https%3A%2F%2Fevil.test&sid=x".to_owned(),
            400,
        ),
        (
            "r37: two sessions",
            format!("iss={issuer}&sid=x&sid=y"),
            400,
        ),
        ("unknown session", format!("iss={issuer}&sid=x"), 200),
    ] {
        let answer = frame.get(&format!("{address}?{query}")).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert!(person(&mut one).await.is_some() && person(&mut two).await.is_some());
    }
    let good = frame
        .get(&format!("{address}?iss={issuer}&sid={theirs}"))
        .await;
    let policy = good.header("content-security-policy").unwrap();
    assert_eq!(
        policy,
        format!("default-src 'none'; frame-ancestors {}", idp.issuer)
    );
    let inside = [person(&mut one).await, person(&mut two).await];
    assert_eq!(inside.iter().flatten().count(), 1, "one of two: {inside:?}");
}

async fn with_token(gate: &Sidegate, token: &str) -> Answer {
    at(gate, "/api", token).await
}

async fn at(gate: &Sidegate, path: &str, token: &str) -> Answer {
    let field = format!("Bearer {token}");
    let headers = [(AUTHORIZATION, field.as_str())];
    gate.program().send(Method::GET, path, &headers, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r33_access_tokens_of_the_issuer_for_this_app_are_people() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "bearer_audiences = [\"https://app.test/api\"]").await;
    let good = |more: Value| {
        let mut wanted =
            json!({ "user": "alice", "audience": "https://app.test/api", "client_id": "phone" });
        wanted
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        wanted
    };
    let mut browser = gate.browser();
    sign_in(&mut browser, &idp, "/", "alice").await;
    let whoami: Value = browser.get("/.sidegate/whoami").await.json();

    let first = token(&idp, good(json!({}))).await;
    let answer = with_token(&gate, &first).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen: Seen = answer.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"), "{whoami}");
    assert_eq!(seen.header("authorization"), None, "it was for us");
    // RFC 7644 3.11: with a session or with such a token.
    let me = at(&gate, "/scim/v2/Me", &first).await;
    assert_eq!(me.json::<Value>()["userName"], "alice", "{}", me.text());

    for (name, wanted) in [
        (
            "another audience",
            good(json!({ "audience": "https://other.test/api" })),
        ),
        ("our client id", good(json!({ "audience": "sidegate" }))),
        ("expired", good(json!({ "ttl": -100 }))),
        ("no end", good(json!({ "claims": { "exp": null } }))),
        ("a stranger's key", good(json!({ "foreign_key": true }))),
        (
            "a secret's signature",
            good(json!({ "header": { "alg": "HS256" }, "secret": "sidegate-secret" })),
        ),
        (
            "an id token's type is fine, an unknown one not",
            good(json!({ "header": { "typ": "x+jwt" } })),
        ),
        (
            "a program's own",
            json!({ "audience": "https://app.test/api", "client_id": "job" }),
        ),
    ] {
        let refused = token(&idp, wanted).await;
        let answer = with_token(&gate, &refused).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
        assert!(answer.header("www-authenticate").is_some(), "{name}");
        let me = at(&gate, "/scim/v2/Me", &refused).await;
        assert_eq!(me.status, 401, "{name}: {}", me.text());
    }
    idp.control("POST", "/test/rotate-keys", &json!({ "mode": "add" }))
        .await;
    let rolled = token(&idp, good(json!({}))).await;
    let answer = with_token(&gate, &rolled).await;
    assert_eq!(
        answer.status,
        401,
        "strangers' keys were asked for this minute: {}",
        answer.text()
    );
    // A sign-in has its own allowance, and what it fetched is everybody's.
    sign_in(&mut gate.browser(), &idp, "/", "bob").await;
    assert_eq!(with_token(&gate, &rolled).await.status, 200);

    // R26: the person's end is the token's.
    gate.set_active("alice", false).await;
    for token in [&first, &rolled] {
        assert_ne!(with_token(&gate, token).await.status, 200);
    }
}
