//! Names that nobody has said: the login name in their place is for the app to have one, and nobody's word.

use serde_json::json;

use super::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_has_said_is_no_drift() {
    let mut world = World::start("provisioning.adopt = \"post\"").await;
    world.app.account("nan", |its| its.name.clear());
    let nan = world.import(&["nan"]).await.remove(0);
    assert_eq!(world.drift("").await, (0, Vec::new()));
    let email = json!([{ "type": "work", "primary": true, "value": "n@example.com" }]);
    let answer = world.change(&nan, "emails", email).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let its = world.app.one("nan");
    assert_eq!(
        (its.name.as_str(), its.email.as_str()),
        ("", "n@example.com")
    );

    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let bare = |name: &str| json!({ "schemas": [schema], "userName": name });
    world
        .app
        .account("lou", |its| "Louise".clone_into(&mut its.name));
    let mut ids = Vec::new();
    for name in ["lou", "max"] {
        ids.push(world.idp.made("/Users", &bare(name)).await);
    }
    assert_eq!(world.app.one("lou").name, "Louise", "better than none");
    assert_eq!(world.app.one("max").name, "max", "who is made has one");
    let answer = world.change(&ids[1], "userName", json!("moritz")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.app.one("moritz").name, "moritz");
    for said in ["Maximilian", "moritz"] {
        let answer = world.change(&ids[1], "displayName", json!(said)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(world.app.one("moritz").name, said);
    }
    for its in world.app.state().people.values_mut() {
        its.name = format!("Another {}", its.login);
    }
    let told = [("changed".to_owned(), "moritz".to_owned(), false)];
    assert_eq!(world.drift("").await, (1, told.to_vec()), "what was said");
}
