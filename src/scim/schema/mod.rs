//! Schemas as data (RFC 7643 2, 7): what an attribute is, may hold, and who may change it.

mod attribute;
mod discovery;
mod document;
mod extension;
mod find;
mod group;
mod user;

use crate::config;

pub use discovery::{Offered, service_provider_config};
pub use find::Found;

/// URN of the core schema of a person (RFC 7643 4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the core schema of a group (RFC 7643 4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// URN of the enterprise extension (RFC 7643 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Data type of an attribute (RFC 7643 2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// Number with a fraction.
    Decimal,
    /// Number without one.
    Integer,
    /// xsd:dateTime.
    DateTime,
    /// base64.
    Binary,
    /// URI; what it may lead to.
    Reference(&'static [&'static str]),
    /// Sub-attributes.
    Complex(Vec<Attribute>),
}

/// Who may change an attribute (RFC 7643 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// We alone.
    ReadOnly,
    /// The client.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, and nobody reads it.
    WriteOnly,
}

/// When an attribute is in an answer (RFC 7643 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever was asked for.
    Always,
    /// Never.
    Never,
    /// Unless excluded, or others were asked for.
    Default,
    /// Only when asked for.
    Request,
}

/// One attribute (RFC 7643 7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the characteristics are the RFC's"
)]
pub struct Attribute {
    /// Its one spelling in what we store and answer.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// A list of such values.
    pub multi_valued: bool,
    /// What it is, for the admin.
    pub description: &'static str,
    /// A resource without it is refused.
    pub required: bool,
    /// Letters' case counts in comparisons.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is answered.
    pub returned: Returned,
    /// No two resources of a tenant have the same value.
    pub unique: bool,
    /// Values that are suggested; others are taken too.
    pub canonical_values: Vec<String>,
}

/// One schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// URN.
    pub id: String,
    /// Short name.
    pub name: String,
    /// What it is.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Any further attribute is taken; values are texts.
    pub open: bool,
}

/// A kind of resource (RFC 7643 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// `User` or `Group`.
    pub name: &'static str,
    /// `/Users` or `/Groups`.
    pub endpoint: &'static str,
    /// What it is, for the admin.
    pub description: &'static str,
    /// What every resource has: `schemas`, `id`, `externalId`, `meta` (RFC 7643 3.1).
    pub common: Vec<Attribute>,
    /// Its core schema, without these.
    pub core: Schema,
    /// Extensions; none is required.
    pub extensions: Vec<Schema>,
}

/// The kinds of resources that we keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schemas {
    /// People.
    pub user: ResourceType,
    /// Groups.
    pub group: ResourceType,
}

impl Schemas {
    /// With the extensions of the settings; they are people's.
    pub fn new(settings: &config::Scim) -> Self {
        Self {
            user: ResourceType {
                name: "User",
                endpoint: "/Users",
                description: "People",
                common: group::common(),
                core: user::schema(settings.password || settings.announce_password),
                extensions: extension::schemas(&settings.extensions),
            },
            group: ResourceType {
                name: "Group",
                endpoint: "/Groups",
                description: "Groups of people",
                common: group::common(),
                core: group::schema(),
                extensions: Vec::new(),
            },
        }
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
pub(in crate::scim) mod tests;
