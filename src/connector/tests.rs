//! What is asked of an API, and what its answers mean.

use serde_json::Value;

use super::AppFailure;
use super::fake::{USERS, connector, given};
use super::judge::{Answer, judge};
use crate::config;

/// Below [`USERS`].
const WRITES: &str = r#"
[users.create]
call = "POST /users"
body = { kind = "person", "..." = "{fields}", note = "{title}", tags = ["{title}", "x-{title}"] }
new_id = "/id"
[users.update]
call = "PATCH /users/{id}?fields={changed}"
body = "{fields}"
[users.delete]
call = "DELETE /users/{id}"
"#;

/// The request of an operation: its first line and its body.
fn request(
    text: &str,
    operation: &str,
    pairs: &[(&str, &str)],
) -> Result<(String, String), String> {
    let lines = connector(text).dry_run(operation, &given(pairs));
    let lines = lines.map_err(|failure| failure.to_string())?;
    let body: String = lines
        .iter()
        .skip_while(|line| !line.is_empty())
        .cloned()
        .collect();
    let body = body.replace("  ", "").replace(": ", ":");
    let first = lines[0].replace("http://127.0.0.1:9", "");
    Ok((first, body))
}

#[test]
fn r14_values_never_lead_to_another_address() {
    for (id, want) in [
        ("7", Some("7")),
        ("a b", Some("a%20b")),
        ("%2e%2e", Some("%252e%252e")),
        ("a?b#c", Some("a%3Fb%23c")),
        ("zoë;@:", Some("zo%C3%AB%3B%40%3A")),
        ("a\r\nb", Some("a%0D%0Ab")),
        ("...", Some("...")),
        ("", None),
        (".", None),
        ("..", None),
        // Whoever stands before the app may decode these.
        ("a/b", None),
        ("../7", None),
        ("a\\b", None),
        ("..\\7", None),
    ] {
        let line = request(USERS, "users.get", &[("id", id)]);
        let line = line.map(|(line, _)| line).ok();
        assert_eq!(
            line,
            want.map(|want| format!("GET /api/users/{want}")),
            "{id:?}"
        );
    }
    // Two values that lead away together.
    let text =
        format!("{USERS}{WRITES}").replace("DELETE /users/{id}", "DELETE /users/{id}{title}/x");
    let refused = request(&text, "users.delete", &[("id", "."), ("title", ".")]);
    assert!(refused.is_err(), "{refused:?}");
    let text = format!("{USERS}{WRITES}").replace("DELETE /users/{id}", "DELETE /users/.{id}/x");
    for (id, fine) in [("a", true), (".", false)] {
        assert_eq!(
            request(&text, "users.delete", &[("id", id)]).is_ok(),
            fine,
            "{id}"
        );
    }
    let line = request(
        &format!("{USERS}{WRITES}"),
        "users.update",
        &[("id", "7"), ("changed", "a&b=c d")],
    );
    assert_eq!(line.unwrap().0, "PATCH /api/users/7?fields=a%26b%3Dc+d");
}

#[test]
fn bodies_are_filled_in() {
    let text = format!("{USERS}{WRITES}");
    let ada = [("userName", "ada"), ("emails.value", "ada@x.test")];
    for (name, text, pairs, want) in [
        (
            "nothing fills a place: its member goes, an element goes, a text stays",
            text.clone(),
            ada.to_vec(),
            r#"{"kind":"person","login":"ada","mail":"ada@x.test","tags":["x-"]}"#,
        ),
        (
            "values are written as JSON",
            text.clone(),
            vec![("userName", "a\"}b"), ("title", "Dr. \u{1}")],
            r#"{"kind":"person","login":"a\"}b","note":"Dr. \u0001","tags":["Dr. \u0001","x-Dr. \u0001"]}"#,
        ),
        (
            "a value inside a text of JSON",
            text.replace("note = \"{title}\"", "note = '{\"q\":\"{title|json}\"}'"),
            vec![("userName", "ada"), ("title", "a\"b")],
            r#"{"kind":"person","login":"ada","note":"{\"q\":\"a\\\"b\"}","tags":["a\"b","x-a\"b"]}"#,
        ),
        (
            "a number where it is one",
            text.replace("note = \"{title}\"", "note = \"{title|int}\""),
            vec![("userName", "ada"), ("title", "07")],
            r#"{"kind":"person","login":"ada","note":7,"tags":["07","x-07"]}"#,
        ),
        (
            "and none where it is not",
            text.replace("note = \"{title}\"", "note = \"{title|int}\""),
            vec![("userName", "ada"), ("title", "7a")],
            r#"{"kind":"person","login":"ada","note":"7a","tags":["7a","x-7a"]}"#,
        ),
    ] {
        let body = request(&text, "users.create", &pairs).unwrap().1;
        let (body, want): (Value, Value) = (
            serde_json::from_str(&body).unwrap(),
            serde_json::from_str(want).unwrap(),
        );
        assert_eq!(body, want, "{name}");
    }
}

