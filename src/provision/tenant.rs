//! Which tenant a sign-in is for: the host says, else the idp, else the e-mail domain.

use std::sync::Arc;

use super::rules::Ruled;
use super::{Provision, Refused, person};
use crate::config::Tenant;
use crate::identity::{Email, Principal, TenantSlug, fold};

impl Provision {
    /// Which tenant a sign-in on this host by this idp is for; the e-mail domain decides where they do not.
    ///
    /// # Errors
    ///
    /// None, or not exactly one.
    pub fn tenant_of(&self, host: &str, principal: &Principal) -> Result<&Tenant, Refused> {
        let host = host_name(host);
        let named = |tenant: &&Tenant| tenant.idps.contains(&principal.idp);
        let open = |tenant: &&Tenant| tenant.idps.is_empty();
        let mut fitting: Vec<&Tenant> = self
            .tenants()
            .filter(|it| it.hosts.contains(&host))
            .collect();
        if fitting.is_empty() {
            fitting = self.tenants().filter(named).collect();
        }
        if fitting.is_empty() {
            fitting = self.tenants().filter(open).collect();
        }
        if let [_, _, ..] = fitting.as_slice() {
            fitting.retain(|tenant| may_enter(tenant, principal));
        }
        match fitting.as_slice() {
            [tenant] if !(named(tenant) || open(tenant)) => Err(Refused::Tenant),
            [tenant] if !tenant.domains.is_empty() && !may_enter(tenant, principal) => {
                Err(Refused::Domain)
            }
            [tenant] => Ok(tenant),
            _ => Err(Refused::Tenant),
        }
    }

    /// The tenant of local accounts on this host; where the host does not say, the only one, or that
    /// of the user name's e-mail domain.
    pub(super) fn local_tenant(&self, host: &str, user_name: &str) -> Option<&Tenant> {
        let host = host_name(host);
        let mut fitting: Vec<&Tenant> = self
            .tenants()
            .filter(|it| it.hosts.contains(&host))
            .collect();
        if fitting.is_empty() {
            fitting = self.tenants().collect();
        }
        if let [_, _, ..] = fitting.as_slice() {
            let domain = Email::try_from(user_name.trim()).ok()?.domain();
            fitting.retain(|tenant| tenant.domains.contains(&domain));
        }
        match fitting.as_slice() {
            [tenant] => Some(tenant),
            _ => None,
        }
    }

    /// A configured tenant.
    pub(super) fn tenant(&self, slug: &TenantSlug) -> Result<&Tenant, Refused> {
        Ok(&self.ruled(slug)?.tenant)
    }

    /// A configured tenant with what its settings come to.
    pub(super) fn ruled(&self, slug: &TenantSlug) -> Result<&Arc<Ruled>, Refused> {
        let mut all = self.tenants.iter();
        all.find(|ruled| ruled.tenant.slug == *slug)
            .ok_or(Refused::Tenant)
    }
}

/// Whether the address is one of the tenant's. Where the tenant did not name the idp, anybody's idp
/// could claim it: then it must be verified.
fn may_enter(tenant: &Tenant, principal: &Principal) -> bool {
    let vouched = principal.email_verified || tenant.idps.contains(&principal.idp);
    // R31: exactly one @, the domain compared whole.
    let domain = person::address(principal).map(|email| email.domain());
    vouched && domain.is_some_and(|domain| tenant.domains.contains(&domain))
}

/// Lower case, without port and final dot (R16).
fn host_name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    fold(name.strip_suffix('.').unwrap_or(name))
}
