//! What `provision` refuses, as SCIM clients are told.

use http::StatusCode;

use super::{ScimError, ScimType};
use crate::directory::DirectoryError;
use crate::problem::Problem;
use crate::provision::Refused;

impl From<Refused> for ScimError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Directory(error) => directory(error),
            other => todo(other),
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
        DirectoryError::Stale => super::call::stale(),
        DirectoryError::TooLong(what) => {
            ScimError::of(ScimType::InvalidValue, format!("{what}: is too long"))
        }
        DirectoryError::Deleted => ScimError::new(StatusCode::CONFLICT, "the person was deleted"),
        DirectoryError::Storage(error) => Problem::from(error).into(),
    }
}
