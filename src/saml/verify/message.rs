//! The response around the assertion. Unless it is signed, nothing of it lets anybody in, but anything of it can refuse.

use std::time::Duration;

use roxmltree::Node;

use super::witness::{Part, Witness};
use super::{Expected, Trust};
use crate::clock::Timestamp;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::time::{SKEW, has_come, moment_of};
use crate::saml::xml::{ASSERTION, attribute, optional, text};

/// How old an assertion may be that arrives: browsers and people are slow, but not slower.
pub(in crate::saml) const MAX_AGE: Duration = Duration::from_mins(10);

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

    pub(super) fn check(
        &self,
        trust: &Trust<'_>,
        expected: &Expected<'_>,
        witness: &mut dyn Witness,
    ) -> Result<(), Refusal> {
        let mut saw = |check, outcome| witness.saw(Part::Response, check, outcome);
        // Core 3.2.2.
        saw(Check::Version, version(self.version.as_deref()))?;
        saw(Check::Destination, self.destination(expected))?;
        // Profiles 4.1.4.2.
        let issuer = self.issuer.as_deref().map(|its| issuer(its, trust));
        saw(Check::Issuer, issuer.unwrap_or(Ok(())))?;
        let time = self
            .issued
            .map(|its| not_from_the_future(its, expected.now));
        saw(Check::IssueInstant, time.unwrap_or(Ok(())))
    }

    /// Bindings 3.5.5.2: byte for byte, and there if the message is signed.
    fn destination(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        match &self.destination {
            Some(destination) if destination == expected.acs => Ok(()),
            None if !self.signed => Ok(()),
            other => {
                let came = other.as_deref().unwrap_or_default();
                Err(Refusal::new(Check::Destination, expected.acs, came))
            }
        }
    }
}

pub(super) fn version(version: Option<&str>) -> Result<(), Refusal> {
    match version.unwrap_or_default() {
        "2.0" => Ok(()),
        other => Err(Refusal::new(Check::Version, "2.0", other)),
    }
}

pub(super) fn issuer(issuer: &str, trust: &Trust<'_>) -> Result<(), Refusal> {
    if issuer == trust.entity_id {
        return Ok(());
    }
    Err(Refusal::new(Check::Issuer, trust.entity_id, issuer))
}

/// Not from the future, and not old. Gives when it is too old at the latest.
pub(super) fn issued_lately(
    assertion: Node<'_, '_>,
    now: Timestamp,
    witness: &mut dyn Witness,
) -> Result<Timestamp, Refusal> {
    let issued = moment_of(assertion, "IssueInstant", Check::IssueInstant)?.ok_or_else(|| {
        Refusal::new(
            Check::IssueInstant,
            "when the assertion was made",
            "nothing",
        )
    })?;
    let too_old = issued.plus(MAX_AGE).plus(SKEW);
    let lately = not_from_the_future(issued, now).and_then(|()| {
        if now <= too_old {
            return Ok(());
        }
        Err(Refusal::new(
            Check::IssueInstant,
            format!(
                "at most {} minutes before {}",
                MAX_AGE.as_secs().div_euclid(60),
                now.to_rfc3339()
            ),
            issued.to_rfc3339(),
        ))
    });
    witness.saw(Part::Assertion, Check::IssueInstant, lately)?;
    Ok(too_old)
}

fn not_from_the_future(issued: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if has_come(issued, now) {
        return Ok(());
    }
    Err(Refusal::new(
        Check::IssueInstant,
        format!("not after {}, ours; is a clock wrong?", now.to_rfc3339()),
        issued.to_rfc3339(),
    ))
}
