//! What the store costs, printed and not asserted: `cargo bench --bench store`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "measures by hand; a failure is a panic"
)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, json};
use sidegate::clock::{SystemClock, Timestamp};
use sidegate::crypto::{Digest, random_token, sha256};
use sidegate::directory::{Change, Directory as _, EmbeddedDirectory, Expected, UserKey};
use sidegate::identity::{
    ClaimedGroups, Group, GroupId, IdpKind, IdpName, Link, ManagedBy, SignInMethod, TenantSlug,
    User, UserId,
};
use sidegate::metrics::Metrics;
use sidegate::secret::Secret;
use sidegate::session::{EmbeddedSessions, End, Session, SessionStore, Sessions};
use sidegate::storage::{Embedded, StorageError};

const USERS: usize = 100_000;
const SESSIONS: usize = 20_000;
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_hours(1);

struct Opened {
    store: Embedded,
    directory: EmbeddedDirectory,
    sessions: Arc<Sessions>,
}

async fn open(path: &Path) -> Opened {
    let metrics = Arc::new(Metrics::new());
    let store = Embedded::open(path, Arc::clone(&metrics)).unwrap();
    let kept = Arc::new(EmbeddedSessions::new(store.clone()));
    let clock = Arc::new(sidegate::clock::ManualClock::at(NOW));
    let sessions = Sessions::load(kept, clock, metrics, HOUR).await.unwrap();
    Opened {
        directory: EmbeddedDirectory::new(store.clone()),
        sessions: Arc::new(sessions),
        store,
    }
}

fn user(number: usize) -> User {
    let mut attributes = Map::new();
    attributes.insert("displayName".to_owned(), format!("Person {number}").into());
    let emails =
        json!([{"value": format!("p{number}@corp.test"), "type": "work", "primary": true}]);
    attributes.insert("emails".to_owned(), emails);
    User {
        id: UserId::from(format!("id-{number:06}").as_str()),
        tenant: TenantSlug::default(),
        user_name: format!("p{number}@corp.test"),
        external_id: Some(format!("ext-{number}")),
        active: true,
        attributes,
        sign_in: SignInMethod::External,
        password: None,
        must_change_password: false,
        managed_by: ManagedBy::Scim,
        created: NOW,
        modified: NOW,
        version: 1,
    }
}

fn link(number: usize) -> Link {
    Link {
        idp: IdpName::try_from("entra").unwrap(),
        subject: format!("subject-{number}"),
        tenant: TenantSlug::default(),
    }
}

fn session(number: usize) -> Session {
    let claims = json!({
        "iss": "https://login.example.com/0123456789/v2.0", "sub": format!("subject-{number}"),
        "aud": "0123456789-abcdef", "exp": 1_800_003_600, "iat": 1_800_000_000, "name": "Ada Lovelace",
        "preferred_username": format!("p{number}@corp.test"), "email": format!("p{number}@corp.test"),
        "tid": "9ba1d5c1-0000-4000-8000-000000000000", "oid": "5a1bd5c1-0000-4000-8000-000000000000"
    });
    Session {
        id: UserId::random().to_string(),
        key: sha256(b""),
        host: "app.example.com".to_owned(),
        tenant: TenantSlug::default(),
        user: user(number).id,
        idp: IdpName::try_from("entra").unwrap(),
        kind: IdpKind::Oidc,
        subject: format!("subject-{number}"),
        name_id: None,
        idp_session: Some(UserId::random().to_string()),
        id_token: std::env::args()
            .any(|arg| arg == "id-token")
            .then(|| Secret::new("x".repeat(1200))),
        groups: ClaimedGroups::Silent,
        claims: claims.as_object().unwrap().clone().into(),
        created: NOW,
        authenticated_at: NOW,
        last_seen: NOW,
        absolute_until: NOW.plus(HOUR * 10),
        client: None,
        user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0".to_owned(),
        app_cookies: Vec::new(),
    }
}

fn say(what: &str, times: usize, took: Duration) {
    let each = took / u32::try_from(times).unwrap();
    println!("{what:<44} {each:>12.2?} each, {took:>10.2?} for {times}");
}

