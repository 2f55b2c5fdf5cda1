//! Input that is too much, too deep or no input: the right error, and nothing changed.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{gate, refused};
use crate::support::{Answer, ScimClient, Sidegate, user};

/// A client, a person and a group that nothing here may change.
struct Untouched {
    gate: Sidegate,
    scim: ScimClient,
    paths: [String; 2],
    before: [Value; 2],
}

impl Untouched {
    async fn start() -> Self {
        let gate = gate("").await;
        let mut scim = ScimClient::new(&gate).await;
        let ada = scim.person("ada").await;
        let staff = scim.group("staff", &[&ada]).await;
        let paths = [format!("/Users/{ada}"), format!("/Groups/{staff}")];
        let before = [
            scim.get(&paths[0]).await.json(),
            scim.get(&paths[1]).await.json(),
        ];
        Self {
            gate,
            scim,
            paths,
            before,
        }
    }

    /// Fails unless everything is as it was, and nothing new is there.
    async fn check(&mut self, what: &str) {
        for (path, before) in self.paths.iter().zip(&self.before) {
            let now: Value = self.scim.get(path).await.json();
            assert_eq!(now, *before, "{what}: {path}");
        }
        for path in ["/Users", "/Groups"] {
            let list: Value = self.scim.get(path).await.json();
            assert_eq!(list["totalResults"], 1, "{what}: {list}");
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        send(&self.gate, &self.scim, method, path, body).await
    }
}

/// Bytes that no text holds.
async fn send(gate: &Sidegate, scim: &ScimClient, method: &str, path: &str, body: &[u8]) -> Answer {
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header(HOST, &gate.host)
        .header(AUTHORIZATION, format!("Bearer {}", scim.token()))
        .header(CONTENT_TYPE, "application/scim+json")
        .body(http_body_util::Full::new(bytes::Bytes::copy_from_slice(
            body,
        )))
        .unwrap();
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = sidegate::web::read(body, 1024 * 1024, crate::support::SOON)
        .await
        .unwrap();
    connection.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

fn operations(many: usize) -> Value {
    let one = json!({ "op": "replace", "path": "displayName", "value": "x" });
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": vec![one; many] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_cannot_be_read_change_nothing() {
    let mut it = Untouched::start().await;
    let deep = format!(
        r#"{{"userName":"x","name":{}{}}}"#,
        "[".repeat(2000),
        "]".repeat(2000)
    );
    let nested = format!(
        r#"{{"userName":"x","name":{}1{}}}"#,
        r#"{"a":"#.repeat(100),
        "}".repeat(100)
    );
    let bodies: [(&str, &[u8]); 16] = [
        ("nothing", b""),
        ("white space", b" \n "),
        ("no JSON", b"{"),
        ("more than JSON", b"{} {}"),
        ("an array", b"[]"),
        ("a text", b"\"x\""),
        ("null", b"null"),
        ("invalid UTF-8", b"{\"userName\":\"\xff\xfe\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
        ("a NUL", b"{\"userName\":\"a\\u0000b\"}"),
        ("a bare NUL", b"{\"userName\":\"a\0b\"}"),
        ("half a surrogate", b"{\"userName\":\"a\\ud800\"}"),
        ("a name twice", b"{\"userName\":\"a\",\"userName\":\"b\"}"),
        (
            "a name twice in another case",
            b"{\"userName\":\"a\",\"USERNAME\":\"b\"}",
        ),
        ("deep arrays", deep.as_bytes()),
        ("deep objects", nested.as_bytes()),
    ];
    let (person, group) = (it.paths[0].clone(), it.paths[1].clone());
    let addresses = [
        ("POST", "/Users"),
        ("POST", "/Groups"),
        ("PUT", person.as_str()),
        ("PATCH", person.as_str()),
        ("PATCH", group.as_str()),
        ("POST", "/Bulk"),
        ("POST", "/Users/.search"),
    ];
    for (name, body) in bodies {
        for (method, path) in addresses {
            let what = format!("{name}: {method} {path}");
            let answer = it.send(method, path, body).await;
            refused(&answer, 400, &what);
            let error: Value = answer.json();
            let kind = error["scimType"].as_str().unwrap_or_default();
            assert!(
                matches!(kind, "invalidSyntax" | "invalidValue"),
                "{what}: {error}"
            );
        }
    }
    it.check("unreadable").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_the_wrong_type_are_named() {
    let mut it = Untouched::start().await;
    for (attribute, value) in [
        ("userName", json!(17)),
        ("userName", json!("  ")),
        ("userName", json!(["a", "b"])),
        ("userName", json!("a".repeat(2000))),
        ("externalId", json!({})),
        ("externalId", json!("e".repeat(2000))),
        ("emails", json!("x")),
        ("emails", json!([1])),
        ("name", json!("x")),
        ("active", json!("perhaps")),
        ("displayName", json!({ "a": 1 })),
        ("addresses", json!([["a"]])),
    ] {
        let mut body = user("eve");
        body[attribute] = value.clone();
        let what = format!("{attribute} {value:.40}");
        let answer = it.scim.post("/Users", &body).await;
        let detail = refused(&answer, 400, &what);
        assert!(detail.contains(attribute), "{what}: {detail}");
        let operation = json!([{ "op": "replace", "path": attribute, "value": value }]);
        let path = it.paths[0].clone();
        refused(&it.scim.patch(&path, operation).await, 400, &what);
    }
    it.check("wrong types").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_is_refused_whole() {
    let mut it = Untouched::start().await;
    let (person, group) = (it.paths[0].clone(), it.paths[1].clone());
    let ten_thousand = operations(10_000).to_string();
    for path in [&person, &group] {
        let answer = it.send("PATCH", path, ten_thousand.as_bytes()).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 413),
            "{}",
            answer.text()
        );
        refused(&answer, answer.status.as_u16(), "10,000 operations");
    }
    it.check("10,000 operations").await;

    let one =
        json!({ "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "x" } });
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": vec![one; 10_000],
    });
    let answer = it.send("POST", "/Bulk", bulk.to_string().as_bytes()).await;
    refused(&answer, 413, "10,000 operations in bulk");
    it.check("a large bulk").await;

    let text = "x".repeat(17 * 1024 * 1024);
    let mut body = user("eve");
    body["displayName"] = text.into();
    let answer = it.send("POST", "/Users", body.to_string().as_bytes()).await;
    refused(&answer, 413, "17 MiB");
    it.check("17 MiB").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_that_are_too_much_are_refused() {
    let mut it = Untouched::start().await;
    let long = format!("userName eq \"{}\"", "a".repeat(1024 * 1024));
    let many = vec!["userName eq \"a\""; 50_000].join(" or ");
    let deep = format!(
        "{}userName eq \"a\"{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let nots = format!(
        "{}userName eq \"a\"{}",
        "not (".repeat(20_000),
        ")".repeat(20_000)
    );
    for (name, filter) in [
        ("1 MiB", long),
        ("terms", many),
        ("brackets", deep),
        ("nots", nots),
    ] {
        for path in ["/Users/.search", "/Groups/.search", "/.search"] {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": filter,
            });
            let answer = it.scim.post(path, &body).await;
            refused(&answer, 400, &format!("{name} {path}"));
            let error: Value = answer.json();
            assert_eq!(error["scimType"], "invalidFilter", "{name}: {error}");
            assert!(answer.body.len() < 4096, "{name}: it repeats the filter");
        }
        let operation = json!([{ "op": "remove", "path": format!("members[{filter}]") }]);
        let group = it.paths[1].clone();
        refused(&it.scim.patch(&group, operation).await, 400, name);
        let operation = json!([{ "op": "remove", "path": format!("emails[{filter}]") }]);
        let person = it.paths[0].clone();
        refused(&it.scim.patch(&person, operation).await, 400, name);
    }
    it.check("filters").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_operation_undoes_those_before_it() {
    let mut it = Untouched::start().await;
    let (person, group) = (it.paths[0].clone(), it.paths[1].clone());
    for wrong in [
        json!({ "op": "replace", "path": "emails[", "value": 1 }),
        json!({ "op": "destroy", "path": "displayName" }),
        json!({ "op": "replace", "path": "userName", "value": "" }),
        json!({ "op": "add" }),
        json!(17),
    ] {
        let change = json!({ "op": "replace", "path": "displayName", "value": "changed" });
        let answer = it.scim.patch(&person, json!([change, wrong])).await;
        refused(&answer, 400, &wrong.to_string());
    }
    let nobody = "00000000-0000-4000-8000-000000000000";
    let answer = it
        .scim
        .patch(
            &group,
            json!([
                { "op": "replace", "path": "displayName", "value": "changed" },
                { "op": "remove", "path": "members" },
                { "op": "add", "path": "members", "value": [{ "value": nobody }] },
            ]),
        )
        .await;
    refused(&answer, 400, "a member that is nobody");
    it.check("all or nothing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_body_is_no_body() {
    let mut it = Untouched::start().await;
    let whole = user("eve").to_string();
    let head = format!(
        "POST /scim/v2/Users HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{CONTENT_LENGTH}: {}\r\n\r\n",
        it.gate.host,
        it.scim.token(),
        whole.len() + 1
    );
    let mut stream = TcpStream::connect(it.gate.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(whole.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    it.check("half a body").await;
    // A client that left in the middle costs nobody else anything.
    let answer = it.scim.send(Method::GET, "/Users", &[], "").await;
    assert_eq!(answer.status, 200);
}
