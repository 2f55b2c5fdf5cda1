//! Tree to look-up: which index leaves the least to look at.

use serde_json::Value;

use super::{Filter, Operator};
use crate::scim::path::AttributePath;
use crate::scim::schema::{Found, ResourceType};
use crate::scim::value::text;

/// What a filter can be looked up by. Everything that fits is in it; what is in it need not fit, so the caller
/// runs [`Filter::matches`] on what the index gives. Texts are as the client wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The resource with this id.
    Id(String),
    /// People with this user name, folded.
    UserName(String),
    /// Resources with this external id, byte for byte.
    ExternalId(String),
    /// People with this e-mail address, folded, of whatever type.
    Email(String),
    /// Groups with this name, folded.
    DisplayName(String),
    /// Groups with this person as a member.
    Member(String),
    /// All of these together; none at all: nothing fits.
    AnyOf(Vec<Self>),
    /// No index helps.
    Everything,
}

impl Filter {
    /// The index that leaves the least. Of `and` one arm is enough, of `or` every arm needs one.
    pub fn lookup(&self, kind: &ResourceType) -> Lookup {
        match self {
            Self::And(arms) => {
                let arms = arms.iter().map(|arm| arm.lookup(kind));
                arms.min_by_key(Lookup::cost).unwrap_or(Lookup::Everything)
            }
            Self::Or(arms) => any_of(arms.iter().map(|arm| arm.lookup(kind))),
            Self::Present(path) => known(kind, path),
            Self::Compare(path, operator, value) => {
                index(kind, path, *operator, value).unwrap_or_else(|| known(kind, path))
            }
            Self::Element(path, filter) if path.sub.is_none() => {
                let inside = filter.inside(kind, path);
                if inside == Lookup::Everything {
                    known(kind, path)
                } else {
                    inside
                }
            }
            Self::Not(_) | Self::Element(..) => Lookup::Everything,
        }
    }

    /// The same for a filter on elements of an attribute.
    fn inside(&self, kind: &ResourceType, of: &AttributePath) -> Lookup {
        match self {
            Self::And(arms) => {
                let arms = arms.iter().map(|arm| arm.inside(kind, of));
                arms.min_by_key(Lookup::cost).unwrap_or(Lookup::Everything)
            }
            Self::Or(arms) => any_of(arms.iter().map(|arm| arm.inside(kind, of))),
            Self::Compare(path, operator, value) if path.schema.is_none() && path.sub.is_none() => {
                let path = AttributePath {
                    sub: Some(path.name.clone()),
                    ..of.clone()
                };
                index(kind, &path, *operator, value).unwrap_or(Lookup::Everything)
            }
            Self::Compare(..) | Self::Not(_) | Self::Present(_) | Self::Element(..) => {
                Lookup::Everything
            }
        }
    }
}

impl Lookup {
    /// About how many resources it leaves.
    fn cost(&self) -> usize {
        match self {
            Self::Id(_) | Self::UserName(_) => 1,
            Self::DisplayName(_) | Self::ExternalId(_) => 2,
            Self::Email(_) => 3,
            Self::Member(_) => 100,
            Self::AnyOf(arms) => arms.iter().map(Self::cost).fold(0, usize::saturating_add),
            Self::Everything => usize::MAX,
        }
    }
}

fn any_of(arms: impl Iterator<Item = Lookup>) -> Lookup {
    let mut all = Vec::new();
    for arm in arms {
        match arm {
            Lookup::Everything => return Lookup::Everything,
            Lookup::AnyOf(arms) => all.extend(arms),
            Lookup::Id(_)
            | Lookup::UserName(_)
            | Lookup::ExternalId(_)
            | Lookup::Email(_)
            | Lookup::DisplayName(_)
            | Lookup::Member(_) => all.push(arm),
        }
    }
    Lookup::AnyOf(all)
}

/// What no schema has fits nothing.
fn known(kind: &ResourceType, path: &AttributePath) -> Lookup {
    match kind.find(path) {
        Some(_) => Lookup::Everything,
        None => Lookup::AnyOf(Vec::new()),
    }
}

fn index(
    kind: &ResourceType,
    path: &AttributePath,
    operator: Operator,
    value: &Value,
) -> Option<Lookup> {
    let text = text(value)
        .filter(|_| operator == Operator::Eq)?
        .into_owned();
    let Found::Attribute {
        extension: None,
        attribute,
        sub,
    } = kind.find(path)?
    else {
        return None;
    };
    let sub = sub.map(|sub| sub.name.as_str());
    match (kind.name, attribute.name.as_str(), sub) {
        (_, "id", None) => Some(Lookup::Id(text)),
        (_, "externalId", None) => Some(Lookup::ExternalId(text)),
        ("User", "userName", None) => Some(Lookup::UserName(text)),
        ("User", "emails", None | Some("value")) => Some(Lookup::Email(text)),
        ("Group", "displayName", None) => Some(Lookup::DisplayName(text)),
        ("Group", "members", None | Some("value")) => Some(Lookup::Member(text)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
