//! Tokens through their life: made, shown, remembered, revoked, expired, loaded again.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::metrics::Metrics;
use crate::storage::Embedded;

const NOON: Timestamp = Timestamp::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_hours(24);
const COST: u32 = 4;

struct World {
    tokens: Tokens,
    clock: Arc<ManualClock>,
    metrics: Arc<Metrics>,
    store: Embedded,
}

fn slug(text: &str) -> TenantSlug {
    TenantSlug::try_from(text).unwrap()
}

impl World {
    async fn new() -> Self {
        let metrics = Arc::new(Metrics::new());
        let store = Embedded::in_memory(Arc::clone(&metrics)).unwrap();
        Self::in_store(store, Arc::new(ManualClock::at(NOON)), metrics).await
    }

    async fn in_store(store: Embedded, clock: Arc<ManualClock>, metrics: Arc<Metrics>) -> Self {
        let shared: Arc<dyn Clock> = clock.clone();
        let tokens = Tokens::load_with(store.clone(), shared, metrics.clone(), COST);
        Self {
            tokens: tokens.await.unwrap(),
            clock,
            metrics,
            store,
        }
    }

    /// As after a restart.
    async fn again(self) -> Self {
        Self::in_store(self.store, self.clock, self.metrics).await
    }

    async fn create(&self, tenant: &str, name: &str, lifetime: Option<Duration>) -> Created {
        let new = NewToken {
            tenant: slug(tenant),
            name: Some(name.to_owned()),
            lifetime,
            roles: None,
        };
        self.tokens.create(new).await.unwrap()
    }

    async fn verify(&self, shown: Shown<'_>, tenant: &str) -> String {
        match self.tokens.verify(shown, Some(&slug(tenant))).await {
            Ok(verified) => format!("{} of {}", verified.name(), verified.tenant()),
            Err(error) => word(&error).to_owned(),
        }
    }

    fn recalls(&self, created: &Created, tenant: &str) -> bool {
        let shown = Shown::Token(created.whole.expose());
        self.tokens.recall(shown, Some(&slug(tenant))).is_some()
    }
}

fn word(error: &TokenError) -> &'static str {
    match error {
        TokenError::Form => "form",
        TokenError::Unknown => "unknown",
        TokenError::Secret(_) => "secret",
        TokenError::Revoked(_) => "revoked",
        TokenError::Expired(_) => "expired",
        TokenError::Tenant { .. } => "tenant",
        TokenError::Busy(_) => "busy",
    }
}

