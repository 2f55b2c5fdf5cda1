//! Canaille, an identity server of others, pushes its people and groups to us.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::World;
use crate::oidc::{person, sign_in};
use crate::support::{Held, ScimClient, Seen, python, test_file};

/// Its command line; see `tests/scim/push-by-canaille.py`.
struct Canaille {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Canaille {
    async fn start(base: &str, token: &str) -> Self {
        let mut child = Command::new(python("canaille"))
            .arg(test_file("scim/push-by-canaille.py"))
            .args([base, token])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut canaille = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            _child: child,
        };
        assert_eq!(canaille.line().await["ready"], true);
        canaille
    }

    async fn line(&mut self) -> Value {
        let line = self.output.next_line().await.unwrap();
        serde_json::from_str(&line.expect("it ended")).unwrap()
    }

    /// One command that must push without a complaint; what it printed.
    async fn does(&mut self, words: &[&str]) -> Value {
        let line = format!("{}\n", json!(words));
        self.input.write_all(line.as_bytes()).await.unwrap();
        let done = self.line().await;
        let log = done["log"].as_str().unwrap();
        let complains = ["SCIM", "failed", "Unable", "Error"]
            .iter()
            .any(|word| log.contains(word));
        assert!(done["code"] == 0 && !complains, "{words:?}: {done}");
        let printed = done["out"].as_str().unwrap();
        serde_json::from_str(printed).unwrap_or_default()
    }

    /// Makes something and gives its id.
    async fn makes(&mut self, words: &[&str]) -> String {
        let made = self.does(words).await;
        made["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{words:?}: {made}"))
            .to_owned()
    }
}

const ROLES: &str = "[roles]\nallowed = [\"ADMIN\", \"NONE\"]\ndefault = [\"NONE\"]\n[roles.groups]\nadmins = \"ADMIN\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaille_makes_renames_locks_and_deletes_people() {
    let world = World::start(&format!("[scim]\nannounce_cursors = false\n{ROLES}")).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let base = format!("{}/scim/v2/", world.gate.url());
    let mut canaille = Canaille::start(&base, scim.token()).await;
    let person_of = |name: &'static str| {
        [
            "create",
            "user",
            "--user-name",
            name,
            "--given-name",
            "Given",
            "--family-name",
            "Family",
            "--emails",
        ]
    };
    let alice = [
        &person_of("alice")[..],
        &["alice@example.com", "--password", "canary-password"],
    ]
    .concat();
    let alice = canaille.makes(&alice).await;
    let bob = canaille
        .makes(&[&person_of("bob")[..], &["bob@example.com"]].concat())
        .await;
    let found = scim
        .find("/Users", &format!("externalId eq \"{alice}\""))
        .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["userName"], "alice");
    assert_eq!(found[0]["emails"][0]["value"], "alice@example.com");
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    let exported = world.gate.operator("user show alice --json").await;
    assert!(
        !exported.contains("canary") && !exported.contains("pbkdf2"),
        "{exported}"
    );

    // A group, and the role that it gives to whoever is signed in.
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    let group = canaille
        .makes(&[
            "create",
            "group",
            "--display-name",
            "admins",
            "--members",
            &alice,
            "--members",
            &bob,
        ])
        .await;
    let groups = scim.find("/Groups", "displayName eq \"admins\"").await;
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0]["externalId"], *group);
    assert_eq!(
        groups[0]["members"].as_array().unwrap().len(),
        2,
        "{groups:?}"
    );
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-roles"), Some("ADMIN"));

    // Renamed: the same record, the same session.
    canaille
        .does(&[
            "set",
            "user",
            &alice,
            "--user-name",
            "alice.archer",
            "--display-name",
            "Alice A.",
        ])
        .await;
    let renamed: Value = scim.get(&path).await.json();
    assert_eq!(renamed["userName"], "alice.archer", "{renamed}");
    assert_eq!(renamed["displayName"], "Alice A.");
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice.archer"));

    // Locked: out, and let in again.
    let held = Held::open(&world.gate, &browser).await;
    canaille
        .does(&[
            "set",
            "user",
            &alice,
            "--lock-date",
            "2026-01-01T00:00:00+00:00",
        ])
        .await;
    held.ends().await;
    let locked: Value = scim.get(&path).await.json();
    assert_eq!(locked["active"], false, "{locked}");
    assert_eq!(person(&mut browser).await, None);
    canaille
        .does(&[
            "set",
            "user",
            &alice,
            "--lock-date",
            "2990-01-01T00:00:00+00:00",
        ])
        .await;
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 302, "{}", done.text());
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(
        seen.header("x-forwarded-roles"),
        Some("ADMIN"),
        "kept while locked"
    );

    // Another member list, then no group.
    canaille
        .does(&["set", "group", &group, "--members", &bob])
        .await;
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-roles"), Some("NONE"));
    canaille
        .does(&["delete", "group", "--id", &group, "--noconfirm"])
        .await;
    assert!(
        scim.find("/Groups", "displayName eq \"admins\"")
            .await
            .is_empty()
    );
    canaille
        .does(&["delete", "user", "--id", &alice, "--noconfirm"])
        .await;
    assert_eq!(scim.get(&path).await.status, 404);
    assert_eq!(person(&mut browser).await, None);
}
