//! Who is told of each check. A sign-in ends at the first that does not hold; an operator who asks why wants to know of
//! all of them. The checks are the same.

use crate::saml::refusal::{Check, Refusal};

/// Which piece of a message a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::saml) enum Part {
    /// The document as a document.
    Form,
    /// The response around the assertion.
    Response,
    /// The assertion.
    Assertion,
    /// Its conditions.
    Conditions,
    /// Who may present it.
    Confirmation,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::saml) struct Outcome {
    /// Where it looked; none when it could not go on there.
    pub(in crate::saml) part: Option<Part>,
    /// Which check.
    pub(in crate::saml) check: Check,
    /// Why it does not hold.
    pub(in crate::saml) refusal: Option<Refusal>,
}

/// Told of every check, in order.
pub(super) trait Witness {
    /// The refusal, when nothing is to be looked at after it.
    fn saw(
        &mut self,
        part: Part,
        check: Check,
        outcome: Result<(), Refusal>,
    ) -> Result<(), Refusal>;
}

/// For a sign-in. Whoever shows one that saw every check has a verified assertion.
pub(super) struct Strict;

impl Witness for Strict {
    fn saw(
        &mut self,
        _part: Part,
        _check: Check,
        outcome: Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        outcome
    }
}

/// For an operator: goes on where that is possible, and lets nobody in.
#[derive(Default)]
pub(super) struct Rehearsal(pub(super) Vec<Outcome>);

impl Witness for Rehearsal {
    fn saw(
        &mut self,
        part: Part,
        check: Check,
        outcome: Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.0.push(Outcome {
            part: Some(part),
            check,
            refusal: outcome.err(),
        });
        Ok(())
    }
}
