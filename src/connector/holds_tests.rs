//! What an app holds after it has said yes.

use serde_json::{Value, json};

use super::fake::given;
use super::stub::{API, GROUP_FIELD, StubApi, USER_FIELD};
use super::{AppFailure, Attributes, Known, Made};

/// A change of one attribute, in an app that answers 200 and holds this afterwards (nothing: what it held).
async fn changed(from: &str, to: &str, holds: Option<Value>) -> Result<Known, AppFailure> {
    let app = StubApi::start().await;
    let connector = app.connector(API);
    let record = json!({ "login": "ada", "name": from, "mail": "a@x.test", "active": true });
    app.state().put("people", record);
    app.twist(move |state, method, _, _| {
        (method == "PATCH").then(|| {
            if let Some(holds) = &holds {
                state.people.get_mut(&1).unwrap()["name"] = holds.clone();
            }
            (200, json!({ "ok": true }))
        })
    });
    let (was, wanted) = (with("ada", from), with("ada", to));
    let known = Known::new("1", "ada");
    connector.update_user(&known, &wanted, &was).await
}

fn with(login: &str, name: &str) -> Attributes {
    given(&[("userName", login), ("displayName", name)])
}

#[tokio::test]
async fn a_yes_is_looked_after() {
    for (name, from, to, holds, ok) in [
        ("done", "Ada", "Eve", Some(json!("Eve")), true),
        ("ignored", "Ada", "Eve", None, false),
        ("emptied", "Ada", "Eve", Some(json!("")), false),
        ("taken away", "Ada", "Eve", Some(Value::Null), false),
        ("never there", "", "Eve", Some(json!("")), false),
        (
            "in the app's spelling",
            "Ada",
            "Eve O'Neil",
            Some(json!("Eve O&#39;Neil")),
            true,
        ),
        ("cleared", "Ada", "", Some(json!("")), true),
        ("not cleared", "Ada", "", None, false),
        ("trimmed as before", "Ada", "Ada ", None, true),
        ("in small letters as before", "ada", "ADA", None, true),
        (
            "a number as it writes them",
            "+49 30 123456",
            "+49 (30) 123-456",
            None,
            true,
        ),
        (
            "a number without its country",
            "030 123456",
            "+49 30 123456",
            None,
            true,
        ),
        ("another number", "030 123456", "+49 30 123457", None, false),
        (
            "cut short as before",
            "A name of twenty let",
            "A name of twenty letters",
            None,
            true,
        ),
        ("longer by a letter", "Ann", "Anna", None, false),
        ("another address", "a.b@x.test", "ab@x.test", None, false),
    ] {
        let done = changed(from, to, holds).await;
        let told = format!("{name}: {done:?}");
        assert_eq!(done.is_ok(), ok, "{told}");
        if let Err(failure) = done {
            assert!(failure.perhaps_done(), "{told}");
            assert!(failure.to_string().contains("displayName"), "{told}");
        }
    }
}

#[tokio::test]
async fn nobody_is_judged_by_what_they_did_not_ask_for() {
    let app = StubApi::start().await;
    let connector = app.connector(API);
    app.state().put(
        "people",
        json!({ "login": "ada", "name": "O&#39;User", "mail": "a@x.test", "active": true }),
    );
    app.twist(|state, method, _, body| {
        (method == "PATCH").then(|| {
            state.people.get_mut(&1).unwrap()["mail"] = body["mail"].clone();
            (200, json!({}))
        })
    });
    let was = given(&[("displayName", "O'User"), ("emails.value", "a@x.test")]);
    let wanted = given(&[("displayName", "O'User"), ("emails.value", "b@x.test")]);
    let known = Known::new("1", "ada");
    let done = connector.update_user(&known, &wanted, &was).await;
    assert_eq!(done, Ok(known));
}

#[tokio::test]
#[expect(
    clippy::excessive_nesting,
    reason = "what the app does, within a table"
)]
async fn another_name_is_looked_after_as_well() {
    for (holds, want) in [
        (None, None),
        (Some("eve"), Some("eve")),
        // What it is called from now on is what the app says.
        (Some("eve2"), Some("eve2")),
    ] {
        let app = StubApi::start().await;
        let connector = app.connector(API);
        app.state().put(
            "people",
            json!({ "login": "ada", "name": "x", "active": true }),
        );
        app.state().put("teams", json!({ "name": "ada" }));
        app.twist(move |state, method, path, _| {
            (method == "PATCH").then(|| {
                let (record, key) = match path {
                    "/people/1" => (state.people.get_mut(&1).unwrap(), "login"),
                    _ => (state.teams.get_mut(&2).unwrap(), "name"),
                };
                if let Some(holds) = holds {
                    record[key] = holds.into();
                }
                (200, json!({}))
            })
        });
        let (was, wanted) = (given(&[("userName", "ada")]), given(&[("userName", "eve")]));
        let done = connector
            .update_user(&Known::new("1", "ada"), &wanted, &was)
            .await;
        assert_eq!(done.ok().as_ref().map(Known::name), want);
        let (was, wanted) = (
            given(&[("displayName", "ada")]),
            given(&[("displayName", "eve")]),
        );
        let done = connector
            .update_group(&Known::new("2", "ada"), &wanted, &was)
            .await;
        assert_eq!(done.ok().as_ref().map(Known::name), want, "a group");
    }
}

