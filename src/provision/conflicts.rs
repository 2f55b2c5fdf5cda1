//! Sign-ins that fitted a record which they may not be tied to, for an operator to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Provision;
use crate::clock::Timestamp;
use crate::config::Tenant;
use crate::identity::{IdpName, Link, Principal, TenantSlug};

/// Conflicts that are remembered; the oldest goes.
const REMEMBERED: usize = 500;
/// Records of one conflict that are named.
const NAMED: usize = 5;

/// A sign-in that was refused because of a record, in memory until a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Whose directory.
    pub tenant: TenantSlug,
    /// Who vouched.
    pub idp: IdpName,
    /// What the link would have been.
    pub subject: String,
    /// User name as the idp says it.
    pub user_name: String,
    /// Why not.
    pub why: &'static str,
    /// User names of the records that fit.
    pub records: Vec<String>,
    /// How often.
    pub times: u64,
    /// The last time.
    pub last: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Conflicts(Mutex<VecDeque<Conflict>>);

impl Conflicts {
    fn note(&self, mut conflict: Conflict) {
        let mut all = self.lock();
        let same = |its: &Conflict| {
            its.tenant == conflict.tenant
                && its.idp == conflict.idp
                && its.subject == conflict.subject
        };
        if let Some(known) = all.iter().position(same).and_then(|at| all.remove(at)) {
            conflict.times = known.times.saturating_add(1);
        } else if all.len() >= REMEMBERED {
            all.pop_front();
        }
        all.push_back(conflict);
    }

    fn forget(&self, link: &Link) {
        let same = |its: &Conflict| {
            its.tenant == link.tenant && its.idp == link.idp && its.subject == link.subject
        };
        self.lock().retain(|its| !same(its));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Conflict>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provision {
    /// Sign-ins that are refused because of a record, the last one first.
    pub fn conflicts(&self, tenant: &TenantSlug) -> Vec<Conflict> {
        let all = self.people.state.conflicts.lock();
        let own = all.iter().rev().filter(|its| its.tenant == *tenant);
        own.cloned().collect()
    }

    pub(super) async fn note_conflict(
        &self,
        tenant: &Tenant,
        principal: &Principal,
        why: &'static str,
    ) {
        // What cannot be looked up now is listed without names.
        let found = self.matching(tenant, principal).await.unwrap_or_default();
        let names = found.into_iter().take(NAMED).map(|user| user.user_name);
        self.people.state.conflicts.note(Conflict {
            tenant: tenant.slug.clone(),
            idp: principal.idp.clone(),
            subject: principal.link_subject.clone(),
            user_name: principal.user_name.clone(),
            why,
            records: names.collect(),
            times: 1,
            last: self.people.clock.now(),
        });
    }

    /// The sign-in went through.
    pub(super) fn settle_conflict(&self, link: &Link) {
        self.people.state.conflicts.forget(link);
    }
}
