//! Sessions found, ended, swept and loaded again; and the suite that every store passes.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::crypto::{random_token, sha256};
use crate::metrics::{Kind, Metrics};
use crate::storage::Embedded;

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const IDLE: Duration = Duration::from_hours(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// A session of this person.
pub(crate) fn sample(user: &str) -> Session {
    Session {
        id: random_token(),
        key: sha256(random_token().as_bytes()),
        host: "app.test".to_owned(),
        tenant: TenantSlug::default(),
        user: UserId::from(user),
        idp: IdpName::try_from("entra").unwrap(),
        kind: IdpKind::Oidc,
        subject: format!("sub-{user}"),
        name_id: None,
        idp_session: None,
        id_token: Some(Secret::new("hint")),
        groups: ClaimedGroups::Known(vec!["staff".to_owned()]),
        claims: Claims::default(),
        created: NOW,
        authenticated_at: NOW,
        last_seen: NOW,
        absolute_until: NOW.plus(Duration::from_hours(10)),
        client: None,
        user_agent: "test".to_owned(),
        app_cookies: Vec::new(),
    }
}

pub(super) fn store() -> Arc<dyn SessionStore> {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    Arc::new(EmbeddedSessions::new(store))
}

pub(super) struct World {
    pub(super) sessions: Arc<Sessions>,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) metrics: Arc<Metrics>,
}

impl World {
    pub(super) async fn on(store: Arc<dyn SessionStore>) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let metrics = Arc::new(Metrics::new());
        let (s, c, m) = (Arc::clone(&store), clock.clone(), Arc::clone(&metrics));
        let sessions = Arc::new(Sessions::load(s, c, m, IDLE).await.unwrap());
        Self {
            sessions,
            store,
            clock,
            metrics,
        }
    }

    pub(super) async fn new() -> Self {
        Self::on(store()).await
    }

    /// The same store after a restart at this time.
    pub(super) async fn again(&self) -> Self {
        let clock = Arc::new(ManualClock::at(self.clock.now()));
        let metrics = Arc::new(Metrics::new());
        let (s, c, m) = (Arc::clone(&self.store), clock.clone(), Arc::clone(&metrics));
        let sessions = Arc::new(Sessions::load(s, c, m, IDLE).await.unwrap());
        Self {
            sessions,
            store: Arc::clone(&self.store),
            clock,
            metrics,
        }
    }

    pub(super) async fn start(&self, session: Session) -> (String, Arc<Live>) {
        let token = random_token();
        let ticket = self.sessions.ticket(&session.tenant, &session.user);
        let live = self.sessions.start(session, &token, &ticket).await.unwrap();
        (token, live)
    }

    pub(super) fn finds(&self, token: &str) -> bool {
        self.sessions
            .find(token, "app.test", self.clock.now())
            .is_some()
    }

    pub(super) async fn stored(&self) -> usize {
        self.store.load().await.unwrap().len()
    }
}

/// What every store must do.
async fn suite(store: Arc<dyn SessionStore>) {
    assert!(store.load().await.unwrap().is_empty());
    let (one, other) = (sample("ada"), sample("bob"));
    store.put(&one).await.unwrap();
    store.put(&other).await.unwrap();
    let text = |session: &Session| serde_json::to_string(session).unwrap();
    let mut loaded = store.load().await.unwrap();
    loaded.sort_by_key(|session| session.key != one.key);
    assert_eq!(
        loaded.iter().map(text).collect::<Vec<_>>(),
        [text(&one), text(&other)]
    );

    let later = NOW.plus(MINUTE);
    store
        .seen(vec![(one.key, later), (sample("eve").key, later)])
        .await
        .unwrap();
    store.seen(vec![]).await.unwrap();
    let mut changed = other.clone();
    changed.app_cookies = vec![("app".to_owned(), sha256(b"value"))];
    store
        .update(vec![changed.clone(), sample("eve")])
        .await
        .unwrap();
    let mut loaded = store.load().await.unwrap();
    loaded.sort_by_key(|session| session.key != one.key);
    assert_eq!(loaded.len(), 2, "only what is there is changed");
    assert_eq!(loaded[0].last_seen, later);
    assert_eq!(text(&loaded[1]), text(&changed));

    store
        .remove(vec![one.key, sample("eve").key])
        .await
        .unwrap();
    // R25: what comes late for an ended session does not bring it back.
    store.update(vec![one.clone()]).await.unwrap();
    store.seen(vec![(one.key, later)]).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(
        loaded.iter().map(text).collect::<Vec<_>>(),
        [text(&changed)]
    );
}

