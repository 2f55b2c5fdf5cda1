//! Where a person goes after sign-in: a path of this host, nothing else (R17–R20).

use unicode_normalization::UnicodeNormalization;

use crate::config::Paths;

/// Longest target that is kept, bytes.
const MAX: usize = 2048;

/// A path with query of our own host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The front page.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// What a client asked for, or nothing when it could lead elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        // R17: browsers drop tabs and line ends and read a backslash as a slash.
        if text.len() > MAX || !text.bytes().all(plain) {
            return None;
        }
        let path = text.split('?').next().unwrap_or_default();
        let mut spelling = path.to_owned();
        // R17: some proxy on the way decodes once more than the last; no depth of it may lead elsewhere.
        for _ in 0..4 {
            if leads_elsewhere(&spelling) {
                return None;
            }
            let decoded = decode(&spelling);
            if decoded == spelling {
                return Some(Self(text.to_owned()));
            }
            spelling = decoded;
        }
        None
    }

    /// The same, and not one of our own pages that would begin or end a sign-in again.
    pub fn within(text: &str, paths: &Paths) -> Option<Self> {
        let parsed = Self::parse(text)?;
        let path = parsed.path();
        let own = [
            &paths.oidc,
            &paths.saml,
            &format!("{}/login", paths.own),
            &format!("{}/logout", paths.own),
        ];
        let below = |prefix: &String| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (!own.into_iter().any(below)).then_some(parsed)
    }

    /// Starts with exactly one slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn path(&self) -> String {
        decode(self.0.split('?').next().unwrap_or_default())
    }
}

/// Whether a browser or a proxy could read another host into this path.
fn leads_elsewhere(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return true;
    };
    let slash = |c: char| c == '/' || c == '\\';
    // Compatibility forms of slashes fold to slashes where names are normalised.
    let start = rest.chars().take(1).nfkc().next();
    if start.is_some_and(slash) || path.chars().any(|c| c.is_control() || c == '\\') {
        return true;
    }
    // White space at the start is dropped by some, and then the next slash counts; overlong UTF-8 is a slash to others.
    let odd = |c: char| c.is_whitespace() || c == char::REPLACEMENT_CHARACTER;
    if start.is_some_and(odd) {
        return true;
    }
    // `/.//host` and `/x/..//host` are `//host` once dot segments are gone (RFC 3986 5.2.4).
    path.split('/')
        .any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

/// One round of percent-decoding; a `%` without two digits stays.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (Some(byte), Some(rest)) = (decoded, part.get(2..)) {
            bytes.push(byte);
            bytes.extend_from_slice(rest.as_bytes());
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    const TRICKS: &str = include_str!("../../tests/data/open_redirects.txt");

    /// `\xNN` is that byte; everything else stands for itself.
    fn unescape(line: &str) -> String {
        let mut parts = line.split("\\x");
        let mut text = parts.next().unwrap().to_owned();
        for part in parts {
            match part
                .get(..2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            {
                Some(byte) => text.push(char::from(byte)),
                None => text.push_str("\\x"),
            }
            text.push_str(part.get(2..).unwrap_or_default());
        }
        text
    }

    #[test]
    fn r17_no_trick_of_the_corpus_is_a_return_target() {
        let comment = |line: &&str| line.is_empty() || line.starts_with("# ");
        let tricks: Vec<_> = TRICKS.lines().filter(|line| !comment(line)).collect();
        assert!(tricks.len() > 400, "{}", tricks.len());
        let taken: Vec<_> = tricks
            .into_iter()
            .filter(|line| ReturnTo::parse(&unescape(line)).is_some())
            .collect();
        assert!(taken.is_empty(), "{taken:#?}");
    }

    #[test]
    fn r17_nothing_that_a_browser_reads_as_another_host_is_a_return_target() {
        use proptest::prelude::*;
        let base = url::Url::parse("https://app.test/").unwrap();
        let pieces = "[/\\\\.;:@%?a\t\n 2fF5cCeE]{0,8}";
        proptest!(|(text in pieces)| {
            if ReturnTo::parse(&text).is_some() {
                let read = base.join(&text).unwrap();
                prop_assert_eq!(read.origin(), base.origin());
                prop_assert!(!read.path().starts_with("//"), "{}", read);
            }
        });
    }

    #[test]
    fn pages_of_the_app_are_return_targets() {
        for text in [
            "/",
            "/?",
            "/admin/users?page=2&sort=-name",
            "/a//b",
            "/a/b;v=1/c",
            "/search?q=https://other.test//x&back=%2F%2Fother.test%0d%0a",
            "/%E4%BE%8B/zo%C3%AB",
            "/file%20name.pdf",
            "/100%25",
            "/proxy/https%3A%2F%2Fother.test%2F",
            "/@zoe",
            "/~zoe/.well-known/x..y/...",
            "/a:b",
            "/*",
        ] {
            let parsed = ReturnTo::parse(text);
            assert_eq!(parsed.as_ref().map(ReturnTo::as_str), Some(text), "{text}");
        }
        assert!(ReturnTo::parse(&format!("/{}", "x".repeat(MAX))).is_none());
        assert!(ReturnTo::parse(&format!("/{}", "x".repeat(MAX - 1))).is_some());
    }

    #[test]
    fn our_own_sign_in_is_no_return_target() {
        let settings = "public_url = \"https://app.test\"\nlocal.enabled = true\n[upstream]\nurl = \"http://127.0.0.1:1\"\n";
        let paths = Settings::parse(settings).unwrap().paths;
        for (text, ok) in [
            ("/.sidegate/login", false),
            ("/.sidegate/login?return_to=/x", false),
            ("/.sidegate/logout", false),
            ("/.sidegate/logout/done", false),
            ("/.sidegate/log%6fut", false),
            ("/oidc/one/callback?code=x", false),
            ("/oidc", false),
            ("/.sidegate/whoami", true),
            ("/.sidegate/loginhelp", true),
            ("/oidc2", true),
            ("/x?y=/oidc/one/callback", true),
        ] {
            assert_eq!(ReturnTo::within(text, &paths).is_some(), ok, "{text}");
        }
    }
}
