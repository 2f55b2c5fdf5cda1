//! What a call carries: JSON with places to fill in.

use serde_json::Value as Json;
use toml::Value;

use super::operation::Pointer;
use super::template::{Name, Part, Template, Variables};

/// Deepest body that is read.
const MAX_DEPTH: usize = 16;

/// A JSON value with places to fill in.
#[derive(Clone, Debug)]
pub enum Body {
    /// As it is.
    Plain(Json),
    /// A text; one that is a single place keeps the type of what fills it, and goes away when nothing does.
    Text(Template),
    /// An array.
    List(Vec<Self>),
    /// An object, whose keys are texts; what stands under `...` is an object whose members are put among the others.
    Object(Vec<(Template, Self)>),
}

/// The key whose object is put among the others.
pub const SPREAD: &str = "...";

impl Body {
    /// Reads a TOML value.
    ///
    /// # Errors
    ///
    /// A template that is wrong, dates, depth, in words.
    pub(super) fn parse(value: &Value, variables: Variables<'_>) -> Result<Self, String> {
        Self::at(value, variables, 0)
    }

    fn at(value: &Value, variables: Variables<'_>, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("is deeper than {MAX_DEPTH} levels"));
        }
        let next = depth.saturating_add(1);
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text, variables)?),
            Value::Array(items) => {
                let items = items.iter().map(|item| Self::at(item, variables, next));
                Self::List(items.collect::<Result<_, _>>()?)
            }
            Value::Table(table) => {
                let members = table.iter().map(|(key, value)| {
                    let key = Template::parse(key, variables)?;
                    Ok::<_, String>((key, Self::at(value, variables, next)?))
                });
                Self::Object(members.collect::<Result<_, _>>()?)
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                Self::Plain(json(value)?)
            }
        })
    }

    /// The text that stands at a place of it.
    pub fn text_at(&self, at: &Pointer) -> Option<&Template> {
        let mut here = self;
        for step in at.steps() {
            here = match here {
                Self::List(items) => items.get(step.parse::<usize>().ok()?)?,
                Self::Object(members) => members
                    .iter()
                    .find_map(|(key, member)| key.is(&step).then_some(member))?,
                Self::Plain(_) | Self::Text(_) => return None,
            };
        }
        match here {
            Self::Text(template) => Some(template),
            Self::Plain(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Every name that stands in it.
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Text(template) => template.names().collect(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(key, body)| key.names().chain(body.names()))
                .collect(),
        }
    }
}

impl Template {
    /// Whether it is just this text.
    pub fn is(&self, text: &str) -> bool {
        match self.0.as_slice() {
            [] => text.is_empty(),
            [Part::Text(its)] => its == text,
            _ => false,
        }
    }

    /// The one place that the text is, if it is nothing else.
    pub fn single(&self) -> Option<&Part> {
        match self.0.as_slice() {
            [part @ Part::Value(..)] => Some(part),
            _ => None,
        }
    }
}

/// A TOML value in JSON.
pub(super) fn json(value: &Value) -> Result<Json, String> {
    Ok(match value {
        Value::String(text) => Json::from(text.as_str()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Boolean(flag) => Json::from(*flag),
        Value::Datetime(_) => return Err("is a date; write it as a text in quotes".to_owned()),
        Value::Array(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Table(table) => {
            let members = table
                .iter()
                .map(|(key, value)| Ok::<_, String>((key.clone(), json(value)?)));
            Json::Object(members.collect::<Result<_, _>>()?)
        }
    })
}
