//! Whatever forwarded headers come: a stranger has no say, and what the app is told can be read back (R1–R5).
#![no_main]

use std::net::IpAddr;

use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use sidegate::web::{Inbound, Origin};

const NAMES: [&str; 6] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "forwarded",
    "x-request-id",
];

fuzz_target!(|fields: Vec<(u8, Vec<u8>)>| {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("app.test"));
    for (which, value) in fields.iter().take(12) {
        let name = NAMES[usize::from(*which) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let stranger: IpAddr = "203.0.113.9".parse().unwrap();
    let origin = Origin::read(inbound(stranger), &headers, None, &trusted).expect("nothing of it counts");
    assert_eq!(origin.client, Some(stranger));
    assert_eq!((origin.host.as_str(), origin.https, origin.port), ("app.test", false, 80));

    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    let Ok(origin) = Origin::read(inbound(proxy), &headers, None, &trusted) else {
        return;
    };
    assert!(!origin.host.is_empty() && origin.port > 0);
    assert_eq!(origin.host, origin.host.to_ascii_lowercase());
    let id = origin.request_id.as_bytes();
    assert!((1..=128).contains(&id.len()));
    assert!(id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)));

    // The app behind us, which trusts us and our proxies, reads the same.
    let mut told = headers;
    told.remove(FORWARDED);
    origin.tell(inbound(proxy), &mut told);
    let again = Origin::read(inbound("10.0.0.2".parse().unwrap()), &told, None, &trusted).expect("we tell it plainly");
    assert_eq!(again.client, origin.client.or(Some(proxy)));
    assert_eq!((again.host, again.port), (origin.host, origin.port));
    assert_eq!((again.https, again.request_id), (origin.https, origin.request_id));
});

fn inbound(peer: IpAddr) -> Inbound {
    Inbound {
        peer: Some(peer),
        tls: false,
    }
}