#[test]
fn forms_are_written_as_forms() {
    let text = format!("{USERS}{WRITES}").replace("[users]\n", "encoding = \"form\"\n[users]\n");
    let (_, body) = request(
        &text,
        "users.create",
        &[("userName", "a&b= ö"), ("title", "x")],
    )
    .unwrap();
    let mut pairs: Vec<_> = body.split('&').collect();
    pairs.sort_unstable();
    let want = [
        "kind=person",
        "login=a%26b%3D+%C3%B6",
        "note=x",
        "tags=x",
        "tags=x-x",
    ];
    assert_eq!(pairs, want);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn answers_mean_what_the_rules_say_and_else_their_status() {
    let rules = r#"
[[errors]]
op = "users.create"
status = 500
at = "/code"
equals = "exists"
is = "uniqueness"
[[errors]]
op = "members.add"
match = "already"
is = "ok"
[[errors]]
at = "/ok"
equals = false
is = "invalidValue"
[[errors]]
status = 200
match = "asleep"
is = "unavailable"
"#;
    let settings = format!("{USERS}{rules}").replace("{url}", "http://127.0.0.1:9");
    let settings = config::Connector::from_text(&settings, None, None).unwrap();
    let told = |operation: &str, status: u16, body: &str| {
        let answer = Answer {
            status: http::StatusCode::from_u16(status).unwrap(),
            document: serde_json::from_str(body).unwrap_or_default(),
            text: body.to_owned(),
            headers: http::HeaderMap::new(),
            carried: super::carried::Carried::default(),
        };
        let Err(failure) = judge(&settings.errors, operation, answer) else {
            return "ok";
        };
        match &failure {
            AppFailure::Uniqueness(_) => "uniqueness",
            AppFailure::Missing => "missing",
            AppFailure::Invalid(_) => "invalid",
            AppFailure::TooMany(_) => "too many",
            _ if failure.may_come() => "yet",
            _ if failure.perhaps_done() => "perhaps",
            AppFailure::Unavailable { .. } => "unavailable",
            AppFailure::Cannot(_)
            | AppFailure::Ambiguous(_)
            | AppFailure::Another(_)
            | AppFailure::Ignored(_)
            | AppFailure::LastAdministrator => "?",
        }
    };
    for (operation, status, body, want) in [
        ("users.get", 200, "{}", "ok"),
        ("users.get", 404, "", "missing"),
        ("users.get", 410, "gone", "missing"),
        ("users.create", 409, "{}", "uniqueness"),
        ("users.create", 422, "{}", "invalid"),
        ("users.create", 400, "no", "invalid"),
        ("users.create", 429, "", "too many"),
        ("users.create", 401, "", "unavailable"),
        ("users.create", 403, "", "unavailable"),
        ("users.create", 405, "", "unavailable"),
        ("users.create", 302, "", "perhaps"),
        ("users.create", 500, "", "perhaps"),
        ("users.create", 503, "", "perhaps"),
        ("users.create", 502, "", "yet"),
        ("users.create", 504, "", "yet"),
        ("users.create", 500, r#"{"code":"exists"}"#, "uniqueness"),
        ("users.update", 500, r#"{"code":"exists"}"#, "perhaps"),
        ("members.add", 400, "is ALREADY in it", "ok"),
        ("members.remove", 400, "is already out", "invalid"),
        ("users.update", 200, r#"{"ok":false}"#, "invalid"),
        ("users.get", 200, r#""asleep""#, "unavailable"),
        // A word of somebody who is not the API is not an empty answer of it.
        ("users.list", 200, "<!doctype html><p>Sign in", "perhaps"),
        ("users.update", 200, " \n<html>", "perhaps"),
        ("users.list", 200, r#"{"users":[{"id":1"#, "perhaps"),
        ("users.find", 200, r#"{"id""#, "perhaps"),
        ("users.get", 200, "", "perhaps"),
        ("users.get", 204, "", "ok"),
        ("users.get", 200, "null", "ok"),
        ("users.list", 200, "upstream is starting", "perhaps"),
        ("users.update", 200, "done", "ok"),
        ("users.update", 204, "", "ok"),
    ] {
        assert_eq!(
            told(operation, status, body),
            want,
            "{operation} {status} {body:?}"
        );
    }
}
