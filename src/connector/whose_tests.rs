//! Whose a record of the app is: nobody is changed, deleted or put into a group who is not the one that we know.

use serde_json::{Value, json};

use super::fake::given;
use super::stub::{API, GROUP_FIELD, State, StubApi, USER_FIELD};
use super::{AppFailure, Attributes, Known, Removal};
use crate::secret::Secret;

fn person(login: &str) -> Attributes {
    given(&[("userName", login)])
}

/// An answer with somebody who was there: "create or get", or a collation that knows no accents.
fn answers_with(
    id: u64,
) -> impl FnMut(&mut State, &str, &str, &Value) -> Option<(u16, Value)> + Send {
    move |_, method, _, _| (method == "POST").then(|| (200, json!({ "id": id })))
}

#[tokio::test]
async fn r53_the_id_that_a_create_answers_must_be_the_one_that_was_made() {
    let app = StubApi::start().await;
    let connector = app.connector(API);
    let zoe = app
        .state()
        .put("people", json!({ "login": "zoe", "active": true }));
    let admins = app.state().put("teams", json!({ "name": "admins" }));
    app.twist(answers_with(zoe));
    let made = connector.create_user(&person("zoë"), None).await;
    let told = made.unwrap_err();
    assert!(told.perhaps_done(), "{told}");
    assert!(told.to_string().contains("userName is \"zoe\""), "{told}");
    app.twist(answers_with(admins));
    let crew = given(&[("displayName", "crew")]);
    let told = connector.create_group(&crew).await.unwrap_err();
    assert!(told.perhaps_done(), "{told}");
    let state = app.state();
    let changed = state
        .seen
        .iter()
        .filter(|call| !call.starts_with("GET") && !call.starts_with("POST"));
    assert_eq!(changed.count(), 0, "{:?}", state.seen);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_create_is_believed_in_the_apps_own_spelling() {
    for (name, fields, login, held, ok) in [
        ("as it is", "", "ada", json!({ "login": "ada" }), true),
        (
            "in other letters",
            "",
            "Ada",
            json!({ "login": "ADA" }),
            true,
        ),
        (
            "a field that is lower",
            "lower",
            "ADA",
            json!({ "login": "ada" }),
            true,
        ),
        (
            "somebody else",
            "",
            "ada",
            json!({ "login": "adam" }),
            false,
        ),
        (
            "told by the search alone",
            "hidden",
            "ada",
            json!({ "login": "ada" }),
            true,
        ),
        (
            "somebody else, told by the search alone",
            "hidden",
            "ada",
            json!({ "login": "adam" }),
            false,
        ),
    ] {
        let app = StubApi::start().await;
        let api = match fields {
            "lower" => API.replace(
                "login = \"userName\"",
                "login = { scim = \"userName\", lower = true }",
            ),
            _ => API.to_owned(),
        };
        let connector = app.connector(&api);
        let hidden = fields == "hidden";
        app.twist(move |state, method, path, _| match method {
            "POST" => {
                let id = state.put("people", held.clone());
                Some((201, json!({ "id": id })))
            }
            "GET" if hidden && !path.contains('?') => Some((200, json!({ "active": true }))),
            _ => None,
        });
        let made = connector.create_user(&person(login), None).await;
        assert_eq!(made.is_ok(), ok, "{name}: {made:?}");
    }
    let app = StubApi::start().await;
    let nobody = app.connector(API).create_user(&person(" "), None).await;
    assert!(matches!(nobody, Err(AppFailure::Invalid(_))), "{nobody:?}");
}

#[tokio::test]
async fn r53_who_has_the_id_by_now_is_not_touched() {
    let app = StubApi::start().await;
    let api = format!("{API}{GROUP_FIELD}").replace(
        "active = \"active\"\n",
        "active = \"active\"\nsecret = { scim = \"title\", write = \"{password}\" }\n",
    );
    let connector = app.connector(&api);
    let id = app
        .state()
        .put("people", json!({ "login": "carol", "active": true }));
    let team = app
        .state()
        .put("teams", json!({ "name": "admins", "members": [] }));
    let known = Known::new(id.to_string(), "ada");
    let group = Known::new(team.to_string(), "crew");
    let before = app.all();
    let ada = given(&[("userName", "ada"), ("displayName", "Ada")]);
    let is_refused = |what: &str, done: Result<(), AppFailure>| {
        let told = done.expect_err(what);
        assert!(matches!(told, AppFailure::Another(_)), "{what}: {told:?}");
        assert!(!told.perhaps_done(), "{what}");
    };
    is_refused(
        "update",
        connector.update_user(&known, &ada, &ada).await.map(drop),
    );
    is_refused("remove", connector.remove_user(&known).await.map(drop));
    let password = Secret::new("x".to_owned());
    is_refused("password", connector.set_password(&known, &password).await);
    let wanted = given(&[("displayName", "gang")]);
    is_refused(
        "rename",
        connector
            .update_group(&group, &wanted, &wanted)
            .await
            .map(drop),
    );
    is_refused(
        "remove a group",
        connector.remove_group(&group).await.map(drop),
    );
    let ours = Known::new(team.to_string(), "admins");
    let carol = Known::new(id.to_string(), "carol");
    is_refused(
        "another group",
        connector.change_members(&group, &[carol], &[]).await,
    );
    is_refused(
        "another person",
        connector.change_members(&ours, &[known], &[]).await,
    );
    assert_eq!(app.all(), before);
    let told = connector
        .remove_group(&group)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("is called \"admins\" there, not \"crew\""),
        "{told}"
    );
}

