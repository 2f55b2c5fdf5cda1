//! `[[rule]]`: who may reach which path.

use std::time::Duration;

use http::Method;
use ipnet::IpNet;

use super::reader::Section;
use crate::identity::Email;
use crate::web::Spelling;

/// One rule. The first whose path and method fit decides; a path that no rule names needs a session.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Path glob: `*` is one segment or a part of it, `/**` at the end is the path and all below.
    pub path: String,
    /// Methods it is for; empty is all.
    pub methods: Vec<Method>,
    /// Whether a session is needed.
    pub access: Access,
    /// Whoever is named by one of these may pass; all empty lets every signed-in person pass.
    pub who: Who,
    /// Client networks it lets pass; empty is all. Needed besides `who`.
    pub networks: Vec<IpNet>,
    /// The person must have proved who they are within this time.
    pub max_auth_age: Option<Duration>,
    /// What a request without a session gets.
    pub anonymous: Anonymous,
    /// Path spellings let through that are otherwise refused.
    pub allow_in_path: Vec<Spelling>,
}

/// Whether a session is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No session needed, no identity sent.
    Public,
    /// Identity is sent when there is a session.
    Optional,
    /// A session is needed.
    Required,
}

/// Whom a rule names; one fitting entry is enough.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// User names, folded when compared.
    pub users: Vec<String>,
    /// E-mail addresses, folded when compared.
    pub emails: Vec<String>,
    /// Domains of e-mail addresses, compared whole.
    pub email_domains: Vec<String>,
    /// Group display names, exact.
    pub groups: Vec<String>,
    /// Roles, exact.
    pub roles: Vec<String>,
}

impl Who {
    /// Whether it names nobody, which lets everybody with a session pass.
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.emails.is_empty()
            && self.email_domains.is_empty()
            && self.groups.is_empty()
            && self.roles.is_empty()
    }
}

/// What a request without a session gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// 401 with a problem document.
    Status,
    /// The sign-in.
    Login,
    /// Sign-in for navigations, 401 for programs.
    Auto,
}

impl Rule {
    pub(super) fn read(mut section: Section) -> Self {
        let path = section.required("path");
        if !path.is_empty() && !path.starts_with('/') {
            section.mistake("path", "must start with a slash");
        }
        let access = [
            ("public", Access::Public),
            ("optional", Access::Optional),
            ("required", Access::Required),
        ];
        let anonymous = [
            ("401", Anonymous::Status),
            ("login", Anonymous::Login),
            ("auto", Anonymous::Auto),
        ];
        let (minute, quarter) = (Duration::from_mins(1), Duration::from_hours(90 * 24));
        let max_auth_age =
            section.optional_duration("max_auth_age", Duration::from_mins(15), minute..=quarter);
        let read = Self {
            path,
            methods: read_methods(&mut section),
            access: section.choice("access", &access, Access::Required),
            who: Who {
                users: section.list("users", &[]),
                emails: section.list("emails", &[]),
                email_domains: section.domains("email_domains"),
                groups: section.list("groups", &[]),
                roles: section.list("roles", &[]),
            },
            networks: section.networks("networks"),
            max_auth_age,
            anonymous: section.choice("anonymous", &anonymous, Anonymous::Auto),
            allow_in_path: section.parsed_list("allow_in_path", &[]),
        };
        for email in &read.who.emails {
            if let Err(why) = Email::try_from(email.as_str()) {
                section.mistake("emails", format!("{email:?} {why}"));
            }
        }
        if read.access != Access::Required && (!read.who.is_empty() || read.max_auth_age.is_some())
        {
            section.mistake(
                "access",
                "must be required where users, groups, roles, e-mails or max_auth_age are named",
            );
        }
        read
    }
}

/// Methods are told apart by case (RFC 9110 9.1): `get` would fit no request, and the rule would never count.
fn read_methods(section: &mut Section) -> Vec<Method> {
    let methods: Vec<Method> = section.parsed_list("methods", &[]);
    for method in &methods {
        if method.as_str().chars().any(|c| c.is_ascii_lowercase()) {
            section.mistake(
                "methods",
                format!("{:?} must be in capitals", method.as_str()),
            );
        }
    }
    methods
}
