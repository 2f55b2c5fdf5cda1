//! Apps whose records and lists have other shapes than most.

use serde_json::json;

use super::fake::{FakeApi, Said, USERS, connector, given};
use super::stub::{API, StubApi};
use super::{AppFailure, Known};

const ACCOUNTS: &str = r#"
[groups.members]
mode = "group_field"
read = "/members"
as = "account:{x}"
set = { call = "PATCH /teams/{group}", body = { members = "{users}" } }
"#;

#[tokio::test]
async fn what_as_puts_around_an_id_is_taken_off_again() {
    let objects = ACCOUNTS.replace(
        "as = \"account:{x}\"",
        "ref = \"/of\"\nas = { of = \"account:{x}\" }",
    );
    for (text, wrapped) in [(ACCOUNTS, false), (objects.as_str(), true)] {
        let element = |text: &str| {
            if wrapped {
                json!({ "of": text })
            } else {
                json!(text)
            }
        };
        let app = StubApi::start().await;
        let connector = app.connector(&format!("{API}{text}"));
        for login in ["amy", "bob"] {
            app.state().put("people", json!({ "login": login }));
        }
        let before = json!([element("account:1"), element("system.Everyone")]);
        app.state()
            .put("teams", json!({ "name": "crew", "members": before }));
        let inside = connector.members("3").await.unwrap();
        assert!(inside.iter().eq(["1"]), "{inside:?}");
        let (crew, bob) = (Known::new("3", "crew"), [Known::new("2", "bob")]);
        let gone = ["1".to_owned()];
        connector.change_members(&crew, &bob, &gone).await.unwrap();
        let want = json!([element("system.Everyone"), element("account:2")]);
        assert_eq!(app.state().teams[&3]["members"], want, "others stay");
    }
}

#[tokio::test]
async fn what_write_puts_around_a_value_is_taken_off_again() {
    let api = FakeApi::start().await;
    let fields = "login = { scim = \"userName\", write = \"@{value}:x.test\" }\nmail = { scim = \"emails.value\", write = \"mailto:{value}\" }\n";
    let text = USERS.replace("login = \"userName\"\nmail = \"emails.value\"\n", fields);
    let connector = api.connector(&text);
    let record = r#"{"id":1,"login":"@ada:x.test","mail":"ada@x.test"}"#;
    api.says("GET /api/users/1", record);
    api.says("GET /api/users", &format!("[{record}]"));
    let found = connector.user("1").await.unwrap().unwrap();
    assert_eq!(found.attributes["userName"], "ada");
    assert_eq!(found.attributes["emails.value"], "ada@x.test", "as it is");
    let found = connector.find_user("ada").await.unwrap().unwrap();
    assert_eq!(found.id, "1");
}

