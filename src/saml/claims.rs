//! From a verified assertion to a principal.

use serde_json::{Map, Value, json};

use super::refusal::{Check, Refusal};
use super::verify::VerifiedAssertion;
use crate::clock::Timestamp;
use crate::config::Attributes;
use crate::identity::{ClaimedGroups, IdpKind, IdpName, Principal};
use crate::problem::Problem;

/// The name by which settings mean the assertion's own `NameID`.
const NAME_ID: &str = "NameID";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// Entra's: the person in the tenant, for every app and for ever.
const TENANT: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
const OBJECT: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
/// Entra's sign that there are too many groups for an assertion (over 150): an address instead of them.
const OVERAGE: &str = "http://schemas.microsoft.com/claims/groups.link";
/// More groups than any assertion lists.
const MAX_GROUPS: usize = 10_000;

/// Why an assertion makes no principal.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// The `NameID` is another one at every sign-in, and nothing else names the person for ever.
    #[error(
        "name id is transient and there is none of the attributes configured for external_id: {0}"
    )]
    Transient(String),
    /// None of the attributes that are configured for the user name is there.
    #[error("assertion holds none of the attributes configured for the user name: {0}")]
    UserName(String),
}

impl From<ClaimsError> for Problem {
    fn from(error: ClaimsError) -> Self {
        Self::forbidden(
            "sign_in.claim",
            "Your sign-in service did not send the details that are needed here. Ask for them to be added to its settings.",
        )
        .because(error)
    }
}

impl ClaimsError {
    /// The same for the operator, with the names of what came instead.
    pub(super) fn refusal(&self, assertion: &VerifiedAssertion) -> Refusal {
        match self {
            Self::Transient(names) => Refusal::new(
                Check::NameId,
                format!("a NameID that is not transient, or one of {names}"),
                came(assertion),
            ),
            Self::UserName(names) => Refusal::new(
                Check::Attributes,
                format!("one of {names}, for the user name"),
                came(assertion),
            ),
        }
    }
}

/// Names alone: what they hold is the person's.
fn came(assertion: &VerifiedAssertion) -> String {
    let format = assertion.name_id().format.as_deref();
    let format = format.and_then(|its| its.rsplit(':').next());
    let name_id = format!("NameID ({})", format.unwrap_or("unspecified"));
    let names = assertion.attributes().iter().map(|its| its.name.as_str());
    let all: Vec<_> = std::iter::once(name_id.as_str()).chain(names).collect();
    all.join(", ")
}

/// Which idp's attributes these are, and which of them hold what.
#[derive(Debug)]
pub struct Mapping {
    /// The configured idp.
    pub idp: IdpName,
    /// `[idp.attributes]`; [`Attributes::saml`] unless the settings say otherwise.
    pub attributes: Attributes,
}

impl Mapping {
    /// The person whom the assertion proves.
    ///
    /// # Errors
    ///
    /// It lacks what names a person.
    pub fn principal(
        &self,
        assertion: &VerifiedAssertion,
        now: Timestamp,
    ) -> Result<Principal, ClaimsError> {
        let a = &self.attributes;
        let first = |names: &[String]| names.iter().find_map(|name| text(assertion, name));
        let readable = |name: &String| match name.as_str() {
            // An opaque identifier is nobody's name.
            NAME_ID if has_format(assertion, PERSISTENT) => None,
            name => text(assertion, name),
        };
        let user_name = a.user_name.iter().find_map(readable);
        let user_name = user_name.ok_or_else(|| ClaimsError::UserName(a.user_name.join(", ")))?;
        let address = |name: &String| match name.as_str() {
            NAME_ID if !has_format(assertion, EMAIL) => None,
            name => text(assertion, name),
        };
        Ok(Principal {
            idp: self.idp.clone(),
            kind: IdpKind::Saml,
            link_subject: self.link_subject(assertion)?,
            subject: assertion.name_id().value.clone(),
            name_id: Some(assertion.name_id().value.clone()),
            user_name,
            email: a.email.iter().find_map(address),
            // R32: SAML has no word for it; a tenant that names this idp takes its word.
            email_verified: false,
            external_id: first(&a.external_id),
            display_name: first(&a.display_name),
            given_name: first(&a.given_name),
            family_name: first(&a.family_name),
            groups: groups(assertion, &a.groups),
            idp_session: assertion.session_index().map(str::to_owned),
            // Without AuthnInstant nobody knows: rules with `max_auth_age` ask again.
            authenticated_at: assertion.authenticated_at().unwrap_or_default().min(now),
            session_ends: assertion.session_ends(),
            claims: claims(assertion),
            id_token: None,
        })
    }

