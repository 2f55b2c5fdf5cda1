//! `[[tenant]]`, `[provisioning]`, `[roles]`, `[groups]`.

use super::reader::Section;
use super::scim::{AttributeRule, Scim};
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
    /// `[[tenant.scim.attribute]]`, else `[[scim.attribute]]`.
    pub attributes: Vec<AttributeRule>,
}

/// `[provisioning]`
#[derive(Clone, Debug)]
pub struct Provisioning {
    /// What a first sign-in without a record does. Default create.
    pub jit: Jit,
    /// What ties a principal to a record at its first sign-in. Default userName.
    pub matching: Match,
    /// What stays of a record that a SCIM client deletes. Default remove.
    pub on_delete: OnDelete,
    /// How a record that no SCIM client made becomes one that SCIM manages. Default filter.
    pub adopt: Adopt,
    /// Deactivations and deletions by SCIM within an hour before it is stopped; 0 is no limit.
    pub max_deactivations_per_hour: u32,
}

/// What stays of a record that a SCIM client deletes; it is answered 404 either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// A tombstone.
    Remove,
    /// The record, inactive; operators see it.
    Deactivate,
}

/// How a record that no SCIM client made becomes one that SCIM manages; never by e-mail alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// Filters and lists show it, and the first change by its id adopts it.
    Filter,
    /// Besides, a POST with its user name adopts it.
    Post,
    /// SCIM neither sees nor changes it; its user name is taken all the same.
    Never,
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
    pub(super) fn alone(provisioning: Provisioning, roles: Roles, scim: &Scim) -> Self {
        Self {
            slug: TenantSlug::default(),
            domains: Vec::new(),
            idps: Vec::new(),
            hosts: Vec::new(),
            provisioning,
            roles,
            attributes: scim.attributes.clone(),
        }
    }

    pub(super) fn read(
        mut section: Section,
        provisioning: &Provisioning,
        roles: &Roles,
        scim: &Scim,
    ) -> Option<Self> {
        let own_provisioning = section
            .has("provisioning")
            .then(|| Provisioning::read(section.section("provisioning")));
        let own_roles = section
            .has("roles")
            .then(|| Roles::read(section.section("roles")));
        let own_attributes = section
            .has("scim")
            .then(|| AttributeRule::read_all(&mut section.section("scim")));
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
            attributes: own_attributes.unwrap_or_else(|| scim.attributes.clone()),
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
        let on_delete = [
            ("remove", OnDelete::Remove),
            ("deactivate", OnDelete::Deactivate),
        ];
        let adopt = [
            ("filter", Adopt::Filter),
            ("post", Adopt::Post),
            ("never", Adopt::Never),
        ];
        Self {
            jit: section.choice("jit", &jit, Jit::Create),
            matching: section.choice("match", &matching, Match::UserName),
            on_delete: section.choice("on_delete", &on_delete, OnDelete::Remove),
            adopt: section.choice("adopt", &adopt, Adopt::Filter),
            max_deactivations_per_hour: section.number(
                "max_deactivations_per_hour",
                0,
                0..=1_000_000,
            ),
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
    /// Only groups that `[roles.groups]` names are accepted. Default false: any.
    pub mapped_only: bool,
    /// Names that are kept out of everything; a `*` at the end stands for any rest.
    pub ignore: Vec<String>,
}

impl Groups {
    pub(super) fn read(mut section: Section) -> Self {
        let accept = [("any", false), ("mapped", true)];
        Self {
            mapped_only: section.choice("accept", &accept, false),
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
