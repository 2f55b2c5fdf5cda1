//! What the log is told, and keys that roll, fail or lie.

use super::*;

#[tokio::test]
async fn the_log_is_told_what_was_claimed_and_no_more() {
    let signer = Signer::ec("k1");
    let world = world(&[&signer], "").await;
    let changes = json!({ "sub": "a\nb\u{1b}[2J", "aud": ["x", "y"], "tid": "t", "jti": "canary-jti", "secret": "canary" });
    let assertion = signer.sign(&with(&claims(&world.server.url), &changes));
    let refused = world
        .trust
        .federation(&assertion, None, Some(&slug("default")))
        .await;
    let text = refused
        .unwrap_err()
        .to_string()
        .replace(&world.server.url, "URL");
    let want = r#"assertion is refused, which claims iss="URL", aud=["x","y"], sub="a\nb\u001b[2J", tid="t""#;
    assert_eq!(text, want);
    let huge = signer.sign(&with(&claims("x"), &json!({ "sub": "s".repeat(10_000) })));
    let refused = world
        .trust
        .federation(&huge, None, Some(&slug("default")))
        .await;
    assert!(refused.unwrap_err().to_string().len() < 400);
    let refused = world
        .trust
        .federation("x", None, Some(&slug("default")))
        .await;
    let text = refused.unwrap_err().to_string();
    assert_eq!(
        text,
        "assertion is refused, which claims nothing that can be read"
    );
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_they_roll() {
    let (old, new) = (Signer::ec("k1"), Signer::ec("k2"));
    let world = world(&[&old], "").await;
    let claims = with(
        &claims(&world.server.url),
        &json!({ "exp": AT + 1_000_000 }),
    );
    let (by_old, by_new) = (old.sign(&claims), new.sign(&claims));
    let hits = || world.server.hits("/jwks");
    for _ in 0..3 {
        assert_eq!(world.word(&by_old).await, "federation:corp");
    }
    assert_eq!(hits(), 1);
    // Anybody can name a key that does not exist: once a minute it is looked for.
    for _ in 0..3 {
        assert!(world.word(&by_new).await.contains("no key"));
    }
    assert_eq!(hits(), 2);
    world.server.publish(&[&new]);
    assert!(world.word(&by_new).await.contains("no key"));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.word(&by_new).await, "federation:corp");
    assert!(world.word(&by_old).await.contains("no key"), "taken back");
    assert_eq!(hits(), 3);
    // Renewed when they age; kept for a day while the issuer is down.
    world.server.set("/jwks", Answer::Status(503));
    world.clock.advance(Duration::from_hours(6));
    assert_eq!(world.word(&by_new).await, "federation:corp");
    assert_eq!(world.word(&by_new).await, "federation:corp");
    assert_eq!(hits(), 4, "it is left alone for a moment");
    world.clock.advance(Duration::from_hours(18));
    assert!(
        world
            .word(&by_new)
            .await
            .contains("keys of the issuer cannot be had")
    );
}

#[tokio::test]
async fn issuers_that_fail_or_lie_give_no_keys() {
    let signer = Signer::ec("k1");
    for (name, path, answer, want) in [
        ("down", "/jwks", Answer::Status(503), "status 503"),
        (
            "elsewhere",
            "/jwks",
            Answer::RedirectTo("http://127.0.0.1:1/".to_owned()),
            "status 302",
        ),
        (
            "no keys",
            "/jwks",
            Answer::Json(json!({ "keys": [] })),
            "no key that can be used",
        ),
        ("no JSON", "/jwks", Answer::Bytes(10), "cannot be read"),
        ("too large", "/jwks", Answer::Bytes(3_000_000), "too large"),
        (
            "no discovery",
            "/.well-known/openid-configuration",
            Answer::Status(404),
            "status 404",
        ),
        (
            "another issuer",
            "/.well-known/openid-configuration",
            document("https://other.test", "https://other.test"),
            "issuer \"https://other.test\"",
        ),
        (
            "keys by plain http",
            "/.well-known/openid-configuration",
            Answer::Json(json!({ "issuer": "URL", "jwks_uri": "http://other.test/" })),
            "must not be called",
        ),
    ] {
        let world = world(&[&signer], "").await;
        let answer = match answer {
            Answer::Json(value) => {
                let text = value.to_string().replace("URL", &world.server.url);
                Answer::Json(serde_json::from_str(&text).unwrap())
            }
            other => other,
        };
        world.server.set(path, answer);
        let assertion = signer.sign(&claims(&world.server.url));
        let refused = world
            .trust
            .federation(&assertion, None, Some(&slug("default")))
            .await;
        let refused = refused.unwrap_err();
        assert!(refused.is_ours(), "{name}");
        let mut text = String::new();
        let mut next: Option<&dyn std::error::Error> = Some(&refused);
        while let Some(error) = next {
            text += &format!("{error}: ");
            next = error.source();
        }
        assert!(text.contains(want), "{name}: {text}");
    }
}
