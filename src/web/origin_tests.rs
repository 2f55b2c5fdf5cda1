use http::HeaderValue;

use super::*;

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "203.0.113.9";

fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::try_from(*name).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn trusted() -> Vec<IpNet> {
    vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]
}

fn from(peer: &str) -> Inbound {
    Inbound {
        peer: (!peer.is_empty()).then(|| peer.parse().unwrap()),
        tls: false,
    }
}

fn read(peer: &str, pairs: &[(&str, &str)]) -> Result<Origin, OriginError> {
    let mut headers = fields(pairs);
    if !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_static("app.test"));
    }
    Origin::read(from(peer), &headers, None, &trusted())
}

fn client(peer: &str, pairs: &[(&str, &str)]) -> Option<String> {
    read(peer, pairs).unwrap().client.map(|its| its.to_string())
}

#[test]
fn r01_r02_nobody_but_a_trusted_proxy_has_a_say() {
    let lies = [
        ("x-forwarded-for", "10.9.9.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-port", "8443"),
        ("x-real-ip", "10.9.9.9"),
    ];
    let standard = [("forwarded", "for=10.9.9.9;proto=https;host=evil.test")];
    for pairs in [&lies[..], &standard[..]] {
        let origin = read(STRANGER, pairs).unwrap();
        assert_eq!(origin.client, Some(STRANGER.parse().unwrap()));
        assert_eq!(
            (origin.https, origin.host.as_str(), origin.port),
            (false, "app.test", 80)
        );
    }
    // An empty list trusts nobody, not even a Unix socket.
    for peer in [PROXY, ""] {
        let headers = fields(&[("host", "app.test"), ("x-forwarded-for", "10.9.9.9")]);
        let origin = Origin::read(from(peer), &headers, None, &[]).unwrap();
        assert_eq!(origin.client, from(peer).peer);
    }
}

const WAYS: &[(&str, &str, &[&str], Option<&str>)] = &[
    ("one hop", PROXY, &["203.0.113.9"], Some("203.0.113.9")),
    (
        "spoofed left",
        PROXY,
        &["1.1.1.1, 203.0.113.9"],
        Some("203.0.113.9"),
    ),
    (
        "spoofed trusted left",
        PROXY,
        &["10.9.9.9, 203.0.113.9"],
        Some("203.0.113.9"),
    ),
    (
        "two proxies",
        PROXY,
        &["203.0.113.9, 10.0.0.2"],
        Some("203.0.113.9"),
    ),
    (
        "two fields",
        PROXY,
        &["1.1.1.1", "203.0.113.9"],
        Some("203.0.113.9"),
    ),
    (
        "two fields, proxy last",
        PROXY,
        &["203.0.113.9", "10.0.0.2"],
        Some("203.0.113.9"),
    ),
    (
        "all trusted",
        PROXY,
        &["10.0.0.3, 10.0.0.2"],
        Some("10.0.0.3"),
    ),
    (
        "with a port",
        PROXY,
        &["203.0.113.9:4711"],
        Some("203.0.113.9"),
    ),
    ("IPv6", PROXY, &["2001:db8::1"], Some("2001:db8::1")),
    (
        "IPv6 in brackets",
        PROXY,
        &["[2001:db8::1]"],
        Some("2001:db8::1"),
    ),
    (
        "IPv6 with a port",
        PROXY,
        &["[2001:db8::1]:4711"],
        Some("2001:db8::1"),
    ),
    (
        "IPv4 as IPv6",
        PROXY,
        &["203.0.113.9, ::ffff:10.0.0.2"],
        Some("203.0.113.9"),
    ),
    (
        "peer as IPv6",
        "::ffff:10.0.0.1",
        &["203.0.113.9"],
        Some("203.0.113.9"),
    ),
    (
        "IPv6 proxy",
        "fd00::1",
        &["203.0.113.9"],
        Some("203.0.113.9"),
    ),
    ("Unix socket", "", &["203.0.113.9"], Some("203.0.113.9")),
    ("silent proxy", PROXY, &[], Some(PROXY)),
    ("silent Unix socket", "", &[], None),
];

