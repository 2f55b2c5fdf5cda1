//! Templates filled in.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::carried::Carried;
pub(super) use crate::config::written;
use crate::config::{Body, Name, Part, SPREAD, Template, leads_away};
use crate::crypto::random_token;

/// Attributes of a person or group by their names in connectors: `userName`, `emails.value`, `urn:…:department`.
pub type Attributes = BTreeMap<String, Value>;

/// Everything but unreserved characters (RFC 3986 2.3).
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What fills the places.
#[derive(Clone, Debug, Default)]
pub(super) struct Context<'a> {
    words: Vec<(&'static str, Value)>,
    attributes: Option<&'a Attributes>,
    fields: Option<&'a Map<String, Value>>,
    /// Secrets are shown as dots.
    masked: bool,
    /// Secrets that were filled in.
    carried: Carried,
}

/// How values stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Text,
    Path,
    Query,
}

/// A value that cannot stand in a path without leading somewhere else; of a secret none of it is told.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be part of the app's addresses")]
pub(super) struct Escapes(String);

impl<'a> Context<'a> {
    pub(super) fn with(mut self, word: &'static str, value: impl Into<Value>) -> Self {
        self.words.push((word, value.into()));
        self
    }

    pub(super) const fn of(mut self, attributes: &'a Attributes) -> Self {
        self.attributes = Some(attributes);
        self
    }

    pub(super) const fn fields(mut self, fields: &'a Map<String, Value>) -> Self {
        self.fields = Some(fields);
        self
    }

    pub(super) const fn masked(mut self) -> Self {
        self.masked = true;
        self
    }

    /// Secrets that were filled in so far.
    pub(super) const fn carried(&self) -> &Carried {
        &self.carried
    }

    fn value(&self, name: &Name) -> Option<Value> {
        match name {
            Name::Word("random") => Some(random_password().into()),
            Name::Word("fields") => Some(Value::Object(self.fields?.clone())),
            Name::Word(word) => {
                let (_, value) = self.words.iter().rev().find(|(its, _)| its == word)?;
                Some(value.clone())
            }
            Name::Field(path) => within(self.fields?, path).cloned(),
            Name::Attribute(name) => self.attributes?.get(name).cloned(),
        }
    }

    fn part(&self, part: &Part) -> Option<Value> {
        let (value, filters) = match part {
            Part::Text(text) => return Some(text.as_str().into()),
            Part::Secret(..) if self.masked => return Some("…".into()),
            Part::Value(Name::Word("random" | "password"), _) if self.masked => {
                return Some("(a random password)".into());
            }
            Part::Secret(secret, filters) => (secret.expose().into(), filters),
            Part::Value(name, filters) => (self.value(name)?, filters),
        };
        let secret = match part {
            Part::Secret(..) => true,
            Part::Value(Name::Word(word), _) => ["token", "random", "password"].contains(word),
            Part::Text(_) | Part::Value(Name::Field(_) | Name::Attribute(_), _) => false,
        };
        let plain = secret.then(|| written(&value));
        let filtered = filters.iter().fold(value, |value, filter| filter.of(value));
        if let Some(plain) = plain.filter(|_| !self.masked) {
            self.carried.note(&plain);
            self.carried.note(&written(&filtered));
        }
        Some(filtered)
    }

    /// A text; what nothing fills is empty.
    ///
    /// # Errors
    ///
    /// In a path: an empty value, `.` or `..`, and what holds a slash: whoever stands before the app may decode it (R14).
    pub(super) fn text(&self, template: &Template, within: Within) -> Result<String, Escapes> {
        let mut text = String::new();
        for part in &template.0 {
            if let Part::Text(plain) = part {
                text.push_str(plain);
                continue;
            }
            let value = self
                .part(part)
                .map(|value| written(&value))
                .unwrap_or_default();
            match within {
                Within::Text => text.push_str(&value),
                Within::Path if leads_away(&value) => {
                    return Err(Escapes(match part {
                        Part::Secret(..) => "a secret".to_owned(),
                        Part::Text(_) | Part::Value(..) => format!("{value:?}"),
                    }));
                }
                Within::Path => text.extend(utf8_percent_encode(&value, RESERVED)),
                Within::Query => {
                    text.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
                }
            }
        }
        Ok(text)
    }

    /// A body; none when it is a single place that nothing fills.
    pub(super) fn body(&self, body: &Body) -> Option<Value> {
        match body {
            Body::Plain(value) => Some(value.clone()),
            Body::Text(template) => match template.single() {
                Some(part) => self.part(part).filter(|value| !value.is_null()),
                None => self.text(template, Within::Text).ok().map(Value::from),
            },
            Body::List(items) => Some(items.iter().filter_map(|item| self.body(item)).collect()),
            Body::Object(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let Some(value) = self.body(member) else {
                        continue;
                    };
                    if key.is(SPREAD)
                        && let Value::Object(inner) = value
                    {
                        object.extend(inner);
                    } else {
                        let key = self.text(key, Within::Text).unwrap_or_default();
                        object.insert(key, value);
                    }
                }
                Some(Value::Object(object))
            }
        }
    }
}

/// A text with these words and attributes in it.
pub fn fill_text(
    template: &Template,
    words: &[(&'static str, &str)],
    attributes: &Attributes,
) -> String {
    let context = words_and(words, attributes);
    context.text(template, Within::Text).unwrap_or_default()
}

/// A body with these words and attributes in it.
pub fn fill_body(
    body: &Body,
    words: &[(&'static str, &str)],
    attributes: &Attributes,
) -> Option<Value> {
    words_and(words, attributes).body(body)
}

fn words_and<'a>(words: &[(&'static str, &str)], attributes: &'a Attributes) -> Context<'a> {
    let context = Context::default().of(attributes);
    words
        .iter()
        .fold(context, |context, (word, value)| context.with(word, *value))
}

/// The member at a path of names with dots between.
pub(super) fn within<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((first, rest)) => within(object.get(first)?.as_object()?, rest),
    }
}

/// Puts a value at a path of names with dots between.
pub(super) fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(object.insert(path.to_owned(), value)),
        Some((first, rest)) => {
            let inner = object
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

/// 144 bits, and one of every kind of character that apps ask for.
pub fn random_password() -> String {
    let token: String = random_token().chars().take(24).collect();
    format!("{token}aA1!")
}
