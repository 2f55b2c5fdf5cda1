//! Texts with `{name|filter}` in them: parsed once, nothing in them is ever run.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::secret::Secret;

/// A text with places to fill in. Braces that hold no name stand for themselves.
#[derive(Clone, Debug, Default)]
pub struct Template(pub Vec<Part>);

/// A piece of a [`Template`].
#[derive(Clone, Debug)]
pub enum Part {
    /// As it is.
    Text(String),
    /// What a variable of the process holds.
    Secret(Secret, Vec<Filter>),
    /// What the call is about.
    Value(Name, Vec<Filter>),
}

/// What can be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// One of [`WORDS`].
    Word(&'static str),
    /// `fields.x`: the field that goes to the app under this name.
    Field(String),
    /// A SCIM attribute.
    Attribute(String),
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A whole number.
    Int,
    /// Lower case.
    Lower,
    /// Escaped for the inside of a JSON string.
    Json,
    /// A text, whatever it was.
    Str,
    /// Base64 of its UTF-8 bytes (RFC 4648 4).
    B64,
}

/// Names that are no attributes.
pub(super) const WORDS: [&str; 20] = [
    "token", "id", "value", "field", "user", "group", "users", "groups", "fields", "changed",
    "limit", "offset", "page", "call", "body", "random", "password", "x", "login", "csrf",
];

const FILTERS: [(&str, Filter); 5] = [
    ("int", Filter::Int),
    ("lower", Filter::Lower),
    ("json", Filter::Json),
    ("str", Filter::Str),
    ("b64", Filter::B64),
];

/// SCIM attributes that connectors know, besides those of extensions by their URN (RFC 7643 4.1).
pub const ATTRIBUTES: [&str; 19] = [
    "userName",
    "externalId",
    "displayName",
    "name.givenName",
    "name.familyName",
    "name.formatted",
    "name.middleName",
    "name.honorificPrefix",
    "name.honorificSuffix",
    "emails.value",
    "active",
    "title",
    "nickName",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "phoneNumbers.value",
    "roles.value",
];

/// Whether connectors know this attribute.
pub(super) fn is_attribute(name: &str) -> bool {
    ATTRIBUTES.contains(&name) || name.starts_with("urn:")
}

/// Finds what `{env.NAME}` stands for.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Result<Secret, String>;

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// A name or filter that does not exist, in words.
    pub(super) fn parse(text: &str, variables: Variables<'_>) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            let Some((inside, after)) =
                behind.split_once('}').filter(|(inside, _)| is_name(inside))
            else {
                plain.push('{');
                rest = behind;
                continue;
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part(inside, variables)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Names that stand in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|part| match part {
            Part::Value(name, _) => Some(name),
            Part::Text(_) | Part::Secret(..) => None,
        })
    }

    /// The value of `{word}` in a text that this wrote; none where it cannot have written it.
    pub fn undo(&self, word: &str, text: &str) -> Option<String> {
        let (before, after) = self.around(word)?;
        let value = text.strip_prefix(&before)?.strip_suffix(&after)?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// What stands before and behind `{word}`; none where it does not stand there once, as it is, with nothing else that
    /// differs from call to call.
    pub fn around(&self, word: &str) -> Option<(String, String)> {
        let (mut before, mut after) = (String::new(), None);
        for part in &self.0 {
            let text = match part {
                Part::Text(text) => text.clone(),
                Part::Secret(secret, filters) => plain(secret, filters),
                Part::Value(Name::Word(its), filters)
                    if *its == word
                        && after.is_none()
                        && filters.iter().all(|filter| filter.keeps()) =>
                {
                    after = Some(String::new());
                    continue;
                }
                Part::Value(..) => return None,
            };
            after.as_mut().unwrap_or(&mut before).push_str(&text);
        }
        Some((before, after?))
    }

    /// Whether this word stands in it.
    pub fn has(&self, word: &str) -> bool {
        self.names()
            .any(|name| matches!(name, Name::Word(its) if *its == word))
    }
}

impl Template {
    /// The text with its variables, and a word for everything that calls are about; in a path what leads away is none.
    pub(super) fn sample(&self, in_path: bool) -> Result<String, String> {
        let mut sample = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => sample.push_str(text),
                Part::Value(..) => sample.push('x'),
                Part::Secret(secret, filters) => {
                    let value = plain(secret, filters);
                    if in_path && leads_away(&value) {
                        return Err("a variable in it is empty, or holds a slash".to_owned());
                    }
                    sample.push_str(&value);
                }
            }
        }
        if sample.contains(['\r', '\n', '\0']) {
            return Err("a variable in it holds a line break".to_owned());
        }
        Ok(sample)
    }
}