#[tokio::test]
async fn r25_the_embedded_store_passes_the_suite() {
    suite(store()).await;
}

#[tokio::test]
async fn r22_a_token_starts_one_session() {
    let world = World::new().await;
    let (token, live) = world.start(sample("ada")).await;
    assert_eq!(live.record.key, sha256(token.as_bytes()));
    let ticket = world
        .sessions
        .ticket(&live.record.tenant, &live.record.user);
    let again = world.sessions.start(sample("ada"), &token, &ticket).await;
    assert!(matches!(again, Err(StartError::Reused)), "{again:?}");
    assert!(world.finds(&token));
    assert_eq!(world.stored().await, 1);
}

#[tokio::test]
async fn r23_a_session_is_of_one_host() {
    let world = World::new().await;
    let (token, _) = world.start(sample("ada")).await;
    for (host, found) in [
        ("app.test", true),
        ("other.test", false),
        ("app.test.", false),
        ("", false),
    ] {
        assert_eq!(
            world.sessions.find(&token, host, NOW).is_some(),
            found,
            "{host}"
        );
    }
    assert!(world.sessions.find("", "app.test", NOW).is_none());
    assert!(world.sessions.find("unknown", "app.test", NOW).is_none());
}

#[tokio::test]
async fn idle_and_over_aged_sessions_are_none() {
    for (name, uses, at, found) in [
        ("young", vec![], 59 * 60, true),
        ("idle", vec![], 60 * 60, false),
        ("used meanwhile", vec![59 * 60], 118 * 60, true),
        (
            "kept busy to its end",
            (0..20).map(|n| n * 1800).collect(),
            10 * 3600 - 1,
            true,
        ),
        (
            "over-aged",
            (0..20).map(|n| n * 1800).collect(),
            10 * 3600,
            false,
        ),
    ] {
        let world = World::new().await;
        let (token, live) = world.start(sample("ada")).await;
        let after = |secs: u64| NOW.plus(Duration::from_secs(secs));
        for at in uses {
            assert!(
                world.sessions.find(&token, "app.test", after(at)).is_some(),
                "{name}"
            );
        }
        assert_eq!(
            world.sessions.find(&token, "app.test", after(at)).is_some(),
            found,
            "{name}"
        );
        world.clock.advance(Duration::from_secs(at));
        assert_eq!(world.sessions.list().len(), usize::from(found), "{name}");
        world.sessions.sweep().await.unwrap();
        assert_eq!(live.stop().is_cancelled(), !found, "{name}");
        assert_eq!(world.stored().await, usize::from(found), "{name}");
        assert_eq!(world.metrics.sessions.get(), i64::from(found), "{name}");
    }
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let world = World::new().await;
    let (used, live) = world.start(sample("ada")).await;
    let (unused, _) = world.start(sample("bob")).await;
    world.clock.advance(MINUTE * 59);
    assert!(world.finds(&used));
    live.remember_issued("app", "one");
    world.sessions.sweep().await.unwrap();
    world.clock.advance(MINUTE * 2);
    let again = world.again().await;
    assert!(again.finds(&used) && !again.finds(&unused));
    let live = again
        .sessions
        .find(&used, "app.test", again.clock.now())
        .unwrap();
    assert!(live.issued("app", "one") && !live.issued("app", "other"));
    assert_eq!(again.metrics.sessions.get(), 1);
    // What was over at the start goes from the store with the first sweep.
    assert_eq!(world.stored().await, 2);
    again.sessions.sweep().await.unwrap();
    assert_eq!(world.stored().await, 1);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn r25_r30_an_end_is_for_all_that_are_meant_and_nobody_else() {
    let idp = |name: &str| IdpName::try_from(name).unwrap();
    let by = |idp, subject: Option<&str>, session: Option<&str>| End::Idp {
        idp,
        subject: subject.map(str::to_owned),
        session: session.map(str::to_owned),
    };
    let acme = TenantSlug::try_from("acme").unwrap();
    let ada = UserId::from("ada");
    let own = TenantSlug::default();
    for (name, which, gone) in [
        ("id", End::Id("a1".to_owned()), "a1"),
        ("person", End::User(own.clone(), ada.clone()), "a1 a2 a3"),
        (
            "others",
            End::Others(own.clone(), ada.clone(), "a2".to_owned()),
            "a1 a3",
        ),
        (
            "subject",
            by(idp("entra"), Some("sub-ada"), None),
            "a1 a2 acme",
        ),
        ("idp session", by(idp("entra"), None, Some("s1")), "a1 b1"),
        (
            "both: the session",
            by(idp("entra"), Some("sub-ada"), Some("s2")),
            "a2",
        ),
        ("neither", by(idp("entra"), None, None), ""),
        ("other idp", by(idp("okta"), Some("sub-ada"), None), "a3"),
        ("no such session", by(idp("okta"), None, Some("s1")), ""),
        ("tenant", End::Tenant(acme.clone()), "acme"),
        ("nobody", End::User(own.clone(), "eve".into()), ""),
    ] {
        let world = World::new().await;
        let mut tokens = Vec::new();
        for (id, user, from, theirs, tenant) in [
            ("a1", "ada", "entra", Some("s1"), &own),
            ("a2", "ada", "entra", Some("s2"), &own),
            ("a3", "ada", "okta", None, &own),
            ("b1", "bob", "entra", Some("s1"), &own),
            ("acme", "ada", "entra", None, &acme),
        ] {
            let session = Session {
                id: id.to_owned(),
                idp: idp(from),
                idp_session: theirs.map(str::to_owned),
                tenant: tenant.clone(),
                ..sample(user)
            };
            let (token, live) = world.start(session).await;
            tokens.push((token, live));
        }
        let ended = world.sessions.end(&which, "revoked").await.unwrap();
        let mut ids: Vec<_> = ended.iter().map(|live| live.record.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids.join(" "), gone, "{name}");
        let again = world.again().await;
        for (token, live) in tokens {
            let is_gone = ids.contains(&live.record.id.as_str());
            assert_eq!(world.finds(&token), !is_gone, "{name}");
            assert_eq!(again.finds(&token), !is_gone, "{name}: after a restart");
            assert_eq!(live.stop().is_cancelled(), is_gone, "{name}");
        }
        let counted = world
            .metrics
            .sessions_ended
            .get_or_create(&Kind { kind: "revoked" })
            .get();
        assert_eq!(counted, ids.len() as u64, "{name}");
    }
}

#[tokio::test]
async fn r27_what_was_prepared_holds_until_the_person_changes() {
    let world = World::new().await;
    let (_, live) = world.start(sample("ada")).await;
    let (tenant, user) = (live.record.tenant.clone(), live.record.user.clone());
    let prepare = |stamp| {
        Arc::new(Prepared {
            stamp,
            settings: 0,
            renew_at: NOW.plus(MINUTE),
            identity: Arc::new(identity()),
            headers: Vec::new(),
        })
    };
    live.keep(prepare(live.stamp()));
    assert!(live.prepared(NOW).is_some());
    assert!(live.prepared(NOW.plus(MINUTE)).is_none(), "aged");
    let before = live.stamp();
    world.sessions.refresh(&tenant, &"bob".into());
    assert!(live.prepared(NOW).is_some(), "somebody else");
    world.sessions.refresh(&tenant, &user);
    assert!(live.prepared(NOW).is_none(), "changed");
    live.keep(prepare(before));
    assert!(live.prepared(NOW).is_none(), "read before the change");
}

fn identity() -> crate::identity::Identity {
    let user = serde_json::json!({
        "id": "ada", "tenant": "default", "user_name": "ada", "external_id": null, "active": true,
        "managed_by": "signin", "created": 0, "modified": 0, "version": 1
    });
    crate::identity::Identity {
        user: serde_json::from_value(user).unwrap(),
        groups: Vec::new(),
        roles: Vec::new(),
        account: None,
    }
}

#[tokio::test]
async fn app_cookies_are_those_of_the_session() {
    let world = World::new().await;
    let (_, live) = world.start(sample("ada")).await;
    assert!(!live.issued("app", "1"));
    for value in ["1", "2", "2", "3", "4", "5"] {
        live.remember_issued("app", value);
    }
    live.remember_issued("other", "1");
    for (name, value, issued) in [
        ("app", "1", false),
        ("app", "2", true),
        ("app", "5", true),
        ("other", "1", true),
        ("other", "2", false),
    ] {
        assert_eq!(live.issued(name, value), issued, "{name}={value}");
    }
    for number in 0..1000 {
        live.remember_issued(&format!("n{number}"), "1");
    }
    assert!(
        live.issued("n999", "1") && !live.issued("n0", "1"),
        "bounded"
    );
}
