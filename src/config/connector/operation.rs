//! One operation of the app's API: what is called, and where the answer holds what.

use std::collections::BTreeMap;

use http::{HeaderName, Method};
use serde_json::Value as Json;
use toml::Value;

use super::body::Body;
use super::reading::Reading;
use super::template::{Name, Template};
use crate::config::reader::Section;

/// A place in a JSON document (RFC 6901); the empty one is the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.starts_with('/') {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a JSON pointer: empty, or beginning with /")
        }
    }

    /// Whether the whole document is meant.
    pub const fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and numbers on the way there.
    pub(super) fn steps(&self) -> impl Iterator<Item = String> {
        let steps = self.0.split('/').skip(1);
        steps.map(|step| step.replace("~1", "/").replace("~0", "~"))
    }

    /// What stands there.
    pub fn of<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        document.pointer(&self.0)
    }

    /// Whether it names an element that a list in the document does not have: `/result/0` of an empty one.
    pub fn is_past_end(&self, document: &Json) -> bool {
        let list = self.0.rsplit_once('/').and_then(|(list, element)| {
            let _number: usize = element.parse().ok()?;
            document.pointer(list)?.as_array()
        });
        list.is_some() && self.of(document).is_none()
    }
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Called {
    /// A method and an address below the base.
    Http {
        /// HTTP method.
        method: Method,
        /// Path; what is filled in is percent-encoded.
        path: Template,
        /// Query without `?`; what is filled in is form-encoded.
        query: Option<Template>,
    },
    /// A procedure, by the endpoint and envelope of the API.
    Procedure(String),
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `users.create`, as `[[errors]]` and messages name it.
    pub name: String,
    /// One, or for lists several whose answers are put one behind the other.
    pub calls: Vec<Called>,
    /// What it carries.
    pub body: Option<Body>,
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// It does not: everything comes at once.
    None,
    /// `{offset}` counts records.
    Offset,
    /// `{page}` counts pages.
    Page,
    /// The answer holds the address of the next page.
    Next(Next),
}

/// Where an answer tells the address of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// In the document.
    At(Pointer),
    /// As the value of this header.
    Header(HeaderName),
    /// In the `Link` header (RFC 8288).
    Link,
}

/// Where an answer tells how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// In the document.
    At(Pointer),
    /// In a header.
    Header(HeaderName),
}

/// How to read all of a list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The call.
    pub operation: Operation,
    /// Where the records are.
    pub items: Pointer,
    /// How it goes on.
    pub style: Style,
    /// Number of the first page. Default 1.
    pub first: u32,
    /// Records to ask for at once. Default 100.
    pub size: u32,
    /// How many there are.
    pub total: Option<Total>,
    /// Records are incomplete; each is read by itself.
    pub thin: bool,
}

/// How to find by an attribute.
#[derive(Clone, Debug)]
pub enum Find {
    /// The answer is one record, or none.
    One(Operation, Pointer),
    /// The answer is a list.
    Many(Listing),
}

/// Where a new record's id is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewId {
    /// In the document.
    At(Pointer),
    /// The last piece of the path in this header.
    Header(HeaderName),
}

/// What an update carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    /// The fields that changed.
    Changed,
    /// All mapped fields.
    All,
    /// These members of the app's record, with all mapped fields over them.
    Current(Vec<String>),
}

/// How a record is changed.
#[derive(Clone, Debug)]
pub struct Update {
    /// The call.
    pub operation: Operation,
    /// It is made once for each changed field, with `{field}` and `{value}`.
    pub each: bool,
    /// What `{fields}` is.
    pub send: Send,
}

