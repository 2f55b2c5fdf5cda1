//! `[[scim.attribute]]`: what attributes of a person may hold, and what they hold when the client sends nothing.

use serde_json::{Map, Value};

use crate::config::AttributeRule;
use crate::scim::patch::{self, Operation, PatchError, Spot};
use crate::scim::schema::ResourceType;
use crate::scim::{ScimError, ScimType};

/// Why a rule cannot be kept; a mistake in the settings.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum RuleError {
    /// No schema has it.
    #[error("scim.attribute: path {0:?}: no schema has this attribute")]
    Unknown(String),
    /// The path cannot be read, or leads to what clients do not write, or the default is of another type.
    #[error("scim.attribute: {0}")]
    Path(#[from] PatchError),
}

/// Why a person is refused.
#[derive(Debug, thiserror::Error)]
enum Violation {
    #[error("{path}: got {got:?}; allowed: {allowed}")]
    NotAllowed {
        path: String,
        got: String,
        allowed: String,
    },
    #[error("{path} is required; allowed: {allowed}")]
    Missing { path: String, allowed: String },
}

impl From<Violation> for ScimError {
    fn from(violation: Violation) -> Self {
        Self::of(ScimType::InvalidValue, violation.to_string())
    }
}

/// The rules of a tenant, prepared.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    path: String,
    place: Spot,
    allowed: Vec<String>,
    default: Option<Operation>,
    required: bool,
}

impl Rules {
    /// Prepares the rules for resources of this kind.
    ///
    /// # Errors
    ///
    /// A path that leads nowhere or to what is read-only, and a default of another type.
    pub fn new(kind: &ResourceType, rules: &[AttributeRule]) -> Result<Self, RuleError> {
        let rule = |rule: &AttributeRule| {
            let unknown = || RuleError::Unknown(rule.path.clone());
            let place = Spot::read(kind, &rule.path)?.ok_or_else(unknown)?;
            let default = match rule.default.is_empty() {
                true => None,
                false => Some(place.set(kind, &rule.default)?),
            };
            Ok(Rule {
                path: rule.path.clone(),
                place,
                allowed: rule.allowed.clone(),
                default,
                required: rule.required,
            })
        };
        let rules: Result<_, RuleError> = rules.iter().map(rule).collect();
        Ok(Self { rules: rules? })
    }

    /// Sets defaults, and refuses what is not allowed. Values are compared letter by letter.
    ///
    /// # Errors
    ///
    /// `invalidValue`, naming the attribute, the value and those that are allowed.
    pub fn apply(
        &self,
        kind: &ResourceType,
        resource: &mut Map<String, Value>,
    ) -> Result<(), ScimError> {
        for rule in &self.rules {
            rule.apply(kind, resource)?;
        }
        Ok(())
    }
}

impl Rule {
    fn apply(
        &self,
        kind: &ResourceType,
        resource: &mut Map<String, Value>,
    ) -> Result<(), ScimError> {
        let mut values = self.place.texts(kind, resource);
        if values.is_empty()
            && let Some(default) = &self.default
        {
            patch::change(resource, kind, std::slice::from_ref(default))?;
            values = self.place.texts(kind, resource);
        }
        if values.is_empty() && self.required {
            return Err(Violation::Missing {
                path: self.path.clone(),
                allowed: self.allowed(),
            }
            .into());
        }
        let mut strange = values
            .into_iter()
            .filter(|value| !self.allowed.is_empty() && !self.allowed.contains(value));
        match strange.next() {
            Some(got) => Err(Violation::NotAllowed {
                path: self.path.clone(),
                got: got.chars().take(100).collect(),
                allowed: self.allowed(),
            }
            .into()),
            None => Ok(()),
        }
    }

    fn allowed(&self) -> String {
        match self.allowed.is_empty() {
            true => "any text".to_owned(),
            false => self.allowed.join(", "),
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
