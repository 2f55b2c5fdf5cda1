use serde_json::json;

use super::*;
use crate::oidc::fake::{Answer, FakeIdp, Signer};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const AGE_AND_MORE: Duration = Duration::from_hours(6);

#[tokio::test]
async fn the_last_good_keys_do_while_the_idp_is_down_also_at_start() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let folder = idp.scratch();
    let (first, clock) = idp.relying_party_at(&folder, "");
    let first = first.provider;
    assert!(first.trouble().is_some(), "nothing was asked at start");
    assert_eq!(idp.hits(DISCOVERY), 0);
    first.current().await.unwrap();
    assert_eq!(first.trouble(), None);

    idp.set("/jwks", Answer::Status(503));
    clock.advance(AGE_AND_MORE);
    first.refresh().await;
    assert_eq!(idp.hits("/jwks"), 2);
    assert!(first.current().await.is_ok(), "down later");

    let (second, _) = idp.relying_party_at(&folder, "");
    assert_eq!(second.provider.trouble(), None, "down at start");
    second.provider.current().await.unwrap();
    assert_eq!(idp.hits("/jwks"), 2, "what is on disk needs no call");
    second.provider.refresh().await;
    assert_eq!(idp.hits("/jwks"), 3, "but is renewed at once");
}

#[tokio::test]
async fn files_are_ours_alone_and_of_this_issuer() {
    use std::os::unix::fs::PermissionsExt as _;
    let signer = Signer::ec("k1");
    let (one, other) = (
        FakeIdp::start(&[&signer]).await,
        FakeIdp::start(&[&signer]).await,
    );
    let folder = one.scratch();
    let (rp, _) = one.relying_party_at(&folder, "");
    rp.provider.current().await.unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("one.json")), 0o600);
    let (rp, _) = other.relying_party_at(&folder, "");
    assert!(
        rp.provider.known().is_none(),
        "the file is another issuer's"
    );
    std::fs::write(folder.join("one.json"), "{").unwrap();
    let (rp, _) = one.relying_party_at(&folder, "");
    assert!(rp.provider.known().is_none(), "the file is broken");
}

#[tokio::test]
async fn an_idp_that_fails_is_left_alone_for_a_moment() {
    let idp = FakeIdp::start(&[]).await;
    let (rp, clock) = idp.relying_party();
    for _ in 0..5 {
        assert!(rp.provider.current().await.is_err(), "no keys");
    }
    assert_eq!(idp.hits("/jwks"), 1);
    assert!(rp.provider.trouble().unwrap().contains("no key"));
    idp.publish(&[&Signer::ec("k1")]);
    clock.advance(PAUSE);
    assert!(rp.provider.current().await.is_ok());
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once_a_minute_whoever_sends_them() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let (rp, clock) = idp.relying_party();
    let provider = rp.provider;
    let seen = provider.current().await.unwrap();
    assert!(
        provider.newer(&seen, Asker::Stranger).await.is_some(),
        "the first at once"
    );
    let now = provider.current().await.unwrap();
    for _ in 0..20 {
        assert!(provider.newer(&now, Asker::Stranger).await.is_none());
    }
    assert!(
        provider.newer(&seen, Asker::Stranger).await.is_some(),
        "others may have fetched"
    );
    assert_eq!(idp.hits("/jwks"), 2);
    assert!(
        provider.newer(&now, Asker::SignIn).await.is_some(),
        "sign-ins have their own allowance"
    );
    let now = provider.current().await.unwrap();
    clock.advance(Duration::from_mins(1));
    assert!(provider.newer(&now, Asker::Stranger).await.is_some());
    assert_eq!(idp.hits("/jwks"), 4);
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let (rp, _) = idp.relying_party();
    let provider = Arc::new(rp.provider);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let provider = provider.clone();
        all.spawn(async move { provider.current().await.is_ok() });
    }
    assert!(all.join_all().await.into_iter().all(|ok| ok));
    assert_eq!(idp.hits(DISCOVERY), 1);
    let seen = provider.current().await.unwrap();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (provider, seen) = (provider.clone(), seen.clone());
        all.spawn(async move { provider.newer(&seen, Asker::SignIn).await.is_some() });
    }
    assert!(all.join_all().await.into_iter().all(|ok| ok));
    assert_eq!(idp.hits(DISCOVERY), 2);
}

#[tokio::test]
async fn documents_that_cannot_be_trusted_change_nothing() {
    let signer = Signer::ec("k1");
    let idp = FakeIdp::start(&[&signer]).await;
    let (rp, clock) = idp.relying_party();
    let good = rp.provider.current().await.unwrap();
    for (name, path, answer) in [
        (
            "another issuer",
            DISCOVERY,
            Answer::Json(idp.document(&json!({ "issuer": "http://127.0.0.1:1" }))),
        ),
        (
            "r21: keys by http elsewhere",
            DISCOVERY,
            Answer::Json(idp.document(&json!({ "jwks_uri": "http://other.test/jwks" }))),
        ),
        (
            "a redirect",
            DISCOVERY,
            Answer::RedirectTo(format!("{}/jwks", idp.url)),
        ),
        ("no keys", "/jwks", Answer::Json(json!({ "keys": [] }))),
        (
            "symmetric keys",
            "/jwks",
            Answer::Json(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
        ),
        (
            "too large",
            "/jwks",
            Answer::Bytes(Outbound::MAX_ANSWER + 1),
        ),
        (
            "a redirect to keys",
            "/jwks",
            Answer::RedirectTo(format!("{}/other", idp.url)),
        ),
        (
            "good keys that are an error",
            "/jwks",
            Answer::JsonAs(500, json!({ "keys": [signer.jwk] })),
        ),
        (
            "a good document that is a redirect",
            DISCOVERY,
            Answer::JsonAs(302, idp.document(&json!({}))),
        ),
        ("an error", "/jwks", Answer::Status(500)),
    ] {
        let before = idp.plan.lock().unwrap().answers.get(path).cloned().unwrap();
        idp.set(path, answer);
        clock.advance(AGE_AND_MORE);
        let hits = idp.hits(DISCOVERY);
        rp.provider.refresh().await;
        assert_eq!(idp.hits(DISCOVERY), hits + 1, "{name}");
        assert!(
            Arc::ptr_eq(&good, &rp.provider.current().await.unwrap()),
            "{name}"
        );
        idp.set(path, before);
    }
}
