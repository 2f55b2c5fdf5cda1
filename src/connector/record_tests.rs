//! Records found and changed as apps of every kind have them.

use serde_json::json;

use super::fake::{FakeApi, Said, USERS, given};
use super::{AppFailure, Attributes, Known};

const FIND: &str = "[users.find.userName]\ncall = \"GET /users?q={value}\"\n";

#[tokio::test]
async fn a_look_up_is_checked_again() {
    let api = FakeApi::start().await;
    let connector = api.connector(&format!("{USERS}{FIND}"));
    for (name, held, asked, want) in [
        ("nobody", vec![], "ada", Ok(None)),
        ("a piece of the name", vec!["adam", "xada"], "ada", Ok(None)),
        ("the exact one", vec!["adam", "ada"], "ada", Ok(Some("2"))),
        ("in other letters", vec!["ADA"], "ada", Ok(Some("1"))),
        (
            "the exact one before others",
            vec!["ADA", "ada", "Ada"],
            "ada",
            Ok(Some("2")),
        ),
        ("several near", vec!["ADA", "Ada"], "ada", Err(())),
        ("several exact", vec!["ada", "ada"], "ada", Err(())),
    ] {
        let all: Vec<_> = held
            .iter()
            .zip(1..)
            .map(|(login, id)| json!({ "id": id, "login": login }))
            .collect();
        api.says("GET /api/users?q=ada", &json!(all).to_string());
        let found = connector.find_user(asked).await;
        let found = match found {
            Ok(found) => Ok(found.map(|found| found.id)),
            Err(AppFailure::Ambiguous(_)) => Err(()),
            Err(other) => panic!("{name}: {other}"),
        };
        assert_eq!(
            found.as_ref().map(Option::as_deref),
            want.as_ref().map(|it| *it),
            "{name}"
        );
    }
    // The same record twice is one.
    api.says(
        "GET /api/users?q=ada",
        r#"[{"id":1,"login":"ada"},{"id":2,"login":"adam"},{"id":1,"login":"ada"}]"#,
    );
    let found = connector.find_user("ada").await.unwrap().unwrap();
    assert_eq!(found.id, "1");
}

