//! What `provision` refuses, as SCIM clients are told.

use http::StatusCode;

use super::list::too_many;
use super::{ScimError, ScimType};
use crate::directory::DirectoryError;
use crate::problem::Problem;
use crate::provision::{Refused, Rule};

impl From<Refused> for ScimError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Directory(error) => directory(error),
            Refused::Rule(rule) => by_rule(&rule),
            Refused::Outdated => super::call::stale(),
            Refused::Tenant => Self::not_found("tenant"),
            // Of sign-ins alone.
            Refused::Inactive
            | Refused::Deleted
            | Refused::Unknown
            | Refused::Domain
            | Refused::Match(_)
            | Refused::Method
            | Refused::GroupOverage
            | Refused::Claim(_) => Problem::internal(refused).into(),
        }
    }
}

fn by_rule(rule: &Rule) -> ScimError {
    let why = rule.to_string();
    match rule {
        // Not a mistake of the request; the idp tries again in its next cycle.
        Rule::Fuse(_) => ScimError::new(StatusCode::FORBIDDEN, why),
        Rule::Domain { .. }
        | Rule::Role { .. }
        | Rule::Value { .. }
        | Rule::Required(_)
        | Rule::Name { .. }
        | Rule::Group { .. }
        | Rule::Member(_)
        | Rule::Above { .. }
        | Rule::Managed => ScimError::of(ScimType::InvalidValue, why),
    }
}

fn directory(error: DirectoryError) -> ScimError {
    match error {
        DirectoryError::Taken(what) => ScimError::of(
            ScimType::Uniqueness,
            format!("{what}: another resource has this value"),
        ),
        DirectoryError::Missing => ScimError::not_found("resource"),
        DirectoryError::TooLong(what) => {
            ScimError::of(ScimType::InvalidValue, format!("{what}: is too long"))
        }
        DirectoryError::TooMany => too_many(),
        DirectoryError::Deleted => ScimError::new(StatusCode::CONFLICT, "the person was deleted"),
        // Others were faster again and again: the client may try once more.
        DirectoryError::Stale => ScimError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the resource is being changed by others; try again",
        ),
        DirectoryError::Storage(error) => Problem::from(error).into(),
    }
}