/// Resident memory in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("sidegate-bench-{}", random_token()));
    std::fs::create_dir(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        fill(&folder).await;
        starts(&folder).await;
        lookups(&folder).await;
        sessions(&folder).await;
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn fill(folder: &Path) {
    let opened = open(&folder.join("store")).await;
    let start = Instant::now();
    let group = Group {
        id: GroupId::from("everybody"),
        tenant: TenantSlug::default(),
        display_name: "Everybody".to_owned(),
        external_id: None,
        attributes: Map::new(),
        created: NOW,
        modified: NOW,
        version: 1,
    };
    let mut changes = vec![Change::PutGroup(Box::new(group.clone()), Expected::New)];
    for number in 0..USERS {
        let user = user(number);
        let id = user.id.clone();
        changes.push(Change::PutUser(Box::new(user), Expected::New));
        changes.push(Change::AddLink(link(number), id.clone()));
        changes.push(Change::AddMember(
            TenantSlug::default(),
            group.id.clone(),
            id,
        ));
        if changes.len() > 3000 {
            opened
                .directory
                .apply(std::mem::take(&mut changes))
                .await
                .unwrap();
        }
    }
    opened.directory.apply(changes).await.unwrap();
    say(
        "one person, linked and in a group, in bulk",
        USERS,
        start.elapsed(),
    );
    // As kill -9 leaves it: a copy of the file while it is open.
    std::fs::copy(folder.join("store"), folder.join("killed")).unwrap();
    opened.store.close().await;
    let size = std::fs::metadata(folder.join("store")).unwrap().len();
    println!("file: {} MiB", size / 1_048_576);
}

async fn starts(folder: &Path) {
    for name in ["store", "killed"] {
        let start = Instant::now();
        let opened = open(&folder.join(name)).await;
        say(
            &format!("start with {USERS} people, file: {name}"),
            1,
            start.elapsed(),
        );
        drop(opened);
    }
    println!("memory after that: {} MiB", memory() / 1024);
}

async fn lookups(folder: &Path) {
    let opened = open(&folder.join("store")).await;
    let (own, directory) = (TenantSlug::default(), &opened.directory);
    let everybody = GroupId::from("everybody");
    let some = |n: usize| (n * 7919) % USERS;
    let start = Instant::now();
    for n in 0..10_000 {
        let key = UserKey::UserName(format!("p{}@corp.test", some(n)));
        black_box(directory.find_users(&own, &key).await.unwrap());
    }
    say("person by user name", 10_000, start.elapsed());
    let start = Instant::now();
    for n in 0..10_000 {
        black_box(directory.linked(&link(some(n))).await.unwrap().unwrap());
    }
    say("person by link", 10_000, start.elapsed());
    let start = Instant::now();
    for n in 0..10_000 {
        let id = user(some(n)).id;
        black_box(directory.membership(&own, &id, &[]).await.unwrap().unwrap());
    }
    say("person with groups", 10_000, start.elapsed());
    let start = Instant::now();
    for n in 0..200 {
        let id = user(some(n)).id;
        let change = match n % 2 {
            0 => Change::RemoveMember(own.clone(), everybody.clone(), id),
            _ => Change::AddMember(own.clone(), everybody.clone(), user(some(n - 1)).id),
        };
        directory.apply(vec![change]).await.unwrap();
    }
    say(
        "one member more or less of 100,000, durable",
        200,
        start.elapsed(),
    );
    let start = Instant::now();
    let page = directory
        .members(&own, &everybody, None, 200)
        .await
        .unwrap();
    assert_eq!(page.len(), 200);
    say("a page of 200 members", 1, start.elapsed());
    println!("memory after that: {} MiB", memory() / 1024);
}

async fn sessions(folder: &Path) {
    let opened = open(&folder.join("store")).await;
    let kept = {
        let (clock, metrics) = (Arc::new(SystemClock), Arc::new(Metrics::new()));
        let sessions = Sessions::load(Arc::new(Nowhere), clock, metrics, HOUR)
            .await
            .unwrap();
        let before = memory();
        for number in 0..SESSIONS {
            let session = session(number);
            let ticket = sessions.ticket(&session.tenant, &session.user);
            sessions
                .start(session, &number.to_string(), &ticket)
                .await
                .unwrap();
        }
        println!(
            "memory per session: {} B",
            (memory() - before) * 1024 / SESSIONS
        );
        sessions
    };
    drop(kept);
    let start = Instant::now();
    let mut tokens = Vec::new();
    let mut waiting = Vec::new();
    for number in 0..SESSIONS {
        let sessions = Arc::clone(&opened.sessions);
        let token = random_token();
        tokens.push(token.clone());
        waiting.push(tokio::spawn(async move {
            let session = session(number);
            let ticket = sessions.ticket(&session.tenant, &session.user);
            sessions.start(session, &token, &ticket).await.unwrap();
        }));
        if waiting.len() == 256 {
            for started in waiting.drain(..) {
                started.await.unwrap();
            }
        }
    }
    for started in waiting {
        started.await.unwrap();
    }
    say(
        "session started, durable, 256 at once",
        SESSIONS,
        start.elapsed(),
    );
    let start = Instant::now();
    for n in 0..1_000_000 {
        let token = &tokens[(n * 7919) % SESSIONS];
        black_box(opened.sessions.find(token, "app.example.com", NOW)).unwrap();
    }
    say("session found", 1_000_000, start.elapsed());
    let start = Instant::now();
    for token in tokens.iter().take(200) {
        let live = opened.sessions.find(token, "app.example.com", NOW).unwrap();
        let which = End::User(live.record.tenant.clone(), live.record.user.clone());
        opened.sessions.end(&which, "revoked").await.unwrap();
    }
    say("person's sessions ended, durable", 200, start.elapsed());
    opened.store.close().await;
    drop(opened);
    let mut took = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        drop(open(&folder.join("store")).await);
        took = took.min(start.elapsed());
    }
    let what = format!("start with {SESSIONS} sessions besides, best of 5");
    say(&what, 1, took);
}

/// Keeps nothing, so that the memory is that of the sessions.
struct Nowhere;

#[async_trait::async_trait]
impl SessionStore for Nowhere {
    async fn load(&self) -> Result<Vec<Session>, StorageError> {
        Ok(Vec::new())
    }
    async fn put(&self, _: &Session) -> Result<(), StorageError> {
        Ok(())
    }
    async fn update(&self, _: Vec<Session>) -> Result<(), StorageError> {
        Ok(())
    }
    async fn seen(&self, _: Vec<(Digest, Timestamp)>) -> Result<(), StorageError> {
        Ok(())
    }
    async fn remove(&self, _: Vec<Digest>) -> Result<(), StorageError> {
        Ok(())
    }
}
