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
use sidegate::config::Settings;
use sidegate::crypto::{random_bytes, random_token, sha256};
use sidegate::directory::{Change, Directory, EmbeddedDirectory, Expected, UserKey};
use sidegate::identity::{
    ClaimedGroups, Group, GroupId, IdpKind, IdpName, Link, ManagedBy, SignInMethod, TenantSlug,
    User, UserId,
};
use sidegate::metrics::Metrics;
use sidegate::provision::{Actor, GroupDraft, MemberChange, Provision, Refused, UserDraft};
use sidegate::session::{Claims, EmbeddedSessions, End, Session, Sessions};
use sidegate::storage::Embedded;

use crate::support::check_history;

/// Tells the child where the store is.
const ROLE: &str = "SIDEGATE_TEST_STORE_TO_KILL";
/// Tells the parent how often to kill; more than the default for a long run by hand.
const ROUNDS: &str = "SIDEGATE_TEST_KILLS";
const HOUR: Duration = Duration::from_hours(1);

struct Opened {
    sessions: Arc<Sessions>,
    directory: Arc<EmbeddedDirectory>,
    audit: Arc<Audit>,
    provision: Provision,
}

async fn open(path: &Path) -> Opened {
    let metrics = Arc::new(Metrics::new());
    let clock = Arc::new(SystemClock);
    let store = Embedded::open(path, Arc::clone(&metrics)).unwrap();
    let kept = Arc::new(EmbeddedSessions::new(store.clone()));
    let sessions = Sessions::load(kept, clock.clone(), metrics, HOUR)
        .await
        .unwrap();
    let sessions = Arc::new(sessions);
    let directory = Arc::new(EmbeddedDirectory::new(store.clone()));
    let audit = Arc::new(Audit::new(store, clock.clone(), None, HOUR * 24).unwrap());
    let settings = "public_url = 'https://app.test'\n[upstream]\nurl = 'http://127.0.0.1:9'\n[local]\nenabled = true";
    let settings = Settings::parse(settings).unwrap();
    let provision = Provision::new(
        directory.clone(),
        Arc::clone(&sessions),
        Arc::clone(&audit),
        clock,
        settings.tenants,
        settings.groups,
    );
    Opened {
        sessions,
        directory,
        audit,
        provision,
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

/// One of several SCIM clients: makes people and a group of its own, and puts them in and takes them out again.
async fn provision_for_ever(store: Arc<Opened>) {
    let own = TenantSlug::default();
    let actor = Actor {
        name: "scim:test".to_owned(),
        ..Actor::default()
    };
    let named = GroupDraft {
        display_name: random_token(),
        ..GroupDraft::default()
    };
    let group = store
        .provision
        .create_group(&own, named, Vec::new(), &actor);
    let group = group.await.unwrap().id;
    let say = |text: String| {
        std::io::stdout().lock().write_all(text.as_bytes()).unwrap();
    };
    let move_member = |change: MemberChange| {
        let edit = move |group: &Group| -> Result<_, Refused> {
            Ok((GroupDraft::of(group), vec![change.clone()]))
        };
        store.provision.edit_group(&own, &group, None, &actor, edit)
    };
    loop {
        let name = random_token();
        let draft = UserDraft {
            external_id: Some(format!("ext-{name}")),
            user_name: name.clone(),
            active: true,
            ..UserDraft::default()
        };
        let user = store.provision.create_user(&own, draft, &actor).await;
        let user = user.unwrap().id;
        say(format!("user {name}\n"));
        move_member(MemberChange::Add(vec![user.clone()]))
            .await
            .unwrap();
        say(format!("joined {group} {user}\n"));
        match random_bytes::<1>() {
            [..64] => {
                say(format!("leaving {group} {user}\n"));
                move_member(MemberChange::Remove(vec![user.clone()]))
                    .await
                    .unwrap();
                say(format!("left {group} {user}\n"));
            }
            [64..96] => {
                say(format!("leaving {group} {user}\n"));
                say(format!("going {name}\n"));
                let deleted = store.provision.delete_user(&own, &user, None, &actor);
                deleted.await.unwrap();
                say(format!("left {group} {user}\ngone {name}\n"));
            }
            _ => {}
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
        let people = (0..8).map(|_| tokio::spawn(write_for_ever(Arc::clone(&store))));
        let clients = (0..8).map(|_| tokio::spawn(provision_for_ever(Arc::clone(&store))));
        let writers: Vec<_> = people.chain(clients).collect();
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
    let rounds = rounds.map_or(50, |(_, count)| count.parse().unwrap());
    let mut seed = u64::from_be_bytes(random_bytes());
    println!("seed {seed}");
    let mut told = Told::default();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        // xorshift: when to kill, counted in lines that were acknowledged.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        for line in run_and_kill(&path, usize::try_from(seed % 300).unwrap()) {
            told.take(&line);
        }
        let opening = check(&path, &told);
        slowest = slowest.max(opening);
        println!(
            "round {round}: {} users, {} sessions, {} members, opened in {opening:?}",
            told.users.len(),
            told.live.len(),
            told.members.len()
        );
    }
    println!("{rounds} kills, slowest opening {slowest:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What was acknowledged.
#[derive(Default)]
struct Told {
    users: Vec<String>,
    gone: Vec<String>,
    live: Vec<String>,
    ended: Vec<String>,
    /// Group and person.
    members: Vec<(String, String)>,
    left: Vec<(String, String)>,
}

impl Told {
    fn take(&mut self, line: &str) {
        let (what, it) = line.split_once(' ').unwrap_or_default();
        let pair = it
            .split_once(' ')
            .map(|(group, user)| (group.to_owned(), user.to_owned()));
        match (what, pair) {
            ("user", None) => self.users.push(it.to_owned()),
            // Until it has ended, it may be either.
            ("going", None) => self.users.retain(|its| its != it),
            ("gone", None) => self.gone.push(it.to_owned()),
            ("session", None) => self.live.push(it.to_owned()),
            ("ending", None) => self.live.retain(|its| its != it),
            ("ended", None) => self.ended.push(it.to_owned()),
            ("joined", Some(member)) => self.members.push(member),
            ("leaving", Some(member)) => self.members.retain(|its| *its != member),
            ("left", Some(member)) => self.left.push(member),
            _ => {}
        }
    }
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

fn check(path: &Path, told: &Told) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        #[expect(clippy::disallowed_methods, reason = "printed, not asserted")]
        let start = Instant::now();
        let store = open(path).await;
        let opening = start.elapsed();
        let now = SystemClock.now();
        let own = TenantSlug::default();
        let named = async |name: &String| {
            let key = UserKey::ExternalId(format!("ext-{name}"));
            let found = store.directory.find_users(&own, &key).await.unwrap();
            found.into_iter().map(|user| user.user_name).next()
        };
        for name in &told.users {
            assert_eq!(named(name).await.as_ref(), Some(name), "a person is gone");
        }
        for name in &told.gone {
            assert_eq!(named(name).await, None, "who was deleted is back");
        }
        for (pairs, inside) in [(&told.members, true), (&told.left, false)] {
            for (group, user) in pairs {
                let (group, user) = (GroupId::from(group.as_str()), user.as_str().into());
                let is = store
                    .directory
                    .is_member(&own, &group, &user)
                    .await
                    .unwrap();
                assert_eq!(is, inside, "{user} in {group}");
            }
        }
        assert_eq!(store.directory.check().await.unwrap(), Vec::<String>::new());
        for token in &told.live {
            assert!(
                store.sessions.find(token, "app.test", now).is_some(),
                "a session is gone"
            );
        }
        for token in &told.ended {
            assert!(
                store.sessions.find(token, "app.test", now).is_none(),
                "an ended session is back"
            );
        }
        assert!(matches!(
            store.audit.verify().await.unwrap(),
            Verdict::Whole { .. }
        ));
        check_history(store.directory.as_ref(), &store.audit).await;
        opening
    })
}