#[tokio::test]
async fn what_is_asked_by_id_must_have_it() {
    let api = FakeApi::start().await;
    let connector = api.connector(USERS);
    api.says("GET /api/users", "[]");
    for (name, said, want) in [
        (
            "it",
            Said(200, vec![], r#"{"id":7,"login":"ada"}"#.to_owned()),
            Ok(true),
        ),
        ("nobody", Said(404, vec![], String::new()), Ok(false)),
        (
            "an empty record",
            Said(200, vec![], "{}".to_owned()),
            Ok(false),
        ),
        ("null", Said(200, vec![], "null".to_owned()), Ok(false)),
        (
            "another one",
            Said(200, vec![], r#"{"id":8,"login":"eve"}"#.to_owned()),
            Err(()),
        ),
        (
            "half of it",
            Said(200, vec![], r#"{"id":7,"#.to_owned()),
            Err(()),
        ),
    ] {
        api.says_all("GET /api/users/7", said);
        let found = connector.user("7").await;
        assert_eq!(found.map(|it| it.is_some()).map_err(drop), want, "{name}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn values_are_mapped_both_ways() {
    let api = FakeApi::start().await;
    let fields = r#"
[users.fields]
login = { scim = "userName", lower = true }
state = { scim = "active", map = { true = "on", false = "off" }, map_read = { true = ["ON", 1], false = "*" } }
"name.full" = { scim = "displayName", write = [{ value = "{value}" }], read = "/name/full/0/value" }
secret = { scim = "title", write = "{random}", only = "create" }
key = { const = 5, only = "create" }
lang = { scim = "preferredLanguage", default = "de" }
[users.list]
call = "GET /users"
[users.get]
call = "GET /users/{id}"
[users.create]
call = "POST /users"
body = "{fields}"
new_id = "/id"
[users.update]
call = "PATCH /users/{id}"
body = "{fields}"
"#;
    let head = "[api]\nbase = \"{url}/api\"\n[users]\n";
    let connector = api.connector(&format!("{head}{fields}"));
    for (state, active) in [
        (json!("on"), true),
        (json!("ON"), true),
        (json!(1), true),
        (json!("off"), false),
        (json!("?"), false),
    ] {
        let record = json!({ "id": 1, "login": "ADA", "state": state, "secret": "hash", "name": { "full": [{ "value": "Ada" }] } });
        api.says("GET /api/users/1", &record.to_string());
        let found = connector.user("1").await.unwrap().unwrap();
        let want = [
            ("active", json!(active)),
            ("displayName", json!("Ada")),
            ("userName", json!("ADA")),
        ];
        let want: Attributes = want
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert_eq!(found.attributes, want, "{state}: and nothing else leaves");
    }
    api.seen();
    let mut wanted = given(&[("userName", "ADA"), ("displayName", "Ada L")]);
    wanted.insert("active".to_owned(), false.into());
    api.says("POST /api/users", r#"{"id":1}"#);
    connector.create_user(&wanted, None).await.unwrap();
    let seen = api.seen();
    let sent: serde_json::Value =
        serde_json::from_str(seen[0].trim_start_matches("POST /api/users ")).unwrap();
    assert_eq!(sent["login"], "ada");
    assert_eq!(sent["state"], "off");
    assert_eq!(sent["name"]["full"][0]["value"], "Ada L");
    assert_eq!((&sent["key"], &sent["lang"]), (&json!(5), &json!("de")));
    api.says("PATCH /api/users/1", "");
    connector
        .update_user(&Known::new("1", "ada"), &wanted, &wanted)
        .await
        .unwrap();
    let seen = api.seen();
    let patch: Vec<_> = seen
        .iter()
        .filter(|call| call.starts_with("PATCH"))
        .collect();
    let want = r#"PATCH /api/users/1 {"name":{"full":[{"value":"Ada L"}]}}"#;
    assert_eq!(patch, [want], "what changed, and nothing else");
}

const HELD: &str =
    r#"{"id":1,"login":"ada","mail":"old@x.test","title":"Dr.","role":"r1","secret":"canary"}"#;

async fn updated(update: &str) -> Vec<String> {
    let api = FakeApi::start().await;
    let fields = "login = \"userName\"\nmail = \"emails.value\"\ntitle = \"title\"\n";
    let text = USERS.replace("login = \"userName\"\nmail = \"emails.value\"\n", fields);
    let connector = api.connector(&format!("{text}[users.update]\n{update}"));
    api.says("GET /api/users/1", HELD);
    for call in [
        "PUT /api/users/1",
        "PUT /api/users/1?mask=mail,title",
        "PUT /api/users/1?mask=mail%2Ctitle",
    ] {
        api.says(call, "");
    }
    let wanted = given(&[
        ("userName", "ada"),
        ("emails.value", "new@x.test"),
        ("title", "Prof."),
    ]);
    connector
        .update_user(&Known::new("1", "ada"), &wanted, &wanted)
        .await
        .unwrap();
    let seen = api.seen();
    seen.into_iter()
        .filter(|call| call.starts_with("PUT"))
        .collect()
}

#[tokio::test]
async fn an_update_carries_what_the_app_wants() {
    for (name, update, want) in [
        (
            "changed",
            "call = \"PUT /users/{id}\"\nbody = \"{fields}\"\n",
            vec![r#"PUT /api/users/1 {"mail":"new@x.test","title":"Prof."}"#],
        ),
        (
            "all, and the names of what changed",
            "call = \"PUT /users/{id}?mask={changed}\"\nbody = \"{fields}\"\nsend = \"all\"\n",
            vec![
                r#"PUT /api/users/1?mask=mail%2Ctitle {"login":"ada","mail":"new@x.test","title":"Prof."}"#,
            ],
        ),
        (
            "the app's own record with ours over it, by name only",
            "call = \"PUT /users/{id}\"\nbody = \"{fields}\"\nsend = \"current\"\nkeep = [\"role\", \"title\", \"none\"]\n",
            vec![
                r#"PUT /api/users/1 {"login":"ada","mail":"new@x.test","role":"r1","title":"Prof."}"#,
            ],
        ),
        (
            "one call for each",
            "each = \"PUT /users/{id}\"\nbody = { key = \"{field}\", value = \"{value}\" }\n",
            vec![
                r#"PUT /api/users/1 {"key":"mail","value":"new@x.test"}"#,
                r#"PUT /api/users/1 {"key":"title","value":"Prof."}"#,
            ],
        ),
    ] {
        assert_eq!(updated(update).await, want, "{name}");
    }
}

#[tokio::test]
async fn thin_records_are_read_one_by_one() {
    let api = FakeApi::start().await;
    let text = USERS.replace(
        "call = \"GET /users\"\n",
        "call = \"GET /users\"\nthin = true\n",
    );
    let connector = api.connector(&text);
    api.says("GET /api/users", r#"[{"id":1},{"id":2},{"id":3}]"#);
    api.says("GET /api/users/1", r#"{"id":1,"login":"ada"}"#);
    api.says("GET /api/users/3", r#"{"id":3,"login":"eve"}"#);
    let all = connector.users().await.unwrap();
    let names: Vec<_> = all
        .iter()
        .map(|found| found.attributes["userName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ada", "eve"], "who went meanwhile is none");
    api.says_all("GET /api/users/3", Said(500, vec![], String::new()));
    assert!(connector.users().await.is_err(), "not a list without her");
}
