//! `[[idp]]`: who signs people in.

use std::path::PathBuf;

use super::reader::Section;
use super::saml::Saml;
use super::value::SafeUrl;
use crate::identity::IdpName;
use crate::secret::Secret;

/// One configured idp.
#[derive(Clone, Debug)]
pub struct IdpSettings {
    /// In paths, logs and listings.
    pub name: IdpName,
    /// On the chooser's button; default the name.
    pub label: String,
    /// E-mail domains whose people sign in here; the chooser's e-mail field finds them.
    pub domains: Vec<String>,
    /// What its protocol needs.
    pub protocol: Protocol,
    /// Which claims hold what.
    pub attributes: Attributes,
}

/// What an idp's protocol needs.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(Box<Oidc>),
    /// SAML 2.0.
    Saml(Box<Saml>),
}

/// `kind = "oidc"`
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Issuer identifier; discovery is at `/.well-known/openid-configuration` below it.
    pub issuer: SafeUrl,
    /// Our identifier there.
    pub client_id: String,
    /// Our secret there; none makes us a public client with PKCE.
    pub client_secret: Option<Secret>,
    /// Asked for. Default openid, profile, email.
    pub scopes: Vec<String>,
    /// Audiences of access tokens that are accepted as `Bearer`; empty accepts none (R33).
    pub bearer_audiences: Vec<String>,
    /// PEM of the authorities that sign the issuer's certificate, besides the machine's.
    pub ca_file: Option<PathBuf>,
}

/// Claim names in order of preference.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// User name.
    pub user_name: Vec<String>,
    /// E-mail address.
    pub email: Vec<String>,
    /// Name for display.
    pub display_name: Vec<String>,
    /// Given name.
    pub given_name: Vec<String>,
    /// Family name.
    pub family_name: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// What is compared with `externalId`.
    pub external_id: Vec<String>,
}

impl IdpSettings {
    pub(super) fn read(mut section: Section) -> Option<Self> {
        let text = section.required("name");
        let name = IdpName::try_from(text.as_str());
        match &name {
            Err(why) if !text.is_empty() => section.mistake("name", format!("{text:?} {why}")),
            Ok(name) if *name == IdpName::local() => {
                section.mistake("name", "local is the name of local accounts");
            }
            _ => {}
        }
        let label = section.text("label", "");
        let domains = section.domains("domains");
        let kind = section.required("kind");
        let attributes = section.section("attributes");
        let attributes = match kind.as_str() {
            "saml" => Attributes::read(attributes, &SAML),
            _ => Attributes::read(attributes, &OIDC),
        };
        let protocol = match kind.as_str() {
            "oidc" => Oidc::read(&mut section).map(|oidc| Protocol::Oidc(Box::new(oidc))),
            "saml" => Saml::read(&mut section).map(|saml| Protocol::Saml(Box::new(saml))),
            "" => None,
            _ => {
                section.mistake("kind", format!("is {kind:?}; allowed: oidc, saml"));
                None
            }
        };
        let name = name.ok()?;
        Some(Self {
            label: if label.is_empty() {
                name.to_string()
            } else {
                label
            },
            name,
            domains,
            protocol: protocol?,
            attributes,
        })
    }
}

impl Oidc {
    fn read(section: &mut Section) -> Option<Self> {
        let issuer = section.required("issuer");
        let issuer = (!issuer.is_empty())
            .then(|| section.parse_text("issuer", &issuer))
            .flatten();
        let scopes = section.list("scopes", &["openid", "profile", "email"]);
        if !scopes.iter().any(|scope| scope == "openid") {
            section.mistake("scopes", "must hold openid");
        }
        let read = Self {
            client_id: section.required("client_id"),
            client_secret: section.secret("client_secret", "client_secret_file"),
            scopes,
            bearer_audiences: section.list("bearer_audiences", &[]),
            ca_file: section.file("ca_file"),
            issuer: issuer?,
        };
        // R33: an empty audience would fit tokens made for anybody.
        if read
            .bearer_audiences
            .iter()
            .any(|audience| audience.trim().is_empty())
        {
            section.mistake("bearer_audiences", "must not hold an empty audience");
        }
        Some(read)
    }
}

