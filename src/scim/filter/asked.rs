//! What a filter needs to know of an attribute that is costly to read.

use serde_json::Value;

use super::{Filter, Operator};
use crate::scim::path::AttributePath;
use crate::scim::schema::{Found, ResourceType};
use crate::scim::value::text;

/// Which values of an attribute a filter asks for, so that the others need not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It does not ask for the attribute.
    Nothing,
    /// Whether these are among them.
    These(Vec<String>),
    /// Something else: all must be there.
    Everything,
}

impl Filter {
    /// Which values of an attribute of the core schema (`members`, `groups`) it asks for.
    pub fn asked(&self, kind: &ResourceType, attribute: &str) -> Asked {
        let it = |path: &AttributePath| is_it(kind, path, attribute);
        match self {
            Self::And(arms) | Self::Or(arms) => {
                let arms = arms.iter().map(|arm| arm.asked(kind, attribute));
                arms.fold(Asked::Nothing, Asked::and)
            }
            Self::Not(filter) => filter.asked(kind, attribute),
            Self::Present(path) if it(path) => Asked::Everything,
            Self::Compare(path, Operator::Eq, value) if it(path) => {
                one(path.sub.as_deref().unwrap_or("value"), value)
            }
            Self::Compare(path, ..) if it(path) => Asked::Everything,
            Self::Element(path, filter) if it(path) => filter.asked_inside(),
            Self::Present(_) | Self::Compare(..) | Self::Element(..) => Asked::Nothing,
        }
    }

    fn asked_inside(&self) -> Asked {
        match self {
            Self::Or(arms) => arms
                .iter()
                .map(Self::asked_inside)
                .fold(Asked::Nothing, Asked::and),
            // The others of the arms only narrow what one names.
            Self::And(arms) => {
                let mut arms = arms.iter().map(Self::asked_inside);
                arms.find(|asked| matches!(asked, Asked::These(_)))
                    .unwrap_or(Asked::Everything)
            }
            Self::Compare(path, Operator::Eq, value) if path.schema.is_none() => {
                one(&path.name, value)
            }
            Self::Compare(..) | Self::Not(_) | Self::Present(_) | Self::Element(..) => {
                Asked::Everything
            }
        }
    }
}

impl Asked {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Nothing, asked) | (asked, Self::Nothing) => asked,
            (Self::These(mut these), Self::These(others)) => {
                these.extend(others);
                Self::These(these)
            }
        }
    }
}

fn one(part: &str, value: &Value) -> Asked {
    match text(value) {
        Some(text) if part.eq_ignore_ascii_case("value") => Asked::These(vec![text.into_owned()]),
        Some(_) | None => Asked::Everything,
    }
}

fn is_it(kind: &ResourceType, path: &AttributePath, name: &str) -> bool {
    match kind.find(path) {
        Some(Found::Attribute {
            extension: None,
            attribute,
            ..
        }) => attribute.name == name,
        Some(Found::Whole(schema)) => schema.id == kind.core.id,
        Some(Found::Attribute { .. }) | None => false,
    }
}
