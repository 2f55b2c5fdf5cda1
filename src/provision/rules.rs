//! What a record may be: domains, roles, values of attributes, names of groups. A refusal is a sentence for
//! the admin who reads it in the idp's log.

use super::attribute::Attribute;
use super::roles::RoleRule;
use super::{UserDraft, person};
use crate::config::{AttributeRule, Groups, Tenant};
use crate::identity::{Email, User};

/// Which rule does not allow it.
#[derive(Debug, thiserror::Error)]
pub enum Rule {
    /// The address is of a domain that is not the tenant's, or there is no address at all.
    #[error("{attribute} {value:?}: its domain is not one of this tenant's ({}); add it to tenant.domains, or take the person out of the assignment", .domains.join(", "))]
    Domain {
        /// `userName` or `emails`.
        attribute: &'static str,
        /// The value.
        value: String,
        /// The tenant's.
        domains: Vec<String>,
    },
    /// The role does not exist.
    #[error("{attribute}: {value:?} is not a role here; allowed: {}", .allowed.join(", "))]
    Role {
        /// `roles.attribute`.
        attribute: String,
        /// The value.
        value: String,
        /// `roles.allowed`.
        allowed: Vec<String>,
    },
    /// The attribute may not hold this.
    #[error("{attribute}: {value:?} is not allowed; allowed: {}", .allowed.join(", "))]
    Value {
        /// Path of the attribute.
        attribute: String,
        /// The value.
        value: String,
        /// What it may hold.
        allowed: Vec<String>,
    },
    /// The attribute must be there.
    #[error("{0} is required")]
    Required(String),
    /// A name or identifier that cannot be one.
    #[error("{attribute} {why}")]
    Name {
        /// `userName`, `externalId` or `displayName`.
        attribute: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// `groups.accept = "mapped"`, and roles.groups does not name the group.
    #[error("displayName: group {name:?} gives no role here; only these groups are accepted: {}", .mapped.join(", "))]
    Group {
        /// The group.
        name: String,
        /// Those of `roles.groups`.
        mapped: Vec<String>,
    },
    /// R53: the client may not give this person's role, so it may not make them somebody else either.
    #[error(
        "{attribute} of a person with the role {role:?} cannot be changed with this token: the role is not in its --roles"
    )]
    Above {
        /// What was to be changed.
        attribute: &'static str,
        /// The person's role.
        role: String,
    },
    /// A member that is nobody.
    #[error("members: there is no user {0:?}")]
    Member(String),
    /// SCIM manages the record: what an operator writes would be overwritten.
    #[error("SCIM manages this person; change them at the identity provider")]
    Managed,
    /// `provisioning.max_deactivations_per_hour`
    #[error(
        "more than {0} people were deactivated or deleted within an hour (provisioning.max_deactivations_per_hour); an operator has to allow more"
    )]
    Fuse(u32),
}

/// A tenant with what its settings come to.
pub(super) struct Ruled {
    pub(super) tenant: Tenant,
    pub(super) roles: RoleRule,
    pub(super) groups: Groups,
    attributes: Vec<(Attribute, AttributeRule)>,
}

impl Ruled {
    pub(super) fn new(tenant: Tenant, groups: &Groups) -> Self {
        let rule = |rule: &AttributeRule| (Attribute::read(&rule.path), rule.clone());
        Self {
            roles: RoleRule::new(&tenant.roles),
            attributes: tenant.attributes.iter().map(rule).collect(),
            groups: groups.clone(),
            tenant,
        }
    }

    /// Checks a draft against what the record was, if there was one, and gives it defaults. What was there
    /// before stays allowed: who must be shut out can be, whatever has become of the rules.
    pub(super) fn check_user(
        &self,
        draft: &mut UserDraft,
        before: Option<&User>,
    ) -> Result<(), Rule> {
        let name = person::name(&draft.user_name);
        let name = name.map_err(|why| Rule::Name {
            attribute: "userName",
            why,
        })?;
        draft.user_name = name.to_owned();
        check_external_id(draft.external_id.as_deref())?;
        for (attribute, rule) in &self.attributes {
            check_attribute(attribute, rule, draft, before)?;
        }
        self.check_roles(draft, before)?;
        self.check_domains(draft, before)
    }

