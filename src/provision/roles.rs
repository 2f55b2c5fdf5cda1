//! Roles: from an attribute of the record, from groups, else the default; only those that exist.

use super::attribute::Attribute;
use crate::config::Roles;
use crate::identity::{Role, User};

/// A role, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    /// The role.
    pub role: Role,
    /// The first that gives it.
    pub from: RoleFrom,
}

/// Where a role comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleFrom {
    /// The record: `roles.attribute`.
    Attribute(String),
    /// The group of this display name: `roles.groups`.
    Group(String),
    /// `roles.default`: the person has no other.
    Default,
}

/// How a tenant's people get their roles.
#[derive(Debug)]
pub(super) struct RoleRule {
    attribute: Attribute,
    settings: Roles,
}

impl RoleRule {
    pub(super) fn new(settings: &Roles) -> Self {
        Self {
            attribute: Attribute::read(&settings.attribute),
            settings: settings.clone(),
        }
    }

    /// The attribute that holds roles.
    pub(super) const fn attribute(&self) -> &Attribute {
        &self.attribute
    }

    /// Whether being in this group gives a role.
    pub(super) fn is_mapped(&self, group: &str) -> bool {
        self.settings.groups.iter().any(|(name, _)| name == group)
    }

    /// In the order of the record, then of the settings; each once.
    pub(super) fn roles(&self, user: &User, groups: &[String]) -> Vec<Role> {
        let sources = self.sources(user, groups);
        sources.into_iter().map(|source| source.role).collect()
    }

    /// As [`Self::roles`], and where each comes from.
    pub(super) fn sources(&self, user: &User, groups: &[String]) -> Vec<RoleSource> {
        let Roles {
            allowed,
            default: default_roles,
            groups: mapped,
            ..
        } = &self.settings;
        let given = self.attribute.values(&user.attributes).into_iter();
        let given = given.map(|role| (role, RoleFrom::Attribute(self.settings.attribute.clone())));
        let by_group = mapped
            .iter()
            .filter(|(group, _)| groups.contains(group))
            .map(|(group, role)| (role.clone(), RoleFrom::Group(group.clone())));
        let mut roles: Vec<RoleSource> = Vec::new();
        for (role, from) in given.chain(by_group) {
            let exists = allowed.is_empty() || allowed.contains(&role);
            if exists && roles.iter().all(|its| its.role.0 != role) {
                let role = Role(role);
                roles.push(RoleSource { role, from });
            }
        }
        if roles.is_empty() {
            let default = |role: &String| RoleSource {
                role: Role(role.clone()),
                from: RoleFrom::Default,
            };
            roles.extend(default_roles.iter().map(default));
        }
        roles
    }
}
