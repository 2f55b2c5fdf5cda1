//! For whom, from when and until when an assertion is good (Core 2.5.1).

use roxmltree::Node;

use super::Expected;
use super::witness::{Part, Witness};
use crate::clock::Timestamp;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::{has_come, is_over, moment_of};
use crate::saml::xml::{ASSERTION, children, elements, required, text};

/// Every condition holds, and there is an audience (R42).
pub(super) fn check(
    assertion: Node<'_, '_>,
    expected: &Expected<'_>,
    witness: &mut dyn Witness,
) -> Result<(), Refusal> {
    let mut saw = |check, outcome| witness.saw(Part::Conditions, check, outcome);
    let conditions = required(assertion, ASSERTION, "Conditions")?;
    saw(Check::Validity, in_time(conditions, expected.now))?;
    let mut restricted = false;
    for condition in elements(conditions) {
        let tag = condition.tag_name();
        match (tag.namespace(), tag.name()) {
            (Some(ASSERTION), "AudienceRestriction") => {
                // Core 2.5.1.4: one of each, and all restrictions hold.
                saw(Check::Audience, audience(condition, expected.entity_id))?;
                restricted = true;
            }
            // Everything is used one time here, and nothing is passed on.
            (Some(ASSERTION), "OneTimeUse" | "ProxyRestriction") => {}
            // Core 2.5.1.1: what is not understood is not met.
            _ => {
                let unknown = Refusal::new(Check::Conditions, "known conditions", tag.name());
                saw(Check::Conditions, Err(unknown))?;
            }
        }
    }
    if restricted {
        Ok(())
    } else {
        // Profiles 4.1.4.2.
        let ours = expected.entity_id;
        let none = Refusal::new(Check::Audience, ours, "no AudienceRestriction");
        saw(Check::Audience, Err(none))
    }
}

fn audience(restriction: Node<'_, '_>, ours: &str) -> Result<(), Refusal> {
    let mut others = Vec::new();
    for audience in children(restriction, ASSERTION, "Audience") {
        let audience = text(audience)?;
        if audience == ours {
            return Ok(());
        }
        others.push(audience);
    }
    Err(Refusal::new(Check::Audience, ours, others.join(", ")))
}

/// `NotBefore` and `NotOnOrAfter` of an element, where it has them.
pub(super) fn in_time(node: Node<'_, '_>, now: Timestamp) -> Result<(), Refusal> {
    let from = moment_of(node, "NotBefore", Check::Validity)?;
    let until = moment_of(node, "NotOnOrAfter", Check::Validity)?;
    let came = match (from, until) {
        (Some(from), _) if !has_come(from, now) => format!("NotBefore {}", from.to_rfc3339()),
        (_, Some(until)) if is_over(until, now) => format!("NotOnOrAfter {}", until.to_rfc3339()),
        _ => return Ok(()),
    };
    Err(Refusal::new(
        Check::Validity,
        format!(
            "{} to be good at {}; is a clock wrong?",
            node.tag_name().name(),
            now.to_rfc3339()
        ),
        came,
    ))
}