#[tokio::test]
async fn a_token_opens_its_tenant_however_it_is_shown() {
    let world = World::new().await;
    let made = world.create("acme", "Entra prod", None).await;
    let (whole, secret, id) = (
        made.whole.expose(),
        made.secret.expose(),
        made.token.id.as_str(),
    );
    assert_eq!(whole, format!("sgt_{id}_{secret}"));
    assert_eq!(secret.len(), 43, "256 bits");
    let other = whole.replace(id, "000000000000");
    let sga = format!("sga_{secret}");
    for (name, shown, want) in [
        ("whole", Shown::Token(whole), "Entra prod of acme"),
        (
            "pasted",
            Shown::Token(&format!(" \t{whole}\r\n")),
            "Entra prod of acme",
        ),
        (
            "anybody's",
            Shown::Pair("anything", whole),
            "Entra prod of acme",
        ),
        ("nobody's", Shown::Pair("", whole), "Entra prod of acme"),
        (
            "id and secret",
            Shown::Pair(id, secret),
            "Entra prod of acme",
        ),
        (
            "id and pasted secret",
            Shown::Pair(id, &format!("{secret}\n")),
            "Entra prod of acme",
        ),
        (
            "name and secret",
            Shown::Pair("entra PROD", secret),
            "Entra prod of acme",
        ),
        (
            "one letter less",
            Shown::Token(&whole[..whole.len() - 1]),
            "secret",
        ),
        (
            "one letter more",
            Shown::Token(&format!("{whole}A")),
            "secret",
        ),
        ("no secret", Shown::Token(&format!("sgt_{id}_")), "secret"),
        ("another id", Shown::Token(&other), "unknown"),
        ("no id", Shown::Token(&format!("sgt__{secret}")), "unknown"),
        ("secret alone", Shown::Token(secret), "form"),
        ("no underscore", Shown::Token("sgt_abc"), "form"),
        ("nothing", Shown::Token(""), "form"),
        ("an access token's form", Shown::Token(&sga), "form"),
        ("another name", Shown::Pair("entra", secret), "unknown"),
        ("wrong secret", Shown::Pair(id, "x"), "secret"),
        ("empty secret", Shown::Pair(id, ""), "form"),
        ("a NUL", Shown::Pair(id, &format!("{secret}\0")), "secret"),
    ] {
        assert_eq!(world.verify(shown, "acme").await, want, "{name}");
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_opens_nothing() {
    let world = World::new().await;
    let made = world.create("acme", "entra", None).await;
    let shown = Shown::Token(made.whole.expose());
    assert_eq!(world.verify(shown, "other").await, "tenant");
    assert_eq!(world.verify(shown, "acme").await, "entra of acme");
    assert!(
        !world.recalls(&made, "other"),
        "remembered for its own alone"
    );
    let pair = Shown::Pair("entra", made.secret.expose());
    assert_eq!(world.verify(pair, "other").await, "unknown");
    let nowhere = world.tokens.verify(shown, None).await.unwrap_err();
    assert_eq!(word(&nowhere), "tenant", "a tenant that does not exist");
    assert!(world.tokens.recall(shown, None).is_none());
}

#[tokio::test]
async fn a_right_token_is_remembered_for_a_minute() {
    let world = World::new().await;
    let made = world.create("acme", "entra", None).await;
    assert!(!world.recalls(&made, "acme"), "never checked");
    world
        .verify(Shown::Token(made.whole.expose()), "acme")
        .await;
    assert!(world.recalls(&made, "acme"));
    let pair = Shown::Pair("entra", made.secret.expose());
    assert!(world.tokens.recall(pair, Some(&slug("acme"))).is_some());
    let wrong = Shown::Token("sgt_000000000000_x");
    assert!(world.tokens.recall(wrong, Some(&slug("acme"))).is_none());
    world.clock.advance(Duration::from_secs(59));
    assert!(world.recalls(&made, "acme"));
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.recalls(&made, "acme"));
    world.tokens.sweep().await.unwrap();
    assert_eq!(world.tokens.remembered.len(), 0);
}

#[tokio::test]
async fn r28_an_unknown_id_takes_a_bcrypt_too() {
    let world = World::new().await;
    let made = world.create("acme", "entra", None).await;
    // Whoever needs a bcrypt now is turned away; whoever does not is answered.
    let _all = world.tokens.passwords.fill();
    let whole = made.whole.expose();
    for (name, shown, want) in [
        ("known", Shown::Token(whole), "busy"),
        ("wrong secret", Shown::Pair(&made.token.id, "x"), "busy"),
        ("unknown id", Shown::Token("sgt_000000000000_x"), "busy"),
        ("unknown name", Shown::Pair("nobody", "x"), "busy"),
        ("no token", Shown::Token("x"), "form"),
    ] {
        assert_eq!(world.verify(shown, "acme").await, want, "{name}");
    }
    // The same for a tenant that does not exist.
    let nowhere = world.tokens.verify(Shown::Token(whole), None).await;
    assert_eq!(word(&nowhere.unwrap_err()), "busy");
}

#[tokio::test]
async fn revoking_counts_at_once_and_lasts() {
    let world = World::new().await;
    let (old, new) = (
        world.create("acme", "entra", None).await,
        world.create("acme", "entra", None).await,
    );
    let (old_shown, new_shown) = (
        Shown::Token(old.whole.expose()),
        Shown::Token(new.whole.expose()),
    );
    for shown in [old_shown, new_shown] {
        assert_eq!(
            world.verify(shown, "acme").await,
            "entra of acme",
            "side by side"
        );
    }
    let by_name = world.tokens.revoke(Some(&slug("acme")), "entra").await;
    let several = by_name.unwrap_err().to_string();
    assert!(
        several.contains(&old.token.id) && several.contains(&new.token.id),
        "{several}"
    );
    let foreign = world
        .tokens
        .revoke(Some(&slug("other")), &old.token.id)
        .await;
    assert!(matches!(foreign, Err(RevokeError::Unknown)));
    let revoked = world.tokens.revoke(None, &old.token.id).await.unwrap();
    assert_eq!(revoked.revoked, Some(NOON));
    assert!(!world.recalls(&old, "acme") && world.recalls(&new, "acme"));
    assert_eq!(world.verify(old_shown, "acme").await, "revoked");
    let pair = Shown::Pair("entra", new.secret.expose());
    assert_eq!(world.verify(pair, "acme").await, "entra of acme");
    let pair = Shown::Pair("entra", old.secret.expose());
    assert_eq!(world.verify(pair, "acme").await, "revoked");
    world.tokens.revoke(None, "Entra").await.unwrap();

    let world = world.again().await;
    assert_eq!(world.verify(old_shown, "acme").await, "revoked");
    assert_eq!(world.verify(new_shown, "acme").await, "revoked");
    world.clock.advance(DAY * 91);
    world.tokens.sweep().await.unwrap();
    assert_eq!(world.verify(old_shown, "acme").await, "unknown");
    assert!(world.again().await.tokens.list().is_empty());
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    let world = World::new().await;
    let made = world.create("acme", "entra", Some(DAY)).await;
    let shown = Shown::Token(made.whole.expose());
    world.clock.advance(DAY - Duration::from_secs(1));
    assert_eq!(world.verify(shown, "acme").await, "entra of acme");
    world.clock.advance(Duration::from_secs(1));
    assert!(!world.recalls(&made, "acme"), "remembered, and over");
    assert_eq!(world.verify(shown, "acme").await, "expired");
}

#[tokio::test]
async fn r55_the_store_holds_no_secret() {
    let world = World::new().await;
    let made = world.create("acme", "entra", None).await;
    let verified = world
        .tokens
        .verify(Shown::Token(made.whole.expose()), Some(&slug("acme")))
        .await;
    let holder = verified.unwrap();
    let (access, _) = world.tokens.issue(Proof::Token(&holder)).await.unwrap();
    let loaded = store::load(&world.store).await.unwrap();
    let stored = serde_json::to_string(&loaded.tokens[0].0).unwrap()
        + &serde_json::to_string(&loaded.access[0].1).unwrap();
    assert!(stored.contains("$2b$04$"), "{stored}");
    let shown = format!(
        "{:?} {:?} {made:?} {holder:?} {loaded:?}",
        world.tokens.list(),
        access
    );
    let access = access.expose().trim_start_matches(ACCESS_PREFIX);
    for secret in [made.secret.expose(), access] {
        assert!(!stored.contains(secret) && !shown.contains(secret));
    }
    assert!(!shown.contains("$2b$"), "{shown}");
}

#[tokio::test]
async fn last_use_is_kept_in_memory_and_written_by_the_sweep() {
    let world = World::new().await;
    let made = world.create("acme", "entra", None).await;
    assert_eq!(world.tokens.list()[0].used, None);
    let shown = Shown::Token(made.whole.expose());
    world.verify(shown, "acme").await;
    let writes = world.metrics.store_writes.get();
    world.clock.advance(Duration::from_secs(30));
    for _ in 0..100 {
        assert!(world.recalls(&made, "acme"));
    }
    let used = Some(NOON.plus(Duration::from_secs(30)));
    assert_eq!(world.tokens.list()[0].used, used);
    assert_eq!(
        world.metrics.store_writes.get(),
        writes,
        "no use is a write"
    );
    world.tokens.sweep().await.unwrap();
    world.tokens.sweep().await.unwrap();
    assert_eq!(world.metrics.store_writes.get(), writes + 1);
    // Looked at for another tenant it is not used.
    world.clock.advance(Duration::from_secs(5));
    world.verify(shown, "other").await;
    let world = world.again().await;
    assert_eq!(world.tokens.list()[0].used, used);
}

#[tokio::test]
async fn names_are_what_people_can_say() {
    let world = World::new().await;
    for (name, ok) in [
        (Some("Entra, Zürich (test)"), true),
        (Some("  trimmed "), true),
        (None, true),
        (Some(""), false),
        (Some("  "), false),
        (Some("a:b"), false),
        (Some("a\nb"), false),
        (Some(&"a".repeat(65)), false),
    ] {
        let new = NewToken {
            tenant: slug("acme"),
            name: name.map(str::to_owned),
            lifetime: None,
            roles: None,
        };
        let made = world.tokens.create(new).await;
        assert_eq!(made.is_ok(), ok, "{name:?}");
        if name.is_none() {
            let token = made.unwrap().token;
            assert_eq!(token.name, token.id, "called by its id");
        }
    }
}

mod access_tests;
