//! Who has no link to an account of the app, and whose link is not to be trusted.

use serde_json::{Value, json};
use sidegate::identity::TenantSlug;
use sidegate::secret::Secret;
use sidegate::server::control::{Create, Operation};

use super::{LOCAL, World};
use crate::scim::refused;
use crate::support::{CONNECTOR, PASSWORD, ScimClient, Sidegate, StubApp, Trouble, user};

/// The stub app, whose id of a person is the login name.
fn by_name() -> String {
    let users = "[connector.users]\nid = \"/login\"";
    CONNECTOR.replacen("[connector.users]", users, 1).replacen(
        "new_id = \"/id\"",
        "new_id = \"/login\"",
        1,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_found_after_renames_without_an_answer() {
    let mut world = World::with("", &by_name()).await;
    for (number, names) in [["eve"].as_slice(), &["eve", "zoe"]]
        .into_iter()
        .enumerate()
    {
        for deleted in [false, true] {
            let what = format!("{names:?}, deleted: {deleted}");
            let name = format!("ada-{number}-{deleted}");
            let id = world.idp.person(&name).await;
            for name in names {
                let trouble = Trouble::Half { done: true };
                world.app.trouble("PATCH /people", trouble);
                let answer = world.change(&id, "userName", json!(name)).await;
                refused(&answer, 503, &what);
                world.app.recover();
            }
            let there = names.last().unwrap();
            assert_eq!(world.app.named(there).len(), 1, "{what}");
            world.app.trouble("", Trouble::Status(500));
            let path = format!("/Users/{id}");
            if deleted {
                refused(&world.idp.delete(&path).await, 503, &what);
            } else {
                let answer = world.change(&id, "active", json!("False")).await;
                refused(&answer, 503, &what);
            }
            world.app.recover();
            world.settles(&what).await;
            assert!(world.app.named(there).is_empty(), "{what}: nobody is left");
            let left = world.app.named(&name);
            assert_eq!(left.len(), usize::from(!deleted), "{what}");
            let active = left.iter().any(|(_, its)| its.active);
            assert!(!active, "{what}: {left:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_out_of_the_app_without_a_link_too() {
    let app = StubApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let mut idp = ScimClient::new(&gate).await;
    let mut ids = Vec::new();
    for name in ["ada", "bob", "carol"] {
        ids.push(idp.person(name).await);
        app.account(name, |_| {});
    }
    app.account("boss", |boss| boss.admin = true);
    ids.push(idp.person("boss").await);
    // The connector comes later than the people.
    let token = idp.token().to_owned();
    let folder = gate.stop();
    let gate = Sidegate::start_in(folder, &app.url(), &format!("{LOCAL}{CONNECTOR}")).await;
    let idp = ScimClient::with(&gate, "default", &token);
    let mut world = World { app, gate, idp };

    let answer = world.change(&ids[0], "active", json!("False")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!world.app.one("ada").active, "deactivated");
    let answer = world.idp.delete(&format!("/Users/{}", ids[1])).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert!(
        !world.app.one("bob").active,
        "nobody knows whether it was only theirs"
    );
    world.gate.set_active("carol", false).await;
    assert!(!world.app.one("carol").active, "by an operator");
    let answer = world.change(&ids[3], "active", json!("False")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(world.app.one("boss").active, "R53: not known to be theirs");
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_down_hears_of_it_later() {
    let app = StubApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    let mut idp = ScimClient::new(&gate).await;
    let id = idp.person("ada").await;
    app.account("ada", |_| {});
    let token = idp.token().to_owned();
    let folder = gate.stop();
    let gate = Sidegate::start_in(folder, &app.url(), &format!("{LOCAL}{CONNECTOR}")).await;
    let idp = ScimClient::with(&gate, "default", &token);
    let mut world = World { app, gate, idp };
    world.app.trouble("", Trouble::Status(500));
    let answer = world.idp.delete(&format!("/Users/{id}")).await;
    refused(&answer, 503, "it cannot be asked");
    world.app.recover();
    world.settles("deleted here").await;
    assert!(!world.app.one("ada").active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r32_who_has_no_key_is_nobody_in_the_app() {
    let key = "[connector.users]\nkey = \"emails.value\"";
    let find = ("find.userName", "find.\"emails.value\"");
    let connector = CONNECTOR
        .replacen("[connector.users]", key, 1)
        .replacen(find.0, find.1, 1)
        .replacen("?login={value}", "?login=", 1);
    let mut world = World::with("provisioning.adopt = \"post\"", &connector).await;
    world.app.account("robot", |robot| robot.email.clear());
    let before = world.app.one("robot");
    let mut eve = user("eve");
    eve.as_object_mut().unwrap().remove("emails");
    let answer = world.idp.post("/Users", &eve).await;
    let detail = refused(&answer, 400, "no address");
    assert!(detail.contains("emails.value"), "{detail}");
    assert_eq!(answer.json::<Value>()["scimType"], "invalidValue");
    assert_eq!(world.app.one("robot"), before);
    assert!(world.owed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_account_of_before_has_one_in_the_app_when_it_signs_in() {
    let app = StubApp::start().await;
    let gate = Sidegate::start(&app.url(), LOCAL).await;
    gate.person("lou", &[]).await;
    let folder = gate.stop();
    let gate = Sidegate::start_in(folder, &app.url(), &format!("{LOCAL}{CONNECTOR}")).await;
    assert!(app.named("lou").is_empty());
    gate.signed_in("lou").await;
    assert_eq!(app.named("lou").len(), 1, "before the first request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_at_once_find_the_same_person() {
    let world = World::start("provisioning.adopt = \"filter\"").await;
    world.app.account("ada", |_| {});
    let token = world.idp.token();
    let look = async || {
        let mut idp = ScimClient::with(&world.gate, "default", token);
        idp.find("/Users", "userName eq \"ada\"").await
    };
    let found = tokio::join!(look(), look(), look(), look());
    for found in [found.0, found.1, found.2, found.3] {
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refusal_does_not_end_the_mending() {
    let world = World::start("").await;
    let kept = world.app.account("kept", |_| {});
    world.app.account("other", |_| {});
    world
        .app
        .trouble(&format!("PATCH /people/{kept}"), Trouble::Status(422));
    let (code, told) = world.drift("added").await;
    assert_eq!(code, 1, "{told:?}");
    assert!(world.app.one("kept").active);
    assert!(!world.app.one("other").active, "{told:?}");
    world.app.recover();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_an_account_that_a_first_sign_in_makes_is_no_other_tenant_s() {
    let app = StubApp::start().await;
    let tenants =
        "tenant = [{ slug = \"acme\", hosts = [\"localhost\"] }, { slug = \"umbrella\" }]";
    let settings = format!("{LOCAL}provisioning.adopt = \"post\"\n{tenants}\n");
    let gate = Sidegate::start(&app.url(), &settings).await;
    let create = Create {
        tenant: TenantSlug::try_from("acme").unwrap(),
        user_name: "bob".to_owned(),
        email: None,
        display_name: None,
        roles: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
        must_change: false,
    };
    let _made: Value = gate.ask(Operation::UserCreate(create)).await;
    let folder = gate.stop();
    let gate = Sidegate::start_in(folder, &app.url(), &format!("{settings}{CONNECTOR}")).await;
    let mut umbrella = ScimClient::of(&gate, "umbrella").await;

    app.trouble("POST /people", Trouble::Half { done: true });
    app.trouble("GET /people/", Trouble::Status(500));
    let mut browser = gate.browser();
    let answer = browser.sign_in("bob", PASSWORD, "/").await;
    assert_eq!(answer.status, 503, "nobody can tell: {}", answer.text());
    app.recover();
    assert_eq!(app.named("bob").len(), 1);
    refused(&umbrella.post("/Users", &user("bob")).await, 409, "acme's");
    gate.signed_in("bob").await;
    assert_eq!(app.named("bob").len(), 1);
}
