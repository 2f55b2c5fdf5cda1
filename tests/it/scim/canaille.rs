//! Canaille, an identity server of others: what its administrator does on its pages reaches us by its own SCIM client.

use serde_json::Value;
use tokio::process::Command;

use super::World;
use crate::oidc::{person, sign_in};
use crate::support::{Client, Held, Program, ScimClient, Seen, python, test_file};

/// As `docs/PROVISIONING.md` has it.
const SETTINGS: &str = r#"
[scim]
announce_cursors = false
announce_password = true
[roles]
allowed = ["ADMIN", "NONE"]
default = ["NONE"]
[roles.groups]
admins = "ADMIN"
"#;

/// Canaille with its administrator signed in, pointed at us; see `tests/scim/push-by-canaille.py`.
struct Canaille {
    program: Program,
    admin: Client,
}

impl Canaille {
    async fn start(world: &World, scim: &ScimClient) -> Self {
        let mut command = Command::new(python("canaille"));
        command
            .arg(test_file("scim/push-by-canaille.py"))
            .arg(format!("{}/scim/v2/", world.gate.url()))
            .arg(scim.token());
        let program = Program::start(command).await;
        let host = program.url("url").replace("http://", "");
        let admin = Client::new(host.parse().unwrap(), &host);
        let mut canaille = Self { program, admin };
        canaille.fill("/login", &[("login", "admin")], "").await;
        let password = [("password", "password")];
        let welcome = "Connection successful. Welcome Admin";
        canaille.fill("/auth/password", &password, welcome).await;
        canaille
    }

    /// Fills a page's form in and fails unless the page that comes afterwards says this. All is pushed by then.
    async fn fill(&mut self, page: &str, fields: &[(&str, &str)], says: &str) {
        let form = self.admin.get(page).await;
        assert_eq!(form.status, 200, "{page}: {}", form.text());
        let hidden = form.hidden_fields();
        let (_, csrf) = hidden
            .iter()
            .find(|(name, _)| name == "csrf_token")
            .unwrap();
        let fields = [&[("csrf_token", csrf.as_str())], fields].concat();
        let mut answer = self.admin.post_form(page, &fields).await;
        // The first page after the sign-in is behind two.
        for _ in 0..2 {
            if answer.status.is_redirection() {
                answer = self.admin.get(answer.location()).await;
            }
        }
        let text = answer.text();
        assert!(
            answer.status == 200 && text.contains(says),
            "{page}: {text}"
        );
    }

    async fn makes_person(&mut self, name: &str) {
        let email = format!("{name}@example.com");
        let fields = [
            ("action", "create-profile"),
            ("user_name", name),
            ("given_name", "Given"),
            ("family_name", "Family"),
            ("emails-0", &email),
            ("phone_numbers-0", "+4512345678"),
            ("password1", "canary-password"),
            ("password2", "canary-password"),
        ];
        let done = "User account creation succeeded.";
        self.fill("/profile", &fields, done).await;
    }

    /// Sends the settings of a person: name, and groups by their ids.
    async fn sets(&mut self, person: &str, name: &str, groups: &[&str]) {
        let mut fields = vec![
            ("action", "edit-settings"),
            ("user_name", name),
            ("lock_date", ""),
        ];
        fields.extend(groups.iter().map(|id| ("groups", *id)));
        let page = format!("/profile/{person}/settings");
        let done = "Profile updated successfully.";
        self.fill(&page, &fields, done).await;
    }

    /// Presses a button among the settings of a person.
    async fn presses(&mut self, person: &str, button: &str, says: &str) {
        let page = format!("/profile/{person}/settings");
        self.fill(&page, &[("action", button)], says).await;
    }

    /// Makes a group, in which the administrator is, and gives its id in Canaille.
    async fn makes_group(&mut self, name: &str, scim: &mut ScimClient) -> String {
        let done = "has been successfully created";
        let fields = [("display_name", name), ("description", "")];
        self.fill("/groups/add", &fields, done).await;
        let group = group(scim, name).await.unwrap();
        group["externalId"].as_str().unwrap().to_owned()
    }
}

/// The person whom we know by this name.
async fn user(scim: &mut ScimClient, name: &str) -> Option<Value> {
    one(scim, "/Users", &format!("userName eq \"{name}\"")).await
}

/// The group that we know by this name.
async fn group(scim: &mut ScimClient, name: &str) -> Option<Value> {
    one(scim, "/Groups", &format!("displayName eq \"{name}\"")).await
}

