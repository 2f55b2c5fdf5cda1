use super::*;
use PathError::{Character, Control, DotSegment, Escape, Nested, NotAbsolute, Overlong, TooLong};

/// Refused whatever the rules say.
#[rustfmt::skip]
const REFUSED: &[(PathError, &[&str])] = &[
    (
        NotAbsolute,
        &[
            "", "*", "admin", "admin/x", "http://evil.test/", "https:/admin", "%2Fadmin", "%2e%2e/admin", ".", "..",
            "./admin", "\\admin", "?x", "#", "a:80", "javascript:x", " /admin", "\t/admin", "%20/admin", ";/admin",
            "~/admin", ":80/admin", "@evil.test/",
        ],
    ),
    (
        DotSegment,
        &[
            "/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/./b", "/a/../b", "/a/b/../../admin", "/../../etc/passwd",
            "/public/../admin", "/public/./../admin", "/.//admin", "//../admin", "/..//admin", "/public/..", "/%2e",
            "/%2E", "/%2e%2e", "/%2E%2E", "/%2e%2E/admin", "/.%2e/admin", "/%2e./admin", "/public/%2e%2e/admin",
            "/public/%2e%2e%2fadmin", "/public/..%2fadmin", "/public/..%2Fadmin", "/public%2f..%2fadmin",
            "/public%2f../admin", "/public/%2e%2e%5cadmin", "/public/..%5cadmin", "/public/..%5Cadmin",
            "/public%5c..%5cadmin", "/public%5c../admin", "/public%5c.%5cadmin", "/public%2f.%2fadmin", "/%2f..",
            "/%5c..", "/public/..;/admin", "/public/.;/admin", "/..;", "/.;", "/..;x=1/admin",
            "/public/..;a=b;c/admin", "/public/%2e%2e;/admin", "/public/..%3b/admin", "/public/..%3B/admin",
            "/public/%2e%3bx/admin", "/public;x/../admin", "/public/;/../admin", "/public/..%23/admin",
            "/public/..%3f/admin", "/public/..%3Fx", "/public/.%3F", "/public/.%23", "/a%2f..", "/a%2f.", "/a%5c.",
            "/a//..", "/a/..//", "/.%2fadmin", "/.%5cadmin", "/%2e%2fadmin", "/%2e%5cadmin", "/static/%2E./%2e%2E/x",
        ],
    ),
    (
        Character,
        &[
            "/admin#", "/#/admin", "/public#/../admin", "/admin#x", "/\\", "/\\admin", "/public\\..\\admin",
            "/public/..\\admin", "/public\\admin", "/a b", "/ ", "/admin ", "/a\tb", "/a\rb", "/a\nb",
            "/a\r\nX-Forwarded-User: root", "/\0", "/admin\0.css", "/a\x01", "/a\x1b[0m", "/a\x7f", "/admin?x", "/?",
            "/a\x0bb", "/a\x0cb",
        ],
    ),
    (
        Escape,
        &[
            "/%", "/a%", "/%2", "/a%2", "/%zz", "/%2g", "/%g2", "/%u002e%u002e/admin", "/%u2216", "/%%32%65", "/%%2e",
            "/%-1", "/%+1", "/% 2", "/%0x2f", "/a/%2/b", "/100%/x", "/%é", "/%c3%", "/%2e%2", "/%ＡＢ",
        ],
    ),
    (
        Control,
        &[
            "/%00", "/admin%00", "/admin%00.css", "/%0a", "/%0d%0aSet-Cookie:x=1", "/%0D", "/%09", "/admin%09",
            "/%1f", "/%7f", "/%7F", "/%1b%5b", "/a%08", "/%c2%80", "/%C2%85", "/%c2%9f", "/\u{85}",
        ],
    ),
    (
        Overlong,
        &[
            "/%c0%ae%c0%ae/admin", "/%c0%af", "/%c0%2f", "/..%c0%af..%c0%afetc", "/%c1%9c", "/%c1%1c", "/%c1%8s",
            "/%C0%80", "/%e0%80%af", "/%e0%80%ae%e0%80%ae/", "/%E0%81%9C", "/%f0%80%80%af", "/%F0%80%80%AE",
            "/%f8%80%80%80%af", "/%fc%80%80%80%80%af", "/%c0.%c0./admin",
        ],
    ),
    (
        Nested,
        &[
            "/%252e%252e/admin", "/%252e", "/%252E", "/public/%252e%252e%252fadmin", "/public%252fadmin",
            "/public%252Fadmin", "/public%255cadmin", "/public%255Cadmin", "/admin%2500", "/admin%2500.css",
            "/admin%253bx", "/admin%253Bx", "/admin%2523", "/%25252e", "/%25252525252f", "/%2525252e%2525252e/",
            "/%25%32%66", "/%25%32%65", "/%252%66", "/%25%32f", "/%2525%32%66", "/%250a", "/%250d%250a", "/%2509",
            "/%257f", "/%25%2532%2566", "/a%25252fb",
        ],
    ),
];

