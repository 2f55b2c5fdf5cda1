//! What holds for every message of an idp about signing out (Core 3.2, Bindings 3.4.5.2).

use std::time::Duration;

use roxmltree::Node;

use super::Expecting;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::{has_come, is_over, moment_of};
use crate::saml::verify::Trust;
use crate::saml::xml::{ASSERTION, attribute, required, text};

/// How old a message may be.
pub(super) const MAX_AGE: Duration = Duration::from_mins(10);

/// Version, issuer, destination, age.
pub(super) fn check(
    root: Node<'_, '_>,
    signed: bool,
    trust: &Trust<'_>,
    expecting: &Expecting<'_>,
) -> Result<(), Refusal> {
    let now = expecting.now;
    if attribute(root, "Version") != Some("2.0") {
        let came = attribute(root, "Version").unwrap_or_default();
        return Err(Refusal::new(Check::Version, "2.0", came));
    }
    let issuer = text(required(root, ASSERTION, "Issuer")?)?;
    if issuer != trust.entity_id
        && Some(issuer.as_str()) != entra_issuer(trust.entity_id).as_deref()
    {
        return Err(Refusal::new(Check::Issuer, trust.entity_id, issuer));
    }
    match attribute(root, "Destination") {
        Some(destination) if destination == expecting.slo => {}
        None if !signed => {}
        other => {
            let came = other.unwrap_or_default();
            return Err(Refusal::new(Check::Destination, expecting.slo, came));
        }
    }
    let made = moment_of(root, "IssueInstant", Check::IssueInstant)?
        .ok_or_else(|| Refusal::new(Check::IssueInstant, "when it was made", "nothing"))?;
    if has_come(made, now) && !is_over(made.plus(MAX_AGE), now) {
        return Ok(());
    }
    Err(Refusal::new(
        Check::IssueInstant,
        format!(
            "at most {} minutes before {}",
            MAX_AGE.as_secs().div_euclid(60),
            now.to_rfc3339()
        ),
        made.to_rfc3339(),
    ))
}

/// Entra's other name for itself, in sign-out messages.
fn entra_issuer(entity_id: &str) -> Option<String> {
    let tenant = entity_id.strip_prefix("https://sts.windows.net/")?;
    Some(format!("https://login.microsoftonline.com/{tenant}"))
}
