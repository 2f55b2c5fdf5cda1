//! Settings that name attributes: those that lead nowhere are told before the first request.

use super::patch::check_spot;
use super::schema::Schemas;
use crate::config::{Mistake, Settings};
use crate::identity::TenantSlug;

/// Paths of `[[scim.attribute]]` and `roles.attribute`, of each tenant, that no rule can look at.
pub fn mistakes(settings: &Settings) -> Vec<Mistake> {
    let kind = Schemas::new(&settings.scim).user;
    let mut found: Vec<Mistake> = Vec::new();
    let mut check = |key: String, path: &str| {
        if let Err(error) = check_spot(&kind, path) {
            let why = error.to_string();
            found.push(Mistake { key, why });
        }
    };
    for (number, rule) in settings.scim.attributes.iter().enumerate() {
        check(format!("scim.attribute[{number}].path"), &rule.path);
    }
    for tenant in &settings.tenants {
        let slug = &tenant.slug;
        let roles = if *slug == TenantSlug::default() {
            "roles.attribute".to_owned()
        } else {
            format!("tenant.{slug}.roles.attribute")
        };
        check(roles, &tenant.roles.attribute);
        for rule in &tenant.attributes {
            // Whoever has none of their own has those above.
            let mut above = settings.scim.attributes.iter();
            if above.all(|its| its.path != rule.path) {
                check(format!("tenant.{slug}.scim.attribute.path"), &rule.path);
            }
        }
    }
    found
}