#[test]
fn r04_the_client_is_the_right_most_untrusted_hop() {
    for (name, peer, way, want) in WAYS {
        let pairs: Vec<_> = way
            .iter()
            .map(|value| ("x-forwarded-for", *value))
            .collect();
        assert_eq!(client(peer, &pairs).as_deref(), *want, "{name}");
    }
}

#[test]
fn r05_what_cannot_be_read_is_nobody() {
    for way in [
        "a",
        "",
        ",",
        "203.0.113.9,",
        "203.0.113.9, unknown",
        "203.0.113.9, _hidden",
        "203.0.113.999",
        "203.0.113.9 10.0.0.2",
        "203.0.113.9;10.0.0.2",
        "010.0.0.1",
        "0x0a.0.0.1",
        "10.1",
        "localhost",
        "\"203.0.113.9\"",
        "203.0.113.9:x",
        "[203.0.113.9]",
        "203.0.113.9, ä",
    ] {
        assert_eq!(client(PROXY, &[("x-forwarded-for", way)]), None, "{way:?}");
    }
    let long = vec!["10.0.0.2"; 33].join(", ");
    assert_eq!(client(PROXY, &[("x-forwarded-for", &long)]), None);
    // An entry to the left of the client is the client's own word: it may be anything.
    assert!(client(PROXY, &[("x-forwarded-for", "a, 203.0.113.9")]).is_some());
}

#[test]
fn r05_forwarded_is_read_strictly() {
    for (text, want) in [
        ("for=203.0.113.9", Some("203.0.113.9")),
        (
            "For=203.0.113.9;Proto=http;By=10.0.0.1",
            Some("203.0.113.9"),
        ),
        ("for=\"203.0.113.9:80\"", Some("203.0.113.9")),
        ("for=\"[2001:db8::1]:80\"", Some("2001:db8::1")),
        (
            "for=1.1.1.1, for=203.0.113.9, for=10.0.0.2",
            Some("203.0.113.9"),
        ),
        (
            "for=1.1.1.1;host=\"a,b\" , for=203.0.113.9",
            Some("203.0.113.9"),
        ),
        ("for=\"203.0.113.9\\\"", None),
        ("for=unknown", None),
        ("for=_secret", None),
        ("for=203.0.113.9;for=10.0.0.2", None),
        ("for=203.0.113.9, proto=http", None),
        ("203.0.113.9", None),
        ("for=203.0.113.9,", None),
        ("for=203.0.113.9;", None),
        ("for=\"203.0.113.9", None),
        ("for=203.0.113.9 for=10.0.0.2", None),
        ("for", None),
        ("=", None),
        ("", None),
    ] {
        assert_eq!(
            client(PROXY, &[("forwarded", text)]).as_deref(),
            want,
            "{text:?}"
        );
    }
}

#[test]
fn r05_a_contradiction_counts_as_nothing() {
    let says = |pairs: &[(&str, &str)]| {
        let origin = read(PROXY, pairs).unwrap();
        (
            origin.client.map(|its| its.to_string()),
            origin.https,
            origin.host,
        )
    };
    let app = || "app.test".to_owned();
    let x = ("x-forwarded-for", "203.0.113.9");
    let https = ("x-forwarded-proto", "https");
    let agreed = (Some("203.0.113.9".to_owned()), true, app());
    assert_eq!(says(&[x, https]), agreed);
    assert_eq!(
        says(&[x, https, ("forwarded", "for=203.0.113.9;proto=https")]),
        agreed
    );
    for forwarded in [
        "for=10.9.9.9",
        "for=203.0.113.9;proto=http",
        "for=203.0.113.9;host=evil.test",
        "nonsense",
        "for=203.0.113.9;proto=gopher",
    ] {
        assert_eq!(
            says(&[x, https, ("forwarded", forwarded)]),
            (None, false, app()),
            "{forwarded}"
        );
    }
    // Only X-Forwarded-Proto from the proxy, and a client that tells its own address.
    assert_eq!(
        says(&[https, ("forwarded", "for=10.9.9.9")]),
        (None, false, app())
    );
}

