//! Groups that were made by halves: whoever asks again has them.

use http::Method;
use serde_json::{Value, json};

use super::killed::{Mortal, Request};
use super::{LOCAL, World};
use crate::scim::refused;
use crate::support::{CONNECTOR, ScimClient, Sidegate, StubApp, Team, Trouble};

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name, "members": members,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_whose_people_did_not_get_in_is_made_by_asking_again() {
    let mut world = World::start("").await;
    let (ada, bob) = (world.idp.person("ada").await, world.idp.person("bob").await);
    for (number, (status, told)) in [(500, 503), (422, 400)].into_iter().enumerate() {
        for (which, settled) in [false, true].into_iter().enumerate() {
            let what = format!("{status}, settled meanwhile: {settled}");
            let name = format!("crew-{number}-{which}");
            world.app.trouble("PUT /teams", Trouble::Status(status));
            for _ in 0..2 {
                let answer = world.idp.post("/Groups", &group(&name, &[&ada])).await;
                refused(&answer, told, &what);
            }
            world.app.recover();
            if settled {
                world.settles(&what).await;
            }
            // What was asked for last counts.
            let again = world.idp.post("/Groups", &group(&name, &[&bob])).await;
            assert_eq!(again.status, 201, "{what}: {}", again.text());
            assert_eq!(world.app.team(&name), ["bob"], "{what}");
            assert!(world.owed().await.is_empty(), "{what}");
            let again = world.idp.post("/Groups", &group(&name, &[&bob])).await;
            refused(&again, 409, &what);
        }
    }
    let same = group("same", &[&ada]);
    world.app.trouble("PUT /teams", Trouble::Status(500));
    refused(&world.idp.post("/Groups", &same).await, 503, "same");
    world.app.recover();
    world.settles("same").await;
    let again = world.idp.post("/Groups", &same).await;
    assert_eq!(again.status, 201, "nothing left to do: {}", again.text());
    refused(&world.idp.post("/Groups", &same).await, 409, "told of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_where_the_app_deletes_no_groups() {
    let connector = CONNECTOR.replace(
        "[connector.groups.delete]\ncall = \"DELETE /teams/{id}\"\n",
        "",
    );
    assert_ne!(connector, CONNECTOR);
    let app = StubApp::start().await;
    let mut gate = Mortal::start(&app.url(), &connector, &[]).await;
    let ada = gate.idp().person("ada").await;
    for (call, done) in [
        ("POST /teams", true),
        ("POST /teams", false),
        ("PUT /teams", true),
    ] {
        let what = format!("{call}, done: {done}");
        let name = what.replace('/', "");
        let request = Request(Method::POST, "/Groups".to_owned(), group(&name, &[&ada]));
        app.trouble(call, Trouble::Silent { done });
        let (mut idp, body) = (gate.idp(), request.2.clone());
        let asking =
            tokio::spawn(async move { idp.try_send(Method::POST, "/Groups", &body).await });
        app.met().await;
        app.recover();
        gate = gate.kill_and_start().await;
        assert!(asking.await.unwrap().is_none(), "{what}: killed");
        app.catch_up();
        // By itself, before anybody asks again.
        gate.settles(&what).await;
        let answer = gate.insist(&request, &what).await;
        assert_eq!(answer.status, 201, "{what}");
        assert_eq!(app.team(&name), ["ada"], "{what}");
        gate.settles(&what).await;
        let again = gate.idp().post("/Groups", &request.2).await;
        refused(&again, 409, &what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_of_the_app_s_own_people_is_left() {
    let mut world = World::start("").await;
    let ada = world.app.account("ada", |_| {});
    world.app.trouble("POST /teams", Trouble::Status(502));
    world.app.trouble("GET /teams", Trouble::Status(502));
    let crew = group("crew", &[]);
    let answer = world.idp.post("/Groups", &crew).await;
    refused(&answer, 503, "nobody can tell");
    world.app.recover();
    // Somebody in the app makes one of the same name.
    {
        let mut state = world.app.state();
        state.last_id += 1;
        let team = Team {
            name: "crew".to_owned(),
            members: [ada].into(),
        };
        let id = state.last_id;
        state.teams.insert(id, team);
    }
    world.settles("it is theirs").await;
    assert_eq!(world.app.team("crew"), ["ada"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_a_group_that_is_another_tenant_s_by_now_is_not_waited_for() {
    let app = StubApp::start().await;
    let tenants = "tenant = [{ slug = \"acme\" }, { slug = \"umbrella\" }]";
    let settings = format!("{LOCAL}provisioning.adopt = \"post\"\n{tenants}\n{CONNECTOR}");
    let gate = Sidegate::start(&app.url(), &settings).await;
    let mut acme = ScimClient::of(&gate, "acme").await;
    let mut umbrella = ScimClient::of(&gate, "umbrella").await;
    app.trouble("POST /teams", Trouble::Half { done: false });
    let crew = group("crew", &[]);
    refused(&acme.post("/Groups", &crew).await, 503, "no answer");
    app.recover();
    let made = umbrella.post("/Groups", &crew).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let idp = acme;
    let world = World { app, gate, idp };
    world.settles("umbrella's").await;
    assert!(world.app.team("crew").is_empty(), "and is there");
}
