//! An app that is stopped, silent, or answers what its API never should: each change is refused as it is, nothing is half
//! made, and without a restart all is well again.

use serde_json::json;

use super::World;
use crate::scim::refused;
use crate::support::{Answer, Trouble, user};

/// Everything that an app may do in place of a good answer.
const ALL: [Trouble; 10] = [
    Trouble::Status(500),
    Trouble::Status(503),
    Trouble::Status(429),
    Trouble::Status(401),
    Trouble::Page,
    Trouble::Redirect,
    Trouble::Half { done: false },
    Trouble::Half { done: true },
    Trouble::Silent { done: false },
    Trouble::Silent { done: true },
];

/// It was done, and the answer was lost on its way.
fn is_done(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Half { done: true } | Trouble::Silent { done: true }
    )
}

/// 503, and when to come again: the app's own word where it gave one.
fn try_later(answer: &Answer, trouble: Trouble, what: &str) {
    refused(answer, 503, what);
    let told = answer.header("retry-after").and_then(|it| it.parse().ok());
    let told: u64 = told.unwrap_or_else(|| panic!("{what}: {answer:?}"));
    if matches!(trouble, Trouble::Status(429 | 503)) {
        assert_eq!(told, 1, "{what}");
    } else {
        assert!((1..=60).contains(&told), "{what}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_half_made() {
    let mut world = World::start("").await;
    for (number, trouble) in ALL.into_iter().enumerate() {
        for (which, calls) in ["POST /people", ""].into_iter().enumerate() {
            let what = format!("{trouble:?} at {calls:?}");
            let name = format!("ada-{number}-{which}@example.com");
            world.app.trouble(calls, trouble);
            let first = world.idp.post("/Users", &user(&name)).await;
            if first.status == 201 {
                assert!(is_done(trouble) && which == 0, "{what}");
            } else {
                try_later(&first, trouble, &what);
                assert!(!is_done(trouble) || which == 1, "{what}");
            }
            world.recovers().await;
            world.app.catch_up();
            // Whoever asks again has it.
            let again = world.idp.post("/Users", &user(&name)).await;
            let expected = if first.status == 201 { 409 } else { 201 };
            assert_eq!(again.status, expected, "{what}: {}", again.text());
            assert_eq!(world.app.one(&name).email, name, "{what}");
            world.settles(&what).await;
            let found = world
                .idp
                .find("/Users", &format!("userName eq \"{name}\""))
                .await;
            assert_eq!(found.len(), 1, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_where_nobody_can_be_looked_up() {
    let mut world = World::start("").await;
    for trouble in ALL {
        if is_done(trouble) {
            continue;
        }
        let what = format!("{trouble:?}");
        world.app.trouble("GET ", trouble);
        let answer = world.idp.post("/Users", &user("ada@example.com")).await;
        try_later(&answer, trouble, &what);
        assert!(world.owed().await.is_empty(), "{what}: at once");
        world.recovers().await;
        assert_eq!(world.app.count("POST "), 0, "{what}");
    }
    world.idp.person("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_both_or_in_neither() {
    let mut world = World::start("").await;
    for (number, trouble) in ALL.into_iter().enumerate() {
        for (path, value) in [
            ("displayName", "Ada, Countess".to_owned()),
            ("userName", format!("countess-{number}@example.com")),
        ] {
            let what = format!("{path}, {trouble:?}");
            let name = format!("ada-{path}-{number}@example.com").to_lowercase();
            let id = world.idp.person(&name).await;
            world.app.trouble("PATCH /people", trouble);
            let answer = world.change(&id, path, json!(value)).await;
            try_later(&answer, trouble, &what);
            assert_ne!(world.user(&id).await[path], value, "{what}");
            world.recovers().await;
            world.settles(&what).await;
            let held = world.app.one(&name);
            assert_eq!(held.name, format!("Display of {name}"), "{what}");
            let answer = world.change(&id, path, json!(value)).await;
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            let held = match path {
                "userName" => world.app.one(&value).login,
                _ => world.app.one(&name).name,
            };
            assert_eq!(held, value, "{what}");
            assert_eq!(world.user(&id).await[path], value, "{what}");
            assert!(world.owed().await.is_empty(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_out_is_out_at_once_and_the_app_follows() {
    let mut world = World::start("").await;
    for (number, trouble) in ALL.into_iter().enumerate() {
        for how in ["deactivate", "delete"] {
            let what = format!("{how}, {trouble:?}");
            let name = format!("ada-{how}-{number}");
            world.gate.person(&name, &[]).await;
            let mut browser = world.gate.signed_in(&name).await;
            let page = browser.get("/page").await;
            assert_eq!(page.status, 200, "{what}: {}", page.text());
            let filter = format!("userName eq \"{name}\"");
            let found = world.idp.find("/Users", &filter).await;
            let id = found[0]["id"].as_str().unwrap().to_owned();
            let link = format!("/Users/{id}");
            world.app.trouble("PATCH /people", trouble);
            world.app.trouble("DELETE /people", trouble);
            let answer = match how {
                "delete" => world.idp.delete(&link).await,
                _ => world.change(&id, "active", json!("False")).await,
            };
            try_later(&answer, trouble, &what);
            let page = browser.get("/page").await;
            assert_eq!(page.status, 302, "{what}: {}", page.text());
            world.recovers().await;
            world.settles(&what).await;
            if how == "delete" {
                assert!(world.app.named(&name).is_empty(), "{what}");
                let again = world.idp.delete(&link).await;
                assert_eq!(again.status, 404, "{what}");
            } else {
                assert!(!world.app.one(&name).active, "{what}");
                let calls = world.app.count("PATCH ");
                let again = world.change(&id, "active", json!("False")).await;
                assert_eq!(again.status, 200, "{what}");
                assert_eq!(world.app.count("PATCH "), calls, "{what}: it is so already");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_follow_too() {
    let mut world = World::start("").await;
    let (ada, bob) = (world.idp.person("ada").await, world.idp.person("bob").await);
    for (number, trouble) in ALL.into_iter().enumerate() {
        let what = format!("{trouble:?}");
        let name = format!("crew-{number}");
        let new = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name, "members": [{ "value": ada }],
        });
        world.app.trouble("POST /teams", trouble);
        let first = world.idp.post("/Groups", &new).await;
        if !is_done(trouble) {
            try_later(&first, trouble, &what);
        }
        world.recovers().await;
        world.app.catch_up();
        let again = world.idp.post("/Groups", &new).await;
        let expected = if first.status == 201 { 409 } else { 201 };
        assert_eq!(again.status, expected, "{what}: {}", again.text());
        world.settles(&what).await;
        assert_eq!(world.app.team(&name), ["ada"], "{what}");

        let found = world
            .idp
            .find("/Groups", &format!("displayName eq \"{name}\""))
            .await;
        let link = format!("/Groups/{}", found[0]["id"].as_str().unwrap());
        let operations = json!([
            { "op": "Add", "path": "members", "value": [{ "value": bob }] },
            { "op": "Remove", "path": "members", "value": [{ "value": ada }] },
        ]);
        world.app.trouble("PUT /teams", trouble);
        world.app.trouble("DELETE /teams", trouble);
        let answer = world.idp.patch(&link, operations.clone()).await;
        try_later(&answer, trouble, &what);
        world.recovers().await;
        world.settles(&what).await;
        assert_eq!(world.app.team(&name), ["bob"], "{what}");
        let again = world.idp.patch(&link, operations).await;
        assert_eq!(again.status, 204, "{what}: {}", again.text());

        world.app.trouble("DELETE /teams", trouble);
        let answer = world.idp.delete(&link).await;
        try_later(&answer, trouble, &what);
        world.recovers().await;
        world.settles(&what).await;
        let left = world.app.state().teams.len();
        assert_eq!(left, 0, "{what}");
        assert_eq!(world.idp.delete(&link).await.status, 404, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_stopped_is_caught_up_with() {
    let mut world = World::start("").await;
    world.gate.person("ada", &[]).await;
    let mut browser = world.gate.signed_in("ada").await;
    let filter = "userName eq \"ada\"";
    let ada = world.idp.find("/Users", filter).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let bob = world.idp.person("bob").await;
    let crew = world.idp.group("crew", &[&ada]).await;
    world.app.stop();
    let down = Trouble::Status(500);
    let made = world.idp.post("/Users", &user("eve")).await;
    try_later(&made, down, "create");
    let changed = world.change(&bob, "displayName", json!("Robert")).await;
    try_later(&changed, down, "change");
    let joins = json!([{ "op": "Add", "path": "members", "value": [{ "value": bob }] }]);
    let joined = world.idp.patch(&format!("/Groups/{crew}"), joins).await;
    try_later(&joined, down, "join");
    let out = world.change(&ada, "active", json!("False")).await;
    try_later(&out, down, "deactivate");
    assert_eq!(browser.get("/page").await.status, 302, "out at once");
    let gone = world.idp.delete(&format!("/Users/{bob}")).await;
    try_later(&gone, down, "delete");
    world.app.start_again().await;
    world.settles_by_itself("all of it").await;
    assert!(!world.app.one("ada").active);
    assert!(world.app.named("bob").is_empty());
    assert!(world.app.named("eve").is_empty(), "nobody was told of her");
    assert_eq!(world.app.team("crew"), ["ada"]);
    world.idp.person("eve").await;
    assert_eq!(world.app.one("eve").login, "eve");
}