#[tokio::test]
async fn active_must_be_yes_or_no() {
    let number = "active = { scim = \"active\", map = { true = 1, false = 0 } }\n";
    for (name, fields, held, ok) in [
        ("yes or no", "active = \"active\"\n", json!(true), true),
        (
            "a number without a map",
            "active = \"active\"\n",
            json!(1),
            false,
        ),
        ("a number with one", number, json!(1), true),
        ("another number than the map says", number, json!(2), false),
    ] {
        let app = StubApi::start().await;
        let connector = app.connector(&API.replace("active = \"active\"\n", fields));
        app.twist(move |state, method, _, body| match method {
            "POST" => {
                let id = state.put("people", json!({ "login": body["login"], "active": held }));
                Some((201, json!({ "id": id })))
            }
            _ => None,
        });
        let mut wanted = given(&[("userName", "ada")]);
        wanted.insert("active".to_owned(), true.into());
        let Made { rest, .. } = connector.create_user(&wanted, None).await.unwrap();
        assert_eq!(rest.is_ok(), ok, "{name}: {rest:?}");
        if let Err(failure) = rest {
            assert!(failure.to_string().contains("map = "), "{name}: {failure}");
        }
    }
}

#[tokio::test]
#[expect(
    clippy::excessive_nesting,
    reason = "what the app does, within a table"
)]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_is_a_member_is_looked_after() {
    let calls = "[groups.members]\nmode = \"calls\"\nread = \"/members\"\n\
                 add = { call = \"PUT /teams/{group}/people/{user}\" }\n\
                 remove = { call = \"DELETE /teams/{group}/people/{user}\" }\n";
    for (mode, inside, outside) in [
        (GROUP_FIELD, json!([{ "id": 2 }]), json!([{ "id": 3 }])),
        (calls, json!([2]), json!([3])),
        (USER_FIELD, json!([1]), json!([])),
    ] {
        for ignores in [false, true] {
            let app = StubApi::start().await;
            let connector = app.connector(&format!("{API}{mode}"));
            let user_field = mode == USER_FIELD;
            app.state()
                .put("teams", json!({ "name": "crew", "members": [] }));
            for (login, teams) in [("ada", json!([])), ("bob", json!([1]))] {
                app.state()
                    .put("people", json!({ "login": login, "teams": teams }));
            }
            if !user_field {
                let mut state = app.state();
                let bob = if mode == calls {
                    json!(3)
                } else {
                    json!({ "id": 3 })
                };
                state.teams.get_mut(&1).unwrap()["members"] = json!([bob]);
            }
            app.twist(move |state, method, path, body| {
                let team = state.teams.get_mut(&1).unwrap();
                match method {
                    "GET" => return None,
                    _ if ignores => {}
                    "PATCH" if path.starts_with("/teams") => {
                        team["members"] = body["members"].clone();
                    }
                    "PATCH" => return None,
                    "PUT" => team["members"].as_array_mut().unwrap().push(json!(2)),
                    _ => team["members"]
                        .as_array_mut()
                        .unwrap()
                        .retain(|id| id != &json!(3)),
                }
                Some((200, json!({})))
            });
            let crew = Known::new("1", "crew");
            let ada = Known::new("2", "ada");
            let told = format!("{mode}, ignores: {ignores}");
            let done = connector
                .change_members(&crew, &[ada], &["3".to_owned()])
                .await;
            assert_eq!(done.is_ok(), !ignores, "{told}: {done:?}");
            let state = app.state();
            let (ada, bob) = (&state.people[&2]["teams"], &state.people[&3]["teams"]);
            let members = &state.teams[&1]["members"];
            if user_field {
                let want = if ignores { json!([1]) } else { outside.clone() };
                assert_eq!((ada == &inside, bob), (!ignores, &want), "{told}");
            } else {
                let want = if ignores { &outside } else { &inside };
                assert_eq!(members, want, "{told}");
            }
        }
    }
}