impl Attributes {
    fn read(mut section: Section, defaults: &Defaults) -> Self {
        let read = Self {
            user_name: section.list("user_name", defaults.user_name),
            email: section.list("email", defaults.email),
            display_name: section.list("display_name", defaults.display_name),
            given_name: section.list("given_name", defaults.given_name),
            family_name: section.list("family_name", defaults.family_name),
            groups: section.list("groups", defaults.groups),
            external_id: section.list("external_id", defaults.external_id),
        };
        if read.user_name.is_empty() {
            section.mistake(
                "user_name",
                "must name a claim: without a user name nobody can sign in",
            );
        }
        read
    }
}

/// What claims are called unless the settings say otherwise.
struct Defaults {
    user_name: &'static [&'static str],
    email: &'static [&'static str],
    display_name: &'static [&'static str],
    given_name: &'static [&'static str],
    family_name: &'static [&'static str],
    groups: &'static [&'static str],
    external_id: &'static [&'static str],
}

const OIDC: Defaults = Defaults {
    user_name: &["preferred_username", "upn", "email", "sub"],
    email: &["email"],
    display_name: &["name"],
    given_name: &["given_name"],
    family_name: &["family_name"],
    groups: &["groups"],
    external_id: &["oid", "sub"],
};

/// `NameID` is the assertion's own: as a user name only where its format is one that people read, as an address only
/// where its format says that it is one.
const SAML: Defaults = Defaults {
    user_name: SAML_USER_NAME,
    email: SAML_EMAIL,
    display_name: SAML_DISPLAY_NAME,
    given_name: SAML_GIVEN_NAME,
    family_name: SAML_FAMILY_NAME,
    groups: SAML_GROUPS,
    external_id: SAML_EXTERNAL_ID,
};

impl Attributes {
    /// What SAML idps call things.
    pub fn saml() -> Self {
        let all = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            user_name: all(SAML.user_name),
            email: all(SAML.email),
            display_name: all(SAML.display_name),
            given_name: all(SAML.given_name),
            family_name: all(SAML.family_name),
            groups: all(SAML.groups),
            external_id: all(SAML.external_id),
        }
    }
}

// Names of Entra and AD FS first, then plain ones (Okta, Keycloak, Google, PingFederate), then those of eduPerson and
// LDAP (Shibboleth, SimpleSAMLphp) as object identifiers.

/// The user principal name; `…/claims/name` only behind the NameID, because AD FS may fill it with what people choose.
const SAML_USER_NAME: &[&str] = &[
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "NameID",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
    "eduPersonPrincipalName",
    "urn:oid:0.9.2342.19200300.100.1.1",
    "uid",
    "username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
];
const SAML_EMAIL: &[&str] = &[
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "email",
    "mail",
    "Email",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:1.2.840.113549.1.9.1",
    "NameID",
];
const SAML_DISPLAY_NAME: &[&str] = &[
    "http://schemas.microsoft.com/identity/claims/displayname",
    "displayName",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "cn",
    "urn:oid:2.5.4.3",
    "http://schemas.xmlsoap.org/claims/CommonName",
];
const SAML_GIVEN_NAME: &[&str] = &[
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    "givenName",
    "firstName",
    "FirstName",
    "first_name",
    "urn:oid:2.5.4.42",
];
const SAML_FAMILY_NAME: &[&str] = &[
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    "sn",
    "surname",
    "lastName",
    "LastName",
    "last_name",
    "urn:oid:2.5.4.4",
];
const SAML_GROUPS: &[&str] = &[
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/Group",
    "groups",
    "Groups",
    "group",
    "memberOf",
    "member",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
];
const SAML_EXTERNAL_ID: &[&str] = &[
    "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "urn:oasis:names:tc:SAML:attribute:subject-id",
    "urn:oasis:names:tc:SAML:attribute:pairwise-id",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.10",
    "NameID",
];
