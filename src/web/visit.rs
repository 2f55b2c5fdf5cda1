//! One request: its head, where it came from, and when.

use http::header::{ACCEPT, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{Origin, RequestPath};
use crate::clock::Timestamp;

static X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The head of one request after its path and its origin were read, once (R15).
#[derive(Clone, Debug)]
pub struct Visit {
    /// Method.
    pub method: Method,
    /// The target as the upstream will get it: [`Self::path`] and the query, nothing else.
    pub uri: Uri,
    /// The path that rules are matched with.
    pub path: RequestPath,
    /// Fields as the client sent them.
    pub headers: HeaderMap,
    /// Who asks, over what, with which id.
    pub origin: Origin,
    /// When it arrived.
    pub now: Timestamp,
}

impl Visit {
    /// A field that stands once and is text; a repeated one is `None`.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// Whether a person's browser loads a page, so that a redirect to sign-in makes sense.
    ///
    /// Only `GET`, `HEAD` and `POST` can. `Sec-Fetch-Mode` and `Sec-Fetch-Dest` decide where they exist (Fetch Metadata, W3C); else
    /// `Accept` naming HTML without `X-Requested-With` and without `Upgrade`.
    pub fn is_navigation(&self) -> bool {
        // No page is loaded by any other (HTML 7.4.2.2): `PROPFIND` is a program's, whatever it accepts.
        if !matches!(self.method, Method::GET | Method::HEAD | Method::POST) {
            return false;
        }
        if self.headers.contains_key(UPGRADE) || self.headers.contains_key(&X_REQUESTED_WITH) {
            return false;
        }
        if let Some(mode) = self.headers.get(&SEC_FETCH_MODE) {
            let dest = self.headers.get(&SEC_FETCH_DEST).map(HeaderValue::as_bytes);
            let is_page = matches!(dest, None | Some(b"document" | b"iframe" | b"frame"));
            return mode == "navigate" && is_page;
        }
        let html =
            |accept: &str| accept.contains("text/html") || accept.contains("application/xhtml+xml");
        self.headers
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(html)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::web::Inbound;

    #[test]
    fn a_navigation_is_a_person_that_loads_a_page() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let navigate = ("sec-fetch-mode", "navigate");
        for (name, fields, want) in [
            ("old browser", &[html][..], true),
            (
                "browser",
                &[html, navigate, ("sec-fetch-dest", "document")],
                true,
            ),
            (
                "frame",
                &[html, navigate, ("sec-fetch-dest", "iframe")],
                true,
            ),
            (
                "object",
                &[html, navigate, ("sec-fetch-dest", "object")],
                false,
            ),
            (
                "fetch",
                &[
                    html,
                    ("sec-fetch-mode", "cors"),
                    ("sec-fetch-dest", "empty"),
                ],
                false,
            ),
            (
                "image",
                &[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
                false,
            ),
            (
                "XHR",
                &[html, ("x-requested-with", "XMLHttpRequest")],
                false,
            ),
            ("WebSocket", &[html, ("upgrade", "websocket")], false),
            ("program", &[("accept", "application/json")], false),
            ("curl", &[("accept", "*/*")], false),
            ("nothing", &[], false),
        ] {
            let mut headers: HeaderMap = fields
                .iter()
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::from_static(value),
                    )
                })
                .collect();
            headers.insert("host", HeaderValue::from_static("app.test"));
            let inbound = Inbound {
                peer: Some(Ipv4Addr::LOCALHOST.into()),
                tls: true,
            };
            let path = RequestPath::parse("/").unwrap();
            let visit = Visit {
                method: Method::GET,
                uri: path.uri(),
                path,
                origin: Origin::read(inbound, &headers, None, &[]).unwrap(),
                headers,
                now: Timestamp::from_secs(1),
            };
            assert_eq!(visit.is_navigation(), want, "{name}");
        }
    }
}
