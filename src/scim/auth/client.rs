//! Who may change people by SCIM.

use crate::identity::TenantSlug;
use crate::provision::Actor;
use crate::web::Visit;

use super::super::federation::VerifiedAssertion;
use super::super::token::Verified;

/// Proof that a request comes from a SCIM client of this tenant. Made by [`super::Access`] alone; not `Clone`.
#[derive(Debug)]
pub struct ScimClient {
    tenant: TenantSlug,
    name: String,
    credential: String,
    roles: Option<Vec<String>>,
}

impl ScimClient {
    /// The one directory that it may read and change.
    pub const fn tenant(&self) -> &TenantSlug {
        &self.tenant
    }

    /// What the operator calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public id of what it showed: the token's id, `federation:NAME`, or `entra:TENANT-ID`.
    pub fn credential(&self) -> &str {
        &self.credential
    }

    /// The only roles that it may give (R53); none is any of `roles.allowed`.
    pub fn roles(&self) -> Option<&[String]> {
        self.roles.as_deref()
    }

    /// Whether it may give this role (R53). That the role exists is `provision`'s check.
    pub fn may_give(&self, role: &str) -> bool {
        let roles = self.roles.as_ref();
        roles.is_none_or(|roles| roles.iter().any(|its| its == role))
    }

    /// As the audit names it: `scim:NAME`.
    pub fn actor(&self, visit: &Visit) -> Actor {
        Actor {
            name: format!("scim:{}", self.name),
            client: visit.origin.client,
            request_id: Some(visit.origin.request_id.to_string()),
            ..Actor::default()
        }
    }
}

impl From<Verified> for ScimClient {
    fn from(token: Verified) -> Self {
        Self {
            tenant: token.tenant().clone(),
            name: token.name().to_owned(),
            credential: token.id().to_owned(),
            roles: token.roles().map(<[String]>::to_vec),
        }
    }
}

impl From<VerifiedAssertion> for ScimClient {
    fn from(its: VerifiedAssertion) -> Self {
        Self {
            tenant: its.tenant().clone(),
            name: its.name().to_owned(),
            credential: its.credential().to_owned(),
            roles: its.roles().map(<[String]>::to_vec),
        }
    }
}
