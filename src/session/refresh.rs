//! Whose prepared identity is no longer true (R27): it is made again on the next request.

use std::collections::HashSet;

use super::Sessions;
use crate::identity::{TenantSlug, UserId};

impl Sessions {
    /// The person's record, groups or roles changed: what was prepared is no longer true.
    pub fn refresh(&self, tenant: &TenantSlug, user: &UserId) {
        let keys = self.state().index.of_user(tenant, user);
        for key in keys {
            for sessions in [&self.live, &self.bearers] {
                if let Some(live) = sessions.pin().get(&key) {
                    live.outdate();
                }
            }
        }
    }

    /// Groups or roles of many in a tenant may have changed: a group was renamed.
    pub fn refresh_tenant(&self, tenant: &TenantSlug) {
        for sessions in [&self.live, &self.bearers] {
            for live in sessions.pin().values() {
                if live.record.tenant == *tenant {
                    live.outdate();
                }
            }
        }
    }

    /// People of a tenant who have a session or use a bearer token.
    pub fn people(&self, tenant: &TenantSlug) -> HashSet<UserId> {
        let mut people = HashSet::new();
        for sessions in [&self.live, &self.bearers] {
            for live in sessions.pin().values() {
                if live.record.tenant == *tenant {
                    people.insert(live.record.user.clone());
                }
            }
        }
        people
    }
}
