//! `[scim]`, `[[scim.extension]]`, `[[scim.attribute]]`.

use ipnet::IpNet;

use super::federation::{EntraTenant, Federation};
use super::reader::Section;

/// `[scim]`
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct Scim {
    /// Resources on a page when the client names no `count`. Default 100.
    pub page_size: u32,
    /// Resources on a page at most. Default 200.
    pub max_page_size: u32,
    /// Whether DELETE is answered; else 405 and not advertised. Default true.
    pub delete: bool,
    /// A PATCH of a person is answered 200 with the person, else 204. Default 200.
    pub patch_user_body: bool,
    /// A PATCH of a group is answered 200 with the group, else 204. Default 204.
    pub patch_group_body: bool,
    /// `/Schemas` lists only what Entra maps by default. Default false: everything.
    pub compact_schemas: bool,
    /// Clients of other networks are refused; empty allows any.
    pub allowed_networks: Vec<IpNet>,
    /// Requests per second and token before 429. Default 200.
    pub rate: u32,
    /// Answers as usual, changes nothing, and lists what it would do. Default false.
    pub dry_run: bool,
    /// Announces pages by cursor (RFC 9865) in `/ServiceProviderConfig`; some older clients refuse a document with a
    /// member that they do not know. Cursors are answered all the same. Default true.
    pub announce_cursors: bool,
    /// Lists `password` in `/Schemas` although it is ignored; some clients send it to everybody, and nothing at all where
    /// it is not listed. Default false.
    pub announce_password: bool,
    /// Takes `password` from clients for local accounts, and lists it in `/Schemas`. Default false: it is ignored.
    pub password: bool,
    /// Entra tenants whose own tokens are taken; empty takes none. For tests of a connection: any app of such a tenant
    /// can get one.
    pub entra_tenants: Vec<EntraTenant>,
    /// `[[scim.federation]]`
    pub federations: Vec<Federation>,
    /// `[[scim.extension]]`
    pub extensions: Vec<Extension>,
    /// `[[scim.attribute]]`
    pub attributes: Vec<AttributeRule>,
}

/// `[[scim.extension]]`: a schema of the app's own.
#[derive(Clone, Debug)]
pub struct Extension {
    /// URN.
    pub schema: String,
    /// Its attributes.
    pub attributes: Vec<ExtensionAttribute>,
    /// Any attribute name; values are texts.
    pub open: bool,
}

/// One attribute of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionAttribute {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: ExtensionType,
    /// A list of values.
    pub multi_valued: bool,
}

/// Types that an extension's attributes can have (RFC 7643 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionType {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// Number without a fraction.
    Integer,
    /// Number.
    Decimal,
    /// xsd:dateTime.
    DateTime,
}

/// `[[scim.attribute]]`: what an attribute may hold.
#[derive(Clone, Debug)]
pub struct AttributeRule {
    /// Attribute path, such as `userType` or `name.familyName`.
    pub path: String,
    /// Anything else is refused; empty allows any.
    pub allowed: Vec<String>,
    /// Set when the client sends none; empty sets nothing.
    pub default: String,
    /// A person without it is refused.
    pub required: bool,
}

impl Scim {
    pub(super) fn read(mut section: Section) -> Self {
        let page_size = section.number("page_size", 100, 1..=10_000);
        let max_page_size = section.number("max_page_size", 200, 1..=10_000);
        if page_size > max_page_size {
            section.mistake("page_size", "is more than scim.max_page_size");
        }
        let schemas = [("full", false), ("compact", true)];
        Self {
            page_size,
            max_page_size,
            delete: section.flag("delete", true),
            patch_user_body: with_body(&mut section, "patch_user_response", 200),
            patch_group_body: with_body(&mut section, "patch_group_response", 204),
            compact_schemas: section.choice("schema_discovery", &schemas, false),
            allowed_networks: section.networks("allowed_networks"),
            rate: section.number("rate", 200, 1..=100_000),
            dry_run: section.flag("dry_run", false),
            announce_cursors: section.flag("announce_cursors", true),
            announce_password: section.flag("announce_password", false),
            password: section.flag("password", false),
            entra_tenants: EntraTenant::read_all(&mut section),
            federations: Federation::read_all(&mut section),
            extensions: Extension::read_all(&mut section),
            attributes: AttributeRule::read_all(&mut section),
        }
    }
}

impl Extension {
    fn read_all(section: &mut Section) -> Vec<Self> {
        let mut extensions: Vec<Self> = Vec::new();
        for extension in section.sections("extension") {
            let Some(extension) = Self::read(extension) else {
                continue;
            };
            let same = |its: &Self| its.schema.eq_ignore_ascii_case(&extension.schema);
            if extensions.iter().any(same) {
                section.mistake("extension", format!("{} stands twice", extension.schema));
            }
            extensions.push(extension);
        }
        extensions
    }

    fn read(mut section: Section) -> Option<Self> {
        let schema = section.required("schema");
        // RFC 7643 10.2.1: a schema is named by an URN.
        if !schema.is_empty() && !is_extension(&schema) {
            section.mistake(
                "schema",
                "must start with urn: and not be one of SCIM's own",
            );
        }
        let attributes = section.sections("attributes");
        let attributes: Vec<_> = attributes
            .into_iter()
            .filter_map(ExtensionAttribute::read)
            .collect();
        let open = section.flag("open", false);
        if attributes.is_empty() && !open {
            section.mistake("attributes", "must name at least one, or open must be true");
        }
        is_extension(&schema).then_some(Self {
            schema,
            attributes,
            open,
        })
    }
}

impl ExtensionAttribute {
    fn read(mut section: Section) -> Option<Self> {
        let kinds = [
            ("string", ExtensionType::String),
            ("boolean", ExtensionType::Boolean),
            ("integer", ExtensionType::Integer),
            ("decimal", ExtensionType::Decimal),
            ("dateTime", ExtensionType::DateTime),
        ];
        let name = section.required("name");
        // RFC 7643 2.1: ATTRNAME.
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(letters);
        if !name.is_empty() && !fits {
            section.mistake(
                "name",
                format!("{name:?} must be a letter, then a-z, 0-9, _ and -"),
            );
        }
        let read = Self {
            kind: section.choice("type", &kinds, ExtensionType::String),
            multi_valued: section.flag("multi_valued", false),
            name,
        };
        fits.then_some(read)
    }
}

impl AttributeRule {
    pub(super) fn read_all(section: &mut Section) -> Vec<Self> {
        let rules = section.sections("attribute");
        rules.into_iter().map(Self::read).collect()
    }

    fn read(mut section: Section) -> Self {
        let rule = Self {
            path: section.required("path"),
            allowed: section.list("allowed", &[]),
            default: section.text("default", ""),
            required: section.flag("required", false),
        };
        if !rule.allowed.is_empty()
            && !rule.default.is_empty()
            && !rule.allowed.contains(&rule.default)
        {
            section.mistake("default", "is not one of the allowed values");
        }
        rule
    }
}

fn is_extension(schema: &str) -> bool {
    let start = schema.get(..4);
    start.is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
        && !schema
            .to_ascii_lowercase()
            .starts_with("urn:ietf:params:scim:schemas:core:")
        && !schema.contains(|c: char| c.is_whitespace() || "\"[]()".contains(c))
}

fn with_body(section: &mut Section, key: &'static str, default: u32) -> bool {
    match section.number(key, default, 200..=204) {
        200 => true,
        204 => false,
        other => {
            section.mistake(key, format!("is {other}; allowed: 200, 204"));
            default == 200
        }
    }
}
