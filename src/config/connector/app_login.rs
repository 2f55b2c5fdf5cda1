//! `[upstream.login]`: how we sign in to an app that reads no header. `docs/APP-LOGIN.md` is the reference.

use std::cell::RefCell;

use http::HeaderName;
use http::uri::PathAndQuery;
use toml::Value;

use super::body::Body;
use super::template::{Name, Template};
use crate::config::reader::Section;

/// `[upstream.login]`
#[derive(Clone, Debug)]
pub struct AppLogin {
    /// How.
    pub kind: LoginKind,
    /// The page that the app shows to people who are not signed in, or its login API.
    pub path: Target,
    /// Where the sign-in is sent; [`Self::path`] where nothing else is said.
    pub action: Target,
    /// Where the page has what proves that the sign-in comes from it.
    pub csrf: Option<Csrf>,
    /// What is sent: an object.
    pub fields: Body,
    /// With the sign-in; of kind `header` with every request.
    pub headers: Vec<(HeaderName, Template)>,
    /// All of these must hold, and one of any statuses; empty is what the kind means by it.
    pub success: Vec<Sign>,
    /// Any of these says that the app's session has ended.
    pub ended: Vec<Sign>,
    /// Names of the app's session cookies, which stay here; a `*` at the end stands for any rest.
    pub cookies: Vec<String>,
}

/// How the app takes a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginKind {
    /// A page with a form.
    Form,
    /// An API that takes JSON and sets cookies.
    Json,
    /// HTTP Basic (RFC 7617) on every request.
    Basic,
    /// Fields of our own on every request.
    Header,
}

/// Where a page has its CSRF token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// `<input name=… value=…>`
    Input(String),
    /// `<meta name=… content=…>`
    Meta(String),
    /// A cookie that it sets.
    Cookie(String),
}

/// By what an answer is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Its status.
    Status(u16),
    /// It sets this cookie.
    Cookie(String),
    /// It redirects to somewhere that is neither `path` nor `action`.
    Away,
    /// It redirects there.
    To(Target),
}

/// An address of the app: path, and perhaps query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(PathAndQuery);

impl Target {
    /// Path and query.
    pub const fn get(&self) -> &PathAndQuery {
        &self.0
    }

    /// Whether another address is this one: the same path, and every pair of our query. More may stand in it, such as
    /// where the person is to come back to.
    pub fn is(&self, path: &str, query: Option<&str>) -> bool {
        let pairs = |query: &str| -> Vec<(String, String)> {
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect()
        };
        let theirs = query.map(pairs).unwrap_or_default();
        let ours = self.0.query().map(pairs).unwrap_or_default();
        self.0.path() == path && ours.iter().all(|pair| theirs.contains(pair))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let target = text.parse::<PathAndQuery>();
        target
            .ok()
            .filter(|_| text.starts_with('/') && !text.contains('#'))
            .map(Self)
            .ok_or_else(|| format!("{text:?} must be a path of the app, such as /login"))
    }
}

impl Csrf {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("input", name)) if !name.is_empty() => Ok(Self::Input(name.to_owned())),
            Some(("meta", name)) if !name.is_empty() => Ok(Self::Meta(name.to_owned())),
            Some(("cookie", name)) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err(format!(
                "{text:?} must be input:NAME, meta:NAME or cookie:NAME"
            )),
        }
    }
}

impl Sign {
    fn parse(text: &str) -> Result<Self, String> {
        let why = || {
            format!(
                "{text:?} must be status:NUMBER, cookie:NAME, redirect (to anywhere else) or redirect:/PATH"
            )
        };
        match text.split_once(':') {
            None if text == "redirect" => Ok(Self::Away),
            Some(("redirect", target)) => Target::parse(target).map(Self::To),
            Some(("cookie", name)) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            Some(("status", number)) => match number.parse() {
                Ok(number @ 100..=599) => Ok(Self::Status(number)),
                _ => Err(why()),
            },
            _ => Err(why()),
        }
    }
}

impl AppLogin {
    pub(in crate::config) fn read(mut section: Section) -> Self {
        let words = [
            ("form", LoginKind::Form),
            ("json", LoginKind::Json),
            ("basic", LoginKind::Basic),
            ("header", LoginKind::Header),
        ];
        let kind = section.choice("kind", &words, LoginKind::Form);
        let path = target(&mut section, "path");
        let action = target(&mut section, "action");
        let csrf = section.optional("csrf").filter(|text| !text.is_empty());
        let csrf = csrf.map(|text| Csrf::parse(&text));
        let csrf = csrf.and_then(|csrf| csrf.map_err(|why| section.mistake("csrf", why)).ok());
        let success = signs(&mut section, "success");
        let ended = signs(&mut section, "ended");
        let cookies = if section.has("cookies") {
            section.required_list("cookies")
        } else {
            let _none = section.take("cookies", None);
            Vec::new()
        };
        let files = RefCell::new(Vec::new());
        let fields = fields(&mut section, csrf.is_some(), &files);
        let headers = headers(&mut section, csrf.is_some(), &files);
        section.also(files.into_inner());
        let read = Self {
            kind,
            action: action.or_else(|| path.clone()).unwrap_or_else(Target::root),
            path: path.clone().unwrap_or_else(Target::root),
            csrf,
            fields: fields.unwrap_or_else(|| Body::Object(Vec::new())),
            headers,
            success,
            ended,
            cookies,
        };
        read.check(&section, path.is_some());
        read
    }

