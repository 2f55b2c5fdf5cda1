use http::header::{COOKIE, HOST};

use super::*;
use crate::config::{PublicUrl, Settings};
use crate::proxy::HeaderPlan;

const STRANGER: Inbound = Inbound {
    peer: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(
        203, 0, 113, 9,
    ))),
    tls: true,
};
const PROXY: Inbound = Inbound {
    peer: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1))),
    tls: true,
};

fn sanitizer(headers: &str) -> Sanitizer {
    let settings = Settings::parse(&format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\nupstream.url = 'http://127.0.0.1:1'\n{headers}"
    ))
    .unwrap();
    let metrics = Arc::new(Metrics::new());
    let url: PublicUrl = "https://app.test".parse().unwrap();
    let plan = HeaderPlan::new(&settings.headers, &url, None, Arc::clone(&metrics)).unwrap();
    let app_sessions = AppSessions::new(&settings.upstream.app_session).unwrap();
    Sanitizer::new(
        plan.names(),
        OwnCookies::new("sidegate"),
        Arc::new(app_sessions),
        vec!["10.0.0.0/8".parse().unwrap()],
        metrics,
    )
}

fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("app.test"));
    for (name, value) in pairs {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn clean(
    sanitizer: &Sanitizer,
    inbound: Inbound,
    headers: &mut HeaderMap,
) -> Result<Sanitized, FramingError> {
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    let origin = Origin::read(inbound, headers, None, &trusted).unwrap();
    sanitizer.request(headers, &origin, inbound, None)
}

/// What the app would get besides what we always say.
fn left(sanitizer: &Sanitizer, pairs: &[(&str, &str)]) -> Vec<String> {
    let mut headers = fields(pairs);
    clean(sanitizer, STRANGER, &mut headers).unwrap();
    let ours = [
        "host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-request-id",
    ];
    let mut names: Vec<_> = headers
        .keys()
        .map(|name| name.as_str().to_owned())
        .collect();
    names.retain(|name| !ours.contains(&name.as_str()));
    names.sort();
    names
}

#[test]
fn r07_no_spelling_of_a_name_of_ours_passes() {
    let sanitizer = sanitizer(
        "[headers]\npreset = 'forwarded'\n[headers.set]\n'SM_USER' = 'x'\n'Authorization' = 'x'\n[headers.assertion]\nname = 'X-Proof'",
    );
    for name in [
        "X-Forwarded-User",
        "x_forwarded_user",
        "X_Forwarded-User",
        "x-forwarded_user",
        "X.Forwarded.User",
        "x~forwarded-user",
        "x-forwarded|user",
        "x!forwarded#user",
        "X-Forwarded-Email",
        "x_forwarded_email",
        "X-Forwarded-Preferred-Username",
        "X-Forwarded-Groups",
        "x_forwarded_groups",
        "X-Forwarded-Roles",
        "X-Forwarded-Name",
        "X-Forwarded-Access-Token",
        "x_forwarded_anything",
        "SM_USER",
        "sm-user",
        "Sm.User",
        "Authorization",
        "authorization",
        "X-Proof",
        "x_proof",
        "X-Sidegate-Assertion",
        "x_sidegate_user",
        "X-Sidegate-Anything",
    ] {
        let once = left(&sanitizer, &[(name, "root"), ("Accept", "*/*")]);
        assert_eq!(once, ["accept"], "{name}");
        let twice = left(
            &sanitizer,
            &[(name, "root"), ("Accept", "*/*"), (name, "ada")],
        );
        assert_eq!(twice, ["accept"], "{name} twice");
    }
    for name in [
        "X-Forwarde-User",
        "X-User",
        "User-Agent",
        "X-Sidegat",
        "SMUSER",
        "Remote-User",
    ] {
        assert_eq!(
            left(&sanitizer, &[(name, "x")]),
            [name.to_ascii_lowercase()],
            "{name}"
        );
    }
}

#[test]
fn r07_claims_are_counted() {
    let sanitizer = sanitizer("");
    let mut headers = fields(&[
        ("X-Forwarded-User", "root"),
        ("x_sidegate_user", "root"),
        ("X-Original-URI", "/public"),
        ("Connection", "close"),
    ]);
    let found = clean(&sanitizer, STRANGER, &mut headers).unwrap();
    assert_eq!(found.claims, 2);
    let text = sanitizer.metrics.to_text();
    assert!(
        text.contains("identity_headers_dropped_total{kind=\"inbound\"} 2"),
        "{text}"
    );
}

#[test]
fn r01_what_could_change_what_policy_saw_is_dropped() {
    let sanitizer = sanitizer("");
    for name in [
        "X-Original-URI",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Uri",
        "X-Forwarded-Prefix",
        "X-Forwarded-Path",
        "X-Forwarded-Method",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "x_http_method_override",
        "X-Forwarded-Server",
        "X-Forwarded-Client-Cert",
        "Forwarded",
        "X-Real-IP",
        "True-Client-IP",
        "X-Client-IP",
        "Proxy",
        "X-Host",
        "x_real_ip",
        "X-Envoy-Original-Path",
    ] {
        assert_eq!(
            left(&sanitizer, &[(name, "/public")]),
            Vec::<String>::new(),
            "{name}"
        );
        // A trusted proxy may pass them on from its own client.
        let mut headers = fields(&[(name, "/public"), ("x_forwarded_for", "1.1.1.1")]);
        let value = if name == "Forwarded" {
            "for=198.51.100.7"
        } else {
            "/public"
        };
        headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        clean(&sanitizer, PROXY, &mut headers).unwrap();
        assert!(!headers.contains_key(name), "{name}");
        assert!(!headers.contains_key("x_forwarded_for"));
    }
}

#[test]
fn r04_the_way_is_continued_from_a_trusted_proxy() {
    for (inbound, want) in [
        (PROXY, "198.51.100.7, 10.0.0.2, 10.0.0.1"),
        (STRANGER, "203.0.113.9"),
    ] {
        let mut headers = fields(&[("X-Forwarded-For", "1.1.1.1, 198.51.100.7, 10.0.0.2")]);
        clean(&sanitizer(""), inbound, &mut headers).unwrap();
        assert_eq!(headers["x-forwarded-for"], want);
    }
}

#[test]
fn r08_connection_names_nothing_of_ours() {
    let sanitizer = sanitizer("");
    for connection in [
        "X-Forwarded-User",
        "x-forwarded-user, x-forwarded-for",
        "Host, Cookie, X-Secret",
        "close, x-secret",
    ] {
        let mut headers = fields(&[
            ("Connection", connection),
            ("X-Secret", "1"),
            ("Cookie", "a=1"),
            ("Content-Type", "text/plain"),
        ]);
        clean(&sanitizer, STRANGER, &mut headers).unwrap();
        assert!(
            headers.contains_key(HOST) && headers.contains_key(COOKIE),
            "{connection}"
        );
        assert_eq!(headers["x-forwarded-for"], "203.0.113.9", "{connection}");
        assert!(!headers.contains_key(CONNECTION), "{connection}");
        let named = connection.to_ascii_lowercase().contains("x-secret");
        assert_eq!(headers.contains_key("x-secret"), !named, "{connection}");
        // What we set afterwards stays, whatever `Connection` named.
        headers.insert("x-forwarded-user", HeaderValue::from_static("ada"));
        assert_eq!(headers["x-forwarded-user"], "ada");
    }
}

#[test]
fn r10_hop_by_hop_fields_end_here() {
    let sanitizer = sanitizer("");
    let hop = [
        ("Connection", "keep-alive"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic x"),
        ("Proxy-Authenticate", "Basic"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "x"),
        ("TE", "gzip"),
        ("keep_alive", "x"),
        ("transfer_encoding", "chunked"),
        ("content_length", "5"),
        ("Cookie_", "x"),
    ];
    assert_eq!(
        left(&sanitizer, &hop),
        ["cookie-"].map(|_| "cookie_".to_owned())
    );
    assert_eq!(
        left(&sanitizer, &[("TE", "gzip, Trailers"), ("Trailer", "x")]),
        ["te", "trailer"]
    );
    let end_to_end = [
        ("Accept", "*/*"),
        ("Content-Length", "5"),
        ("Content-Type", "text/plain"),
        ("Cookie", "a=1"),
        ("Authorization", "Bearer x"),
        ("Origin", "https://app.test"),
        ("Range", "bytes=0-1"),
        ("Sec-WebSocket-Key", "x"),
    ];
    assert_eq!(left(&sanitizer, &end_to_end).len(), end_to_end.len());
}

#[test]
fn r07_trailers_claim_nothing_either() {
    let sanitizer = sanitizer("");
    for (trailer, want) in [
        ("X-Checksum", &["x-checksum"][..]),
        ("X-Checksum, Expires", &["x-checksum", "expires"]),
        ("X-Forwarded-User", &[]),
        ("x_forwarded_user, X-Checksum", &["x-checksum"]),
        (
            "X-Forwarded-For, X-Original-URL, Host, Cookie, Authorization, Content-Length, Connection",
            &[],
        ),
        ("X-Sidegate-Anything", &[]),
        ("a b, \"x\"", &[]),
    ] {
        let mut headers = fields(&[("Trailer", trailer)]);
        clean(&sanitizer, STRANGER, &mut headers).unwrap();
        let left: Vec<_> = headers.get_all("trailer").iter().collect();
        assert_eq!(left, want, "{trailer}");
    }
}

#[test]
fn an_upgrade_is_wanted_when_connection_names_it() {
    let sanitizer = sanitizer("");
    for (pairs, want) in [
        (
            &[("Connection", "Upgrade"), ("Upgrade", "websocket")][..],
            Some("websocket"),
        ),
        (
            &[
                ("Connection", "keep-alive, Upgrade"),
                ("Upgrade", "websocket"),
            ],
            Some("websocket"),
        ),
        (&[("Upgrade", "websocket")], None),
        (&[("Connection", "Upgrade")], None),
    ] {
        let mut headers = fields(pairs);
        let upgrade = clean(&sanitizer, STRANGER, &mut headers).unwrap().upgrade;
        assert_eq!(upgrade.as_ref().map(|its| its.to_str().unwrap()), want);
        assert!(!headers.contains_key(UPGRADE) && !headers.contains_key(CONNECTION));
    }
}

#[test]
fn r10_the_app_keeps_its_answer_but_not_our_cookies() {
    let sanitizer = sanitizer("");
    let mut headers = fields(&[
        ("Connection", "close, X-Inner"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("X-Inner", "1"),
        ("X-Outer", "1"),
        ("Content-Length", "5"),
        ("Set-Cookie", "app=1"),
        ("Set-Cookie", "__Host-sidegate=evil; Secure; Path=/"),
        ("WWW-Authenticate", "Basic"),
        ("Trailer", "x"),
    ]);
    sanitizer.response(&mut headers, false);
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "content-length",
            "host",
            "set-cookie",
            "trailer",
            "www-authenticate",
            "x-outer"
        ]
    );
    assert_eq!(headers.get_all("set-cookie").iter().count(), 1);
    let mut headers = fields(&[
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Accept", "x"),
    ]);
    sanitizer.response(&mut headers, true);
    assert_eq!(
        (&headers[CONNECTION], &headers[UPGRADE]),
        (
            &HeaderValue::from_static("upgrade"),
            &HeaderValue::from_static("websocket")
        )
    );
}
