//! Access tokens, and how long tokens have left.

use super::*;
use crate::config::Settings;
use crate::scim::federation::VerifiedAssertion;

/// Of tenant acme.
fn federation(name: &str) -> VerifiedAssertion {
    let text = format!(
        "public_url = 'https://app.test'\nupstream.url = 'http://127.0.0.1:1'\nlocal.enabled = true\n\
         [[tenant]]\nslug = 'acme'\n[[scim.federation]]\nname = '{name}'\ntenant = 'acme'\n\
         issuer = 'https://idp.test'\nsubjects = ['s']\naudiences = ['a']"
    );
    VerifiedAssertion::of(&Settings::parse(&text).unwrap().scim.federations[0])
}

#[tokio::test]
async fn access_tokens_end_with_time_and_with_their_token() {
    let world = World::new().await;
    let acme = slug("acme");
    let made = world.create("acme", "entra", None).await;
    let shown = Shown::Token(made.whole.expose());
    let holder = world.tokens.verify(shown, Some(&acme)).await.unwrap();
    let (text, lifetime) = world.tokens.issue(Proof::Token(&holder)).await.unwrap();
    assert!(text.expose().starts_with("sga_") && lifetime == ACCESS_LIFETIME);
    let look = |world: &World, text: &str, tenant: &str| match world
        .tokens
        .holder(text, Some(&slug(tenant)))
    {
        Ok(Holder::Token(token)) => token.name().to_owned(),
        Ok(Holder::Federation(name)) => name,
        Err(error) => word(&error).to_owned(),
    };
    let text = text.expose();
    assert_eq!(look(&world, text, "acme"), "entra");
    assert_eq!(look(&world, &format!("{text} "), "acme"), "entra");
    assert_eq!(look(&world, text, "other"), "tenant");
    assert_eq!(look(&world, &format!("{text}x"), "acme"), "unknown");
    assert!(world.tokens.holder(text, None).is_err());

    let world = world.again().await;
    assert_eq!(look(&world, text, "acme"), "entra", "after a restart");
    world
        .clock
        .advance(ACCESS_LIFETIME - Duration::from_secs(1));
    assert_eq!(look(&world, text, "acme"), "entra");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(look(&world, text, "acme"), "expired");
    let federation = federation("corp");
    let proof = Proof::Assertion(&federation);
    let (corp, _) = world.tokens.issue(proof).await.unwrap();
    let (next, _) = world.tokens.issue(Proof::Token(&holder)).await.unwrap();
    assert_eq!(look(&world, corp.expose(), "acme"), "corp");
    assert_eq!(look(&world, corp.expose(), "other"), "tenant");
    world.tokens.sweep().await.unwrap();
    assert_eq!(world.tokens.access.len(), 2, "those that are over are gone");

    world.tokens.revoke(None, &made.token.id).await.unwrap();
    assert_ne!(look(&world, next.expose(), "acme"), "entra", "at once");
    let world = world.again().await;
    assert_eq!(look(&world, next.expose(), "acme"), "unknown");
    assert_eq!(look(&world, corp.expose(), "acme"), "corp");
    world.clock.advance(ACCESS_LIFETIME);
    assert_eq!(look(&world, corp.expose(), "acme"), "expired");
}

#[tokio::test]
async fn access_tokens_of_one_credential_are_bounded() {
    let world = World::new().await;
    let (corp, other) = (federation("corp"), federation("other"));
    let (corp, other) = (Proof::Assertion(&corp), Proof::Assertion(&other));
    let (kept, _) = world.tokens.issue(other).await.unwrap();
    let (first, _) = world.tokens.issue(corp).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    for _ in 0..1000 {
        world.tokens.issue(corp).await.unwrap();
    }
    assert_eq!(world.tokens.access.len(), 1001);
    let acme = Some(slug("acme"));
    let known = |text: &Secret| world.tokens.holder(text.expose(), acme.as_ref()).is_ok();
    assert!(known(&kept) && !known(&first));
}

#[tokio::test]
async fn the_metric_tells_how_long_a_token_has_left() {
    let world = World::new().await;
    let made = world.create("acme", "entra", Some(DAY * 40)).await;
    world.create("acme", "endless", None).await;
    let line = |world: &World| {
        let text = world.metrics.to_text();
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("sidegate_scim_token_expiry_seconds{"))
            .map(str::to_owned)
    };
    let labels = format!(
        "{{tenant=\"acme\",token=\"{}\",name=\"entra\"}}",
        made.token.id
    );
    let want = |secs: u64| Some(format!("sidegate_scim_token_expiry_seconds{labels} {secs}"));
    assert_eq!(line(&world), want(40 * 86_400));
    let warned = |world: &World| {
        let all = world.tokens.all.pin();
        let live = all.get(&made.token.id).unwrap();
        live.warned.load(std::sync::atomic::Ordering::Relaxed)
    };
    world.tokens.sweep().await.unwrap();
    assert_eq!(warned(&world), 0, "40 days are enough");
    world.clock.advance(DAY * 10);
    world.tokens.sweep().await.unwrap();
    let first = warned(&world);
    assert_eq!(first, NOON.plus(DAY * 10).as_secs());
    world.clock.advance(DAY - Duration::from_secs(1));
    world.tokens.sweep().await.unwrap();
    assert_eq!(warned(&world), first, "once a day");
    world.clock.advance(DAY * 29);
    world.tokens.sweep().await.unwrap();
    assert_eq!(line(&world), want(1));
    assert!(warned(&world) > first);
    world.tokens.revoke(None, "entra").await.unwrap();
    assert_eq!(line(&world), None);
}
