//! Tree against a resource (RFC 7644 3.4.2.2).
//!
//! An attribute that no schema has fits nothing: idps ask for what an app may or may not have. Refuses to look
//! at what nobody may read, and comparisons that the attribute's type does not have.

use serde_json::{Map, Value};

use super::rule::Rule;
use super::{Filter, Operator};
use crate::scim::path::AttributePath;
use crate::scim::place::{At, Place, find, find_in};
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType, Returned};
use crate::scim::{ScimError, ScimType};

/// A filter prepared for one kind of resource: paths are found, values are folded and read.
#[derive(Clone, Debug)]
pub struct Test(Node);

#[derive(Clone, Debug)]
enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Nothing,
    Values(Place, Rule),
    Element(Place, Box<Self>),
}

impl Filter {
    /// Whether the resource fits. The resource is a canonical one: names as in the schema, extensions under
    /// their URN, with everything that the filter may ask for (`id`, `meta`, `groups`, `members`, see [`Filter::asked`]).
    ///
    /// # Errors
    ///
    /// `invalidFilter`, as [`Filter::prepare`]; it depends on the filter alone, not on the resource.
    pub fn matches(
        &self,
        kind: &ResourceType,
        resource: &Map<String, Value>,
    ) -> Result<bool, ScimError> {
        Ok(self.prepare(kind)?.fits(resource))
    }

    /// Makes it ready for many resources.
    ///
    /// # Errors
    ///
    /// `invalidFilter`: an attribute is never returned, is complex without `value`, or does not compare so.
    pub fn prepare(&self, kind: &ResourceType) -> Result<Test, ScimError> {
        self.node(&|path| find(kind, path)).map(Test)
    }

    fn node<'a>(&self, find: &dyn Fn(&AttributePath) -> At<'a>) -> Result<Node, ScimError> {
        let all = |arms: &[Self]| {
            arms.iter()
                .map(|arm| arm.node(find))
                .collect::<Result<_, _>>()
        };
        match self {
            Self::And(arms) => all(arms).map(Node::All),
            Self::Or(arms) => all(arms).map(Node::Any),
            Self::Not(filter) => Ok(Node::Not(Box::new(filter.node(find)?))),
            Self::Present(path) => Ok(match readable(find(path), path)? {
                Some((place, _)) => Node::Values(place, Rule::Present),
                None => Node::Nothing,
            }),
            Self::Compare(path, operator, value) => match readable(find(path), path)? {
                Some((place, Some(attribute))) => {
                    compare(path, place, &attribute, *operator, value)
                }
                Some((_, None)) | None => Ok(Node::Nothing),
            },
            Self::Element(path, filter) => match readable(find(path), path)? {
                Some((place, Some(attribute))) if place.sub.is_none() => {
                    let inner = filter.node(&|path| find_in(&attribute, path))?;
                    Ok(Node::Element(place, Box::new(inner)))
                }
                Some(_) | None => Ok(Node::Nothing),
            },
        }
    }
}

impl Test {
    /// Whether the resource fits, see [`Filter::matches`].
    pub fn fits(&self, resource: &Map<String, Value>) -> bool {
        self.0.fits(resource)
    }
}

impl Node {
    fn fits(&self, root: &Map<String, Value>) -> bool {
        match self {
            Self::All(arms) => arms.iter().all(|arm| arm.fits(root)),
            Self::Any(arms) => arms.iter().any(|arm| arm.fits(root)),
            Self::Not(filter) => !filter.fits(root),
            Self::Nothing => false,
            Self::Values(place, rule) => rule.fits(place.values(root)),
            Self::Element(place, filter) => place.values(root).any(|element| match element {
                Value::Object(element) => filter.fits(element),
                // RFC 7643 2.4: of a simple value, `value` is the value itself.
                Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    filter.fits(&Map::from_iter([("value".to_owned(), element.clone())]))
                }
                Value::Null | Value::Array(_) => false,
            }),
        }
    }
}

/// Refuses what nobody may read: a filter would tell it letter by letter.
fn readable<'a>(at: At<'a>, path: &AttributePath) -> Result<At<'a>, ScimError> {
    let secret = |attribute: &Attribute| {
        attribute.mutability == Mutability::WriteOnly || attribute.returned == Returned::Never
    };
    match &at {
        Some((_, Some(attribute))) if secret(attribute) => Err(refused(path, "is never told")),
        Some(_) | None => Ok(at),
    }
}

fn compare(
    path: &AttributePath,
    mut place: Place,
    attribute: &Attribute,
    operator: Operator,
    value: &Value,
) -> Result<Node, ScimError> {
    let rule = |attribute: &Attribute| Rule::new(attribute, operator, value);
    let rule = if !matches!(attribute.kind, Kind::Complex(_)) || value.is_null() {
        rule(attribute)
    } else if let Some(part) = attribute.sub("value") {
        // RFC 7643 2.4: the significant part, so `emails co "x"`, `members eq "id"`.
        place.sub = Some(part.name.clone());
        rule(part)
    } else {
        Err("has parts: name one, such as name.familyName")
    };
    match rule {
        Ok(rule) => Ok(Node::Values(place, rule)),
        Err(why) => Err(refused(path, why)),
    }
}

fn refused(path: &AttributePath, why: &str) -> ScimError {
    ScimError::of(ScimType::InvalidFilter, format!("filter: {path}: {why}"))
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;