#[tokio::test]
async fn who_has_a_name_that_we_know_is_changed() {
    for (name, held, known, wanted) in [
        ("the one that we know", "ada", Known::new("1", "ada"), "ada"),
        ("in other letters", "Ada", Known::new("1", "ADA "), "ada"),
        (
            "renamed before, and the answer was lost",
            "eve",
            Known::new("1", "ada"),
            "eve",
        ),
        (
            "renamed, lost, and wanted as before",
            "eve",
            Known::new("1", "ada").or(["eve".to_owned()]),
            "ada",
        ),
    ] {
        let app = StubApi::start().await;
        let connector = app.connector(API);
        app.state().put(
            "people",
            json!({ "login": held, "name": "", "active": true }),
        );
        let wanted = given(&[("userName", wanted), ("displayName", "New")]);
        let done = connector
            .update_user(&known, &wanted, &Attributes::new())
            .await;
        let done = done.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(app.state().people[&1]["name"], "New", "{name}");
        assert_eq!(
            app.state().people[&1]["login"],
            wanted["userName"],
            "{name}"
        );
        assert_eq!(done.name(), wanted["userName"], "{name}");
        assert_eq!(
            connector.remove_user(&done).await,
            Ok(Removal::Removed),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_the_app_does_not_tell_is_not_compared() {
    let app = StubApi::start().await;
    let connector = app.connector(API);
    app.state()
        .put("people", json!({ "name": "", "active": true }));
    let wanted = given(&[("displayName", "New")]);
    let done = connector
        .update_user(&Known::new("1", "ada"), &wanted, &wanted)
        .await;
    assert_eq!(
        done.map(|known| known.name().to_owned()),
        Ok("ada".to_owned())
    );
    assert_eq!(app.state().people[&1]["name"], "New");
}

#[tokio::test]
async fn the_others_come_into_the_group_all_the_same() {
    for (mode, many) in [(GROUP_FIELD, 0), (GROUP_FIELD, 30), (USER_FIELD, 0)] {
        let app = StubApi::start().await;
        let connector = app.connector(&format!("{API}{mode}"));
        let team = app
            .state()
            .put("teams", json!({ "name": "crew", "members": [] }));
        let mut all = Vec::new();
        for number in 0..3 + many {
            let login = format!("u{number}");
            let id = app
                .state()
                .put("people", json!({ "login": login, "teams": [] }));
            let known = if number == 1 { "somebody" } else { &login };
            all.push(Known::new(id.to_string(), known));
        }
        let crew = Known::new(team.to_string(), "crew");
        let told = connector.change_members(&crew, &all, &[]).await;
        assert!(
            matches!(told, Err(AppFailure::Another(_))),
            "{mode}: {told:?}"
        );
        let inside = connector.members(&crew.id).await.unwrap();
        assert_eq!(inside.len(), all.len() - 1, "{mode}");
        assert!(!inside.contains(&all[1].id), "{mode}");
    }
}
