//! What `connector check` asks for.

use super::fake::{FakeApi, Said, USERS};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_look_tells_what_the_first_page_holds() {
    let api = FakeApi::start().await;
    let page = "call = \"GET /users?o={offset}&n={limit}\"\nitems = \"/users\"\npage = { style = \"offset\", size = 2, total = \"/total\" }\n";
    let paged = USERS.replace("call = \"GET /users\"\n", page);
    let thin = paged.replace("items =", "thin = true\nitems =");
    let first = "GET /api/users?o=0&n=2";
    let people =
        r#"{"users":[{"id":7,"login":"ada"},{"id":8,"login":"bob","mail":null}],"total":5}"#;
    let bare = r#"{"users":[{"id":7},{"id":8}]}"#;
    api.says("GET /api/users/7", r#"{"id":7,"login":"ada"}"#);
    for (name, text, said, want) in [
        (
            "people",
            &paged,
            people,
            Some((2, Some(5), vec!["emails.value", "userName"], vec![])),
        ),
        (
            "nobody",
            &paged,
            r#"{"users":[]}"#,
            Some((0, None, vec![], vec!["login", "mail"])),
        ),
        (
            "a place that is wrong",
            &paged,
            r#"{"users":[{"id":7,"name":"ada"}]}"#,
            Some((1, None, vec![], vec!["login", "mail"])),
        ),
        (
            "thin ones",
            &thin,
            bare,
            Some((2, None, vec!["userName"], vec!["mail"])),
        ),
        (
            "no id",
            &paged,
            r#"{"users":[{"no":7,"login":"ada"}]}"#,
            None,
        ),
        ("no list", &paged, r#"{"people":[]}"#, None),
    ] {
        api.says(first, said);
        let (operation, shown) = api.connector(text).look().await.remove(0);
        assert_eq!(operation, "users.list", "{name}");
        let shown = shown
            .ok()
            .map(|it| (it.records, it.total, it.read, it.nowhere));
        let own = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let want =
            want.map(|(records, total, read, nowhere)| (records, total, own(read), own(nowhere)));
        let shown = shown.map(|(records, total, mut read, mut nowhere)| {
            read.sort();
            nowhere.sort();
            (records, total, read, nowhere)
        });
        assert_eq!(shown, want, "{name}");
    }
    api.says_all(first, Said(401, vec![], String::new()));
    let shown = api.connector(&paged).look().await.remove(0).1;
    assert!(shown.unwrap_err().to_string().contains("credentials"));
}