impl Operation {
    pub(super) fn read(
        section: &mut Section,
        name: String,
        reading: &Reading<'_>,
        allowed: &[&'static str],
    ) -> Self {
        Self::read_call(section, "call", name, reading, allowed)
    }

    fn read_call(
        section: &mut Section,
        key: &'static str,
        name: String,
        reading: &Reading<'_>,
        allowed: &[&'static str],
    ) -> Self {
        let calls = match section.take(key, None) {
            None => {
                section.mistake(key, "is required");
                Vec::new()
            }
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) if allowed.contains(&"several") => {
                let texts: Vec<_> = items
                    .iter()
                    .filter_map(|it| it.as_str().map(str::to_owned))
                    .collect();
                if texts.len() != items.len() || texts.is_empty() {
                    section.mistake(key, "must be a text in quotes, or a list of such");
                }
                texts
            }
            Some(_) => {
                section.mistake(key, "must be a text in quotes: \"METHOD /path\"");
                Vec::new()
            }
        };
        let calls = calls.iter().filter_map(|text| {
            let called = reading.called(text, allowed);
            called.map_err(|why| section.mistake(key, why)).ok()
        });
        let calls = calls.collect();
        let body = section.take("body", None).and_then(|value| {
            let body = Body::parse(&value, reading.variables).and_then(|body| {
                check_names(body.names(), allowed)?;
                Ok(body)
            });
            body.map_err(|why| section.mistake("body", why)).ok()
        });
        Self { name, calls, body }
    }
}

/// Refuses names that are not filled in here.
pub(super) fn check_names<'a>(
    names: impl IntoIterator<Item = &'a Name>,
    allowed: &[&'static str],
) -> Result<(), String> {
    for name in names {
        let known = match name {
            Name::Word(word) => *word == "token" || allowed.contains(word),
            Name::Field(_) => allowed.contains(&"fields"),
            Name::Attribute(_) => allowed.contains(&"attributes"),
        };
        if !known {
            let words = allowed.iter().filter(|word| **word != "several");
            let words: Vec<_> = words.map(|word| format!("{{{word}}}")).collect();
            return Err(format!(
                "{{{name}}} is not known here; known: {{token}} {}",
                words.join(" ")
            ));
        }
    }
    Ok(())
}

pub(super) fn pointer(section: &mut Section, key: &'static str, default: &str) -> Pointer {
    let text = section.text(key, default);
    Pointer::new(&text).unwrap_or_else(|why| {
        section.mistake(key, why);
        Pointer::default()
    })
}

pub(super) fn optional_pointer(section: &mut Section, key: &'static str) -> Option<Pointer> {
    section.has(key).then(|| pointer(section, key, ""))
}

fn header(section: &mut Section, key: &'static str) -> Option<HeaderName> {
    let text = section.optional(key)?;
    section.parse_text(key, &text)
}

impl Listing {
    pub(super) fn read(
        section: &mut Section,
        name: String,
        reading: &Reading<'_>,
        more: &[&'static str],
    ) -> Self {
        let mut allowed = vec!["limit", "offset", "page", "several"];
        allowed.extend(more);
        let operation = Operation::read(section, name, reading, &allowed);
        let items = pointer(section, "items", "");
        let thin = section.flag("thin", false);
        let mut page = section.section("page");
        let words = [("none", 0_u8), ("offset", 1), ("page", 2), ("next", 3)];
        let style = page.choice("style", &words, 0);
        let next = optional_pointer(&mut page, "next").map(Next::At);
        let next_header = header(&mut page, "next_header").map(Next::Header);
        if next.is_some() && next_header.is_some() {
            page.mistake("next", "stands beside next_header; one of the two");
        }
        let total_header = header(&mut page, "total_header").map(Total::Header);
        let total = optional_pointer(&mut page, "total").map(Total::At);
        Self {
            operation,
            items,
            style: match style {
                0 => Style::None,
                1 => Style::Offset,
                2 => Style::Page,
                _ => Style::Next(next.or(next_header).unwrap_or(Next::Link)),
            },
            first: page.number("first", 1, 0..=1),
            size: page.number("size", 100, 1..=10_000),
            total: total.or(total_header),
            thin,
        }
    }
}

impl Find {
    pub(super) fn read(section: &mut Section, name: String, reading: &Reading<'_>) -> Self {
        if section.has("item") {
            let item = pointer(section, "item", "");
            return Self::One(Operation::read(section, name, reading, &["value"]), item);
        }
        Self::Many(Listing::read(section, name, reading, &["value"]))
    }
}

impl NewId {
    /// None where the app does not tell it.
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let at = optional_pointer(section, "new_id").map(Self::At);
        let header = header(section, "new_id_header").map(Self::Header);
        if at.is_some() && header.is_some() {
            section.mistake("new_id", "stands beside new_id_header; one of the two");
        }
        at.or(header)
    }
}

impl Update {
    pub(super) fn read(section: &mut Section, name: String, reading: &Reading<'_>) -> Self {
        let each = section.has("each");
        let mut allowed = vec!["id", "fields", "changed", "attributes", "random"];
        if each {
            allowed.extend(["field", "value"]);
        }
        let key = if each { "each" } else { "call" };
        let operation = Operation::read_call(section, key, name, reading, &allowed);
        let keep = section.list("keep", &[]);
        let words = [("changed", 0_u8), ("all", 1), ("current", 2)];
        let send = match section.choice("send", &words, 0) {
            0 => Send::Changed,
            1 => Send::All,
            _ => Send::Current(keep),
        };
        Self {
            operation,
            each,
            send,
        }
    }
}

/// A table of values by words.
pub(super) fn values(section: &mut Section, key: &'static str) -> BTreeMap<String, Json> {
    let table = match section.take(key, None) {
        None => return BTreeMap::new(),
        Some(Value::Table(table)) => table,
        Some(_) => {
            section.mistake(key, "must be a table: { \"SCIM value\" = the app's }");
            return BTreeMap::new();
        }
    };
    let pairs = table.iter().filter_map(|(word, value)| {
        let value = super::body::json(value);
        Some((
            word.clone(),
            value.map_err(|why| section.mistake(key, why)).ok()?,
        ))
    });
    pairs.collect()
}
