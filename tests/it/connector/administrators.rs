//! Administrators of the app whom it had before us: no SCIM client gets hold of their accounts.

use serde_json::{Value, json};

use super::{LOCAL, World};
use crate::oidc::{idp_settings, sign_in};
use crate::scim::refused;
use crate::support::{Answer, CONNECTOR, OidcIdp, Ran, ScimClient, Sidegate, StubApp, run, user};

/// 409, with what an operator does about it, and not a word of what the account is.
fn turned_down(answer: &Answer, what: &str) {
    let detail = refused(answer, 409, what);
    let error: Value = answer.json();
    assert_eq!(error["scimType"], "uniqueness", "{what}");
    let command = "sidegate user import --from connector --apply";
    assert!(detail.contains(command), "{what}: {detail}");
    assert!(!detail.contains("admin"), "{what}: {detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_no_scim_client_links_an_administrator_s_account() {
    for adopt in ["filter", "post"] {
        let mut world = World::start(&format!("provisioning.adopt = \"{adopt}\"")).await;
        world.app.account("ada", |_| {});
        world.app.account("boss", |boss| boss.admin = true);
        let before = world.app.one("boss");
        for filter in [
            "userName eq \"boss\"",
            "userName eq \"BOSS\"",
            "emails.value eq \"boss@example.com\"",
        ] {
            let found = world.idp.find("/Users", filter).await;
            assert!(found.is_empty(), "{adopt}: {filter}: {found:?}");
        }
        let found = world.idp.find("/Users", "userName eq \"ada\"").await;
        assert_eq!(found.len(), 1, "{adopt}: anybody else is found");
        for name in ["boss", "BOSS"] {
            let answer = world.idp.post("/Users", &user(name)).await;
            turned_down(&answer, &format!("{adopt}: POST {name}"));
        }
        let all = world.idp.get("/Users").await;
        assert!(!all.text().contains("boss"), "{adopt}: {}", all.text());
        assert_eq!(world.app.one("boss"), before, "{adopt}");
        assert!(world.owed().await.is_empty(), "{adopt}");

        // Once an operator has linked it, it is one of the others.
        let ids = world.import(&["boss"]).await;
        let answer = world
            .change(&ids[0], "displayName", json!("The boss"))
            .await;
        assert_eq!(answer.status, 200, "{adopt}: {}", answer.text());
        assert_eq!(world.app.one("boss").name, "The boss", "{adopt}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_nor_by_a_record_that_has_no_account_there() {
    let app = StubApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let mut idp = ScimClient::new(&gate).await;
    let (boss, eve) = (idp.person("boss").await, idp.person("eve").await);
    let token = idp.token().to_owned();
    let folder = gate.stop();
    app.account("boss", |boss| boss.admin = true);
    app.account("deputy", |deputy| deputy.admin = true);
    let before = (app.one("boss"), app.one("deputy"));
    let settings = format!("{LOCAL}{CONNECTOR}");
    let gate = Sidegate::start_in(folder, &app.url(), &settings).await;
    let idp = ScimClient::with(&gate, "default", &token);
    let mut world = World { app, gate, idp };
    for (what, id, path, value) in [
        ("of the same name", &boss, "displayName", "Mallory"),
        ("renamed into one", &eve, "userName", "deputy"),
    ] {
        let answer = world.change(id, path, json!(value)).await;
        turned_down(&answer, what);
        let answer = world.change(id, "active", json!("False")).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let answer = world.change(id, path, json!(value)).await;
        assert_eq!(answer.status, 200, "{what}: out here, and nowhere else");
        let answer = world.change(id, "active", json!("True")).await;
        turned_down(&answer, &format!("{what}, let in again"));
    }
    assert_eq!((world.app.one("boss"), world.app.one("deputy")), before);

    // Whose account is gone behind our back does not get another's.
    let bob = world.idp.person("bob").await;
    world.app.state().people.retain(|_, its| its.login != "bob");
    world.app.account("bob", |other| other.admin = true);
    let before = world.app.one("bob");
    let answer = world.change(&bob, "displayName", json!("Robert")).await;
    turned_down(&answer, "another account of the name");
    assert_eq!(world.app.one("bob"), before);
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_has_their_account() {
    let app = StubApp::start().await;
    let provider = OidcIdp::start(&[]).await;
    let settings = format!("{}{CONNECTOR}", idp_settings("corp", &provider, ""));
    let gate = Sidegate::start(&app.url(), &settings).await;
    provider.trust(&gate.url(), "corp").await;
    let mut idp = ScimClient::new(&gate).await;
    let alice = app.account("alice", |alice| alice.admin = true);
    let filter = "userName eq \"alice\"";
    assert!(idp.find("/Users", filter).await.is_empty());
    let mut browser = gate.browser();
    let back = sign_in(&mut browser, &provider, "/page", "alice").await;
    assert_eq!(back.status, 302, "{}", back.text());
    let page: Value = browser.get("/page").await.json();
    assert_eq!(page, json!({ "user": "alice", "known": true }));
    assert_eq!(app.count("POST "), 0, "her own account");
    assert!(app.state().people[&alice].admin, "as it was");
    assert_eq!(idp.find("/Users", filter).await.len(), 1, "from now on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_deleted_gets_back_what_sleeps_and_nothing_else() {
    let soft = CONNECTOR.replace(
        "call = \"DELETE /people/{id}\"",
        "call = \"PATCH /people/{id}\"\nbody = { active = false }\nsoft = true",
    );
    assert_ne!(soft, CONNECTOR);
    for (what, settings, connector, sleeps) in [
        ("deleted", "", CONNECTOR, false),
        ("disabled", "", soft.as_str(), true),
        (
            "retired",
            "provisioning.on_delete = \"deactivate\"",
            CONNECTOR,
            true,
        ),
    ] {
        let mut world = World::with(settings, connector).await;
        for its in world.app.state().people.values_mut() {
            its.admin = false;
        }
        let ada = world.idp.person("ada").await;
        let answer = world.idp.delete(&format!("/Users/{ada}")).await;
        assert_eq!(answer.status, 204, "{what}: {}", answer.text());
        if sleeps {
            world.idp.person("ada").await;
            assert!(world.app.one("ada").active, "{what}: hers");
        } else {
            world.app.account("ada", |_| {});
            let other = world.app.one("ada");
            let answer = world.idp.post("/Users", &user("ada")).await;
            turned_down(&answer, &format!("{what}: somebody else's"));
            assert_eq!(world.app.one("ada"), other, "{what}");
            world.app.state().people.retain(|_, its| its.login != "ada");
        }

        // The last administrator was left there on purpose.
        world.app.account("boss", |boss| boss.admin = true);
        let ids = world.import(&["boss"]).await;
        let answer = world.idp.delete(&format!("/Users/{}", ids[0])).await;
        refused(&answer, 403, what);
        let left = world.app.one("boss");
        assert!(left.active, "{what}");
        for _ in 0..2 {
            let answer = world.idp.post("/Users", &user("boss")).await;
            turned_down(&answer, &format!("{what}: the last administrator"));
        }
        assert_eq!(world.app.one("boss"), left, "{what}");
        assert!(world.owed().await.is_empty(), "{what}");
        let Ran(_, said, _) = run(world.gate.config(), "user import --from connector", "").await;
        assert!(said.contains("sidegate user create"), "{what}: {said}");
        world.gate.operator("user create boss").await;
        let ids = world.import(&["boss"]).await;
        let answer = world.change(&ids[0], "displayName", json!("B")).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_eq!(world.app.one("boss").name, "B", "{what}");
    }
}