/// Raw, its one spelling, what patterns see, and the deepest reading where there is another.
const ACCEPTED: &[(&str, &str, &str, Option<&str>)] = &[
    ("/", "/", "/", None),
    ("/admin", "/admin", "/admin", None),
    ("/admin/", "/admin/", "/admin/", None),
    ("/a/b/c.css", "/a/b/c.css", "/a/b/c.css", None),
    (
        "/.well-known/acme",
        "/.well-known/acme",
        "/.well-known/acme",
        None,
    ),
    ("/.git", "/.git", "/.git", None),
    ("/...", "/...", "/...", None),
    ("/..a", "/..a", "/..a", None),
    ("/a..", "/a..", "/a..", None),
    ("/a.", "/a.", "/a.", None),
    ("/.a/..b/c..d", "/.a/..b/c..d", "/.a/..b/c..d", None),
    ("/-._~", "/-._~", "/-._~", None),
    ("/!$&'()*+,=:@", "/!$&'()*+,=:@", "/!$&'()*+,=:@", None),
    ("/a:b", "/a:b", "/a:b", None),
    ("/~alice/", "/~alice/", "/~alice/", None),
    ("/%61dmin", "/admin", "/admin", None),
    ("/%41%5A%30%39", "/AZ09", "/AZ09", None),
    ("/%2d%5f%7e", "/-_~", "/-_~", None),
    ("/a%2eb", "/a.b", "/a.b", None),
    ("/%2e%2e%2e", "/...", "/...", None),
    ("/a%20b", "/a%20b", "/a%20b", None),
    ("/caf%c3%a9", "/caf%C3%A9", "/caf%C3%A9", None),
    ("/café", "/caf%C3%A9", "/caf%C3%A9", None),
    ("/caf%E9", "/caf%E9", "/caf%E9", None),
    (
        "/例え/テスト",
        "/%E4%BE%8B%E3%81%88/%E3%83%86%E3%82%B9%E3%83%88",
        "/%E4%BE%8B%E3%81%88/%E3%83%86%E3%82%B9%E3%83%88",
        None,
    ),
    ("/😀", "/%F0%9F%98%80", "/%F0%9F%98%80", None),
    ("/a|b", "/a%7Cb", "/a%7Cb", None),
    ("/a%7cb", "/a%7Cb", "/a%7Cb", None),
    ("/x[0]{1}", "/x%5B0%5D%7B1%7D", "/x%5B0%5D%7B1%7D", None),
    ("/\"<>^`", "/%22%3C%3E%5E%60", "/%22%3C%3E%5E%60", None),
    (
        "/ＡＤＭＩＮ",
        "/%EF%BC%A1%EF%BC%A4%EF%BC%AD%EF%BC%A9%EF%BC%AE",
        "/%EF%BC%A1%EF%BC%A4%EF%BC%AD%EF%BC%A9%EF%BC%AE",
        None,
    ),
    (
        "/ada%40corp.com",
        "/ada%40corp.com",
        "/ada@corp.com",
        Some("/ada@corp.com"),
    ),
    ("/a%2bb%2Cc", "/a%2Bb%2Cc", "/a+b,c", Some("/a+b,c")),
    ("/100%25", "/100%25", "/100%25", Some("/100%25")),
    ("/100%25/x", "/100%25/x", "/100%25/x", Some("/100%25/x")),
    ("/%2561dmin", "/%2561dmin", "/%2561dmin", Some("/admin")),
    (
        "/%25252561dmin",
        "/%25252561dmin",
        "/%25252561dmin",
        Some("/admin"),
    ),
    ("/a%2520b", "/a%2520b", "/a%2520b", Some("/a%20b")),
    ("/admin%3Fx", "/admin%3Fx", "/admin%3Fx", Some("/admin")),
    (
        "/admin%253Fx",
        "/admin%253Fx",
        "/admin%253Fx",
        Some("/admin"),
    ),
    ("/%25", "/%25", "/%25", Some("/%25")),
];

