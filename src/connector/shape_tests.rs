//! Apps whose records and lists have other shapes than most.

use serde_json::json;

use super::Known;
use super::fake::{FakeApi, Said, USERS, given};
use super::stub::{API, StubApi};

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
        let element = |text: &str| match wrapped {
            true => json!({ "of": text }),
            false => json!(text),
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
