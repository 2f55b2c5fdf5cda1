//! The ends of an idp's certificates, told in time.

use super::Source;
use crate::metrics::Idp;
use crate::saml::certificate::Certificate;

/// Certificates that end are told this many days before.
const WARN_DAYS: [u64; 3] = [30, 14, 3];
const DAY: u64 = 24 * 60 * 60;

impl Source {
    /// When the last usable certificate ends nobody can sign in: told in time.
    pub(super) fn tell_of_ends(&self) {
        let Some(known) = self.known() else {
            return;
        };
        let now = self.clock.now();
        let valid = known.certificates.iter().filter(|its| its.is_valid(now));
        let Some(ends) = valid.map(Certificate::not_after).max() else {
            return;
        };
        let left = ends.since(now).as_secs();
        let idp = self.name.as_str();
        let labels = Idp {
            idp: idp.to_owned(),
        };
        let gauge = self
            .metrics
            .idp_certificate_expiry
            .get_or_create_owned(&labels);
        gauge.set(i64::try_from(left).unwrap_or(i64::MAX));
        let days = left.div_euclid(DAY);
        let step = WARN_DAYS.into_iter().filter(|warn| days < *warn).min();
        if step.is_some() && self.notes(|notes| std::mem::replace(&mut notes.warned, step)) != step
        {
            let ends = ends.to_rfc3339();
            tracing::warn!(
                idp,
                ends,
                days,
                "the idp's last signing certificate ends soon"
            );
        }
    }
}