/// Raw, its odd spellings, its deepest reading.
const ODD: &[(&str, &[Spelling], &str)] = {
    use Spelling::{DoubleSlash, EncodedBackslash, EncodedHash, EncodedSlash, Semicolon};
    &[
        ("/a%2fb", &[EncodedSlash], "/a/b"),
        ("/public%2F%2fadmin", &[EncodedSlash], "/public/admin"),
        ("/a%5cb", &[EncodedBackslash], "/a/b"),
        ("/a%23b", &[EncodedHash], "/a"),
        ("/%23/admin", &[EncodedHash], "/"),
        ("//admin", &[DoubleSlash], "/admin"),
        ("//evil.test/x", &[DoubleSlash], "/evil.test/x"),
        ("/a//b///", &[DoubleSlash], "/a/b/"),
        ("/admin;x=1", &[Semicolon], "/admin"),
        ("/admin;/x;y/z", &[Semicolon], "/admin/x/z"),
        ("/;x/admin", &[Semicolon], "/admin"),
        ("/admin%3bx", &[Semicolon], "/admin"),
        ("/a;b%2fc", &[EncodedSlash, Semicolon], "/a/c"),
        ("/a%2f/b", &[EncodedSlash], "/a/b"),
    ]
};

#[test]
fn r14_paths_with_two_meanings_are_refused() {
    let mut count = 0;
    for (want, paths) in REFUSED {
        for path in *paths {
            assert_eq!(
                RequestPath::parse(path).map(|p| p.as_str().to_owned()),
                Err(*want),
                "{path:?}"
            );
            count += 1;
        }
    }
    assert!(count >= 150, "{count}");
    let long = format!("/{}", "a".repeat(MAX_PATH));
    assert_eq!(RequestPath::parse(&long), Err(TooLong));
    let shrinks = format!("/{}", "%61".repeat(3000));
    assert_eq!(RequestPath::parse(&shrinks), Err(TooLong));
    let grows = format!("/{}", "é".repeat(2000));
    assert_eq!(RequestPath::parse(&grows), Err(TooLong));
}

#[test]
fn r14_what_passes_the_http_parser_is_refused_too() {
    for (_, paths) in REFUSED {
        for path in *paths {
            // Some never come so far; a raw `#` was cut off before us, and with it what follows.
            if let Ok(uri) = path.parse::<Uri>()
                && uri
                    .path_and_query()
                    .is_some_and(|target| target.as_str() == *path)
                && !path.contains('?')
            {
                assert!(RequestPath::of(&uri).is_err(), "{path:?}");
            }
        }
    }
}

#[test]
fn r15_a_path_has_one_spelling() {
    for (raw, text, plain, deepest) in ACCEPTED {
        let path = RequestPath::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"));
        assert_eq!(path.as_str(), *text, "{raw}");
        assert_eq!(path.plain(), *plain, "{raw}");
        assert_eq!(path.deepest(), *deepest, "{raw}");
        assert_eq!(path.odd(), [], "{raw}");
        let again = RequestPath::parse(path.as_str()).unwrap();
        assert_eq!(again.as_str(), *text, "{raw} again");
    }
    assert!(ACCEPTED.len() >= 40);
}

#[test]
fn r14_odd_spellings_are_seen_and_read_deeply() {
    for (raw, odd, deepest) in ODD {
        let path = RequestPath::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}"));
        assert_eq!(path.odd(), *odd, "{raw}");
        assert_eq!(path.deepest(), Some(*deepest), "{raw}");
    }
}

#[test]
fn r13_the_query_stays_and_is_no_path() {
    for (target, path, uri) in [
        ("/a?x=/status", "/a", "/a?x=/status"),
        ("/%61?x=%2e%2e/", "/a", "/a?x=%2e%2e/"),
        ("/%7euser?", "/~user", "/~user?"),
        ("/a?x#y", "/a", "/a?x"),
        ("http://app.test/a?b", "/a", "/a?b"),
        ("http://app.test", "/", "/"),
        ("http://app.test?x", "/", "/?x"),
        ("/.x?y", "/.x", "/.x?y"),
    ] {
        let read = RequestPath::of(&target.parse().unwrap()).unwrap();
        assert_eq!(read.as_str(), path, "{target}");
        assert_eq!(read.uri().to_string(), uri, "{target}");
    }
    for target in ["*", "app.test:443"] {
        assert_eq!(
            RequestPath::of(&target.parse().unwrap()),
            Err(NotAbsolute),
            "{target}"
        );
    }
}
