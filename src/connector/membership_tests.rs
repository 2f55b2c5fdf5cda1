//! Lists that are read, changed and written back, by several at once; and what becomes of a group that stays.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{FakeApi, Said, USERS, given};
use super::stub::{API, GROUP_FIELD, StubApi, USER_FIELD};
use super::{Attributes, Known, Removal};

/// So slow that two at once read the same list.
const SLOW: Duration = Duration::from_millis(120);

fn active(login: &str, active: bool) -> Attributes {
    let mut wanted = given(&[("userName", login)]);
    wanted.insert("active".to_owned(), active.into());
    wanted
}

/// The disabled ones are in team 1.
fn member_of() -> String {
    let read = "active = { scim = \"active\", read = \"/off\", map = { true = false, false = true }, read_only = true }\n";
    let api = API.replace("active = \"active\"\n", read);
    let api = api.replace(
        "[users]\n",
        "[users]\nactive = \"member_of\"\ndisabled_group = \"1\"\n",
    );
    format!("{api}{USER_FIELD}")
}

#[tokio::test]
async fn nobody_is_let_in_by_another_change_of_their_groups() {
    let app = StubApi::start().await;
    let connector = app.connector(&member_of());
    app.state().put("teams", json!({ "name": "Disabled" }));
    app.state().put("teams", json!({ "name": "crew" }));
    app.state().put(
        "people",
        json!({ "login": "bob", "teams": [], "off": false }),
    );
    app.twist(|state, method, path, body| {
        if method == "PATCH" && path == "/people/3" && body["teams"].is_array() {
            let off = body["teams"].as_array().unwrap().contains(&json!(1));
            state.people.get_mut(&3).unwrap()["off"] = off.into();
        }
        None
    });
    app.slow(SLOW);
    let (bob, crew) = (Known::new("3", "bob"), Known::new("2", "crew"));
    let off = active("bob", false);
    let come = [bob.clone()];
    let (out, joined) = tokio::join!(
        connector.update_user(&bob, &off, &off),
        connector.change_members(&crew, &come, &[]),
    );
    assert_eq!((out.map(drop), joined), (Ok(()), Ok(())));
    let mut teams = app.state().people[&3]["teams"].clone();
    teams.as_array_mut().unwrap().sort_by_key(Value::as_u64);
    assert_eq!(teams, json!([1, 2]));
    let on = active("bob", true);
    connector.update_user(&bob, &on, &on).await.unwrap();
    assert_eq!(app.state().people[&3]["teams"], json!([2]));
    let gone = connector.remove_user(&bob).await;
    assert_eq!(gone, Ok(Removal::Removed));
}

#[tokio::test]
async fn two_who_join_at_once_are_both_in() {
    for mode in [GROUP_FIELD, USER_FIELD] {
        let app = StubApi::start().await;
        let connector = app.connector(&format!("{API}{mode}"));
        for name in ["crew", "band"] {
            app.state()
                .put("teams", json!({ "name": name, "members": [] }));
        }
        for login in ["ada", "bob"] {
            app.state()
                .put("people", json!({ "login": login, "teams": [] }));
        }
        app.slow(SLOW);
        let (crew, band) = (Known::new("1", "crew"), Known::new("2", "band"));
        let (ada, bob) = ([Known::new("3", "ada")], [Known::new("4", "bob")]);
        let done = tokio::join!(
            connector.change_members(&crew, &ada, &[]),
            connector.change_members(&crew, &bob, &[]),
            connector.change_members(&band, &ada, &[]),
        );
        assert_eq!(done, (Ok(()), Ok(()), Ok(())), "{mode}");
        let inside = connector.members("1").await.unwrap();
        let want = ["3", "4"].map(str::to_owned);
        assert!(inside.iter().eq(&want), "{mode}: {inside:?}");
        assert!(
            connector.members("2").await.unwrap().contains("3"),
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_group_that_the_app_cannot_delete_is_left_empty() {
    for mode in [GROUP_FIELD, USER_FIELD] {
        let app = StubApi::start().await;
        let api = API.replace("[groups.delete]\ncall = \"DELETE /teams/{id}\"\n", "");
        let connector = app.connector(&format!("{api}{mode}"));
        app.state()
            .put("teams", json!({ "name": "crew", "members": [{ "id": 2 }] }));
        app.state()
            .put("people", json!({ "login": "ada", "teams": [1] }));
        let crew = Known::new("1", "crew");
        assert_eq!(connector.members("1").await.unwrap().len(), 1);
        assert_eq!(connector.remove_group(&crew).await, Ok(Removal::Left));
        assert!(connector.members("1").await.unwrap().is_empty(), "{mode}");
    }
}

#[tokio::test]
async fn an_app_that_only_disables_keeps_the_account() {
    let soft = API.replace(
        "[users.delete]\ncall = \"DELETE /people/{id}\"\n",
        "[users.delete]\ncall = \"PATCH /people/{id}\"\nbody = { active = false }\nsoft = true\n",
    );
    let none = API.replace("[users.delete]\ncall = \"DELETE /people/{id}\"\n", "");
    for (name, api, want) in [
        ("soft", &soft, Ok(Removal::Disabled)),
        ("no delete", &none, Ok(Removal::Disabled)),
        ("delete", &API.to_owned(), Ok(Removal::Removed)),
    ] {
        let app = StubApi::start().await;
        let connector = app.connector(api);
        app.state()
            .put("people", json!({ "login": "ada", "active": true }));
        let ada = Known::new("1", "ada");
        for _ in 0..2 {
            assert_eq!(connector.remove_user(&ada).await, want, "{name}");
        }
        let left = app.state().people.get(&1).map(|its| its["active"] == true);
        assert_ne!(left, Some(true), "{name}");
    }
}

#[tokio::test]
async fn the_id_in_a_header_is_the_last_piece_of_its_path() {
    let api = FakeApi::start().await;
    let create = "[users.create]\ncall = \"POST /users\"\nbody = \"{fields}\"\nnew_id_header = \"Location\"\n";
    let connector = api.connector(&format!("{USERS}{create}"));
    api.says("GET /api/users/a%20b", r#"{"id":"a b","login":"ada"}"#);
    for (location, want) in [
        ("{url}/api/users/a%20b", Some("a b")),
        ("/api/users/a%20b/", Some("a b")),
        ("/api/users/8", None),
        ("", None),
    ] {
        let headers = vec![("location", location.to_owned())];
        api.says_all("POST /api/users", Said(201, headers, String::new()));
        let made = connector
            .create_user(&given(&[("userName", "ada")]), None)
            .await;
        assert_eq!(made.ok().map(|made| made.id).as_deref(), want, "{location}");
    }
}
