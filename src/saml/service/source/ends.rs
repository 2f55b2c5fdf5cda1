//! The ends of an idp's certificates, told in time.

use super::Source;
use crate::clock::Timestamp;
use crate::metrics::Idp;
use crate::saml::certificate::Certificate;

/// Certificates that end are told this many days before, and when they have ended.
const WARN_DAYS: [i64; 4] = [30, 14, 3, 0];
const DAY: i64 = 24 * 60 * 60;

impl Source {
    /// When the last certificate ends nobody can sign in: told in time. One that is not valid yet is no help.
    pub(super) fn tell_of_ends(&self) {
        let Some(known) = self.known() else {
            return;
        };
        let now = self.clock.now();
        let begun = known
            .certificates
            .iter()
            .filter(|its| its.not_before() <= now);
        let Some(ends) = begun.map(Certificate::not_after).max() else {
            return;
        };
        let left = signed(ends).saturating_sub(signed(now));
        let idp = self.name.as_str();
        let labels = Idp {
            idp: idp.to_owned(),
        };
        let gauge = self
            .metrics
            .idp_certificate_expiry
            .get_or_create_owned(&labels);
        gauge.set(left);
        let days = left.div_euclid(DAY);
        let step = WARN_DAYS.into_iter().filter(|warn| days < *warn).min();
        let before = self.notes(|notes| std::mem::replace(&mut notes.warned, step));
        if step.is_none() || before == step {
            return;
        }
        let ends = ends.to_rfc3339();
        if step == Some(0) {
            tracing::error!(idp, ends, "the idp's last signing certificate has ended");
        } else {
            tracing::warn!(
                idp,
                ends,
                days,
                "the idp's last signing certificate ends soon"
            );
        }
    }
}

fn signed(at: Timestamp) -> i64 {
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX)
}
