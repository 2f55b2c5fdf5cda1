//! `[api]`: where the app's API is, and what every call carries.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use toml::Value;
use url::Url;

use super::body::Body;
use super::errors::Condition;
use super::operation::{Called, Operation, Pointer, check_names, optional_pointer};
use super::reading::Reading;
use super::template::{Template, Variables};
use crate::config::reader::Section;
use crate::config::{UpstreamUrl, is_loopback};

/// How bodies are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEncoding {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// Where the answer of a login holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenAt {
    /// In the document.
    Document(Pointer),
    /// In a header.
    Header(HeaderName),
}

/// `[api.login]`: one call that gives `{token}`.
#[derive(Clone, Debug)]
pub struct ApiLogin {
    /// The call.
    pub operation: Operation,
    /// How its body is written.
    pub encoding: BodyEncoding,
    /// Where the token is.
    pub token: TokenAt,
    /// Answers of other calls that say that the token has ended.
    pub again: Vec<Condition>,
}

/// How procedures are called.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where they are called.
    pub called: Called,
    /// What is put around `{call}` and `{body}`.
    pub envelope: Body,
}

/// `[api]`
#[derive(Clone, Debug)]
pub struct Api {
    /// What the app is called in messages, and by which links to its accounts are told from those to another's.
    pub name: String,
    /// What paths are put behind; no slash at its end.
    pub base: Url,
    /// Headers of every call.
    pub headers: Vec<(HeaderName, Template)>,
    /// How a token is had.
    pub login: Option<ApiLogin>,
    /// Calls are procedures.
    pub endpoint: Option<Endpoint>,
    /// How bodies are written. Default JSON.
    pub encoding: BodyEncoding,
    /// `Content-Type` of bodies, when it is not the encoding's own.
    pub content_type: Option<HeaderValue>,
    /// For a whole call. Default 10 s.
    pub timeout: Duration,
    /// Calls at once. Default 8.
    pub at_once: usize,
    /// Calls a second. Default 200.
    pub per_second: u32,
    /// PEM of the authorities that sign the API's certificate; else the machine's.
    pub ca_file: Option<PathBuf>,
}

/// Where the app is, for `{upstream}` and for what may be called without TLS.
pub(super) struct Place<'a> {
    /// `upstream.url`
    pub(super) upstream: Option<&'a UpstreamUrl>,
    /// `connector.base`
    pub(super) base: Option<String>,
}

impl Place<'_> {
    fn host(&self) -> Option<&str> {
        match self.upstream? {
            UpstreamUrl::Http { host, .. } | UpstreamUrl::Https { host, .. } => Some(host),
            UpstreamUrl::Unix(_) => None,
        }
    }

    fn origin(&self) -> Option<String> {
        match self.upstream? {
            UpstreamUrl::Http { host, port } => Some(format!("http://{host}:{port}")),
            UpstreamUrl::Https { host, port } => Some(format!("https://{host}:{port}")),
            UpstreamUrl::Unix(_) => None,
        }
    }

    fn base(&self, text: &str) -> Result<Url, String> {
        let text = self.base.as_deref().unwrap_or(text);
        let text = match text.strip_prefix("{upstream}") {
            Some(path) => {
                let origin = self.origin();
                let origin = origin
                    .ok_or("{upstream} is a Unix socket or not known here; set connector.base")?;
                format!("{origin}{path}")
            }
            None => text.to_owned(),
        };
        let url = Url::parse(text.trim_end_matches('/')).map_err(|_not_a_url| "is not a URL")?;
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err("must not hold credentials, query or fragment".to_owned());
        }
        // R21: the API's credentials never cross a network in the clear, but where the app's own traffic does.
        let near = is_loopback(&url) || (url.host_str().is_some() && url.host_str() == self.host());
        match url.scheme() {
            "https" => Ok(url),
            "http" if near => Ok(url),
            _ => Err("must start with https:// (http:// only for this machine and the upstream's own host)".to_owned()),
        }
    }
}

