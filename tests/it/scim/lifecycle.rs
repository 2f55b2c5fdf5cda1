//! One person, from the first record to the last: made by SCIM, signed in by OpenID Connect.

use serde_json::{Value, json};

use super::{World, refused};
use crate::oidc::sign_in;
use crate::support::{Answer, Client, Held, ScimClient, Seen, user};

const ROLES: &str = r#"
[provisioning]
match = "userName"
[roles]
allowed = ["ADMIN", "MEMBER"]
[roles.groups]
app-admins = "ADMIN"
app-members = "MEMBER"
"#;

/// The app, an admin's SCIM client, and a person with a role who is signed in.
struct Signed {
    world: World,
    scim: ScimClient,
    alice: String,
    admins: String,
    browser: Client,
}

impl Signed {
    async fn start() -> Self {
        let world = World::start(ROLES).await;
        let mut scim = ScimClient::new(&world.gate).await;
        let alice = scim.person("alice").await;
        let admins = scim.group("app-admins", &[&alice]).await;
        let mut browser = world.gate.browser();
        let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
        assert_eq!(done.status, 302, "{}", done.text());
        Self {
            world,
            scim,
            alice,
            admins,
            browser,
        }
    }

    fn path(&self) -> String {
        format!("/Users/{}", self.alice)
    }

    /// Tries to sign in with a new browser.
    async fn try_sign_in(&self) -> (Client, Answer) {
        let mut browser = self.world.gate.browser();
        let done = sign_in(&mut browser, &self.world.idp, "/", "alice").await;
        (browser, done)
    }
}

