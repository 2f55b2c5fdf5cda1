//! Addresses below `/scim/v2` (RFC 7644 3.2): the tenant, and what is asked for.
//!
//! Letters' case and doubled or trailing slashes do not matter: Microsoft's own collection asks for `/users`, and
//! admins paste the Tenant URL with a slash behind it.

use percent_encoding::percent_decode_str;

use super::schema::{ResourceType, Schemas};
use crate::identity::TenantSlug;

/// Longest segment that is looked at, bytes.
const MAX_SEGMENT: usize = 512;

/// A kind of resource that clients change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A person.
    User,
    /// A group.
    Group,
}

impl Kind {
    /// As `meta.resourceType` has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Its schemas.
    pub(super) const fn of(self, schemas: &Schemas) -> &ResourceType {
        match self {
            Self::User => &schemas.user,
            Self::Group => &schemas.group,
        }
    }

    /// Its endpoint below the base.
    pub(super) const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/Users`, `/Groups`
    All(Kind),
    /// `/Users/{id}`, `/Groups/{id}`
    One(Kind, String),
    /// `/.search` of everything, of people, of groups
    Search(Option<Kind>),
    /// `/Bulk`
    Bulk,
    /// `/Me`
    Me,
    /// `/ServiceProviderConfig`
    ServiceProviderConfig,
    /// `/Schemas`, and one of them
    Schemas(Option<String>),
    /// `/ResourceTypes`, and one of them
    ResourceTypes(Option<String>),
    /// `/oauth2/token`
    Token,
    /// The base itself, or what does not exist.
    Nothing,
}

/// Reads what follows the prefix: the tenant's name, `default` where there is none, and what is asked for.
pub(super) fn route(rest: &str) -> (String, Route) {
    let mut segments = Vec::new();
    for segment in rest.split('/').filter(|segment| !segment.is_empty()) {
        let text = percent_decode_str(segment).decode_utf8();
        match text {
            Ok(text) if text.len() <= MAX_SEGMENT && segments.len() < 4 => {
                segments.push(text.into_owned());
            }
            _ => {
                // What no address holds: of the tenant that it begins with, if it does.
                let tenant = segments.first().filter(|first| !is_endpoint(first));
                let default = || TenantSlug::default().into();
                return (tenant.cloned().unwrap_or_else(default), Route::Nothing);
            }
        }
    }
    let all: Vec<&str> = segments.iter().map(String::as_str).collect();
    match all.as_slice() {
        [] => (TenantSlug::default().into(), Route::Nothing),
        [first, ..] if is_endpoint(first) => (TenantSlug::default().into(), below(&all)),
        [tenant, rest @ ..] => ((*tenant).to_owned(), below(rest)),
    }
}

fn is_endpoint(segment: &str) -> bool {
    const NAMES: [&str; 9] = [
        "Users",
        "Groups",
        ".search",
        "Bulk",
        "Me",
        "ServiceProviderConfig",
        "Schemas",
        "ResourceTypes",
        "oauth2",
    ];
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(segment))
}

fn below(segments: &[&str]) -> Route {
    let (first, rest) = match segments {
        [] => return Route::Nothing,
        [first, rest @ ..] => (first.to_ascii_lowercase(), rest),
    };
    match (first.as_str(), rest) {
        ("users", rest) => resource(Kind::User, rest),
        ("groups", rest) => resource(Kind::Group, rest),
        (".search", []) => Route::Search(None),
        ("bulk", []) => Route::Bulk,
        ("me", []) => Route::Me,
        ("serviceproviderconfig", []) => Route::ServiceProviderConfig,
        ("schemas", []) => Route::Schemas(None),
        ("schemas", [urn]) => Route::Schemas(Some((*urn).to_owned())),
        ("resourcetypes", []) => Route::ResourceTypes(None),
        ("resourcetypes", [name]) => Route::ResourceTypes(Some((*name).to_owned())),
        ("oauth2", [token]) if token.eq_ignore_ascii_case("token") => Route::Token,
        _ => Route::Nothing,
    }
}

fn resource(kind: Kind, rest: &[&str]) -> Route {
    match rest {
        [] => Route::All(kind),
        [search] if search.eq_ignore_ascii_case(".search") => Route::Search(Some(kind)),
        [id] => Route::One(kind, (*id).to_owned()),
        _ => Route::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_spelling() {
        let one = |id: &str| Route::One(Kind::User, id.to_owned());
        for (rest, tenant, want) in [
            ("/Users", "default", Route::All(Kind::User)),
            ("//users//", "default", Route::All(Kind::User)),
            ("/Users/", "default", Route::All(Kind::User)),
            ("/Users/42", "default", one("42")),
            ("/acme/Users/42", "acme", one("42")),
            ("/acme//Groups/", "acme", Route::All(Kind::Group)),
            ("/ACME/Users", "ACME", Route::All(Kind::User)),
            ("/Users/.search", "default", Route::Search(Some(Kind::User))),
            ("/.search", "default", Route::Search(None)),
            ("/acme/oauth2/token", "acme", Route::Token),
            (
                "/Schemas/urn%3Aa%3Ab",
                "default",
                Route::Schemas(Some("urn:a:b".to_owned())),
            ),
            ("", "default", Route::Nothing),
            ("/acme", "acme", Route::Nothing),
            ("/Users/me/extra/segments", "default", Route::Nothing),
            ("/Users/%ff%fe", "default", Route::Nothing),
        ] {
            assert_eq!(route(rest), (tenant.to_owned(), want), "{rest}");
        }
    }
}
