use http::HeaderName;
use ipnet::IpNet;

use super::*;

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "203.0.113.9";

fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn trusted() -> Vec<IpNet> {
    vec!["10.0.0.0/8".parse().unwrap()]
}

fn from(peer: &str) -> Inbound {
    Inbound {
        peer: (!peer.is_empty()).then(|| peer.parse().unwrap()),
        tls: false,
    }
}

#[expect(clippy::type_complexity, reason = "a table")]
const TOLD: &[(&str, &str, &[(&str, &str)], [Option<&str>; 4])] = &[
    (
        "stranger",
        STRANGER,
        &[
            ("x-forwarded-for", "10.9.9.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.test"),
            ("x-forwarded-port", "1"),
            ("x-request-id", "a b"),
        ],
        [
            Some("203.0.113.9"),
            Some("http"),
            Some("app.test"),
            Some("80"),
        ],
    ),
    (
        "proxy",
        PROXY,
        &[
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-proto", "https"),
        ],
        [
            Some("198.51.100.7, 10.0.0.1"),
            Some("https"),
            Some("app.test"),
            Some("443"),
        ],
    ),
    (
        "what the client wrote before its own address goes",
        PROXY,
        &[
            ("x-forwarded-for", "10.9.9.9, 1.1.1.1"),
            ("x-forwarded-for", "198.51.100.7,10.0.0.2"),
        ],
        [
            Some("198.51.100.7, 10.0.0.2, 10.0.0.1"),
            Some("http"),
            Some("app.test"),
            Some("80"),
        ],
    ),
    (
        "unreadable",
        PROXY,
        &[("x-forwarded-for", "198.51.100.7, x")],
        [Some("10.0.0.1"), Some("http"), Some("app.test"), Some("80")],
    ),
    (
        "only Forwarded",
        PROXY,
        &[("forwarded", "for=198.51.100.7;host=site.test;proto=https")],
        [
            Some("198.51.100.7, 10.0.0.1"),
            Some("https"),
            Some("site.test"),
            Some("443"),
        ],
    ),
    (
        "Unix socket",
        "",
        &[
            ("x-forwarded-for", "198.51.100.7"),
            ("host", "APP.test:8080"),
        ],
        [
            Some("198.51.100.7"),
            Some("http"),
            Some("app.test:8080"),
            Some("8080"),
        ],
    ),
    (
        "silent Unix socket",
        "",
        &[],
        [None, Some("http"), Some("app.test"), Some("80")],
    ),
];

#[test]
fn r01_the_app_is_told_by_us() {
    for (name, peer, sent, want) in TOLD {
        let mut headers = fields(sent);
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_static("app.test"));
        }
        let origin = Origin::read(from(peer), &headers, None, &trusted()).unwrap();
        origin.tell(from(peer), &mut headers);
        let told = [
            X_FORWARDED_FOR.clone(),
            X_FORWARDED_PROTO.clone(),
            X_FORWARDED_HOST.clone(),
            X_FORWARDED_PORT.clone(),
        ];
        let told = told.map(|its| {
            assert!(headers.get_all(&its).iter().count() < 2, "{name} {its}");
            headers
                .get(its)
                .map(|value| value.to_str().unwrap().to_owned())
        });
        assert_eq!(told.each_ref().map(Option::as_deref), *want, "{name}");
        assert_eq!(headers[&X_REQUEST_ID], *origin.request_id, "{name}");
    }
}