/// What the app is told of the roles.
async fn roles(browser: &mut Client) -> Option<String> {
    let answer = browser.get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen: Seen = answer.json();
    seen.header("x-forwarded-roles").map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r27_what_scim_changes_the_app_sees_at_the_next_request() {
    let mut it = Signed::start().await;
    let seen: Seen = it.browser.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen.header("x-forwarded-roles"), Some("ADMIN"));
    let groups = seen.header("x-forwarded-groups").unwrap();
    assert!(groups.split(',').any(|its| its == "app-admins"), "{groups}");
    let whoami: Value = it.browser.get("/.sidegate/whoami").await.json();
    assert_eq!(whoami["user"]["id"], it.alice, "one record, not two");

    let members = it.scim.group("app-members", &[]).await;
    it.scim.member("Add", &members, &it.alice).await;
    it.scim.member("Remove", &it.admins, &it.alice).await;
    assert_eq!(roles(&mut it.browser).await.as_deref(), Some("MEMBER"));
    let groups: Value = it.scim.get(&it.path()).await.json();
    assert_eq!(groups["groups"].as_array().unwrap().len(), 1, "{groups}");
    assert_eq!(groups["groups"][0]["display"], "app-members");

    // A renamed person is the same one, signed in or signing in again.
    let operation = json!([{ "op": "replace", "value": { "userName": "alice@corp.test", "displayName": "Alice A." } }]);
    let renamed = it.scim.patch(&it.path(), operation).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let seen: Seen = it.browser.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice@corp.test"));
    assert_eq!(seen.header("x-forwarded-name"), Some("Alice A."));
    let (mut again, done) = it.try_sign_in().await;
    assert_eq!(done.status, 302, "{}", done.text());
    assert_eq!(roles(&mut again).await.as_deref(), Some("MEMBER"));
    let people: Value = it.scim.get("/Users").await.json();
    assert_eq!(people["totalResults"], 1, "{people}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_whom_scim_deactivates_is_out_at_once() {
    let mut it = Signed::start().await;
    let mut held = Held::open(&it.world.gate, &it.browser).await;
    held.goes_on().await;
    it.scim.set_active(&it.alice, "False").await;
    held.ends().await;
    let next = it.browser.get("/").await;
    assert_eq!(next.status, 302, "signed in no more");
    let before = it.scim.get(&it.path()).await;
    let record: Value = before.json();
    assert_eq!(record["active"], false, "a boolean, whatever was sent");

    // Signing in is refused, and writes nothing.
    let (mut refused, done) = it.try_sign_in().await;
    assert_eq!(done.status, 403);
    assert!(done.text().contains("sign_in.inactive"), "{}", done.text());
    assert_ne!(refused.get("/").await.status, 200);
    let after = it.scim.get(&it.path()).await;
    assert_eq!(after.json::<Value>(), record);
    assert_eq!(after.header("etag"), before.header("etag"));

    // Memberships were kept, and count again.
    it.scim.set_active(&it.alice, "True").await;
    assert_ne!(it.browser.get("/").await.status, 200, "an end is an end");
    let (mut back, done) = it.try_sign_in().await;
    assert_eq!(done.status, 302, "{}", done.text());
    assert_eq!(roles(&mut back).await.as_deref(), Some("ADMIN"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_whom_scim_deletes_is_out_and_not_made_again() {
    let mut it = Signed::start().await;
    let held = Held::open(&it.world.gate, &it.browser).await;
    let path = it.path();
    let gone = it.scim.delete(&path).await;
    assert_eq!((gone.status.as_u16(), gone.text().as_str()), (204, ""));
    held.ends().await;
    assert_eq!(it.browser.get("/").await.status, 302);
    for answer in [it.scim.get(&path).await, it.scim.delete(&path).await] {
        refused(&answer, 404, "it is gone");
    }
    assert!(
        it.scim
            .find("/Users", "userName eq \"alice\"")
            .await
            .is_empty()
    );
    let group: Value = it.scim.get(&format!("/Groups/{}", it.admins)).await.json();
    assert_eq!(
        group["members"].as_array().map_or(0, Vec::len),
        0,
        "{group}"
    );

    // The tombstone: a first sign-in makes nobody of it.
    let (_browser, done) = it.try_sign_in().await;
    assert_eq!(done.status, 403);
    assert!(done.text().contains("sign_in.deleted"), "{}", done.text());
    assert!(
        it.scim
            .find("/Users", "userName eq \"alice\"")
            .await
            .is_empty()
    );

    // SCIM may bring the person back; what they had before is gone.
    let back = it.scim.person("alice").await;
    assert_ne!(back, it.alice, "a new resource");
    it.scim.member("Add", &it.admins, &back).await;
    let (mut browser, done) = it.try_sign_in().await;
    assert_eq!(done.status, 302, "{}", done.text());
    assert_eq!(roles(&mut browser).await.as_deref(), Some("ADMIN"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_the_last_role_is_signed_out() {
    let mut it = Signed::start().await;
    let members = it.scim.group("app-members", &[&it.alice]).await;
    let mut held = Held::open(&it.world.gate, &it.browser).await;
    it.scim.member("Remove", &it.admins, &it.alice).await;
    held.goes_on().await;
    assert_eq!(roles(&mut it.browser).await.as_deref(), Some("MEMBER"));
    it.scim.member("Remove", &members, &it.alice).await;
    held.ends().await;
    assert_eq!(it.browser.get("/").await.status, 302);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_goes_takes_its_role_away() {
    let mut it = Signed::start().await;
    let members = it.scim.group("app-members", &[&it.alice]).await;
    let path = format!("/Groups/{}", it.admins);
    let operation = json!([{ "op": "replace", "path": "displayName", "value": "app-others" }]);
    assert_eq!(it.scim.patch(&path, operation).await.status, 204);
    assert_eq!(
        roles(&mut it.browser).await.as_deref(),
        Some("MEMBER"),
        "renamed"
    );
    let path = format!("/Groups/{members}");
    let held = Held::open(&it.world.gate, &it.browser).await;
    assert_eq!(it.scim.delete(&path).await.status, 204);
    held.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_made_inactive_does_not_get_in() {
    let world = World::start(ROLES).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let mut body = user("alice");
    body["active"] = json!(false);
    scim.made("/Users", &body).await;
    let mut browser = world.gate.browser();
    let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
    assert_eq!(done.status, 403);
    assert!(done.text().contains("sign_in.inactive"), "{}", done.text());
    // Nothing reached the app.
    assert!(world.app.seen().is_empty());
}

/// RFC 7644 3.5.2.2: what is removed is unassigned. Whether somebody is let in does not hang on what is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r26_taking_active_away_lets_nobody_in_or_out() {
    let world = World::start(ROLES).await;
    let mut scim = ScimClient::new(&world.gate).await;
    let id = scim.person("alice").await;
    let path = format!("/Users/{id}");
    let removals = [
        json!([{ "op": "remove", "path": "active" }]),
        json!([{ "op": "Replace", "path": "active", "value": null }]),
        json!([{ "op": "replace", "value": { "active": null } }]),
    ];
    for active in [true, false] {
        for removal in &removals {
            let set = json!([{ "op": "replace", "path": "active", "value": active }]);
            assert_eq!(scim.patch(&path, set).await.status, 200);
            let answer = scim.patch(&path, removal.clone()).await;
            assert_eq!(answer.status, 200, "{removal}: {}", answer.text());
            let shown: Value = scim.get(&path).await.json();
            assert_eq!(shown.get("active"), None, "{removal}");
            // A client that writes back what it read says nothing of it either.
            assert_eq!(scim.put(&path, &shown).await.status, 200);
            let kept = world.gate.operator("user show alice --json").await;
            let kept: Value = serde_json::from_str(&kept).unwrap();
            assert_eq!(kept["active"], active, "{removal}: {kept}");
            let mut browser = world.gate.browser();
            let done = sign_in(&mut browser, &world.idp, "/", "alice").await;
            assert_eq!(done.status == 403, !active, "{removal}");
        }
    }
    scim.set_active(&id, "True").await;
    let shown: Value = scim.get(&path).await.json();
    assert_eq!(shown["active"], true, "set again, it is shown again");
}
