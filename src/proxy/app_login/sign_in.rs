//! One sign-in to the app: the page is read, the form or the document is sent, the answer is judged.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, REFERER,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::AppLogin;
use super::failure::LoginFailure;
use super::page::SignInPage;
use super::signs::location;
use crate::clock::Timestamp;
use crate::config::{Csrf, LoginKind, Target};
use crate::connector::{fill_body, fill_text};
use crate::provision::Account;
use crate::proxy::body::RequestBody;
use crate::proxy::reserved::fold_byte;
use crate::proxy::upstream::{Lease, Upstream, UpstreamError};
use crate::secret::Secret;
use crate::session::{Held, Live};
use crate::web::{self, KeptCookies, X_REQUEST_ID};

/// Largest page, bytes.
const MAX_PAGE: usize = 1024 * 1024;
/// Longest path that is told, bytes.
const MAX_TOLD: usize = 200;
/// What is read of the answer to a sign-in, so that its connection can be used again, bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// So long, too.
const LINGER: Duration = Duration::from_secs(1);
/// The app sees the person's own browser: some bind their session to it, or to the address.
const LIKE: [HeaderName; 3] = [HOST, USER_AGENT, ACCEPT_LANGUAGE];
const WAY: &str = "x-forwarded-";

/// What fills the templates.
struct Words<'a> {
    account: &'a Account,
    csrf: String,
}

impl AppLogin {
    /// Signs a person in. `example` is what says from which browser they come ([`browser`]).
    pub(super) async fn make(
        &self,
        upstream: &Upstream,
        live: &Live,
        example: &HeaderMap,
        now: Timestamp,
    ) -> Result<Held, LoginFailure> {
        // Read before the directory: a change meanwhile makes what is made here stale at once.
        let stamp = live.stamp();
        let (tenant, user) = (&live.record.tenant, &live.record.user);
        let password = self.settings.needs_password();
        let account = self.provision.account(tenant, user, password).await?;
        let mut words = Words {
            account: &account,
            csrf: String::new(),
        };
        if self.settings.has_session() {
            let signing_in = self.sign_in(upstream, live, &mut words, example, now);
            let cookies = tokio::time::timeout(self.time, signing_in).await;
            let cookies = cookies.map_err(|_elapsed| LoginFailure::Slow(self.time))??;
            return Ok(Held::new(self.number, None, Vec::new(), cookies));
        }
        let headers = match self.settings.kind {
            LoginKind::Basic => vec![(AUTHORIZATION, basic(&account)?)],
            LoginKind::Form | LoginKind::Json | LoginKind::Header => self.headers(&words)?,
        };
        Ok(Held::new(
            self.number,
            Some(stamp),
            headers,
            KeptCookies::default(),
        ))
    }

    async fn sign_in(
        &self,
        upstream: &Upstream,
        live: &Live,
        words: &mut Words<'_>,
        example: &HeaderMap,
        now: Timestamp,
    ) -> Result<KeptCookies, LoginFailure> {
        let mut cookies = KeptCookies::default();
        let mut hidden = Vec::new();
        if self.settings.kind == LoginKind::Form || self.settings.csrf.is_some() {
            let page = self.page(upstream, example, &mut cookies, now).await?;
            words.csrf = self.csrf(&page, &cookies)?;
            hidden = page.hidden().to_vec();
        }
        let request = self.request(words, hidden, example, &cookies)?;
        // R25: nobody is signed in for a session that has ended.
        if live.ended() {
            return Err(UpstreamError::Revoked.into());
        }
        let asked = request.uri().clone();
        let (answer, lease) = upstream.send(request).await?;
        let (head, body) = answer.into_parts();
        cookies.take_in(&head.headers, now, |_| true);
        // Where it is longer the connection is not used again, and that is all.
        if web::read(body, MAX_ANSWER, LINGER).await.is_ok() {
            back(lease);
        }
        if !self.signs.is_success(&asked, head.status, &head.headers) {
            let to = location(&asked, &head.headers);
            return Err(LoginFailure::Refused {
                status: head.status.as_u16(),
                to: to.map(|to| words.told(to.path())).unwrap_or_default(),
            });
        }
        cookies.retain(|name| self.is_named(name));
        if cookies.is_empty() {
            return Err(LoginFailure::NoCookie);
        }
        Ok(cookies)
    }

    async fn page(
        &self,
        upstream: &Upstream,
        example: &HeaderMap,
        cookies: &mut KeptCookies,
        now: Timestamp,
    ) -> Result<SignInPage, LoginFailure> {
        let mut request = Request::new(RequestBody::empty());
        *request.uri_mut() = uri(&self.settings.path);
        *request.headers_mut() = example.clone();
        let accept = HeaderValue::from_static("text/html, */*;q=0.8");
        request.headers_mut().insert(ACCEPT, accept);
        let (answer, lease): (Response<Incoming>, _) = upstream.send(request).await?;
        let (head, body) = answer.into_parts();
        if !head.status.is_success() {
            return Err(LoginFailure::Page(head.status));
        }
        cookies.take_in(&head.headers, now, |_| true);
        // The whole has less.
        let text = web::read(body, MAX_PAGE, self.time.saturating_mul(2)).await?;
        back(lease);
        Ok(SignInPage::read(&String::from_utf8_lossy(&text)))
    }

