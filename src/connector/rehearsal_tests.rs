//! The rehearsal, against an app that plays well and those that do not: it tells them, and harms nobody.

use serde_json::{Value, json};

use super::{Rehearsal, Step, ThrowAway};
use crate::connector::stub::{API, GROUP_FIELD, State, StubApi};

/// Plays it with `api`, once `twist` is in force; `boss` and the team `admins` were there before.
async fn play(
    api: &str,
    twist: impl FnMut(&mut State, &str, &str, &Value) -> Option<(u16, Value)> + Send + 'static,
) -> (Vec<(&'static str, Step)>, StubApi) {
    play_as(&ThrowAway::default(), api, twist).await
}

async fn play_as(
    names: &ThrowAway,
    api: &str,
    twist: impl FnMut(&mut State, &str, &str, &Value) -> Option<(u16, Value)> + Send + 'static,
) -> (Vec<(&'static str, Step)>, StubApi) {
    let app = StubApi::start().await;
    let boss =
        json!({ "login": "boss", "name": "The Boss", "mail": "boss@x.test", "active": true });
    app.state().put("people", boss);
    for number in 0..60 {
        let one = json!({ "login": format!("u{number}"), "active": true });
        app.state().put("people", one);
    }
    app.state().put(
        "teams",
        json!({ "name": "admins", "members": [{ "id": 1 }] }),
    );
    app.twist(twist);
    let connector = app.connector(&format!("{api}{GROUP_FIELD}"));
    let before = app.all();
    let played = Rehearsal::play(&connector, names, "mark").await;
    let after = app.all();
    for (id, person) in before.0 {
        assert_eq!(after.0.get(&id), Some(&person), "{:?}", played.steps);
    }
    assert_eq!(after.1.get(&62), before.1.get(&62), "{:?}", played.steps);
    (played.steps, app)
}

fn failed(steps: &[(&'static str, Step)]) -> Vec<&'static str> {
    let failed = |(_, step): &&(&str, Step)| matches!(step, Step::Failed(_));
    steps.iter().filter(failed).map(|(name, _)| *name).collect()
}

#[tokio::test]
async fn a_good_app_passes_and_is_as_before() {
    let (steps, app) = play(API, |_, _, _, _| None).await;
    assert!(steps.iter().all(|(_, step)| *step == Step::Ok), "{steps:?}");
    let (people, teams) = app.all();
    assert_eq!((people.len(), teams.len()), (61, 1));
    let names: Vec<_> = steps.iter().map(|(name, _)| *name).collect();
    for step in [
        "list in small pages",
        "get nobody",
        "rename",
        "add a member",
        "delete",
    ] {
        assert!(names.contains(&step), "{step}: {names:?}");
    }
}

#[tokio::test]
async fn a_wrong_id_stops_it_and_harms_nobody() {
    // The number of whoever made them, as some answers have it.
    let api = API.replacen("new_id = \"/id\"", "new_id = \"/created_by\"", 1);
    let (steps, app) = play(&api, |state, method, path, body| {
        (method == "POST" && path == "/people").then(|| {
            let (status, mut made) = state.handle(method, path, body);
            made["created_by"] = 1.into();
            (status, made)
        })
    })
    .await;
    assert_eq!(failed(&steps), ["create"], "{steps:?}");
    assert_eq!(steps.last(), Some(&("clean up", Step::Ok)));
    assert_eq!(app.all().0.len(), 61);
}

#[tokio::test]
async fn a_wrong_id_of_a_group_harms_no_group() {
    let (steps, app) = play(API, |state, method, path, body| {
        (method == "POST" && path == "/teams").then(|| {
            state.handle(method, path, body);
            (201, json!({ "id": 62 }))
        })
    })
    .await;
    assert_eq!(failed(&steps), ["create a group"], "{steps:?}");
    assert_eq!((app.all().0.len(), app.all().1.len()), (61, 1));
}

#[tokio::test]
async fn who_is_made_without_an_answer_is_looked_for() {
    let (steps, app) = play(API, |state, method, path, body| {
        let made = (method == "POST").then(|| state.handle(method, path, body))?;
        Some((made.0, if made.0 == 201 { Value::Null } else { made.1 }))
    })
    .await;
    assert!(steps.iter().all(|(_, step)| *step == Step::Ok), "{steps:?}");
    assert_eq!((app.all().0.len(), app.all().1.len()), (61, 1));
}

#[tokio::test]
async fn one_name_space_holds_both() {
    let (steps, _app) = play(API, |state, method, path, body| {
        let taken = |one: &Value| one["login"] == body["name"];
        (method == "POST" && path == "/teams" && state.people.values().any(taken))
            .then(|| (409, json!({ "error": "taken" })))
    })
    .await;
    assert_eq!(failed(&steps), [""; 0], "{steps:?}");
}

#[tokio::test]
async fn names_that_are_addresses_can_be_given() {
    for (name, want) in [
        ("sidegate-{random}", vec!["create"]),
        ("sidegate-{random}@example.com", vec![]),
    ] {
        let names = name.parse().unwrap();
        let (steps, app) = play_as(&names, API, |_, method, path, body| {
            let name = body["login"].as_str().filter(|it| !it.contains('@'));
            let refused = name.is_some() && method != "GET" && path.starts_with("/people");
            refused.then(|| (422, json!({ "error": "no address" })))
        })
        .await;
        assert_eq!(failed(&steps), want, "{name}: {steps:?}");
        let told = format!("{steps:?}").contains("--as 'sidegate-{random}@example.com'");
        assert_eq!(told, !want.is_empty(), "{name}: {steps:?}");
        assert_eq!(app.all().0.len(), 61, "{name}");
    }
    assert!("sidegate@example.com".parse::<ThrowAway>().is_err());
}

#[tokio::test]
async fn another_key_than_the_login_name() {
    // Nobody has a login name in it.
    let api = API
        .replacen("login = \"userName\"\n", "", 1)
        .replacen("[users]\n", "[users]\nkey = \"emails.value\"\n", 1)
        .replacen("name = \"displayName\"\nmail = ", "login = ", 1)
        .replace("[users.find.userName]", "[users.find.\"emails.value\"]");
    let (steps, app) = play(&api, |_, method, _, body| {
        let address = body["login"].as_str().is_none_or(|it| it.contains('@'));
        (method == "POST" && !address).then(|| (422, json!({ "error": "no address" })))
    })
    .await;
    assert_eq!(failed(&steps), [""; 0], "{steps:?}");
    assert_eq!(app.all().0.len(), 61);
}

#[tokio::test]
async fn a_record_without_a_name_stops_it() {
    let (steps, app) = play(API, |state, method, path, body| {
        let (status, mut record) = state.handle(method, path, body);
        if record["id"].is_u64() && method == "GET" {
            record.as_object_mut().unwrap().remove("login");
        }
        Some((status, record))
    })
    .await;
    assert_eq!(failed(&steps), ["read back"], "{steps:?}");
    assert_eq!(steps.last().unwrap().0, "read back");
    let kept = app
        .state()
        .seen
        .iter()
        .any(|call| call.starts_with("PATCH"));
    assert!(!kept);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_an_app_does_not_do_is_told() {
    type Answer = fn(&mut State, &str, &str, &Value) -> Option<(u16, Value)>;
    let ignores: Answer =
        |_, method, _, _| (method == "PATCH").then(|| (200, json!({ "ok": false })));
    let elsewhere: Answer = |state, _, path, _| {
        let boss = state.people[&1].clone();
        path.contains("?login=")
            .then(|| (200, json!({ "items": [boss] })))
    };
    let early: Answer = |state, _, path, body| {
        let half = path.replace("limit=100", "limit=50");
        path.contains("limit=100").then(|| {
            if path.contains("offset=0") {
                state.handle("GET", &half, body)
            } else {
                (200, json!({ "items": [] }))
            }
        })
    };
    let anybody: Answer = |state, method, path, body| {
        let answer = state.handle(method, path, body);
        let error = json!({ "error": "no", "login": "" });
        Some(if method == "GET" && answer.0 == 404 {
            (200, error)
        } else {
            answer
        })
    };
    let keeps: Answer = |_, method, path, _| {
        (method == "DELETE" && path.starts_with("/people")).then(|| (200, json!({})))
    };
    // The record is not under this id, and is still there by its name.
    let hides: Answer = |state, method, path, _| {
        let one = path.starts_with("/people/");
        let asked = |call: &&String| call.starts_with("DELETE /people");
        (one && state.seen.iter().any(|call| asked(&call)) && method != "PATCH")
            .then(|| (404, json!({ "error": "nobody" })))
    };
    let keeps_teams: Answer = |_, method, path, _| {
        (method == "DELETE" && path.starts_with("/teams")).then(|| (200, json!({})))
    };
    for (name, answer, want) in [
        (
            "200 to every change",
            ignores,
            vec![
                "change",
                "deactivate",
                "add a member",
                "rename a group",
                "rename",
            ],
        ),
        (
            "finds somebody else",
            elsewhere,
            vec![
                "find by name",
                "find by name in other letters",
                "find while inactive",
                "rename",
            ],
        ),
        (
            "ends its list early",
            early,
            vec![
                "list in small pages",
                "find by e-mail",
                "list while inactive",
            ],
        ),
        ("200 for nobody", anybody, vec!["get nobody", "delete"]),
        ("says deleted", keeps, vec!["delete"]),
        ("hides who is not deleted", hides, vec!["delete"]),
        (
            "says a team is deleted",
            keeps_teams,
            vec!["delete a group"],
        ),
    ] {
        let (steps, _app) = play(API, answer).await;
        assert_eq!(failed(&steps), want, "{name}: {steps:?}");
    }
}
