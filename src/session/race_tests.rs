//! Ends that meet sign-ins, sweeps and failures of the store; and the uses of bearer tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::tests::{MINUTE, NOW, World, sample, store};
use super::*;
use crate::clock::Clock as _;
use crate::crypto::random_token;

/// A store that can stop in `put`, fail, and counts.
struct Slow {
    inner: Arc<dyn SessionStore>,
    arrived: Notify,
    go: Notify,
    stops: AtomicBool,
    fails: AtomicBool,
    writes: AtomicU64,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: store(),
            arrived: Notify::new(),
            go: Notify::new(),
            stops: AtomicBool::new(false),
            fails: AtomicBool::new(false),
            writes: AtomicU64::new(0),
        })
    }

    fn write(&self, rows: usize) -> Result<(), StorageError> {
        self.writes.fetch_add(rows as u64, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(StorageError::BrokenOff);
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Slow {
    async fn load(&self) -> Result<Vec<Session>, StorageError> {
        self.inner.load().await
    }
    async fn put(&self, session: &Session) -> Result<(), StorageError> {
        self.write(1)?;
        self.inner.put(session).await?;
        if self.stops.load(Ordering::Relaxed) {
            self.arrived.notify_one();
            self.go.notified().await;
        }
        Ok(())
    }
    async fn update(&self, sessions: Vec<Session>) -> Result<(), StorageError> {
        self.write(sessions.len())?;
        self.inner.update(sessions).await
    }
    async fn seen(&self, uses: Vec<(Digest, Timestamp)>) -> Result<(), StorageError> {
        self.write(uses.len())?;
        self.inner.seen(uses).await
    }
    async fn remove(&self, keys: Vec<Digest>) -> Result<(), StorageError> {
        self.write(keys.len())?;
        self.inner.remove(keys).await
    }
}

fn user(session: &Session) -> End {
    End::User(session.tenant.clone(), session.user.clone())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn r26_an_end_during_a_sign_in_is_for_that_sign_in_too() {
    let session = || Session {
        id: "id".to_owned(),
        idp_session: Some("s1".to_owned()),
        ..sample("ada")
    };
    let idp = |subject: Option<&str>, session: Option<&str>| End::Idp {
        idp: sample("ada").idp,
        subject: subject.map(str::to_owned),
        session: session.map(str::to_owned),
    };
    let own = TenantSlug::default();
    for (name, which, void) in [
        ("person", user(&session()), true),
        (
            "others",
            End::Others(own.clone(), "ada".into(), "x".to_owned()),
            true,
        ),
        ("subject", idp(Some("sub-ada"), None), true),
        ("idp session", idp(None, Some("s1")), true),
        ("tenant", End::Tenant(own.clone()), true),
        ("id", End::Id("id".to_owned()), true),
        ("somebody else", End::User(own, "bob".into()), false),
        ("another idp session", idp(None, Some("s2")), false),
    ] {
        let slow = Slow::new();
        let world = World::on(slow.clone()).await;
        let (tenant, user) = (session().tenant, session().user);

        // Between the ticket and the start.
        let ticket = world.sessions.ticket(&tenant, &user);
        world.sessions.end(&which, "deactivated").await.unwrap();
        let token = random_token();
        let started = world.sessions.start(session(), &token, &ticket).await;
        assert_eq!(
            matches!(started, Err(StartError::Ended)),
            void,
            "{name}: before"
        );
        assert_eq!(world.finds(&token), !void, "{name}: before");

        // While the session is being written.
        slow.stops.store(true, Ordering::Relaxed);
        let ticket = world.sessions.ticket(&tenant, &user);
        let token = random_token();
        let (sessions, its) = (Arc::clone(&world.sessions), token.clone());
        let start = tokio::spawn(async move { sessions.start(session(), &its, &ticket).await });
        slow.arrived.notified().await;
        world.sessions.end(&which, "deactivated").await.unwrap();
        slow.go.notify_one();
        let started = start.await.unwrap();
        assert_eq!(
            matches!(started, Err(StartError::Ended)),
            void,
            "{name}: meanwhile"
        );
        assert_eq!(world.finds(&token), !void, "{name}: meanwhile");
        assert_eq!(
            world.again().await.finds(&token),
            !void,
            "{name}: after a restart"
        );

        // A sign-in that began behind the end is not meant.
        slow.stops.store(false, Ordering::Relaxed);
        let (token, _) = world.start(session()).await;
        assert!(world.finds(&token), "{name}: behind");
    }
}

#[tokio::test]
async fn a_ticket_is_for_its_person_and_not_for_ever() {
    let world = World::new().await;
    let ada = sample("ada");
    let ticket = world.sessions.ticket(&ada.tenant, &ada.user);
    let other = world
        .sessions
        .start(sample("bob"), &random_token(), &ticket)
        .await;
    assert!(matches!(other, Err(StartError::Ended)), "{other:?}");
    let elsewhere = Session {
        tenant: TenantSlug::try_from("acme").unwrap(),
        ..sample("ada")
    };
    let other = world
        .sessions
        .start(elsewhere, &random_token(), &ticket)
        .await;
    assert!(matches!(other, Err(StartError::Ended)), "{other:?}");
    // More ends than are remembered: what is not known any more is taken as meant.
    for number in 0..10_001 {
        let which = End::User(TenantSlug::default(), format!("u{number}").as_str().into());
        world.sessions.end(&which, "revoked").await.unwrap();
    }
    let late = world.sessions.start(ada, &random_token(), &ticket).await;
    assert!(matches!(late, Err(StartError::Ended)), "{late:?}");
    assert_eq!(world.stored().await, 0);
}

#[tokio::test]
async fn r25_an_end_that_the_store_missed_is_tried_again() {
    let slow = Slow::new();
    let world = World::on(slow.clone()).await;
    let (token, live) = world.start(sample("ada")).await;
    slow.fails.store(true, Ordering::Relaxed);
    world
        .sessions
        .end(&user(&live.record), "logout")
        .await
        .unwrap_err();
    assert!(!world.finds(&token) && live.stop().is_cancelled());
    world.sessions.sweep().await.unwrap_err();
    assert_eq!(world.stored().await, 1);
    slow.fails.store(false, Ordering::Relaxed);
    world.sessions.sweep().await.unwrap();
    assert_eq!(world.stored().await, 0);
    // The token of an ended session starts none, and a failed start leaves none.
    let ticket = world
        .sessions
        .ticket(&live.record.tenant, &live.record.user);
    slow.fails.store(true, Ordering::Relaxed);
    let failed = world.sessions.start(sample("ada"), &token, &ticket).await;
    assert!(matches!(failed, Err(StartError::Storage(_))), "{failed:?}");
    assert!(!world.finds(&token));
}

#[tokio::test]
async fn a_last_use_is_written_once_a_minute() {
    let slow = Slow::new();
    let world = World::on(slow.clone()).await;
    let (token, live) = world.start(sample("ada")).await;
    for (advance, used, writes) in [
        (0, true, 0),
        (59, true, 0),
        (1, true, 1),
        (30, true, 0),
        (30, false, 0),
        (30, true, 1),
        (600, false, 0),
    ] {
        world.clock.advance(Duration::from_secs(advance));
        if used {
            assert!(world.finds(&token));
        }
        slow.writes.store(0, Ordering::Relaxed);
        world.sessions.sweep().await.unwrap();
        assert_eq!(slow.writes.load(Ordering::Relaxed), writes, "{advance}");
    }
    live.remember_issued("app", "1");
    slow.fails.store(true, Ordering::Relaxed);
    world.sessions.sweep().await.unwrap_err();
    slow.fails.store(false, Ordering::Relaxed);
    slow.writes.store(0, Ordering::Relaxed);
    world.sessions.sweep().await.unwrap();
    world.sessions.sweep().await.unwrap();
    assert_eq!(slow.writes.load(Ordering::Relaxed), 1, "the cookie, once");
}

fn bearer(number: u64) -> Session {
    Session {
        absolute_until: NOW.plus(MINUTE).plus(Duration::from_secs(number)),
        ..sample(&format!("u{number}"))
    }
}

fn present(world: &World, session: Session, token: &str) -> Arc<Live> {
    let ticket = world.sessions.ticket(&session.tenant, &session.user);
    world
        .sessions
        .present_bearer(session, token, &ticket)
        .unwrap()
}

fn found(world: &World, token: &str) -> bool {
    world
        .sessions
        .find_bearer(token, "app.test", world.clock.now())
        .is_some()
}

#[tokio::test]
async fn r34_a_bearer_use_lasts_as_long_as_its_token() {
    let world = World::new().await;
    assert!(!found(&world, "jwt"));
    let live = present(&world, bearer(0), "jwt");
    let again = present(&world, bearer(0), "jwt");
    assert!(
        live.bearer && Arc::ptr_eq(&live, &again),
        "one for one token"
    );
    assert!(found(&world, "jwt"));
    let cookie = world.sessions.find("jwt", "app.test", NOW);
    assert!(cookie.is_none(), "no cookie reaches it");
    assert!(world.sessions.list().is_empty());
    world.sessions.sweep().await.unwrap();
    assert!(!live.stop().is_cancelled());
    world.clock.advance(live.record.absolute_until.since(NOW));
    assert!(!found(&world, "jwt"));
    world.sessions.sweep().await.unwrap();
    assert!(live.stop().is_cancelled());
    assert_eq!(world.stored().await, 0);
}

#[tokio::test]
async fn r23_a_bearer_use_is_of_one_host() {
    let world = World::new().await;
    let here = present(&world, bearer(0), "jwt");
    assert!(
        world
            .sessions
            .find_bearer("jwt", "other.test", NOW)
            .is_none()
    );
    let other = Session {
        host: "other.test".to_owned(),
        tenant: TenantSlug::try_from("acme").unwrap(),
        ..bearer(0)
    };
    let there = present(&world, other, "jwt");
    assert!(!Arc::ptr_eq(&here, &there));
    let found = world
        .sessions
        .find_bearer("jwt", "other.test", NOW)
        .unwrap();
    assert_eq!(found.record.tenant.as_str(), "acme");
}

#[tokio::test]
async fn r26_bearer_use_ends_with_the_persons_sessions() {
    let world = World::new().await;
    let live = present(&world, bearer(1), "jwt");
    let ticket = world
        .sessions
        .ticket(&live.record.tenant, &live.record.user);
    let which = user(&live.record);
    let ended = world.sessions.end(&which, "deactivated").await.unwrap();
    assert_eq!(ended.len(), 1);
    assert!(live.stop().is_cancelled() && !found(&world, "jwt"));
    // A request that was being checked meanwhile.
    let late = world.sessions.present_bearer(bearer(1), "jwt", &ticket);
    assert!(matches!(late, Err(StartError::Ended)), "{late:?}");
    assert!(!found(&world, "jwt"));
}

#[tokio::test]
async fn bearer_uses_are_bounded() {
    let world = World::new().await;
    let put = |number: u64| present(&world, bearer(number), &number.to_string());
    let all: Vec<_> = (0..10_001).map(put).collect();
    assert!(!found(&world, "0"), "the one that expires first made room");
    assert!(all[0].stop().is_cancelled(), "nobody could end it any more");
    assert!((1..10_001).all(|number| found(&world, &number.to_string())));
}