#[expect(clippy::type_complexity, reason = "a table")]
const NEAREST: &[(&[(&str, &str)], Result<(bool, &str, u16), OriginError>)] = &[
    (
        &[("x-forwarded-proto", "https")],
        Ok((true, "app.test", 443)),
    ),
    (
        &[("x-forwarded-proto", "http, HTTPS")],
        Ok((true, "app.test", 443)),
    ),
    (
        &[
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "http"),
        ],
        Ok((false, "app.test", 80)),
    ),
    (&[("x-forwarded-proto", "wss")], Ok((true, "app.test", 443))),
    (&[("x-forwarded-proto", "")], Ok((false, "app.test", 80))),
    (
        &[("x-forwarded-proto", "gopher")],
        Err(OriginError::Forwarded("proto")),
    ),
    (
        &[("x-forwarded-host", "Evil.test, Site.TEST.:8443")],
        Ok((false, "site.test", 8443)),
    ),
    (
        &[("x-forwarded-host", "a b")],
        Err(OriginError::Forwarded("host")),
    ),
    (
        &[
            ("x-forwarded-host", "site.test:1"),
            ("x-forwarded-port", "8443"),
        ],
        Ok((false, "site.test", 8443)),
    ),
    (
        &[("x-forwarded-port", "0")],
        Err(OriginError::Forwarded("port")),
    ),
    (
        &[("x-forwarded-port", "99999")],
        Err(OriginError::Forwarded("port")),
    ),
    (
        &[(
            "forwarded",
            "for=1.1.1.1;proto=https;host=\"site.test:8443\"",
        )],
        Ok((true, "site.test", 8443)),
    ),
    (
        &[("forwarded", "for=1.1.1.1;host=a, for=10.0.0.2;host=b")],
        Ok((false, "b", 80)),
    ),
    (&[("host", "app.test:8080")], Ok((false, "app.test", 8080))),
];

#[test]
fn the_nearest_proxy_names_scheme_host_and_port() {
    for (pairs, want) in NEAREST {
        let got = read(PROXY, pairs);
        let got = got.as_ref().map(|o| (o.https, o.host.as_str(), o.port));
        assert_eq!(got, want.as_ref().copied(), "{pairs:?}");
    }
}

#[test]
fn r16_a_request_is_for_one_host() {
    for (hosts, authority, want) in [
        (&["APP.test."][..], None, Ok("app.test")),
        (&[], Some("App.Test:80"), Ok("app.test")),
        (&["app.test"], Some("APP.TEST"), Ok("app.test")),
        (&[], None, Err(OriginError::NoHost)),
        (&["app.test", "app.test"], None, Err(OriginError::TwoHosts)),
        (
            &["app.test", "evil.test"],
            Some("app.test"),
            Err(OriginError::TwoHosts),
        ),
        (&["evil.test"], Some("app.test"), Err(OriginError::TwoHosts)),
        (
            &["app.test:81"],
            Some("app.test"),
            Err(OriginError::TwoHosts),
        ),
        (
            &["app.test@evil.test"],
            None,
            Err(OriginError::Host(HostError::Characters)),
        ),
        (
            &["ä.test"],
            None,
            Err(OriginError::Host(HostError::Characters)),
        ),
        (&[""], None, Err(OriginError::Host(HostError::Empty))),
    ] {
        let pairs: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let got = Origin::read(from(STRANGER), &fields(&pairs), authority, &[]);
        assert_eq!(
            got.as_ref().map(|o| o.host.as_str()),
            want.as_ref().copied(),
            "{hosts:?}"
        );
    }
}
