//! The response around the assertion. Unless it is signed, nothing of it lets anybody in, but anything of it can refuse.

use std::time::Duration;

use roxmltree::Node;

use super::{Expected, Trust};
use crate::clock::Timestamp;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::{SKEW, has_come, moment_of};
use crate::saml::xml::{ASSERTION, attribute, optional, text};

/// How old an assertion may be that arrives: browsers and people are slow, but not slower.
const MAX_AGE: Duration = Duration::from_mins(10);

/// What a response says of itself.
pub(super) struct Message {
    signed: bool,
    version: Option<String>,
    destination: Option<String>,
    issuer: Option<String>,
    issued: Option<Timestamp>,
    in_response_to: Option<String>,
}

impl Message {
    pub(super) fn read(response: Node<'_, '_>, signed: bool) -> Result<Self, Refusal> {
        let owned = |name| attribute(response, name).map(str::to_owned);
        let issuer = optional(response, ASSERTION, "Issuer")?;
        Ok(Self {
            signed,
            version: owned("Version"),
            destination: owned("Destination"),
            issuer: issuer.map(text).transpose()?,
            issued: moment_of(response, "IssueInstant", Check::IssueInstant)?,
            in_response_to: owned("InResponseTo"),
        })
    }

    pub(super) const fn is_signed(&self) -> bool {
        self.signed
    }

    pub(super) fn in_response_to(&self) -> Option<&str> {
        self.in_response_to.as_deref()
    }

    pub(super) fn check(&self, trust: &Trust<'_>, expected: &Expected<'_>) -> Result<(), Refusal> {
        // Core 3.2.2.
        let version = self.version.as_deref().unwrap_or_default();
        if version != "2.0" {
            return Err(Refusal::new(Check::Version, "2.0", version));
        }
        // Bindings 3.5.5.2: byte for byte, and there if the message is signed.
        match &self.destination {
            Some(destination) if destination == expected.acs => {}
            None if !self.signed => {}
            other => {
                let came = other.as_deref().unwrap_or_default();
                return Err(Refusal::new(Check::Destination, expected.acs, came));
            }
        }
        // Profiles 4.1.4.2.
        if let Some(issuer) = self.issuer.as_ref().filter(|its| *its != trust.entity_id) {
            return Err(Refusal::new(Check::Issuer, trust.entity_id, issuer));
        }
        match self.issued {
            Some(issued) if !has_come(issued, expected.now) => Err(future(issued, expected.now)),
            _ => Ok(()),
        }
    }
}

/// Not from the future, and not old. Gives when it is too old at the latest.
pub(super) fn issued_lately(assertion: Node<'_, '_>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let issued = moment_of(assertion, "IssueInstant", Check::IssueInstant)?.ok_or_else(|| {
        Refusal::new(
            Check::IssueInstant,
            "when the assertion was made",
            "nothing",
        )
    })?;
    if !has_come(issued, now) {
        return Err(future(issued, now));
    }
    let too_old = issued.plus(MAX_AGE).plus(SKEW);
    if too_old < now {
        return Err(Refusal::new(
            Check::IssueInstant,
            format!(
                "at most {} minutes before {}",
                MAX_AGE.as_secs().div_euclid(60),
                now.to_rfc3339()
            ),
            issued.to_rfc3339(),
        ));
    }
    Ok(too_old)
}

fn future(issued: Timestamp, now: Timestamp) -> Refusal {
    Refusal::new(
        Check::IssueInstant,
        format!("not after {}, ours; is a clock wrong?", now.to_rfc3339()),
        issued.to_rfc3339(),
    )
}
