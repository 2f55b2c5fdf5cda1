//! Every answer below the prefix is SCIM's, whatever is wrong, by both versions of HTTP.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::{gate, refused};
use crate::support::{Answer, ScimClient, Sidegate, raw, status};

/// What is asked, and how it is answered.
struct Case {
    status: u16,
    method: &'static str,
    path: String,
    kind: &'static str,
    body: &'static str,
    token: bool,
}

fn case(status: u16, method: &'static str, path: &str) -> Case {
    Case {
        status,
        method,
        path: path.to_owned(),
        kind: "application/scim+json",
        body: "",
        token: true,
    }
}

fn cases() -> Vec<Case> {
    let long = format!("/Users/{}", "a".repeat(4000));
    let mut cases = vec![
        case(404, "GET", ""),
        case(404, "GET", "/"),
        case(404, "GET", "/Nothing"),
        case(404, "GET", "/Users/none"),
        case(404, "GET", "/Users/none/extra"),
        case(404, "GET", "/Groups/none"),
        case(404, "GET", "/Schemas/urn:none"),
        case(400, "GET", "/Users/%00"),
        case(404, "GET", "/Users/%ff%fe"),
        case(400, "GET", "/Users/..%2f..%2fetc%2fpasswd"),
        case(400, "GET", "/Users/%2e%2e"),
        case(404, "GET", "/Users/a%5cb"),
        case(404, "GET", "/Users/a%23b"),
        case(404, "GET", "/Users/a;b=c"),
        case(404, "GET", &long),
        case(400, "GET", "/Users?filter=nonsense"),
        case(400, "GET", "/Users?filter=%ff"),
        case(400, "GET", "/Users?cursor=nonsense"),
        case(405, "PUT", "/Users"),
        case(405, "DELETE", "/Users"),
        case(405, "POST", "/Users/none"),
        case(405, "OPTIONS", "/Users"),
        case(405, "TRACE", "/Users"),
        case(405, "BREW", "/Users"),
        case(405, "POST", "/Schemas"),
        case(405, "GET", "/Bulk"),
        case(405, "DELETE", "/ServiceProviderConfig"),
        case(501, "GET", "/Me"),
    ];
    for (status, kind, body) in [
        (415, "text/plain", "{}"),
        (415, "application/xml", "<a/>"),
        (415, "application/x-www-form-urlencoded", "a=b"),
        (400, "application/json", "{"),
        (400, "application/scim+json", ""),
    ] {
        cases.push(Case {
            kind,
            body,
            ..case(status, "POST", "/Users")
        });
    }
    for path in ["/Users", "/Nothing", "/oauth2", "/nobody/Users"] {
        cases.push(Case {
            token: false,
            ..case(401, "GET", path)
        });
    }
    cases
}

/// One request on a connection of its own.
async fn by_http2(gate: &Sidegate, scim: &ScimClient, case: &Case) -> Answer {
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(case.method)
        .uri(format!("http://{}/scim/v2{}", gate.host, case.path))
        .header("content-type", case.kind);
    if case.token {
        request = request.header("authorization", format!("Bearer {}", scim.token()));
    }
    let body = Full::new(Bytes::from_static(case.body.as_bytes()));
    let response = sender
        .send_request(request.body(body).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_in_the_form_of_scim() {
    let gate = gate("").await;
    let mut scim = ScimClient::new(&gate).await;
    let token = scim.token().to_owned();
    for case in cases() {
        let what = format!("{} {} {}", case.method, case.path, case.kind);
        let authorization = format!("Bearer {token}");
        scim.authorize(case.token.then_some(authorization.as_str()));
        let method: Method = case.method.parse().unwrap();
        let kind = [(http::header::CONTENT_TYPE, case.kind)];
        let first = scim.send(method, &case.path, &kind, case.body).await;
        scim.authorize(Some(&authorization));
        let second = by_http2(&gate, &scim, &case).await;
        for (version, answer) in [("HTTP/1.1", &first), ("HTTP/2", &second)] {
            refused(answer, case.status, &format!("{version} {what}"));
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
            assert_eq!(
                answer.header("allow").is_some(),
                case.status == 405,
                "{what}"
            );
            assert!(answer.header("set-cookie").is_none(), "{what}");
        }
        assert_eq!(first.body, second.body, "{what}");
    }
    // HEAD is GET without the body.
    let head = scim.send(Method::HEAD, "/Users/none", &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (404, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_is_refused_in_the_form_of_scim_too() {
    let gate = gate("").await;
    let scim = ScimClient::new(&gate).await;
    let own = format!(
        "Host: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n",
        gate.host,
        scim.token()
    );
    for (name, line, rest) in [
        (
            "a NUL in the query",
            "GET /scim/v2/Users?filter=%00 HTTP/1.1",
            "",
        ),
        (
            "a length that is too much",
            "POST /scim/v2/Users HTTP/1.1",
            "Content-Length: 99999999999\r\n",
        ),
        (
            "two lengths",
            "POST /scim/v2/Users HTTP/1.1",
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("a lower-case method", "get /scim/v2/Users HTTP/1.1", ""),
        (
            "a path with a bare hash",
            "GET /scim/v2/Users/a%23 HTTP/1.1",
            "",
        ),
    ] {
        let answer = raw(
            gate.address,
            format!("{line}\r\n{own}{rest}\r\n").as_bytes(),
        )
        .await;
        let code = status(&answer);
        assert!((400..500).contains(&code), "{name}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(
            head.contains("content-type: application/scim+json"),
            "{name}: {answer}"
        );
        let error: Value =
            serde_json::from_str(body).unwrap_or_else(|why| panic!("{name}: {why}: {answer}"));
        assert_eq!(error["status"], code.to_string(), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_are_those_of_the_public_url_whatever_the_client_calls_us() {
    let gate = gate("server.trusted_proxies = [\"127.0.0.1\"]\n").await;
    let mut scim = ScimClient::new(&gate).await;
    let mut headers = HeaderMap::new();
    for name in ["x-forwarded-host", "forwarded", "x-original-host"] {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static("evil.test"));
    }
    for path in [
        "/users/",
        "//Users",
        "/USERS",
        "/Users/?filter=active+eq+true&aadOptscim062020",
    ] {
        let answer = scim.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let id = scim.person("ada").await;
    let sent: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.to_str().unwrap()))
        .collect();
    let answer = scim
        .send(Method::GET, &format!("/users/{id}/"), &sent[1..], "")
        .await;
    let person: Value = answer.json();
    let location = person["meta"]["location"].as_str().unwrap();
    assert_eq!(location, format!("{}/scim/v2/Users/{id}", gate.url()));
}
