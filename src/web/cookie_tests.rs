use http::header::SET_COOKIE;

use super::*;

fn request(fields: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(COOKIE, HeaderValue::from_bytes(field).unwrap());
    }
    headers
}

fn ours() -> OwnCookies {
    OwnCookies::new("sidegate")
}

#[test]
fn r12_what_cannot_be_read_is_no_cookie() {
    for (field, want) in [
        (&b"s=v"[..], &["v"][..]),
        (b"a=1; s=v; b=2", &["v"]),
        (b"s=v; s=w", &["v", "w"]),
        (b" s = v ", &["v"]),
        (b"s=v;s=w;", &["v", "w"]),
        (b"s=", &[""]),
        (b"s=a=b", &["a=b"]),
        (b"s=\"v\"", &["\"v\""]),
        (b"s", &[]),
        (b"=s", &[]),
        (b"=s=v", &[]),
        (b";;;", &[]),
        (b"", &[]),
        (b"S=v", &[]),
        (b"xs=v", &[]),
        (b"a=1, s=v", &[]),
        (b"s=\xff", &[]),
        (b"\xff=1; s=v", &["v"]),
        (b"$Version=1; s=v; $Path=/", &["v"]),
    ] {
        let headers = request(&[field]);
        let jar = CookieJar::read(&headers);
        assert_eq!(jar.all("s").collect::<Vec<_>>(), want, "{field:?}");
        assert_eq!(
            OwnCookies::values(&headers, "s").collect::<Vec<_>>(),
            want,
            "{field:?}"
        );
    }
}

#[test]
fn r24_too_many_or_too_long_are_none() {
    let cases = [
        ("200", format!("{}s=v", "a=1; ".repeat(199)), 1),
        ("201", format!("{}s=v", "a=1; ".repeat(200)), 0),
        ("16 KiB", format!("s=v; a={}", "x".repeat(16 * 1024 - 7)), 1),
        (
            "16 KiB and 1",
            format!("s=v; a={}", "x".repeat(16 * 1024 - 6)),
            0,
        ),
    ];
    for (name, field, want) in cases {
        let headers = request(&[field.as_bytes()]);
        assert_eq!(CookieJar::read(&headers).all("s").count(), want, "{name}");
        assert_eq!(OwnCookies::values(&headers, "s").count(), want, "{name}");
    }
    let half = "x".repeat(9 * 1024);
    let headers = request(&[b"s=v", half.as_bytes(), half.as_bytes()]);
    assert_eq!(OwnCookies::values(&headers, "s").count(), 0);
    let headers = request(&[b"s=1; s=2; s=3; s=4; s=5"]);
    assert_eq!(OwnCookies::values(&headers, "s").count(), 4);
}

#[expect(clippy::type_complexity, reason = "a table")]
const STRIPPED: &[(&str, &[&[u8]], Option<&[u8]>)] = &[
    ("only ours", &[b"sidegate=x"], None),
    ("only ours, prefixed", &[b"__Host-sidegate=x"], None),
    (
        "both of ours",
        &[b"__Host-sidegate=x; __Host-sidegate-browser=y"],
        None,
    ),
    ("none of ours", &[b"a=1;  b=2 ;c"], Some(b"a=1;  b=2 ;c")),
    ("first", &[b"sidegate=x; a=1; b=2"], Some(b"a=1; b=2")),
    ("middle", &[b"a=1; sidegate=x; b=2"], Some(b"a=1; b=2")),
    ("last", &[b"a=1; b=2; sidegate=x"], Some(b"a=1; b=2")),
    (
        "several",
        &[b"sidegate=x; a=1; sidegate=y; b=2;sidegate=z"],
        Some(b"a=1; b=2"),
    ),
    (
        "other case",
        &[b"SideGate=x; __HOST-SIDEGATE=y; a=1"],
        Some(b"a=1"),
    ),
    (
        "secure prefix",
        &[b"__Secure-sidegate=x; a=1"],
        Some(b"a=1"),
    ),
    ("spaces", &[b"  sidegate =x; a=1"], Some(b"a=1")),
    ("without value", &[b"sidegate; a=1"], Some(b"a=1")),
    ("inside quotes", &[b"a=\"x; sidegate=y\""], Some(b"a=\"x")),
    (
        "strange bytes stay",
        &[b"a=\xff\xfe; sidegate=x; b=\"1,2\""],
        Some(b"a=\xff\xfe; b=\"1,2\""),
    ),
    (
        "only alike",
        &[b"sidegatex=1; xsidegate=2; sidegate_x=3"],
        Some(b"sidegatex=1; xsidegate=2; sidegate_x=3"),
    ),
    ("two fields are one", &[b"a=1", b"b=2"], Some(b"a=1; b=2")),
    (
        "two fields, one ours",
        &[b"sidegate=x", b"b=2"],
        Some(b"b=2"),
    ),
    (
        "two fields, mixed",
        &[b"a=1; sidegate=x", b"sidegate=y; b=2; c=3"],
        Some(b"a=1; b=2; c=3"),
    ),
];

#[test]
fn r12_ours_never_reach_the_app_and_its_own_stay_byte_for_byte() {
    for (name, fields, want) in STRIPPED {
        let mut headers = request(fields);
        ours().strip(&mut headers);
        assert_eq!(
            headers.get(COOKIE).map(HeaderValue::as_bytes),
            *want,
            "{name}"
        );
        assert!(headers.get_all(COOKIE).iter().count() < 2, "{name}");
    }
    let mut none = HeaderMap::new();
    ours().strip(&mut none);
    assert!(none.is_empty());
    let many = format!("{}sidegate=x", "a=1; ".repeat(300));
    let mut headers = request(&[many.as_bytes()]);
    ours().strip(&mut headers);
    assert!(!headers[COOKIE].to_str().unwrap().contains("sidegate"));
}

#[test]
fn r22_the_app_cannot_set_ours() {
    for (field, passes) in [
        ("a=1; Path=/", true),
        ("sidegatex=1", true),
        ("a=sidegate=1", true),
        ("sidegate=evil; Path=/", false),
        ("sidegate=; Max-Age=0", false),
        ("__Host-sidegate=evil; Secure", false),
        ("__host-Sidegate-Browser=evil", false),
        (" sidegate = evil", false),
        ("=sidegate=evil", false),
        ("= = sidegate=evil", false),
        ("sidegate", false),
        ("=__Host-sidegate=evil", false),
        ("sidegate-anything=1", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "first=1".parse().unwrap());
        headers.append(SET_COOKIE, field.parse().unwrap());
        headers.append(SET_COOKIE, "last=1; Path=/x".parse().unwrap());
        let dropped = ours().strip_set(&mut headers);
        let left: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        let want = if passes {
            vec!["first=1", field, "last=1; Path=/x"]
        } else {
            vec!["first=1", "last=1; Path=/x"]
        };
        assert_eq!(left, want, "{field}");
        assert_eq!(dropped, usize::from(!passes), "{field}");
    }
}
