//! What no single section can see.

use std::net::IpAddr;

use super::reader::Section;
use super::{Access, AppLogin, Listen, SameSite, Settings, UpstreamUrl};
use crate::identity::TenantSlug;

/// Notes every mistake between sections. Without `all_idps_read` nothing is said of idps that are missing.
pub(super) fn check(settings: &Settings, all_idps_read: bool, root: &Section) {
    names(settings, all_idps_read, root);
    listeners(settings, root);
    scim_clients(settings, root);
    app_login(settings, root);
    let rules = &settings.rules;
    let nobody = settings.idps.is_empty() && !settings.local.enabled;
    if all_idps_read && nobody && rules.iter().all(|rule| rule.access != Access::Public) {
        root.mistake(
            "idp",
            "nobody could sign in: configure an [[idp]] or set local.enabled = true",
        );
    }
    if settings.session.same_site == SameSite::None && !settings.public_url.is_https() {
        root.mistake("session.same_site", "none needs an https public_url");
    }
}

fn names(settings: &Settings, all_idps_read: bool, root: &Section) {
    let idps = &settings.idps;
    for (number, idp) in idps.iter().enumerate() {
        if idps
            .iter()
            .take(number)
            .any(|before| before.name == idp.name)
        {
            let name = idp.name.as_str();
            root.mistake(
                &format!("idp.{name}.name"),
                "is used twice; names are unique",
            );
        }
    }
    let tenants = &settings.tenants;
    for (number, tenant) in tenants.iter().enumerate() {
        let slug = tenant.slug.as_str();
        if tenants
            .iter()
            .take(number)
            .any(|before| before.slug == tenant.slug)
        {
            root.mistake(
                &format!("tenant.{slug}.slug"),
                "is used twice; slugs are unique",
            );
        }
        for name in &tenant.idps {
            if all_idps_read && !idps.iter().any(|idp| idp.name == *name) {
                let why = format!("{:?} is no configured idp", name.as_str());
                root.mistake(&format!("tenant.{slug}.idps"), why);
            }
        }
    }
}

fn scim_clients(settings: &Settings, root: &Section) {
    let tenant = |slug: &TenantSlug| settings.tenants.iter().find(|its| its.slug == *slug);
    for federation in &settings.scim.federations {
        let key = |key: &str| format!("scim.federation.{}.{key}", federation.name);
        let Some(tenant) = tenant(&federation.tenant) else {
            let why = format!("{:?} is no configured tenant", federation.tenant.as_str());
            root.mistake(&key("tenant"), why);
            continue;
        };
        let allowed = &tenant.roles.allowed;
        for role in &federation.roles {
            if !allowed.is_empty() && !allowed.contains(role) {
                let why = format!(
                    "{role:?} is not one of roles.allowed: {}",
                    allowed.join(", ")
                );
                root.mistake(&key("roles"), why);
            }
        }
    }
    for entra in &settings.scim.entra_tenants {
        if tenant(&entra.tenant).is_none() {
            let why = format!("{:?} is no configured tenant", entra.tenant.as_str());
            root.mistake("scim.entra_tenants", why);
        }
    }
}

/// A password that is sent must have been kept when the account was made. Of a connector that could not be read nothing
/// is said.
fn app_login(settings: &Settings, root: &Section) {
    if root.has_mistakes_of("connector") {
        return;
    }
    let login = settings.upstream.login.as_ref();
    let connector = settings.connector.as_ref();
    let keeps = connector.is_some_and(|connector| connector.users.keeps_password());
    if login.is_some_and(AppLogin::needs_password) && !keeps {
        root.mistake(
            "upstream.login",
            "sends {password}, and no connector keeps one: [connector] must make accounts with a field of write = \"{password}\"",
        );
    }
}

fn listeners(settings: &Settings, root: &Section) {
    let server = &settings.server;
    if server.listen == server.ops {
        root.mistake("server.ops.listen", "is the same as server.listen");
    }
    let (Listen::Tcp(listen), UpstreamUrl::Http { host, port }) =
        (&server.listen, &settings.upstream.url)
    else {
        return;
    };
    let here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified() || ip == listen.ip();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let this_machine = host == "localhost" || ip.is_ok_and(here);
    if this_machine && *port == listen.port() && listen.port() != 0 {
        root.mistake(
            "upstream.url",
            "is sidegate's own address (server.listen): requests would go round in circles",
        );
    }
}