    /// R32: what names one person for ever. An attribute that people can change never does.
    fn link_subject(&self, assertion: &VerifiedAssertion) -> Result<String, ClaimsError> {
        let issuer = assertion.issuer();
        if let (Some(tenant), Some(object)) = (text(assertion, TENANT), text(assertion, OBJECT)) {
            // The tenant must be the issuer's own: one that only the assertion names could be anybody's.
            if tenant.len() == 36 && issuer.split('/').any(|part| part == tenant) {
                return Ok(format!("entra:{tenant}:{object}"));
            }
        }
        let name_id = assertion.name_id();
        if has_format(assertion, TRANSIENT) {
            let names = &self.attributes.external_id;
            let found = names
                .iter()
                .find_map(|name| text(assertion, name).map(|value| (name, value)));
            let (name, value) = found.ok_or_else(|| ClaimsError::Transient(names.join(", ")))?;
            // No NameID holds a line break, so none looks like this.
            return Ok(format!("{issuer}#\n{name}\n{value}"));
        }
        // Core 8.3.7: an identifier is one person's only among those of its qualifiers.
        let qualifier = name_id.name_qualifier.as_deref();
        match qualifier.filter(|its| *its != issuer && !its.is_empty()) {
            Some(other) => Ok(format!("{issuer}#{other}\n{}", name_id.value)),
            None => Ok(format!("{issuer}#{}", name_id.value)),
        }
    }
}

fn has_format(assertion: &VerifiedAssertion, format: &str) -> bool {
    assertion.name_id().format.as_deref() == Some(format)
}

/// The first value of an attribute; an empty one, or one with control characters, is none. [`NAME_ID`] is the assertion's
/// own, whatever an attribute is called; a transient one is nobody's.
fn text(assertion: &VerifiedAssertion, name: &str) -> Option<String> {
    let value = match name {
        NAME_ID if has_format(assertion, TRANSIENT) => return None,
        NAME_ID => &assertion.name_id().value,
        _ => assertion.values(name)?.first()?,
    };
    (!value.is_empty() && !value.chars().any(char::is_control)).then(|| value.clone())
}

fn groups(assertion: &VerifiedAssertion, names: &[String]) -> ClaimedGroups {
    let found = names.iter().find_map(|name| assertion.values(name));
    // A part of the groups would take roles away; the directory or nobody answers then.
    if assertion.values(OVERAGE).is_some() {
        return ClaimedGroups::TooMany;
    }
    match found {
        Some(all) if all.len() > MAX_GROUPS => ClaimedGroups::TooMany,
        Some(all) => {
            ClaimedGroups::Known(all.iter().filter(|its| !its.is_empty()).cloned().collect())
        }
        None => ClaimedGroups::Silent,
    }
}

/// Attributes as sent, a text or a list of texts each; `NameID` is the assertion's own with its format and qualifiers,
/// for sign-out there.
fn claims(assertion: &VerifiedAssertion) -> Map<String, Value> {
    let mut claims = Map::new();
    for attribute in assertion.attributes() {
        let value = match attribute.values.as_slice() {
            [one] => Value::from(one.as_str()),
            all => Value::from(all),
        };
        claims.insert(attribute.name.clone(), value);
    }
    let name_id = assertion.name_id();
    claims.insert(
        NAME_ID.to_owned(),
        json!({
            "value": name_id.value,
            "format": name_id.format,
            "name_qualifier": name_id.name_qualifier,
            "sp_name_qualifier": name_id.sp_name_qualifier,
        }),
    );
    claims
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
