//! A check in words.

use serde::Serialize;

use crate::saml::hint::Purpose;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::service::Party;
use crate::saml::verify::{Outcome, Part};

/// How a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Ok,
    /// It does not.
    Refused,
    /// It cannot be made here.
    Unknown,
}

/// A check and what it says.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How it ends.
    pub state: State,
    /// Its word, as in the log.
    pub check: String,
    /// What it is about, or why it is not known.
    pub about: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// What came.
    pub came: Option<String>,
    /// Field of Entra's portal, with its page.
    pub portal_field: Option<String>,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl Finding {
    /// Of the document as such.
    pub(super) fn form(refusal: Option<&Refusal>) -> Self {
        let about = "the document has the form that is let through to the other checks";
        match refusal {
            Some(refusal) => Self::refused(refusal, format!("not so: {about}")),
            None => Self::new(State::Ok, "form", about),
        }
    }

    /// Bindings 3.5.4: a response comes by HTTP-POST, as it is.
    pub(super) fn deflated() -> Self {
        let refusal = Refusal::new(
            Check::Encoding,
            "a response by HTTP-POST, as it is",
            "deflated",
        );
        Self::refused(&refusal, "it travelled as messages in an address do")
    }

    pub(super) fn new(state: State, check: &str, about: impl Into<String>) -> Self {
        Self {
            state,
            check: check.to_owned(),
            about: about.into(),
            expected: None,
            came: None,
            portal_field: None,
            hint: None,
        }
    }

    fn refused(refusal: &Refusal, about: impl Into<String>) -> Self {
        let hint = refusal.hint(Purpose::SignIn);
        Self {
            state: State::Refused,
            check: refusal.check().to_string(),
            about: about.into(),
            expected: Some(refusal.expected().to_owned()),
            came: Some(refusal.came().to_owned()),
            portal_field: hint.field.map(|field| field.to_string()),
            hint: Some(hint.todo),
        }
    }

    /// None for what is told elsewhere.
    pub(super) fn of(outcome: &Outcome, party: &Party) -> Option<Self> {
        let about = about(outcome);
        if let Some(refusal) = &outcome.refusal {
            let about = match outcome.part {
                Some(_) => format!("not so: {about}"),
                None => about.to_owned(),
            };
            return Some(Self::refused(refusal, about));
        }
        // The form was told before; a replay is the server's to know.
        let untold = matches!(outcome.check, Check::Structure | Check::Replay)
            || (outcome.check == Check::Signed && !party.signed_response);
        (!untold).then(|| Self::new(State::Ok, outcome.check.as_str(), about))
    }
}

fn about(outcome: &Outcome) -> &'static str {
    match (outcome.part, outcome.check) {
        (None, _) => "here it ends: nothing after it can be looked at",
        (Some(Part::Response), Check::Signature) => {
            "a key of the idp's metadata signed the whole response"
        }
        (Some(_), Check::Signature) => "a key of the idp's metadata signed the assertion",
        (Some(Part::Response), Check::Signed) => {
            "the response is signed as a whole, as the settings want"
        }
        (Some(Part::Response), Check::Status) => "the idp says that it signed the person in",
        (Some(Part::Response), Check::Version) => "the response is of SAML 2.0",
        (Some(Part::Response), Check::Destination) => "the response is for our address",
        (Some(Part::Response), Check::Issuer) => "the response is the idp's, or does not say whose",
        (Some(Part::Response), Check::IssueInstant) => "the response is not from the future",
        (Some(_), Check::Decryption) => {
            "our key opens the assertion, and what is inside may be believed"
        }
        (Some(Part::Assertion), Check::Version) => "the assertion is of SAML 2.0",
        (Some(Part::Assertion), Check::Issuer) => "the assertion is the idp's",
        (Some(Part::Assertion), Check::IssueInstant) => {
            "the assertion is neither old nor from the future"
        }
        (Some(Part::Assertion), Check::NameId) => "it names a person",
        (Some(Part::Assertion), Check::AuthnStatement) => "the person's session at the idp goes on",
        (Some(Part::Assertion), Check::Attributes) => "its attributes can be read",
        (Some(Part::Conditions), Check::Validity) => "it is good at that time",
        (Some(Part::Conditions), Check::Audience) => "it is for us",
        (Some(Part::Conditions), Check::Conditions) => "its conditions are known here",
        (Some(Part::Confirmation), _) => {
            "whoever brings it to our address may, in time, as the answer to the request that it names"
        }
        (Some(_), _) => "holds",
    }
}
