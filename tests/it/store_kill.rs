//! Kill -9 at random moments under load: what was acknowledged is there, and the store opens at once.
//!
//! The parent starts this same binary with [`ROLE`] set; the child writes and prints each thing after
//! it was acknowledged; the parent reads, kills, opens the store and looks for all of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sidegate::audit::{Audit, Event, Verdict};
use sidegate::clock::{Clock as _, SystemClock, Timestamp};
use sidegate::crypto::{random_bytes, random_token, sha256};
use sidegate::directory::{Change, Directory, EmbeddedDirectory, Expected};
use sidegate::identity::{
    ClaimedGroups, IdpKind, IdpName, Link, ManagedBy, SignInMethod, TenantSlug, User, UserId,
};
use sidegate::metrics::Metrics;
use sidegate::session::{Claims, EmbeddedSessions, End, Session, Sessions};
use sidegate::storage::Embedded;

/// Tells the child where the store is.
const ROLE: &str = "SIDEGATE_TEST_STORE_TO_KILL";
/// Tells the parent how often to kill; more than the default for a long run by hand.
const ROUNDS: &str = "SIDEGATE_TEST_KILLS";
const HOUR: Duration = Duration::from_hours(1);

struct Opened {
    sessions: Arc<Sessions>,
    directory: Arc<EmbeddedDirectory>,
    audit: Arc<Audit>,
}

async fn open(path: &Path) -> Opened {
    let metrics = Arc::new(Metrics::new());
    let clock = Arc::new(SystemClock);
    let store = Embedded::open(path, Arc::clone(&metrics)).unwrap();
    let kept = Arc::new(EmbeddedSessions::new(store.clone()));
    let sessions = Sessions::load(kept, clock.clone(), metrics, HOUR)
        .await
        .unwrap();
    Opened {
        sessions: Arc::new(sessions),
        directory: Arc::new(EmbeddedDirectory::new(store.clone())),
        audit: Arc::new(Audit::new(store, clock, None, HOUR * 24).unwrap()),
    }
}

fn session(user: &str, now: Timestamp) -> Session {
    Session {
        id: random_token(),
        key: sha256(b""),
        host: "app.test".to_owned(),
        tenant: TenantSlug::default(),
        user: UserId::from(user),
        idp: IdpName::local(),
        kind: IdpKind::Local,
        subject: user.to_owned(),
        name_id: None,
        idp_session: None,
        id_token: None,
        groups: ClaimedGroups::Silent,
        claims: Claims::default(),
        created: now,
        authenticated_at: now,
        last_seen: now,
        absolute_until: now.plus(HOUR),
        client: None,
        user_agent: "x".repeat(200),
        app_cookies: Vec::new(),
    }
}

fn user(name: &str, now: Timestamp) -> User {
    User {
        id: UserId::random(),
        tenant: TenantSlug::default(),
        user_name: name.to_owned(),
        external_id: Some(format!("ext-{name}")),
        active: true,
        attributes: serde_json::Map::new(),
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::SignIn,
        created: now,
        modified: now,
        version: 1,
    }
}

fn link(subject: &str) -> Link {
    Link {
        idp: IdpName::local(),
        subject: subject.to_owned(),
        tenant: TenantSlug::default(),
    }
}

/// One of several that write at once, until the kill.
async fn write_for_ever(store: Arc<Opened>) {
    let now = SystemClock.now();
    let say = |text: String| {
        // One call, one line: the pipe keeps what a killed process has written.
        std::io::stdout().lock().write_all(text.as_bytes()).unwrap();
    };
    loop {
        let name = random_token();
        let user = user(&name, now);
        let changes = vec![
            Change::PutUser(Box::new(user.clone()), Expected::New),
            Change::AddLink(link(&name), user.id.clone()),
        ];
        store.directory.apply(changes).await.unwrap();
        say(format!("user {name}\n"));
        let ticket = store.sessions.ticket(&user.tenant, &user.id);
        let token = random_token();
        let started = session(user.id.as_str(), now);
        let live = store
            .sessions
            .start(started, &token, &ticket)
            .await
            .unwrap();
        say(format!("session {token}\n"));
        let event = Event {
            action: "sign_in.ok".to_owned(),
            user_name: Some(name),
            ..Event::default()
        };
        store.audit.write(event).await.unwrap();
        if random_bytes::<1>() < [64] {
            say(format!("ending {token}\n"));
            let which = End::Id(live.record.id.clone());
            store.sessions.end(&which, "logout").await.unwrap();
            say(format!("ended {token}\n"));
        }
    }
}

/// The child's part; without the switch it has nothing to do.
#[test]
fn kill_nine_child() {
    let Some(path) = std::env::vars_os().find(|(name, _)| name == ROLE) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(open(&PathBuf::from(path.1)).await);
        let writers: Vec<_> = (0..16)
            .map(|_| tokio::spawn(write_for_ever(Arc::clone(&store))))
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the seed and the times, for whoever runs it by hand"
)]
fn kill_nine_loses_nothing_that_was_acknowledged() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(random_token());
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("store");
    let rounds = std::env::vars().find(|(name, _)| name == ROUNDS);
    let rounds = rounds.map_or(12, |(_, count)| count.parse().unwrap());
    let mut seed = u64::from_be_bytes(random_bytes());
    println!("seed {seed}");
    let (mut users, mut live, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        // xorshift: when to kill, counted in lines that were acknowledged.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        for line in run_and_kill(&path, usize::try_from(seed % 300).unwrap()) {
            match line.split_once(' ') {
                Some(("user", name)) => users.push(name.to_owned()),
                Some(("session", token)) => live.push(token.to_owned()),
                // Until it has ended, it may be either.
                Some(("ending", token)) => live.retain(|its| its != token),
                Some(("ended", token)) => ended.push(token.to_owned()),
                _ => {}
            }
        }
        let opening = check(&path, &users, &live, &ended);
        slowest = slowest.max(opening);
        println!(
            "round {round}: {} users, {} sessions, opened in {opening:?}",
            users.len(),
            live.len()
        );
    }
    println!("{rounds} kills, slowest opening {slowest:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The lines that the child said, among them those between the decision to kill and its end.
fn run_and_kill(path: &Path, after: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "store_kill::kill_nine_child",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROLE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        said.push(line.unwrap());
        if said.len() > after {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said.extend(lines.map_while(Result::ok));
    said
}

fn check(path: &Path, users: &[String], live: &[String], ended: &[String]) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        #[expect(clippy::disallowed_methods, reason = "printed, not asserted")]
        let start = Instant::now();
        let store = open(path).await;
        let opening = start.elapsed();
        let now = SystemClock.now();
        for name in users {
            let id = store.directory.linked(&link(name)).await.unwrap();
            let id = id.unwrap_or_else(|| panic!("user {name} is gone"));
            let user = store
                .directory
                .user(&TenantSlug::default(), &id)
                .await
                .unwrap();
            assert_eq!(user.map(|user| user.user_name).as_ref(), Some(name));
        }
        for token in live {
            assert!(
                store.sessions.find(token, "app.test", now).is_some(),
                "a session is gone"
            );
        }
        for token in ended {
            assert!(
                store.sessions.find(token, "app.test", now).is_none(),
                "an ended session is back"
            );
        }
        assert!(matches!(
            store.audit.verify().await.unwrap(),
            Verdict::Whole { .. }
        ));
        opening
    })
}
