//! R61: a message that says its length twice, or in a way that two readers could read differently, is
//! refused before the app sees it.

use crate::support::{Sidegate, UpstreamApp, raw, status};

const OPEN: &str = "[[rule]]\npath = \"/**\"\naccess = \"public\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r61_smuggling_corpus() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let host = &gate.host;
    for (name, rest) in [
        (
            "cl.te",
            "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        ),
        (
            "te.cl",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "two lengths",
            "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        ),
        ("a list of lengths", "Content-Length: 5, 6\r\n\r\nhello!"),
        ("a signed length", "Content-Length: +5\r\n\r\nhello"),
        ("a length that is none", "Content-Length: 0x5\r\n\r\nhello"),
        (
            "te.te",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        ),
        (
            "chunked is not last",
            "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        ),
        (
            "an unknown encoding",
            "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a space before the colon",
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a folded line",
            "X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a bare carriage return",
            "X: a\rTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("NUL in a value", "X: a\0b\r\n\r\n"),
        ("two hosts", "Host: other.test\r\n\r\n"),
    ] {
        let answer = raw(
            gate.address,
            format!("POST /x HTTP/1.1\r\nHost: {host}\r\n{rest}").as_bytes(),
        )
        .await;
        assert_eq!(status(&answer), 400, "{name}: {answer}");
        assert!(
            app.seen().is_empty(),
            "{name} reached the app: {:?}",
            app.seen()
        );
    }
    for (name, body) in [
        ("a bad chunk size", "zz\r\nhello\r\n0\r\n\r\n"),
        (
            "a chunk size that wraps",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        ("no line end after a chunk", "5\r\nhelloX0\r\n\r\n"),
    ] {
        let request =
            format!("POST /x HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        let answer = raw(gate.address, request.as_bytes()).await;
        assert_ne!(status(&answer), 200, "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_and_targets_that_are_refused() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let host = &gate.host;
    let long = "a".repeat(40 * 1024);
    let many = "x: 1\r\n".repeat(200);
    for (name, request, want) in [
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (
            "connect",
            format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            405,
        ),
        (
            "trace",
            format!("TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            405,
        ),
        (
            "a head over the limit",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {long}\r\n\r\n"),
            431,
        ),
        (
            "too many fields",
            format!("GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
            431,
        ),
        (
            "dot segments",
            format!("GET /a/../b HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            400,
        ),
        ("HTTP/0.9", "GET /\r\n\r\n".to_owned(), 400),
    ] {
        let answer = raw(gate.address, request.as_bytes()).await;
        assert_eq!(status(&answer), want, "{name}: {answer}");
    }
    assert!(app.seen().is_empty(), "{:?}", app.seen());
}

/// Some servers put trailers among the fields of the head.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r07_trailers_claim_nobody() {
    let app = UpstreamApp::start().await;
    let further = format!(
        "upstream.app_session.cookies = [\"app_session\"]\n[headers.set]\nX-Dept = \"{{{{ user.x }}}}\"\n{OPEN}"
    );
    let gate = Sidegate::start(&app.url(), &further).await;
    let host = &gate.host;
    for name in [
        "X-Forwarded-User",
        "x_forwarded_user",
        "X-Forwarded-Groups",
        "X-Dept",
        "x.dept",
        "X-Sidegate-Assertion",
        "X-Original-URL",
        "Forwarded",
        "Cookie",
        "X-Request-Id",
    ] {
        let request = format!(
            "POST /x HTTP/1.1\r\nHost: {host}\r\nTE: trailers\r\nTrailer: X-Sum, {name}\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
             5\r\nhello\r\n0\r\nX-Sum: 42\r\n{name}: app_session=canary\r\n\r\n"
        );
        let answer = raw(gate.address, request.as_bytes()).await;
        assert_eq!(status(&answer), 200, "{name}: {answer}");
        let seen = app.seen().pop().unwrap();
        assert!(!format!("{seen:?}").contains("canary"), "{name}: {seen:?}");
        assert_eq!(seen.header("x-sum"), Some("42"), "{name}");
        assert_eq!(seen.body, "hello", "{name}");
    }
    let alone = format!(
        "POST /x HTTP/1.1\r\nHost: {host}\r\nTrailer: X-Forwarded-User\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         5\r\nhello\r\n0\r\nX-Forwarded-User: canary\r\n\r\n"
    );
    let answer = raw(gate.address, alone.as_bytes()).await;
    assert_eq!(status(&answer), 200, "alone: {answer}");
    let seen = app.seen().pop().unwrap();
    assert!(!format!("{seen:?}").contains("canary"), "alone: {seen:?}");
}

/// Some apps take `post` for `POST`; a rule for `POST` would not have seen it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_a_method_has_one_spelling() {
    let app = UpstreamApp::start().await;
    let gate = Sidegate::start(&app.url(), OPEN).await;
    let host = &gate.host;
    for (method, want) in [
        ("POST", 200),
        ("PROPFIND", 200),
        ("M-SEARCH", 200),
        ("post", 400),
        ("Post", 400),
        ("POSt", 400),
    ] {
        let request = format!("{method} /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw(gate.address, request.as_bytes()).await;
        assert_eq!(status(&answer), want, "{method}: {answer}");
    }
    assert_eq!(app.seen().len(), 3);
}
