//! How much of one attribute is shown.

use serde_json::Value;

use crate::scim::schema::{Attribute, Found, Kind, Returned, Schema};

/// How much of an attribute is shown.
pub(super) enum Part {
    Nothing,
    /// All that is returned by default.
    All,
    /// All, also what is returned on request alone: the attribute was named.
    Asked,
    Only(Vec<String>),
    Without(Vec<String>),
}

/// How paths name an attribute.
#[derive(Default)]
pub(super) struct Named {
    itself: bool,
    schema: bool,
    parts: Vec<String>,
}

impl Named {
    pub(super) fn new(found: &[Found<'_>], of: Option<&Schema>, attribute: &Attribute) -> Self {
        let mut all = Self::default();
        for found in found {
            match found {
                Found::Whole(schema) => {
                    all.schema |= match of {
                        Some(of) => of.id == schema.id,
                        None => schema.attribute(&attribute.name) == Some(attribute),
                    };
                }
                Found::Attribute {
                    extension,
                    attribute: its,
                    sub,
                } => {
                    let same = extension.map(|schema| &schema.id) == of.map(|of| &of.id)
                        && its.name.eq_ignore_ascii_case(&attribute.name);
                    match sub {
                        Some(sub) if same => all.parts.push(sub.name.clone()),
                        None if same => all.itself = true,
                        Some(_) | None => {}
                    }
                }
            }
        }
        all
    }
}

impl Part {
    /// `asked`: attributes are named to be shown, else to be left out.
    pub(super) fn of(attribute: &Attribute, asked: bool, named: Named) -> Self {
        match attribute.returned {
            Returned::Always => Self::All,
            Returned::Default if asked && named.schema => Self::All,
            Returned::Default | Returned::Request if asked => {
                if named.itself {
                    Self::Asked
                } else if named.parts.is_empty() {
                    Self::Nothing
                } else {
                    Self::Only(named.parts)
                }
            }
            Returned::Default if !named.itself && !named.schema => Self::Without(named.parts),
            Returned::Default | Returned::Request | Returned::Never => Self::Nothing,
        }
    }

    pub(super) fn shows(&self, sub: &Attribute) -> bool {
        let by_default = sub.returned == Returned::Default;
        match (sub.returned, self) {
            (Returned::Never, _) | (_, Self::Nothing) => false,
            (Returned::Always, _) | (Returned::Request, Self::Asked) => true,
            (_, Self::Only(subs)) => subs.contains(&sub.name),
            (_, Self::All | Self::Asked) => by_default,
            (_, Self::Without(subs)) => by_default && !subs.contains(&sub.name),
        }
    }
}

/// What is left of a value; an element of which nothing is left goes.
pub(super) fn shown(part: &Part, attribute: &Attribute, value: Value) -> Option<Value> {
    match (part, value) {
        (Part::Nothing, _) | (_, Value::Null) => None,
        (_, value) if !matches!(attribute.kind, Kind::Complex(_)) => Some(value),
        (_, Value::Object(mut object)) => {
            object.retain(|name, _| attribute.sub(name).is_some_and(|sub| part.shows(sub)));
            (!object.is_empty()).then_some(Value::Object(object))
        }
        (_, Value::Array(values)) => {
            let before = values.len();
            let values = values.into_iter();
            let left: Vec<_> = values
                .filter_map(|its| shown(part, attribute, its))
                .collect();
            (!left.is_empty() || before == 0).then_some(Value::Array(left))
        }
        (_, Value::Bool(_) | Value::Number(_) | Value::String(_)) => None,
    }
}