#[tokio::test]
async fn who_is_made_without_a_word_of_the_id_is_looked_for() {
    let api = FakeApi::start().await;
    let create = "[users.create]\ncall = \"PUT /users/{userName}\"\nbody = \"{fields}\"\n";
    let connector = api.connector(&format!("{USERS}{create}"));
    api.says_all("PUT /api/users/ada", Said(201, vec![], String::new()));
    api.says("GET /api/users", r#"[{"id":7,"login":"ada"}]"#);
    api.says("GET /api/users/7", r#"{"id":7,"login":"ada"}"#);
    let ada = given(&[("userName", "ada")]);
    let made = connector.create_user(&ada, None).await.unwrap();
    assert_eq!(made.id, "7");
    api.says("GET /api/users", "[]");
    let failure = connector.create_user(&ada, None).await.unwrap_err();
    assert!(failure.perhaps_done(), "{failure}");
}

#[tokio::test]
async fn a_hit_that_tells_no_name_is_not_nobody() {
    let api = FakeApi::start().await;
    for (place, said, want) in [
        ("item = \"\"", r#"{"id":1,"mail":"x@x.test"}"#, Err(())),
        ("item = \"\"", r#"{"id":1,"login":""}"#, Err(())),
        ("item = \"\"", r#"{"id":1,"login":"adam"}"#, Ok(false)),
        ("item = \"\"", "{}", Ok(false)),
        ("items = \"\"", r#"[{"id":1}]"#, Err(())),
        (
            "items = \"\"",
            r#"[{"id":1},{"id":2,"login":"ada"}]"#,
            Ok(true),
        ),
        ("items = \"\"", "[]", Ok(false)),
    ] {
        let find = format!("[users.find.userName]\ncall = \"GET /users?q={{value}}\"\n{place}\n");
        let connector = api.connector(&format!("{USERS}{find}"));
        api.says("GET /api/users?q=ada", said);
        let found = match connector.find_user("ada").await {
            Ok(found) => Ok(found.is_some()),
            Err(AppFailure::Ambiguous(_)) => Err(()),
            Err(other) => panic!("{said}: {other}"),
        };
        assert_eq!(found, want, "{place}: {said}");
    }
    // A list is no search: an account of the app's own may have no name.
    let connector = api.connector(USERS);
    api.says("GET /api/users", r#"[{"id":1}]"#);
    assert!(connector.find_user("ada").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_cleared_is_no_element_that_says_nothing() {
    let app = StubApi::start().await;
    let fields = "mails = { scim = \"emails.value\", read = \"/mails/0/at\", write = [{ at = \"{value}\" }] }\njob = { scim = \"title\", read = \"/job/is\", write = { is = \"{value}\" } }\n";
    let connector = app.connector(&API.replace("mail = \"emails.value\"\n", fields));
    let ada = json!({ "login": "ada", "mails": [{ "at": "a@x.test" }], "job": { "is": "Dr." } });
    app.state().put("people", ada);
    let wanted = given(&[("userName", "ada"), ("emails.value", ""), ("title", "")]);
    let known = Known::new("1", "ada");
    let was = given(&[]);
    connector.update_user(&known, &wanted, &was).await.unwrap();
    let ada = app.state().people[&1].clone();
    assert_eq!((&ada["mails"], &ada["job"]), (&json!([]), &json!(null)));
    let eve = given(&[("userName", "eve"), ("emails.value", ""), ("title", "")]);
    connector.create_user(&eve, None).await.unwrap();
    let sent = app
        .state()
        .seen
        .iter()
        .find(|it| it.starts_with("POST"))
        .cloned();
    assert_eq!(sent.as_deref(), Some(r#"POST /people {"login":"eve"}"#));
}

#[tokio::test]
async fn lists_of_other_shapes_are_lists() {
    let api = FakeApi::start().await;
    let paged = "GET /users?p={page}\"\nitems = \"/all\"\npage = { style = \"page\", total = \"/total\" }\n";
    let whole = "GET /users?p=1\"\nitems = \"/all\"\n";
    for (call, said, want) in [
        (paged, r#"{"start":0,"total":0}"#, Some(0)),
        (paged, r#"{"start":0,"total":"0"}"#, Some(0)),
        (paged, r#"{"start":0,"total":3}"#, None),
        (paged, r#"{"start":0}"#, None),
        (whole, r#"{"total":0}"#, None),
        (
            whole,
            r#"{"all":{"root":{"id":1},"ada":{"id":2}}}"#,
            Some(2),
        ),
        (whole, r#"{"all":{}}"#, Some(0)),
        (whole, r#"{"all":{"root":{"id":1},"error":"no"}}"#, None),
        ("GET /users?p=1\"\n", r#"{"error":{"id":5}}"#, None),
    ] {
        let connector = api.connector(&USERS.replace("GET /users\"\n", call));
        api.says("GET /api/users?p=1", said);
        let listed = connector.users().await.ok().map(|all| all.len());
        assert_eq!(listed, want, "{call}: {said}");
    }
}

#[test]
fn keys_of_a_body_are_filled_in() {
    let delete = "[users.delete]\ncall = \"POST /remove\"\nbody = { all = { \"u-{id}\" = true }, \"{}\" = 1 }\n";
    let connector = connector(&format!("{USERS}{delete}"));
    let lines = connector.dry_run("users.delete", &given(&[("id", "7")]));
    let sent = lines.unwrap().concat();
    assert!(sent.contains(r#""u-7": true"#), "{sent}");
    assert!(sent.contains(r#""{}": 1"#), "{sent}");
}

#[tokio::test]
async fn the_next_page_may_be_named_in_any_header() {
    let api = FakeApi::start().await;
    let page = "GET /users\"\npage = { style = \"next\", next_header = \"Next-Page\" }\n";
    let connector = api.connector(&USERS.replace("GET /users\"\n", page));
    let next = vec![("next-page", "{url}/api/users?p=2".to_owned())];
    let first = Said(200, next, r#"[{"id":1}]"#.to_owned());
    api.says_all("GET /api/users", first);
    api.says("GET /api/users?p=2", r#"[{"id":2}]"#);
    assert_eq!(connector.users().await.unwrap().len(), 2);
}

#[test]
fn who_is_blocked_may_be_given_another_password() {
    let calls = "[users.activate]\ncall = \"POST /users/{id}/on\"\n[users.deactivate]\ncall = \"POST /users/{id}/password\"\nbody = { password = \"{random}\" }\n";
    let text = USERS.replace("active = \"none\"", "active = \"calls\"");
    let connector = connector(&format!("{text}{calls}"));
    let lines = connector.dry_run("users.deactivate", &given(&[("id", "7")]));
    assert!(lines.unwrap().concat().contains("password"));
}

#[test]
fn an_id_changes_with_the_name_where_the_name_is_changed() {
    for (only, want) in [("create", "ada"), ("update", "eve"), ("both", "eve")] {
        let text = USERS.replace("active = \"none\"", "active = \"none\"\nid = \"/login\"");
        let field = format!("login = {{ scim = \"userName\", only = \"{only}\" }}");
        let connector = connector(&text.replace("login = \"userName\"", &field));
        let eve = given(&[("userName", "eve")]);
        assert_eq!(connector.id_after("ada", &eve), want, "{only}");
    }
}

#[test]
fn an_operation_is_named_with_or_without_its_attribute() {
    let more = "[users.find.userName]\ncall = \"GET /users?login={value}\"\n[users.find.\"emails.value\"]\ncall = \"GET /users?mail={value}\"\n";
    let connector = connector(&format!("{USERS}{more}"));
    for (name, login, mail) in [
        ("users.find", true, true),
        ("users.find.userName", true, false),
        ("users.find.emails.value", false, true),
    ] {
        let lines = connector.dry_run(name, &given(&[("value", "x")]));
        let lines = lines.unwrap().concat();
        let has = (lines.contains("login=x"), lines.contains("mail=x"));
        assert_eq!(has, (login, mail), "{name}");
    }
    let failure = connector.dry_run("users.find.title", &given(&[]));
    let failure = failure.unwrap_err().to_string();
    assert!(failure.starts_with("there is no operation"), "{failure}");
}

#[test]
fn passwords_are_shown_as_what_they_are() {
    let create = "[users.create]\ncall = \"POST /users\"\nbody = { one = \"{random}\", two = \"{password}\" }\n";
    let connector = connector(&format!("{USERS}{create}"));
    let lines = connector.dry_run("users.create", &given(&[]));
    let lines = lines.unwrap().concat();
    assert_eq!(lines.matches("(a random password)").count(), 2, "{lines}");
}

#[tokio::test]
async fn an_answer_that_is_odd_was_an_answer() {
    let api = FakeApi::start().await;
    for (said, want) in [
        (
            Said(200, vec![], r#"{"no":"list"}"#.to_owned()),
            "the app answers oddly: ",
        ),
        (
            Said(412, vec![], "{}".to_owned()),
            "the app answers oddly: it answers 412",
        ),
        (
            Said(502, vec![], "{}".to_owned()),
            "the app cannot be reached: it answers 502",
        ),
    ] {
        api.says_all("GET /api/users", said);
        let failure = api.connector(USERS).users().await.unwrap_err().to_string();
        assert!(failure.starts_with(want), "{failure}");
    }
    let failure = connector(USERS).users().await.unwrap_err().to_string();
    assert!(
        failure.starts_with("the app cannot be reached: "),
        "{failure}"
    );
}
