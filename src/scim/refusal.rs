//! What `provision` refuses, as SCIM clients are told.

use std::time::Duration;

use http::StatusCode;

use super::list::too_many;
use super::{ScimError, ScimType};
use crate::connector::AppFailure;
use crate::directory::DirectoryError;
use crate::problem::Problem;
use crate::provision::{Refused, Rule};

/// When a client may try again whom the app did not say so.
const SOON: Duration = Duration::from_secs(10);

impl From<Refused> for ScimError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Directory(error) => directory(error),
            Refused::Rule(rule) => by_rule(&rule),
            Refused::Outdated => super::call::stale(),
            Refused::Tenant => Self::not_found("tenant"),
            Refused::App(failure) => by_app(&failure),
            // Of sign-ins and operators alone.
            Refused::Inactive
            | Refused::Deleted
            | Refused::Unknown
            | Refused::Domain
            | Refused::Match(_)
            | Refused::Method
            | Refused::GroupOverage
            | Refused::NoConnector
            | Refused::Seal(_)
            | Refused::NoAccount(_)
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

/// What the app said, so that the idp's log shows it: never a success that was none.
fn by_app(failure: &AppFailure) -> ScimError {
    let why = failure.to_string();
    match failure {
        AppFailure::Uniqueness(_) | AppFailure::Ambiguous(_) => {
            ScimError::of(ScimType::Uniqueness, why)
        }
        // Never 404 (RFC 7644 3.12: the resource does not exist): it is here, and idps make whom they get a 404 for anew.
        AppFailure::Invalid(_) | AppFailure::Ignored(_) | AppFailure::Missing => {
            ScimError::of(ScimType::InvalidValue, why)
        }
        AppFailure::Cannot(_) => ScimError::new(StatusCode::NOT_IMPLEMENTED, why),
        // An operator has to say whose it is: a later try ends the same.
        AppFailure::Another(_) => ScimError::new(StatusCode::CONFLICT, why),
        AppFailure::LastAdministrator => ScimError::new(StatusCode::FORBIDDEN, why),
        AppFailure::Unavailable { retry_after, .. } | AppFailure::TooMany(retry_after) => {
            let mut error = ScimError::new(StatusCode::SERVICE_UNAVAILABLE, why);
            error.retry_after = Some((*retry_after).unwrap_or(SOON));
            error
        }
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
