//! A path that the settings name: whether people have such an attribute, and a rule can look at it.

use super::Target;
use super::error::PatchError;
use super::place::{Place, resolve};
use crate::scim::filter::{Filter, Operator};
use crate::scim::schema::{Attribute, Kind, Mutability, ResourceType};

/// Attributes with a place of their own in the record, where no rule looks.
const OWN: [&str; 3] = ["userName", "externalId", "active"];

/// Why a path of the settings leads nowhere.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SpotError {
    /// It cannot be read.
    #[error(transparent)]
    Path(#[from] PatchError),
    /// No schema has it: mistyped, or of an extension that `[[scim.extension]]` does not name.
    #[error("{0:?} is no attribute of a person; those of extensions stand behind the schema's URN")]
    Unknown(String),
    /// Of an extension, without its URN.
    #[error("must be written with its schema: {0}")]
    Urn(String),
    /// [`OWN`], or what we write.
    #[error("{0} is no attribute that a rule can be about")]
    Own(String),
    /// `true`, a number, or something with parts.
    #[error("{0} holds no text; name an attribute or a part that does")]
    NoText(String),
    /// `[…]` that is not about `primary`.
    #[error("only [primary eq true] may stand behind an attribute")]
    Filter,
}

/// Checks a path such as `userType`, `name.familyName`, `roles[primary eq true].value` or `urn:…:attribute`. Of a
/// multi-valued attribute without sub-attribute the `value` of its elements is meant.
///
/// # Errors
///
/// Each way in which a rule about it would look at nothing.
pub fn check_spot(kind: &ResourceType, path: &str) -> Result<(), SpotError> {
    let (target, place) = resolve(kind, None, path)?;
    let (schema, attribute, part) = match place {
        Place::Open(_) => return Ok(()),
        Place::Whole(_) | Place::Unknown => return Err(SpotError::Unknown(path.to_owned())),
        Place::Attribute {
            schema,
            attribute,
            part,
        } => (schema, attribute, part),
    };
    let written = |urn: &str| path.trim().to_ascii_lowercase().starts_with(urn);
    if schema.is_some_and(|schema| !written(&schema.id.to_ascii_lowercase())) {
        return Err(SpotError::Urn(target.to_string()));
    }
    let leaf = match (part, &attribute.kind) {
        (Some(part), _) => Some(part),
        (None, Kind::Complex(_)) => attribute.sub("value"),
        (None, _) => Some(attribute),
    };
    let is_own = schema.is_none() && OWN.contains(&attribute.name.as_str());
    let ours = |it: &Attribute| it.mutability != Mutability::ReadWrite;
    if is_own || ours(attribute) || leaf.is_some_and(ours) {
        return Err(SpotError::Own(target.path.to_string()));
    }
    if !leaf.is_some_and(is_text) {
        return Err(SpotError::NoText(target.path.to_string()));
    }
    check_filter(&target)
}

const fn is_text(attribute: &Attribute) -> bool {
    match attribute.kind {
        Kind::String | Kind::Reference(_) | Kind::Binary | Kind::DateTime => true,
        Kind::Boolean | Kind::Integer | Kind::Decimal | Kind::Complex(_) => false,
    }
}

fn check_filter(target: &Target) -> Result<(), SpotError> {
    match &target.filter {
        None => Ok(()),
        Some(Filter::Compare(path, Operator::Eq, value))
            if path.name.eq_ignore_ascii_case("primary") && *value == true =>
        {
            Ok(())
        }
        Some(_) => Err(SpotError::Filter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::tests::schemas;

    #[test]
    fn each_path_that_leads_nowhere_is_told() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let metadata = "urn:ietf:params:scim:schemas:extension:2.0:Metadata";
        let department = format!("{enterprise}:department");
        let (odd, key) = (
            format!("{enterprise}:departement"),
            format!("{metadata}:any"),
        );
        for (path, want) in [
            ("userType", ""),
            ("USERTYPE", ""),
            ("name.familyName", ""),
            ("roles", ""),
            ("roles[primary eq true].value", ""),
            ("emails.value", ""),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", ""),
            (&department, ""),
            (&key, ""),
            ("usertyp", "no attribute of a person"),
            ("name.famillyName", "no attribute of a person"),
            (&odd, "no attribute of a person"),
            (enterprise, "no attribute of a person"),
            ("urn:none:x", "no attribute of a person"),
            ("department", &department),
            ("userName", "a rule can be about"),
            ("Active", "a rule can be about"),
            ("externalId", "a rule can be about"),
            ("id", "a rule can be about"),
            ("meta.created", "a rule can be about"),
            ("groups.display", "a rule can be about"),
            ("name", "holds no text"),
            ("emails.primary", "holds no text"),
            (r#"emails[type eq "work"].value"#, "[primary eq true]"),
            ("roles[primary eq false]", "[primary eq true]"),
            ("title[primary eq true]", "one value"),
            ("a b", "path"),
            ("", "path"),
        ] {
            let checked = check_spot(&schemas().user, path);
            let why = checked.err().map(|error| error.to_string());
            let why = why.unwrap_or_default();
            assert!(
                why.contains(want) && want.is_empty() == why.is_empty(),
                "{path}: {why}"
            );
        }
    }
}