impl Filter {
    /// Whether who reads what it wrote has the value again.
    const fn keeps(self) -> bool {
        match self {
            Self::Int | Self::Lower | Self::Str => true,
            Self::Json | Self::B64 => false,
        }
    }

    /// A value as this writes it.
    pub fn of(self, value: Json) -> Json {
        match self {
            Self::Int => written(&value).parse::<i64>().map_or(value, Json::from),
            Self::Lower => written(&value).to_lowercase().into(),
            Self::Json => {
                let quoted = Json::from(written(&value)).to_string();
                let inside = quoted
                    .strip_prefix('"')
                    .and_then(|text| text.strip_suffix('"'));
                inside.unwrap_or_default().into()
            }
            Self::Str => written(&value).into(),
            Self::B64 => STANDARD.encode(written(&value)).into(),
        }
    }
}

fn plain(secret: &Secret, filters: &[Filter]) -> String {
    let value = Json::from(secret.expose());
    written(&filters.iter().fold(value, |value, filter| filter.of(value)))
}

/// A value as a text.
pub fn written(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

/// Whether a value in a path leads to another address, by itself or where somebody decodes it (R14).
pub fn leads_away(value: &str) -> bool {
    ["", ".", ".."].contains(&value) || value.contains(['/', '\\'])
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Field(name) => write!(f, "fields.{name}"),
            Self::Attribute(name) => f.write_str(name),
        }
    }
}

/// `name`, `name|filter`, `urn:…:2.0:User:department`.
fn is_name(text: &str) -> bool {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:|- ".contains(c))
}

fn part(inside: &str, variables: Variables<'_>) -> Result<Part, String> {
    let mut pieces = inside.split('|').map(str::trim);
    let name = pieces.next().unwrap_or_default();
    let filters = pieces.map(|word| {
        let filter = FILTERS.iter().find(|(its, _)| *its == word);
        filter.map(|(_, filter)| *filter).ok_or_else(|| {
            let all: Vec<_> = FILTERS.iter().map(|(its, _)| *its).collect();
            format!(
                "{{{inside}}}: there is no filter {word:?}; there are {}",
                all.join(", ")
            )
        })
    });
    let filters: Vec<Filter> = filters.collect::<Result<_, _>>()?;
    if let Some(variable) = name.strip_prefix("env.") {
        return Ok(Part::Secret(variables(variable)?, filters));
    }
    let word = WORDS.iter().find(|word| **word == name);
    let name = match (word, name.strip_prefix("fields.")) {
        (Some(word), _) => Name::Word(word),
        (None, Some(field)) => Name::Field(field.to_owned()),
        (None, None) if is_attribute(name) => Name::Attribute(name.to_owned()),
        (None, None) => return Err(format!("{{{inside}}}: there is no {name:?}")),
    };
    Ok(Part::Value(name, filters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        let variables = |name: &str| match name {
            "SET" => Ok(Secret::new("canary")),
            _ => Err(format!("variable {name} is not set")),
        };
        let template = Template::parse(text, &variables)?;
        let parts = template.0.iter().map(|part| match part {
            Part::Text(text) => format!("{text:?}"),
            Part::Secret(..) => "secret".to_owned(),
            Part::Value(name, filters) => format!("<{name}{filters:?}>"),
        });
        Ok(parts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn names_are_places_and_other_braces_are_not() {
        for (text, want) in [
            ("", ""),
            ("/users/{id}", "\"/users/\" <id[]>"),
            ("{id|int}", "<id[Int]>"),
            ("Basic {env.SET|b64}", "\"Basic \" secret"),
            (
                "{fields.name}{userName|lower}",
                "<fields.name[]> <userName[Lower]>",
            ),
            (
                r#"q={"value":"{value|json}"}"#,
                r#""q={\"value\":\"" <value[Json]> "\"}""#,
            ),
            ("{}{ {", "\"{}{ {\""),
            (
                "{urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department}",
                "<urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department[]>",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_does_not_exist_is_told() {
        for (text, want) in [
            ("{nmae}", "{nmae}: there is no \"nmae\""),
            (
                "{id|upper}",
                "{id|upper}: there is no filter \"upper\"; there are int, lower, json, str, b64",
            ),
            ("{env.UNSET}", "variable UNSET is not set"),
        ] {
            assert_eq!(shown(text).unwrap_err(), want, "{text}");
        }
    }
}