    fn check_roles(&self, draft: &UserDraft, before: Option<&User>) -> Result<(), Rule> {
        let roles = &self.tenant.roles;
        if roles.allowed.is_empty() {
            return Ok(());
        }
        let attribute = self.roles.attribute();
        let had = before.map(|user| attribute.values(&user.attributes));
        let had = had.unwrap_or_default();
        let odd = |value: &String| !roles.allowed.contains(value) && !had.contains(value);
        match attribute.values(&draft.attributes).into_iter().find(odd) {
            Some(value) => Err(Rule::Role {
                attribute: roles.attribute.clone(),
                value,
                allowed: roles.allowed.clone(),
            }),
            None => Ok(()),
        }
    }

    fn check_domains(&self, draft: &UserDraft, before: Option<&User>) -> Result<(), Rule> {
        let domains = &self.tenant.domains;
        if domains.is_empty() {
            return Ok(());
        }
        let refuse = |(attribute, value): (&'static str, String)| Rule::Domain {
            attribute,
            value,
            domains: domains.clone(),
        };
        let addresses = person::addresses(&draft.user_name, &draft.attributes);
        let had = before.map(|user| person::addresses(&user.user_name, &user.attributes));
        let had = had.unwrap_or_default();
        if addresses.is_empty() && before.is_none() {
            return Err(refuse(("userName", draft.user_name.clone())));
        }
        // R31: exactly one @, the domain compared whole.
        let own =
            |value: &str| Email::try_from(value).is_ok_and(|it| domains.contains(&it.domain()));
        let mut new = addresses.into_iter().filter(|its| !had.contains(its));
        match new.find(|(_, value)| !own(value)) {
            Some(foreign) => Err(refuse(foreign)),
            None => Ok(()),
        }
    }

    /// Whether a group of this name is accepted. An ignored one is, and kept out of everything.
    pub(super) fn check_group(&self, display_name: &str) -> Result<(), Rule> {
        let mapped = &self.tenant.roles.groups;
        let named = || mapped.iter().any(|(name, _)| name == display_name);
        if !self.groups.mapped_only || self.groups.ignores(display_name) || named() {
            return Ok(());
        }
        Err(Rule::Group {
            name: display_name.to_owned(),
            mapped: mapped.iter().map(|(name, _)| name.clone()).collect(),
        })
    }
}

fn check_attribute(
    attribute: &Attribute,
    rule: &AttributeRule,
    draft: &mut UserDraft,
    before: Option<&User>,
) -> Result<(), Rule> {
    if !rule.default.is_empty() && attribute.values(&draft.attributes).is_empty() {
        attribute.set(&mut draft.attributes, &rule.default);
    }
    let had = before.map(|user| attribute.values(&user.attributes));
    let values = attribute.values(&draft.attributes);
    let had_none = had.as_ref().is_some_and(Vec::is_empty);
    if rule.required && values.is_empty() && !had_none {
        return Err(Rule::Required(rule.path.clone()));
    }
    let had = had.unwrap_or_default();
    let odd = |value: &String| !rule.allowed.contains(value) && !had.contains(value);
    match values.into_iter().find(odd) {
        Some(value) if !rule.allowed.is_empty() => Err(Rule::Value {
            attribute: rule.path.clone(),
            value,
            allowed: rule.allowed.clone(),
        }),
        _ => Ok(()),
    }
}

/// R52: opaque, but it has to fit into an index.
pub(super) fn check_external_id(external_id: Option<&str>) -> Result<(), Rule> {
    let long = external_id.is_some_and(|id| id.len() > crate::identity::MAX_NAME);
    if long {
        return Err(Rule::Name {
            attribute: "externalId",
            why: "is longer than 1024 bytes",
        });
    }
    Ok(())
}
