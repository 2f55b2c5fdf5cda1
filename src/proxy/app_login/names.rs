//! Names of the app's session cookies, and every other spelling that an app could take for one of them.
//!
//! What is kept has exactly such a name. What a browser may send, or get, has no name that any app would read as one:
//! some fold case (ASP.NET), dots, blanks and brackets (PHP), percent-encoding (PHP before 7.4.11), or end a cookie at
//! a comma (RFC 2965). It is the rule of header names (R7) for cookies.

use percent_encoding::percent_decode;

use crate::proxy::app_session::CookieName;
use crate::proxy::reserved::fold_byte;
use crate::web::set_cookie_pair;

/// `upstream.login.cookies`, prepared.
#[derive(Debug)]
pub(super) struct SessionNames {
    exact: Vec<CookieName>,
    /// As folded, and whether any rest may follow.
    folded: Vec<(Vec<u8>, bool)>,
}

impl SessionNames {
    pub(super) fn new(names: &[String]) -> Self {
        let fold_one = |name: &String| match name.strip_suffix('*') {
            Some(start) => (fold(start.as_bytes()), true),
            None => (fold(name.as_bytes()), false),
        };
        Self {
            exact: names.iter().map(|name| CookieName::of(name)).collect(),
            folded: names.iter().map(fold_one).collect(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// Exactly.
    pub(super) fn are(&self, name: &[u8]) -> bool {
        self.exact.iter().any(|its| its.fits(name))
    }

    /// To some app. `pair` is name and value, as `a=b`.
    pub(super) fn could_be(&self, pair: &[u8]) -> bool {
        let mut parts = pair.split(|byte| *byte == b',');
        parts.any(|part| {
            let name = set_cookie_pair(part).0;
            // `a[b]=c` is an item of `a` to PHP.
            let list = name.split(|byte| *byte == b'[').next().unwrap_or(name);
            self.fits(&fold(name)) || self.fits(&fold(list))
        })
    }

    fn fits(&self, name: &[u8]) -> bool {
        let fits =
            |(its, any_rest): &(Vec<u8>, bool)| name == its || (*any_rest && name.starts_with(its));
        self.folded.iter().any(fits)
    }
}

fn fold(name: &[u8]) -> Vec<u8> {
    let decoded: Vec<u8> = percent_decode(name).collect();
    let trimmed = decoded.trim_ascii().iter();
    trimmed.map(|byte| fold_byte(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r07_no_spelling_of_a_session_cookie_is_taken_for_another_one() {
        let names = SessionNames::new(&["KB_SID", "__Host-app", "R_*"].map(str::to_owned));
        for (pair, exact, could_be) in [
            ("KB_SID=1", true, true),
            ("kb_sid=1", false, true),
            ("KB.SID=1", false, true),
            ("KB SID=1", false, true),
            ("KB[SID=1", false, true),
            ("KB_SID[a]=1", false, true),
            ("KB%5FSID=1", false, true),
            ("K%42_SID=1", false, true),
            (" KB_SID =1", true, true),
            ("=KB_SID=1", true, true),
            ("KB_SID", true, true),
            ("theme=dark,KB_SID=1", false, true),
            ("theme=dark, kb.sid=1", false, true),
            ("__host-app=1", false, true),
            ("..Host-app=1", false, true),
            ("R_1=1", true, true),
            ("r.x=1", false, true),
            ("KB_SID2=1", false, false),
            ("theme=KB_SID=1", false, false),
            ("XKB_SID=1", false, false),
            ("app=1", false, false),
            ("R=1", false, false),
            ("", false, false),
        ] {
            let pair = pair.as_bytes();
            let got = (names.are(set_cookie_pair(pair).0), names.could_be(pair));
            assert_eq!(got, (exact, could_be), "{}", String::from_utf8_lossy(pair));
        }
    }
}