impl Api {
    pub(super) fn read(
        mut section: Section,
        place: &Place<'_>,
        variables: Variables<'_>,
    ) -> Option<Self> {
        let name = section.text("name", "");
        let text = match &place.base {
            Some(_) => section.text("base", ""),
            None => section.required("base"),
        };
        let base = place.base(&text);
        let base = base.map_err(|why| section.mistake("base", why)).ok();
        let plain = Reading {
            variables,
            procedures: false,
        };
        let endpoint = Self::endpoint(&mut section, &plain);
        let login = section.has("login").then(|| section.section("login"));
        let headers = section.texts("headers");
        let headers = headers.into_iter().filter_map(|(name, text)| {
            let template = Template::parse(&text, variables).and_then(|template| {
                check_names(template.names(), &[])?;
                let sample = template.sample(false);
                let sample = sample.map_err(|why| format!("{name}: {why}"))?;
                HeaderValue::from_str(&sample)
                    .map_err(|_no_header| format!("{name}: holds what no header may"))?;
                Ok(template)
            });
            let template = template
                .map_err(|why| section.mistake("headers", why))
                .ok()?;
            Some((section.parse_text("headers", &name)?, template))
        });
        let headers = headers.collect();
        let second = Duration::from_secs(1);
        let content_type = section.optional("content_type");
        let base = base?;
        // Links belong to the app of this name: without one another address is another app.
        let name = match name.trim() {
            "" => base.authority().to_owned(),
            name => name.to_owned(),
        };
        Some(Self {
            name,
            base,
            headers,
            login: login.and_then(|login| ApiLogin::read(login, &plain)),
            endpoint,
            encoding: encoding(&mut section),
            content_type: content_type.and_then(|text| section.parse_text("content_type", &text)),
            timeout: section.duration(
                "timeout",
                Duration::from_secs(10),
                second..=Duration::from_mins(1),
            ),
            at_once: usize::try_from(section.number("at_once", 8, 1..=64)).unwrap_or(8),
            per_second: section.number("per_second", 200, 1..=10_000),
            ca_file: section.file("ca_file"),
        })
    }

    fn endpoint(section: &mut Section, reading: &Reading<'_>) -> Option<Endpoint> {
        let text = section.optional("endpoint");
        let envelope = section.take("envelope", None);
        if text.is_some() != envelope.is_some() {
            section.mistake("envelope", "and endpoint belong together");
        }
        let called = reading
            .called(&text?, &[])
            .map_err(|why| section.mistake("endpoint", why))
            .ok();
        let body = Body::parse(&envelope?, reading.variables).and_then(|body| {
            check_names(body.names(), &["call", "body"])?;
            Ok(body)
        });
        let envelope = body.map_err(|why| section.mistake("envelope", why)).ok();
        Some(Endpoint {
            called: called?,
            envelope: envelope?,
        })
    }
}

impl ApiLogin {
    fn read(mut section: Section, reading: &Reading<'_>) -> Option<Self> {
        let operation = Operation::read(&mut section, "login".to_owned(), reading, &[]);
        let at = optional_pointer(&mut section, "token").map(TokenAt::Document);
        let header = section.optional("token_header");
        let header = header
            .and_then(|text| section.parse_text("token_header", &text))
            .map(TokenAt::Header);
        if at.is_some() == header.is_some() {
            section.mistake(
                "token",
                "is where the answer holds the token; exactly one of token and token_header",
            );
        }
        let again = match section.take("again", None) {
            None => vec![Condition {
                statuses: vec![401],
                test: None,
            }],
            Some(Value::Array(items)) => {
                let mut all = Vec::new();
                for item in items {
                    let table = match item {
                        Value::Table(table) => table,
                        status @ (Value::String(_)
                        | Value::Integer(_)
                        | Value::Float(_)
                        | Value::Boolean(_)
                        | Value::Datetime(_)
                        | Value::Array(_)) => [("status".to_owned(), status)].into_iter().collect(),
                    };
                    all.push(Condition::read(&mut section.below("again", "", table)));
                }
                all
            }
            Some(_) => {
                section.mistake(
                    "again",
                    "must be a list of statuses or of { status, at, match }",
                );
                Vec::new()
            }
        };
        Some(Self {
            operation,
            encoding: encoding(&mut section),
            token: at.or(header)?,
            again,
        })
    }
}

fn encoding(section: &mut Section) -> BodyEncoding {
    let words = [("json", BodyEncoding::Json), ("form", BodyEncoding::Form)];
    section.choice("encoding", &words, BodyEncoding::Json)
}
