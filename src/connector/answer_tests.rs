//! Answers that are not what they seem.

use serde_json::json;

use super::fake::{FakeApi, Said, USERS, given};
use super::{AppFailure, Connector, Known};
use crate::secret::Secret;

/// Below [`USERS`].
const DELETE: &str = "[users.delete]\ncall = \"DELETE /users/{id}\"\n";

/// Everything is answered so.
fn all_say(api: &FakeApi, said: &Said) {
    for call in [
        "GET /api/users",
        "GET /api/users/7",
        "GET /api/users?q=ada",
        "DELETE /api/users/7",
    ] {
        api.says_all(call, said.clone());
    }
}

/// Whether it is nobody: by id, by name, and for a deletion. None is that nobody can tell.
async fn is_nobody(connector: &Connector) -> [Option<bool>; 3] {
    let tells = |failure: AppFailure| assert!(failure.passes(), "{failure:?}");
    let by_id = connector.user("7").await.map_err(tells);
    let by_name = connector.find_user("ada").await.map_err(tells);
    let gone = connector
        .remove_user(&Known::new("7", "ada"))
        .await
        .map_err(tells);
    let none = |it: Option<super::Found>| it.is_none();
    [
        by_id.ok().map(none),
        by_name.ok().map(none),
        gone.ok().map(|it| it == super::Removal::Removed),
    ]
}