async fn one(scim: &mut ScimClient, path: &str, filter: &str) -> Option<Value> {
    let mut found = scim.find(path, filter).await;
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

/// Ends it, and fails when we refused anything that it sent, or kept the hash that it sends as the password (R55).
async fn ends(canaille: Canaille, world: &World) {
    canaille.program.end().await;
    let failed = world.gate.operator("scim log --failed --json").await;
    assert_eq!(failed.trim(), "[]");
    for line in ["scim log --json", "audit show --json", "user list --json"] {
        let shown = world.gate.operator(line).await;
        assert!(shown.contains("admin"), "{line}: {shown}");
        assert!(!shown.contains("pbkdf2"), "{line}: {shown}");
    }
}

/// Who is in the group, by their names.
async fn members(scim: &mut ScimClient, name: &str) -> Vec<String> {
    let group = group(scim, name).await.unwrap();
    let mut names = Vec::new();
    for member in group["members"].as_array().unwrap() {
        let path = format!("/Users/{}", member["value"].as_str().unwrap());
        let person: Value = scim.get(&path).await.json();
        names.push(person["userName"].as_str().unwrap().to_owned());
    }
    names.sort();
    names
}

/// The roles that the app is told.
async fn roles(browser: &mut Client) -> Option<String> {
    let seen: Seen = browser.get("/").await.json();
    seen.header("x-forwarded-roles").map(str::to_owned)
}

async fn signed_in(world: &World, name: &str) -> Client {
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", name).await;
    assert_eq!(done.status, 302, "{}", done.text());
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaille_makes_renames_locks_and_deletes_a_person() {
    let world = World::start(SETTINGS).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut canaille = Canaille::start(&world, &scim).await;
    canaille.makes_person("alice").await;
    let made = user(&mut scim, "alice").await.unwrap();
    assert_eq!(made["active"], true, "{made}");
    assert_eq!(made["name"]["formatted"], "Given Family");
    assert_eq!(made["emails"][0]["value"], "alice@example.com");
    assert_eq!(made["phoneNumbers"][0]["value"], "+4512345678");
    // Renamed: the same record, the same session.
    let mut browser = signed_in(&world, "alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    let edited = [
        ("action", "edit-profile"),
        ("given_name", "Given"),
        ("family_name", "Family"),
        ("display_name", "Alice A."),
        ("emails-0", "alice@example.com"),
        ("phone_numbers-0", ""),
    ];
    let done = "Profile updated successfully.";
    canaille.fill("/profile/alice", &edited, done).await;
    canaille.sets("alice", "alice.archer", &[]).await;
    assert!(user(&mut scim, "alice").await.is_none());
    let renamed = user(&mut scim, "alice.archer").await.unwrap();
    assert_eq!(renamed["id"], made["id"]);
    assert_eq!(renamed["displayName"], "Alice A.");
    assert_eq!(renamed.get("phoneNumbers"), None, "{renamed}");
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice.archer"));

    // Locked: out at once, and not in again.
    let held = Held::open(&world.gate, &browser).await;
    let (lock, unlock) = ("account has been locked", "account has been unlocked");
    canaille.presses("alice.archer", "lock-execute", lock).await;
    held.ends().await;
    let locked = user(&mut scim, "alice.archer").await.unwrap();
    assert_eq!(locked["active"], false, "{locked}");
    assert_eq!(person(&mut browser).await, None);
    let refused = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert!(refused.text().contains("sign_in.inactive"));
    canaille.presses("alice.archer", "unlock", unlock).await;
    let mut browser = signed_in(&world, "alice").await;

    let gone = "has been successfully deleted";
    canaille
        .presses("alice.archer", "delete-execute", gone)
        .await;
    assert!(user(&mut scim, "alice.archer").await.is_none());
    assert_eq!(person(&mut browser).await, None);
    ends(canaille, &world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaille_puts_people_into_groups_and_takes_them_out() {
    let world = World::start(SETTINGS).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut canaille = Canaille::start(&world, &scim).await;
    canaille.makes_person("bob").await;
    let mut browser = signed_in(&world, "bob").await;
    let admins = canaille.makes_group("admins", &mut scim).await;
    assert_eq!(members(&mut scim, "admins").await, ["admin"]);
    assert_eq!(roles(&mut browser).await.as_deref(), Some("NONE"));

    canaille.sets("bob", "bob", &[&admins]).await;
    assert_eq!(members(&mut scim, "admins").await, ["admin", "bob"]);
    assert_eq!(roles(&mut browser).await.as_deref(), Some("ADMIN"));

    // Out by the person's page, in again, out by the group's page.
    canaille.sets("bob", "bob", &[]).await;
    assert_eq!(members(&mut scim, "admins").await, ["admin"]);
    assert_eq!(roles(&mut browser).await.as_deref(), Some("NONE"));
    canaille.sets("bob", "bob", &[&admins]).await;
    assert_eq!(roles(&mut browser).await.as_deref(), Some("ADMIN"));
    let bob = user(&mut scim, "bob").await.unwrap();
    let member = ("member", bob["externalId"].as_str().unwrap());
    let out = [("action", "remove-member"), member];
    let done = "has been removed from the group";
    canaille.fill("/groups/admins", &out, done).await;
    assert_eq!(members(&mut scim, "admins").await, ["admin"]);
    assert_eq!(roles(&mut browser).await.as_deref(), Some("NONE"));

    // Whoever is deleted leaves the group; the group goes with its role.
    canaille.sets("bob", "bob", &[&admins]).await;
    canaille.makes_person("carol").await;
    canaille.sets("carol", "carol", &[&admins]).await;
    assert_eq!(members(&mut scim, "admins").await.len(), 3);
    let gone = "has been successfully deleted";
    canaille.presses("carol", "delete-execute", gone).await;
    assert_eq!(members(&mut scim, "admins").await, ["admin", "bob"]);
    let delete = [("action", "delete")];
    canaille.fill("/groups/admins", &delete, gone).await;
    assert!(group(&mut scim, "admins").await.is_none());
    assert_eq!(roles(&mut browser).await.as_deref(), Some("NONE"));
    ends(canaille, &world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canaille_gives_up_where_cursors_are_announced() {
    let cursors = "announce_cursors = false\n";
    let world = World::start(&SETTINGS.replace(cursors, "")).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut canaille = Canaille::start(&world, &scim).await;
    canaille.makes_person("alice").await;
    assert!(user(&mut scim, "alice").await.is_none());
    let text = std::fs::read_to_string(world.gate.config()).unwrap();
    let text = text.replace("[scim]\n", &format!("[scim]\n{cursors}"));
    std::fs::write(world.gate.config(), text).unwrap();
    assert!(world.gate.reload().await);
    canaille.sets("alice", "alice", &[]).await;
    assert!(user(&mut scim, "alice").await.is_some());
    canaille.program.end().await;
}
