use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use super::*;
use crate::metrics::Metrics;

const START: Timestamp = Timestamp::from_secs(1_000_000_000);
const DAY: Duration = Duration::from_hours(24);

const fn before(at: Timestamp) -> Timestamp {
    at.minus(Duration::from_secs(1))
}

fn store() -> Embedded {
    Embedded::in_memory(Arc::new(Metrics::new())).unwrap()
}

fn published(keys: &AssertionKeys) -> Vec<String> {
    let set: Value = serde_json::from_slice(&keys.document()).unwrap();
    let kids = set["keys"].as_array().unwrap().iter();
    kids.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn signs(keys: &AssertionKeys, now: Timestamp) -> String {
    keys.signer(now).unwrap().kid().to_owned()
}

#[tokio::test]
async fn keys_roll_and_are_published_before_and_after() {
    let keys = AssertionKeys::load(store(), Algorithm::Es256, START)
        .await
        .unwrap();
    let first = signs(&keys, START);
    assert_eq!(published(&keys), std::slice::from_ref(&first));

    let almost = before(START.plus(ROLL).minus(AHEAD));
    keys.refresh(almost).await.unwrap();
    assert_eq!(published(&keys), std::slice::from_ref(&first));

    // A day before its use the next one is published.
    keys.refresh(START.plus(ROLL).minus(AHEAD)).await.unwrap();
    let both = published(&keys);
    assert_eq!(both.len(), 2);
    assert_eq!(signs(&keys, before(START.plus(ROLL))), first);
    let rolled = START.plus(ROLL);
    let second = signs(&keys, rolled);
    assert_ne!(second, first);
    assert!(both.contains(&second));

    // The old one stays until nothing valid can be signed with it.
    keys.refresh(before(rolled.plus(KEEP))).await.unwrap();
    assert_eq!(published(&keys).len(), 2);
    keys.refresh(rolled.plus(KEEP)).await.unwrap();
    assert_eq!(published(&keys), [second]);
}

#[tokio::test]
async fn late_refreshes_still_publish_ahead() {
    let keys = AssertionKeys::load(store(), Algorithm::EdDsa, START)
        .await
        .unwrap();
    let first = signs(&keys, START);
    let late = START.plus(ROLL * 3);
    assert_eq!(signs(&keys, late), first);
    keys.refresh(late).await.unwrap();
    keys.refresh(late).await.unwrap();
    assert_eq!(published(&keys).len(), 2);
    assert_eq!(signs(&keys, before(late.plus(AHEAD))), first);
    assert_ne!(signs(&keys, late.plus(AHEAD)), first);
}

#[tokio::test]
async fn keys_survive_a_restart() {
    let store = store();
    let before = AssertionKeys::load(store.clone(), Algorithm::Es256, START)
        .await
        .unwrap();
    let after = AssertionKeys::load(store, Algorithm::Es256, START.plus(DAY))
        .await
        .unwrap();
    assert_eq!(before.document(), after.document());
    let token = before
        .signer(START)
        .unwrap()
        .sign(&json!({"exp": 4_000_000_000_u64}))
        .unwrap();
    let set: JwkSet = serde_json::from_slice(&after.document()).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
}

#[tokio::test]
async fn another_algorithm_gets_a_key_at_once() {
    let store = store();
    let first = AssertionKeys::load(store.clone(), Algorithm::Es256, START)
        .await
        .unwrap();
    let old = signs(&first, START);
    let other = AssertionKeys::load(store.clone(), Algorithm::EdDsa, START.plus(DAY))
        .await
        .unwrap();
    let now = START.plus(DAY);
    assert_eq!(other.signer(now).unwrap().algorithm(), SignAlgorithm::EdDsa);
    // What was signed before the change can still be verified.
    assert!(published(&other).contains(&old));
    let back = AssertionKeys::load(store.clone(), Algorithm::Es256, now.plus(DAY))
        .await
        .unwrap();
    assert_eq!(signs(&back, now.plus(DAY)), old);
    assert_eq!(published(&back).len(), 2);
    // To and fro: what was signed a moment ago with the one can still be verified under the other.
    let again = now.plus(DAY).plus(DAY);
    let other = AssertionKeys::load(store, Algorithm::EdDsa, again)
        .await
        .unwrap();
    assert!(published(&other).contains(&old));
    other
        .refresh(START.plus(ROLL + AHEAD + KEEP))
        .await
        .unwrap();
    assert!(!published(&other).contains(&old));
}

#[tokio::test]
async fn r55_nothing_private_is_published() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let keys = AssertionKeys::load(store(), algorithm, START)
            .await
            .unwrap();
        let text = String::from_utf8(keys.document().to_vec()).unwrap();
        let key = keys.signer(START).unwrap();
        assert!(
            !text.contains(key.private().expose()) && !text.contains("\"d\""),
            "{text}"
        );
        assert!(!format!("{keys:?}").contains(key.private().expose()));
    }
}
