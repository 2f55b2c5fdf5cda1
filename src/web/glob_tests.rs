use super::*;
use PathError::{Character, DotSegment, Escape, Glob, Nested, NotAbsolute, Unreachable};

#[test]
fn globs_match_whole_segments() {
    for (pattern, yes, no) in [
        (
            "/admin",
            &["/admin", "/admin/", "/%61dmin"][..],
            &["/", "/admin/x", "/admins", "/Admin", "/a/admin", "//admin"][..],
        ),
        ("/admin/", &["/admin", "/admin/"], &["/admin/x"]),
        (
            "/admin/**",
            &["/admin", "/admin/", "/admin/x", "/admin/x/y/", "/admin//x"],
            &["/", "/admins", "/administrator/x", "/x/admin/y"],
        ),
        ("/%61dmin/**", &["/admin/x"], &["/%2561dmin/x"]),
        ("/**", &["/", "/a", "/a/b/c", "//"], &[]),
        ("/", &["/"], &["/a", "//"]),
        ("/*", &["/a", "/a/"], &["/", "/a/b"]),
        (
            "/*/edit",
            &["/a/edit", "/é/edit"],
            &["/edit", "/a/b/edit", "/a/edit/b"],
        ),
        ("/a*", &["/a", "/ab"], &["/b", "/ba", "/a/b"]),
        (
            "/*.css",
            &["/x.css", "/.css", "/x.css.css"],
            &["/x.css.js", "/a/x.css"],
        ),
        (
            "/a*b*c",
            &["/abc", "/axbxc", "/abbbc", "/abcbc"],
            &["/ab", "/ac", "/acb", "/abcx"],
        ),
        ("/ab*ba", &["/abba", "/abxba"], &["/aba", "/ab"]),
        (
            "/v*/users/*/**",
            &["/v1/users/x", "/v/users/x/y/z"],
            &["/v1/users", "/v1/users/"],
        ),
        (
            "/ada@corp.com",
            &["/ada@corp.com", "/ada%40corp.com"],
            &["/ada"],
        ),
        (
            "/ada%40corp.com",
            &["/ada@corp.com", "/ada%40corp.com"],
            &[],
        ),
        ("/a%2Ab", &["/a*b", "/a%2ab"], &["/axb"]),
        ("/café/*", &["/caf%C3%A9/x", "/café/x"], &["/caf%E9/x"]),
        ("/a b|c", &[], &[]),
    ] {
        let Ok(glob) = PathPattern::parse(pattern) else {
            assert_eq!(pattern, "/a b|c");
            continue;
        };
        for (paths, want) in [(yes, true), (no, false)] {
            for path in paths {
                let read = RequestPath::parse(path).unwrap();
                assert_eq!(glob.matches(&read), want, "{pattern} {path}");
            }
        }
    }
}

#[test]
fn globs_that_can_never_match_are_mistakes() {
    for (pattern, want) in [
        ("", NotAbsolute),
        ("admin/**", NotAbsolute),
        ("**", NotAbsolute),
        ("/a/**/b", Glob),
        ("/a**", Glob),
        ("/**/**", Glob),
        ("/a?b", Character),
        ("/a#b", Character),
        ("/a\\b", Character),
        ("/../a", DotSegment),
        ("/a/./**", DotSegment),
        ("/a//b", Unreachable),
        ("/a;v=1", Unreachable),
        ("/a%2Fb", Unreachable),
        ("/a%5Cb", Unreachable),
        ("/a%23b", Unreachable),
        ("/a%3Fb", Unreachable),
        ("/a%2541", Unreachable),
        ("/a%252Fb", Nested),
        ("/%", Escape),
    ] {
        assert_eq!(
            PathPattern::parse(pattern).map(drop),
            Err(want),
            "{pattern}"
        );
    }
}

#[test]
fn globs_take_linear_time() {
    let glob = PathPattern::parse(&format!("/{}b", "*a".repeat(1000))).unwrap();
    let path = RequestPath::parse(&format!("/{}", "a".repeat(8000))).unwrap();
    assert!(!glob.matches(&path));
}