    fn check(&self, section: &Section, has_path: bool) {
        let has_fields = matches!(&self.fields, Body::Object(members) if !members.is_empty());
        if self.has_session() {
            for (key, is_there, why) in [
                (
                    "path",
                    has_path,
                    "is required: the page, or the API, that takes the sign-in",
                ),
                (
                    "fields",
                    has_fields,
                    "is required: what is sent, with {login} and {password} in it",
                ),
                (
                    "cookies",
                    !self.cookies.is_empty(),
                    "is required: names of the app's session cookies",
                ),
            ] {
                if !is_there {
                    section.mistake(key, why);
                }
            }
        } else {
            let given = has_path || has_fields || self.csrf.is_some() || !self.cookies.is_empty();
            if given || !self.success.is_empty() || !self.ended.is_empty() {
                section.mistake(
                    "kind",
                    "basic and header have no page, fields, cookies or tests",
                );
            }
        }
        let on_each = self.kind == LoginKind::Header;
        if on_each == self.headers.is_empty() && (on_each || self.kind == LoginKind::Basic) {
            section.mistake(
                "headers",
                "belongs to kind = \"header\", which needs one at least",
            );
        }
        for name in &self.cookies {
            let bare = name.strip_suffix('*').unwrap_or(name);
            let fits = |byte: u8| byte.is_ascii_graphic() && !b"*=;,\"\\".contains(&byte);
            if bare.is_empty() || !bare.bytes().all(fits) {
                let why = format!("{name:?} must be the name of a cookie; * may stand at its end");
                section.mistake("cookies", why);
            }
        }
    }

    /// Whether the app keeps a session that we sign in to.
    pub const fn has_session(&self) -> bool {
        matches!(self.kind, LoginKind::Form | LoginKind::Json)
    }

    /// Whether a password is needed.
    pub fn needs_password(&self) -> bool {
        let mut names = self.fields.names();
        names.extend(
            self.headers
                .iter()
                .flat_map(|(_, template)| template.names()),
        );
        self.kind == LoginKind::Basic || names.contains(&&Name::Word("password"))
    }
}

impl Target {
    fn root() -> Self {
        Self(PathAndQuery::from_static("/"))
    }
}

fn target(section: &mut Section, key: &'static str) -> Option<Target> {
    let text = section.optional(key).filter(|text| !text.is_empty())?;
    let target = Target::parse(&text);
    target.map_err(|why| section.mistake(key, why)).ok()
}

fn signs(section: &mut Section, key: &'static str) -> Vec<Sign> {
    let texts = section.list(key, &[]);
    let read = texts.iter().map(|text| Sign::parse(text));
    read.filter_map(|sign| sign.map_err(|why| section.mistake(key, why)).ok())
        .collect()
}

type Files = RefCell<Vec<std::path::PathBuf>>;

fn fields(section: &mut Section, csrf: bool, files: &Files) -> Option<Body> {
    let value = section.take("fields", None)?;
    if !matches!(value, Value::Table(_)) {
        section.mistake("fields", "must be a table: name = \"template\"");
        return None;
    }
    let variables = |name: &str| super::variable(name, &mut files.borrow_mut());
    let body = Body::parse(&value, &variables).and_then(|body| {
        check_names(body.names(), csrf)?;
        Ok(body)
    });
    body.map_err(|why| section.mistake("fields", why)).ok()
}

fn headers(section: &mut Section, csrf: bool, files: &Files) -> Vec<(HeaderName, Template)> {
    let variables = |name: &str| super::variable(name, &mut files.borrow_mut());
    let mut headers = Vec::new();
    for (name, text) in section.texts("headers") {
        let template = Template::parse(&text, &variables).and_then(|template| {
            check_names(template.names(), csrf)?;
            Ok(template)
        });
        let name = section.parse_text::<HeaderName>("headers", &name);
        match (name, template) {
            (Some(name), Ok(template)) => headers.push((name, template)),
            (_, Err(why)) => section.mistake("headers", why),
            (None, Ok(_)) => {}
        }
    }
    headers
}

fn check_names<'a>(names: impl IntoIterator<Item = &'a Name>, csrf: bool) -> Result<(), String> {
    for name in names {
        match name {
            Name::Attribute(_) | Name::Word("login" | "password") => {}
            Name::Word("csrf") if csrf => {}
            Name::Word("csrf") => return Err("{csrf} needs csrf: where the page has it".to_owned()),
            Name::Word(_) | Name::Field(_) => {
                return Err(format!(
                    "{{{name}}} is not known here; known: {{login}} {{password}} {{csrf}}, attributes, {{env.NAME}}"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "app_login_tests.rs"]
mod tests;