    fn csrf(&self, page: &SignInPage, cookies: &KeptCookies) -> Result<String, LoginFailure> {
        let (found, what) = match &self.settings.csrf {
            None => return Ok(String::new()),
            Some(Csrf::Input(name)) => (page.input(name), format!("input {name:?}")),
            Some(Csrf::Meta(name)) => (page.meta(name), format!("meta {name:?}")),
            Some(Csrf::Cookie(name)) => (cookies.value(name), format!("cookie {name:?}")),
        };
        let found = found.filter(|value| !value.is_empty());
        found.map(str::to_owned).ok_or(LoginFailure::NoToken(what))
    }

    fn request(
        &self,
        words: &Words<'_>,
        hidden: Vec<(String, String)>,
        example: &HeaderMap,
        cookies: &KeptCookies,
    ) -> Result<Request<RequestBody>, LoginFailure> {
        let fields = words.with(|filled, attributes| {
            fill_body(&self.settings.fields, filled, attributes).unwrap_or_default()
        });
        let is_form = self.settings.kind == LoginKind::Form;
        let (kind, accept, body) = if is_form {
            let kind = "application/x-www-form-urlencoded";
            (kind, "text/html, */*;q=0.8", form(hidden, &fields))
        } else {
            let json = "application/json";
            (json, json, fields.to_string())
        };
        let mut headers = example.clone();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_LENGTH, body.len().into());
        // As the browser would say whose form it is.
        let page = format!("{}{}", self.origin, self.settings.path.get());
        for (name, value) in [(ORIGIN, self.origin.as_str()), (REFERER, page.as_str())] {
            let value = HeaderValue::from_str(value);
            headers.insert(
                name,
                value.map_err(|_| LoginFailure::Template("public_url".to_owned()))?,
            );
        }
        for (name, value) in self.headers(words)? {
            headers.insert(name, value);
        }
        cookies.add_to(&mut headers);
        let mut request = Request::new(RequestBody::Whole(Full::new(Bytes::from(body))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(&self.settings.action);
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn headers(&self, words: &Words<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, LoginFailure> {
        let each = self.settings.headers.iter().map(|(name, template)| {
            let text = words.with(|filled, attributes| fill_text(template, filled, attributes));
            let mut value = HeaderValue::from_bytes(text.as_bytes())
                .map_err(|_| LoginFailure::Template(format!("headers.{name}")))?;
            value.set_sensitive(true);
            Ok((name.clone(), value))
        });
        each.collect()
    }
}

impl Words<'_> {
    /// Of the way that a refusal leads to, what operators may read: no parameters such as `;jsessionid=…`, nothing long,
    /// nothing of what was sent.
    fn told(&self, path: &str) -> String {
        let path = path.split(';').next().unwrap_or_default();
        let plain = percent_decode_str(path).decode_utf8_lossy();
        let password = self.account.password.as_ref().map(Secret::expose);
        let sent = [password, Some(self.csrf.as_str())];
        let mut sent = sent.into_iter().flatten().filter(|text| !text.is_empty());
        if path.len() > MAX_TOLD || sent.any(|text| plain.contains(text)) {
            return ", to …".to_owned();
        }
        format!(", to {path}")
    }

    fn with<T>(
        &self,
        fill: impl FnOnce(&[(&'static str, &str)], &crate::connector::Attributes) -> T,
    ) -> T {
        let password = self.account.password.as_ref();
        let password = password.map_or("", |password| password.expose());
        let words = [
            ("login", self.account.login.as_str()),
            ("password", password),
            ("csrf", self.csrf.as_str()),
        ];
        fill(&words, &self.account.attributes)
    }
}

/// What of a request says from which browser it comes, and nothing of what it asks for.
pub(super) fn browser(request: &HeaderMap) -> HeaderMap {
    let is_like = |name: &HeaderName| {
        LIKE.contains(name) || *name == X_REQUEST_ID || name.as_str().starts_with(WAY)
    };
    let like = request.iter().filter(|(name, _)| is_like(name));
    like.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// RFC 7617 2: the name may hold no colon.
fn basic(account: &Account) -> Result<HeaderValue, LoginFailure> {
    let wrong = || LoginFailure::Template("a login name with a colon".to_owned());
    if account.login.contains(':') {
        return Err(wrong());
    }
    let password = account.password.as_ref();
    let password = password.map_or("", |password| password.expose());
    let pair = STANDARD.encode(format!("{}:{password}", account.login));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The hidden fields of the page, except where ours say something else in any spelling that an app may take for the same,
/// then ours.
fn form(hidden: Vec<(String, String)>, fields: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let ours = fields.as_object();
    for (name, value) in hidden {
        let folded = |name: &str| name.bytes().map(fold_byte).collect::<Vec<_>>();
        let is_ours = |its: &String| folded(its) == folded(&name);
        if !ours.is_some_and(|ours| ours.keys().any(is_ours)) {
            form.append_pair(&name, &value);
        }
    }
    for (name, value) in ours.into_iter().flatten() {
        match value.as_str() {
            Some(text) => form.append_pair(name, text),
            None => form.append_pair(name, &value.to_string()),
        };
    }
    form.finish()
}

fn uri(target: &Target) -> http::Uri {
    target.get().clone().into()
}

fn back(mut lease: Lease) {
    lease.finished();
}
