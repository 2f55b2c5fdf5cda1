//! `[[tenant]]`, `[provisioning]`, `[roles]`, `[groups]`.

use super::reader::Section;
use crate::identity::{IdpName, TenantSlug};

/// One organisation whose people use the app.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name in paths and tables.
    pub slug: TenantSlug,
    /// E-mail domains that may be provisioned or signed in; empty is any.
    pub domains: Vec<String>,
    /// Idps whose people are this tenant's; empty is any.
    pub idps: Vec<IdpName>,
    /// Public host names of this tenant.
    pub hosts: Vec<String>,
    /// `[tenant.provisioning]`, else `[provisioning]`.
    pub provisioning: Provisioning,
    /// `[tenant.roles]`, else `[roles]`.
    pub roles: Roles,
}

/// `[provisioning]`
#[derive(Clone, Debug)]
pub struct Provisioning {
    /// What a first sign-in without a record does. Default create.
    pub jit: Jit,
    /// What ties a principal to a record at its first sign-in. Default userName.
    pub matching: Match,
}

/// What a first sign-in without a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jit {
    /// Makes the record.
    Create,
    /// Links a matching record, makes none.
    Link,
    /// Neither links nor makes.
    Off,
}

/// What ties a principal to a record at its first sign-in; afterwards the link alone counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The user name, folded.
    UserName,
    /// `externalId`, byte for byte.
    ExternalId,
    /// The work e-mail address, folded; only when the idp verified it (R32).
    EmailsWork,
}

/// `[roles]`
#[derive(Clone, Debug)]
pub struct Roles {
    /// The only roles there are; empty is any.
    pub allowed: Vec<String>,
    /// What a person without any other role has.
    pub default: Vec<String>,
    /// SCIM attribute that holds roles. Default `roles[primary eq true].value`.
    pub attribute: String,
    /// Exact group display name and the role it gives.
    pub groups: Vec<(String, String)>,
}

impl Tenant {
    /// The one that exists when none is configured.
    pub(super) fn alone(provisioning: Provisioning, roles: Roles) -> Self {
        Self {
            slug: TenantSlug::default(),
            domains: Vec::new(),
            idps: Vec::new(),
            hosts: Vec::new(),
            provisioning,
            roles,
        }
    }

    pub(super) fn read(
        mut section: Section,
        provisioning: &Provisioning,
        roles: &Roles,
    ) -> Option<Self> {
        let own_provisioning = section
            .has("provisioning")
            .then(|| Provisioning::read(section.section("provisioning")));
        let own_roles = section
            .has("roles")
            .then(|| Roles::read(section.section("roles")));
        let slug = section.required("slug");
        let domains = section.domains("domains");
        let hosts = section.domains("hosts");
        let idps = section.list("idps", &[]);
        let idps = idps
            .iter()
            .filter_map(|name| match IdpName::try_from(name.as_str()) {
                Ok(name) => Some(name),
                Err(why) => {
                    section.mistake("idps", format!("{name:?} {why}"));
                    None
                }
            })
            .collect();
        let slug = match TenantSlug::try_from(slug.as_str()) {
            Ok(slug) => slug,
            Err(why) => {
                if !slug.is_empty() {
                    section.mistake("slug", format!("{slug:?} {why}"));
                }
                return None;
            }
        };
        Some(Self {
            slug,
            domains,
            idps,
            hosts,
            provisioning: own_provisioning.unwrap_or_else(|| provisioning.clone()),
            roles: own_roles.unwrap_or_else(|| roles.clone()),
        })
    }
}

impl Provisioning {
    pub(super) fn read(mut section: Section) -> Self {
        let jit = [
            ("create", Jit::Create),
            ("link", Jit::Link),
            ("off", Jit::Off),
        ];
        let matching = [
            ("userName", Match::UserName),
            ("externalId", Match::ExternalId),
            ("emails.work", Match::EmailsWork),
        ];
        Self {
            jit: section.choice("jit", &jit, Jit::Create),
            matching: section.choice("match", &matching, Match::UserName),
        }
    }
}

impl Roles {
    pub(super) fn read(mut section: Section) -> Self {
        let read = Self {
            allowed: section.list("allowed", &[]),
            default: section.list("default", &[]),
            attribute: section.text("attribute", "roles[primary eq true].value"),
            groups: section.texts("groups"),
        };
        if !read.allowed.is_empty() {
            let given = read.default.iter().map(|role| ("default", role));
            let mapped = read.groups.iter().map(|(_, role)| ("groups", role));
            for (key, role) in given.chain(mapped) {
                if !read.allowed.contains(role) {
                    section.mistake(
                        key,
                        format!(
                            "{role:?} is not in roles.allowed: {}",
                            read.allowed.join(", ")
                        ),
                    );
                }
            }
        }
        read
    }
}

/// `[groups]`
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// Names that are kept out of everything; a `*` at the end stands for any rest.
    pub ignore: Vec<String>,
}

impl Groups {
    pub(super) fn read(mut section: Section) -> Self {
        Self {
            ignore: section.list("ignore", &["checkpoint_inline_*"]),
        }
    }

    /// Whether a group of this display name is kept out of everything.
    pub fn ignores(&self, display_name: &str) -> bool {
        self.ignore
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => display_name.starts_with(start),
                None => display_name == pattern,
            })
    }
}
