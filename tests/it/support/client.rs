//! A client with a cookie jar that follows nothing by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// What a browser says of a form that our own page posts.
pub(super) const FORM: [(HeaderName, &str); 2] = [
    (CONTENT_TYPE, "application/x-www-form-urlencoded"),
    (HeaderName::from_static("sec-fetch-site"), "same-origin"),
];

/// What it says of one that a page of another site posts.
const FORM_FROM_ELSEWHERE: [(HeaderName, &str); 2] = [
    (CONTENT_TYPE, "application/x-www-form-urlencoded"),
    (HeaderName::from_static("sec-fetch-site"), "cross-site"),
];

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
            .unwrap_or_else(|| panic!("no location: {} {}", self.status, self.text()))
    }
}

/// A browser's cookies, and requests to one host.
pub struct Client {
    address: SocketAddr,
    host: String,
    pub cookies: BTreeMap<String, String>,
    /// Names of those with `SameSite=None`.
    cross_site: BTreeSet<String>,
    /// They alone are sent.
    from_elsewhere: bool,
    /// Sent with every request.
    pub headers: Vec<(HeaderName, String)>,
}

impl Client {
    /// Speaks to `address` and calls it `host`.
    pub fn new(address: SocketAddr, host: &str) -> Self {
        Self {
            address,
            host: host.to_owned(),
            cookies: BTreeMap::new(),
            cross_site: BTreeSet::new(),
            from_elsewhere: false,
            headers: vec![(ACCEPT, "text/html".to_owned())],
        }
    }

    /// A program instead of a browser.
    pub fn program(address: SocketAddr, host: &str) -> Self {
        let mut client = Self::new(address, host);
        client.headers = vec![(ACCEPT, "application/json".to_owned())];
        client
    }

    pub async fn get(&mut self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], "").await
    }

    pub async fn post_form(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, target, &FORM, &body).await
    }

    /// A form that a page of another site posts here: cookies stay behind unless they are `SameSite=None`.
    pub async fn post_from_elsewhere(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.from_elsewhere = true;
        let answer = self
            .send(Method::POST, target, &FORM_FROM_ELSEWHERE, &body)
            .await;
        self.from_elsewhere = false;
        answer
    }

    /// Another browser that knows the same.
    pub fn copy(&self) -> Self {
        Self {
            address: self.address,
            host: self.host.clone(),
            cookies: self.cookies.clone(),
            cross_site: self.cross_site.clone(),
            from_elsewhere: false,
            headers: self.headers.clone(),
        }
    }

    pub async fn send(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Answer {
        self.try_send(method, target, headers, body).await.unwrap()
    }

    /// The same against a server that may be killed meanwhile.
    pub async fn try_send(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Option<Answer> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(target);
        let own = request.headers_mut().unwrap();
        own.insert(HOST, self.host.parse().unwrap());
        for (name, value) in &self.headers {
            own.insert(name, value.parse().unwrap());
        }
        let all: Vec<_> = self
            .cookies
            .iter()
            .filter(|(name, _)| !self.from_elsewhere || self.cross_site.contains(*name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !all.is_empty() {
            own.insert(COOKIE, all.join("; ").parse().unwrap());
        }
        for (name, value) in headers {
            own.append(
                name,
                http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let response = sender.send_request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        let body = sidegate::web::read(body, 64 * 1024 * 1024, Duration::from_mins(1))
            .await
            .ok()?;
        connection.abort();
        self.keep(&parts.headers);
        Some(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie::Cookie::parse(cookie.to_str().unwrap()).unwrap();
            let ended = matches!(cookie.max_age(), Some(age) if age.is_zero());
            let gone = cookie.value().is_empty() || ended;
            if cookie.same_site() == Some(cookie::SameSite::None) {
                self.cross_site.insert(cookie.name().to_owned());
            } else {
                self.cross_site.remove(cookie.name());
            }
            if gone {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies
                    .insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}
