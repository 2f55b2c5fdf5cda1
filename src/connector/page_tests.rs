//! Lists page by page: to their end, and never to elsewhere.

use serde_json::{Value, json};

use super::fake::{FakeApi, Said, USERS};

/// What `users.list` reads of an API that answers so, by this paging.
async fn listed(
    page: &str,
    answers: &[(&str, Said)],
) -> (Result<Vec<String>, String>, Vec<String>) {
    let api = FakeApi::start().await;
    for (call, said) in answers {
        api.says_all(call, said.clone());
    }
    let api_connector = api.connector(&USERS.replace("call = \"GET /users\"\n", page));
    let found = api_connector.users().await;
    let found = found.map(|all| all.into_iter().map(|it| it.id).collect());
    (found.map_err(|failure| failure.to_string()), api.seen())
}

fn people(ids: &[u32], more: &Value) -> Said {
    let people: Vec<_> = ids
        .iter()
        .map(|id| json!({ "id": id, "login": format!("p{id}") }))
        .collect();
    let mut document = json!({ "users": people });
    document
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Said(200, Vec::new(), document.to_string())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn lists_are_read_to_their_end() {
    let nothing = json!({});
    let all = vec!["1".to_owned(), "2".to_owned(), "3".to_owned()];
    let offset = "call = \"GET /users?o={offset}&n={limit}\"\nitems = \"/users\"\n";
    let page = "call = \"GET /users?p={page}\"\nitems = \"/users\"\n";
    let next = "call = \"GET /users?p=1\"\nitems = \"/users\"\n";
    let linked = |to: &str| {
        let Said(status, _, body) = people(&[1, 2], &nothing);
        Said(
            status,
            vec![("link", format!("<x>; rel=prev, <{to}>; rel=\"next\""))],
            body,
        )
    };
    for (name, text, answers) in [
        (
            "all at once",
            "call = \"GET /users\"\nitems = \"/users\"\n".to_owned(),
            vec![("GET /api/users", people(&[1, 2, 3], &nothing))],
        ),
        (
            "by offset to the total",
            format!("{offset}page = {{ style = \"offset\", size = 2, total = \"/total\" }}\n"),
            vec![
                (
                    "GET /api/users?o=0&n=2",
                    people(&[1, 2], &json!({ "total": 3 })),
                ),
                (
                    "GET /api/users?o=2&n=2",
                    people(&[3], &json!({ "total": "3" })),
                ),
            ],
        ),
        (
            "an app that gives less than asked for",
            format!("{offset}page = {{ style = \"offset\", size = 100, total = \"/total\" }}\n"),
            vec![
                (
                    "GET /api/users?o=0&n=100",
                    people(&[1, 2], &json!({ "total": 3 })),
                ),
                (
                    "GET /api/users?o=2&n=100",
                    people(&[3], &json!({ "total": 3 })),
                ),
            ],
        ),
        (
            "by offset to a short page",
            format!("{offset}page = {{ style = \"offset\", size = 2 }}\n"),
            vec![
                ("GET /api/users?o=0&n=2", people(&[1, 2], &nothing)),
                ("GET /api/users?o=2&n=2", people(&[3], &nothing)),
                ("GET /api/users?o=3&n=2", people(&[], &nothing)),
            ],
        ),
        (
            "an app that gives less than asked for, and no total",
            format!("{page}page = {{ style = \"page\", size = 100 }}\n"),
            vec![
                ("GET /api/users?p=1", people(&[1, 2], &nothing)),
                ("GET /api/users?p=2", people(&[3], &nothing)),
                ("GET /api/users?p=3", Said(404, vec![], "{}".to_owned())),
            ],
        ),
        (
            "an app that knows of no pages",
            format!("{page}page = {{ style = \"page\", size = 100 }}\n"),
            vec![
                ("GET /api/users?p=1", people(&[1, 2, 3], &nothing)),
                ("GET /api/users?p=2", people(&[1, 2, 3], &nothing)),
            ],
        ),
        (
            "somebody goes meanwhile",
            format!("{offset}page = {{ style = \"offset\", size = 2, total = \"/total\" }}\n"),
            vec![
                (
                    "GET /api/users?o=0&n=2",
                    people(&[1, 2], &json!({ "total": 4 })),
                ),
                (
                    "GET /api/users?o=2&n=2",
                    people(&[3], &json!({ "total": 3 })),
                ),
            ],
        ),
        (
            "a page without anybody that names the next",
            format!("{next}page = {{ style = \"next\", next = \"/next\" }}\n"),
            vec![
                (
                    "GET /api/users?p=1",
                    people(&[1, 2], &json!({ "next": "/api/users?p=2" })),
                ),
                (
                    "GET /api/users?p=2",
                    people(&[], &json!({ "next": "/api/users?p=3" })),
                ),
                ("GET /api/users?p=3", people(&[3], &nothing)),
            ],
        ),
        (
            "by pages from 0",
            format!(
                "{page}page = {{ style = \"page\", first = 0, size = 1, total_header = \"x-total\" }}\n"
            ),
            vec![
                (
                    "GET /api/users?p=0",
                    Said(
                        200,
                        vec![("x-total", "3".to_owned())],
                        people(&[1], &nothing).2,
                    ),
                ),
                (
                    "GET /api/users?p=1",
                    Said(
                        200,
                        vec![("x-total", "3".to_owned())],
                        people(&[2], &nothing).2,
                    ),
                ),
                (
                    "GET /api/users?p=2",
                    Said(
                        200,
                        vec![("x-total", "3".to_owned())],
                        people(&[3], &nothing).2,
                    ),
                ),
            ],
        ),
        (
            "by links in the document",
            format!("{next}page = {{ style = \"next\", next = \"/links/next\" }}\n"),
            vec![
                (
                    "GET /api/users?p=1",
                    people(
                        &[1, 2],
                        &json!({ "links": { "next": "{url}/api/users?p=2" } }),
                    ),
                ),
                (
                    "GET /api/users?p=2",
                    people(&[3], &json!({ "links": { "next": null } })),
                ),
            ],
        ),
        (
            "by links in the header",
            format!("{next}page = {{ style = \"next\" }}\n"),
            vec![
                ("GET /api/users?p=1", linked("/api/users?p=2")),
                ("GET /api/users?p=2", people(&[3], &nothing)),
            ],
        ),
        (
            "several lists",
            "call = [\"GET /users?on=1\", \"GET /users?on=0\"]\nitems = \"/users\"\n".to_owned(),
            vec![
                ("GET /api/users?on=1", people(&[1, 2], &nothing)),
                ("GET /api/users?on=0", people(&[3], &nothing)),
            ],
        ),
    ] {
        let (found, seen) = listed(&text, &answers).await;
        assert_eq!(found, Ok(all.clone()), "{name}: {seen:?}");
        assert_eq!(seen.len(), answers.len(), "{name}: {seen:?}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn lists_that_cannot_be_are_refused() {
    let nothing = json!({});
    let text = "call = \"GET /users?p={page}\"\nitems = \"/users\"\n";
    let next = format!("{text}page = {{ style = \"next\", next = \"/next\" }}\n");
    for (name, text, answers) in [
        (
            "no list",
            text.to_owned(),
            vec![(
                "GET /api/users?p=1",
                people(&[], &json!({ "users": { "x": 1 } })),
            )],
        ),
        (
            "an error",
            text.to_owned(),
            vec![(
                "GET /api/users?p=1",
                Said(200, Vec::new(), r#"{"error":"x"}"#.to_owned()),
            )],
        ),
        (
            "half a list",
            text.to_owned(),
            vec![(
                "GET /api/users?p=1",
                Said(200, Vec::new(), r#"{"users":[{"id":1"#.to_owned()),
            )],
        ),
        (
            "an empty body",
            text.to_owned(),
            vec![("GET /api/users?p=1", Said(200, Vec::new(), String::new()))],
        ),
        (
            "the same page again and again",
            format!("{text}page = {{ style = \"page\", size = 1 }}\n"),
            vec![
                ("GET /api/users?p=1", people(&[1], &nothing)),
                ("GET /api/users?p=2", people(&[1], &nothing)),
            ],
        ),
    ] {
        let (found, seen) = listed(&text, &answers).await;
        assert!(found.is_err(), "{name}: {found:?}");
        assert_eq!(seen.len(), answers.len(), "{name}: {seen:?}");
    }
    // Cut, or without an end.
    for (name, page, answers) in [
        (
            "an empty page before the total",
            "style = \"page\", size = 1, total = \"/total\"",
            vec![
                people(&[1], &json!({ "total": 3 })),
                people(&[], &json!({ "total": 3 })),
            ],
        ),
        (
            "fewer than the total at once",
            "style = \"none\", total = \"/total\"",
            vec![people(&[1, 2], &json!({ "total": 3 }))],
        ),
        (
            "no next page before the total",
            "style = \"next\", next = \"/next\", total = \"/total\"",
            vec![people(&[1, 2], &json!({ "total": 3 }))],
        ),
        (
            "a next page that is this one",
            "style = \"next\", next = \"/next\"",
            vec![
                people(&[1], &json!({ "next": "/api/users?p=2" })),
                people(&[], &json!({ "next": "/api/users?p=2" })),
            ],
        ),
        (
            "a next page that is not there",
            "style = \"next\", next = \"/next\"",
            vec![
                people(&[1], &json!({ "next": "/api/users?p=2" })),
                Said(404, vec![], "{}".to_owned()),
            ],
        ),
        (
            "no end",
            "style = \"page\", size = 1",
            (1..=30).map(|id| people(&[id], &nothing)).collect(),
        ),
    ] {
        let text = format!("{text}page = {{ {page} }}\n");
        let calls: Vec<_> = (1..=answers.len())
            .map(|page| format!("GET /api/users?p={page}"))
            .collect();
        let answers: Vec<_> = calls.iter().map(String::as_str).zip(answers).collect();
        let (found, seen) = listed(&text, &answers).await;
        assert!(found.is_err(), "{name}: {found:?}");
        assert_eq!(seen.len(), answers.len(), "{name}: {seen:?}");
    }
    // Calls to elsewhere by what an app answers (SSRF), with its credentials.
    for elsewhere in [
        "{url}/admin",
        "{url}/api/../admin",
        "{url}/api/%2e%2e/admin",
        "{url}/api-of-others/users",
        "/apiusers",
        "ftp://x",
    ] {
        let first = people(&[1], &json!({ "next": elsewhere }));
        let (found, seen) = listed(&next, &[("GET /api/users?p=1", first)]).await;
        assert!(found.is_err(), "{elsewhere}: {found:?}");
        assert_eq!(seen.len(), 1, "{elsewhere}: {seen:?}");
    }
}