#[tokio::test]
async fn a_404_that_anybody_may_have_said_is_believed_when_the_list_answers() {
    let find = "[users.find.userName]\ncall = \"GET /users?q={value}\"\n";
    let api = FakeApi::start().await;
    let connector = api.connector(&format!("{USERS}{find}{DELETE}"));
    let missing = "[[errors]]\nstatus = 404\nmatch = \"^$\"\nis = \"missing\"\n";
    let ruled = api.connector(&format!("{USERS}{find}{DELETE}{missing}"));
    let page = "<html>default backend - 404</html>";
    for (name, status, body, list, nobody) in [
        ("its own", 404, r#"{"error":"no"}"#, "", true),
        ("a page, and its list is there", 404, page, "[]", true),
        ("nothing, and its list is there", 404, "", "[]", true),
        ("a page for everything", 404, page, "", false),
        ("nothing for everything", 404, "", "", false),
        ("a word for everything", 410, "gone", "", false),
        ("a page as its list", 404, "", "<html>Sign in", false),
    ] {
        all_say(&api, &Said(status, vec![], body.to_owned()));
        if !list.is_empty() {
            api.says("GET /api/users", list);
        }
        let want = if nobody { Some(true) } else { None };
        assert_eq!(is_nobody(&connector).await, [want; 3], "{name}");
    }
    all_say(&api, &Said(404, vec![], String::new()));
    assert_eq!(is_nobody(&ruled).await, [Some(true); 3], "a rule says so");
    assert!(connector.users().await.is_err(), "a list is never missing");
}

#[tokio::test]
async fn an_answer_without_its_item_is_not_nobody() {
    let api = FakeApi::start().await;
    let get = |item: &str| {
        let call = "call = \"GET /users/{id}\"\n";
        let with = format!("{call}item = \"{item}\"\n");
        let find = format!(
            "[users.find.userName]\ncall = \"GET /users?q={{value}}\"\nitem = \"{item}\"\n"
        );
        api.connector(&format!("{}{find}{DELETE}", USERS.replace(call, &with)))
    };
    for (name, item, said, nobody) in [
        ("null", "/person", r#"{"person":null}"#, true),
        ("an empty list", "/person", r#"{"person":[]}"#, true),
        ("nothing at all", "/person", "{}", true),
        (
            "an empty list of them",
            "/result/0",
            r#"{"result":[]}"#,
            true,
        ),
        (
            "another document",
            "/person",
            r#"{"error":"session expired"}"#,
            false,
        ),
        (
            "another one without a list",
            "/result/0",
            r#"{"error":"session expired"}"#,
            false,
        ),
        (
            "null above it",
            "/data/person",
            r#"{"data":null,"errors":[{}]}"#,
            false,
        ),
    ] {
        all_say(&api, &Said(200, vec![], said.to_owned()));
        let want = if nobody { Some(true) } else { None };
        assert_eq!(is_nobody(&get(item)).await, [want; 3], "{name}");
    }
}

#[tokio::test]
async fn ids_are_texts_and_whole_numbers() {
    let api = FakeApi::start().await;
    let create = "[users.create]\ncall = \"POST /users\"\nbody = \"{fields}\"\nnew_id = \"/id\"\n";
    let connector = api.connector(&format!("{USERS}{create}"));
    for (id, want) in [
        ("7", Some("7")),
        ("\"x7\"", Some("x7")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("18446744073709551616", None),
        ("1e3", None),
        ("7.5", None),
        ("null", None),
        ("true", None),
    ] {
        api.says(
            "GET /api/users",
            &format!(r#"[{{"id":{id},"login":"ada"}}]"#),
        );
        let listed = connector.users().await;
        let listed = listed.ok().map(|all| all[0].id.clone());
        assert_eq!(listed.as_deref(), want, "{id}");
        api.says("POST /api/users", &format!(r#"{{"id":{id}}}"#));
        let its = format!("GET /api/users/{}", id.trim_matches('"'));
        api.says(&its, &format!(r#"{{"id":{id},"login":"ada"}}"#));
        let made = connector
            .create_user(&given(&[("userName", "ada")]), None)
            .await;
        assert_eq!(made.ok().map(|made| made.id).as_deref(), want, "{id}");
    }
}

#[tokio::test]
async fn r41_r55_what_a_request_carried_is_struck_out_of_the_app_s_words() {
    const KEPT: &str = "kept \"pass/word\" ö";
    let api = FakeApi::start().await;
    let text = r#"
[api]
base = "{url}/api"
headers = { Authorization = "Bearer {token}" }
[api.login]
call = "POST /login"
token = "/token"
[users]
active = "none"
[users.fields]
login = "userName"
kept = { scim = "userName", write = "{password}", only = "create" }
made = { scim = "userName", write = "x{random}x", only = "create" }
[users.list]
call = "GET /users"
[users.create]
call = "POST /users"
body = { "..." = "{fields}", both = "{password|b64}" }
new_id = "/id"
"#;
    let (connector, ada) = (api.connector(text), given(&[("userName", "ada")]));
    api.says("POST /api/login", r#"{"token":"canary-token"}"#);
    let b64 = "a2VwdCAicGFzcy93b3JkIiDDtg==";
    let echoed = json!({ "detail": [{
        "msg": format!("field required in {KEPT} by canary-token"),
        "input": { "login": "canary-in-input" },
        "escaped": json!({ "x": KEPT }).to_string(),
        "address": "kept%20%22pass%2Fword%22%20%C3%B6 kept+%22pass%2Fword%22+%C3%B6",
        "encoded": b64,
        "userPassword": "canary-named", "api_key": "canary-named", "ACCESS_TOKEN": "canary-named",
        "bell": "a\u{7}b",
    }] });
    for body in [
        echoed.to_string(),
        format!("wrong: {KEPT} {b64} canary-token"),
    ] {
        api.says_all("POST /api/users", Said(422, vec![], body));
        let password = Secret::new(KEPT);
        let made = connector.create_user(&ada, Some(&password)).await;
        let Err(AppFailure::Invalid(words)) = made else {
            panic!("{made:?}: {:?}", api.seen());
        };
        for leaked in ["canary", "pass", "a2Vwd", "\u{7}"] {
            assert!(!words.contains(leaked), "{leaked}: {words}");
        }
        assert!(
            words.contains("wrong") || words.contains("field required"),
            "{words}"
        );
    }
}
