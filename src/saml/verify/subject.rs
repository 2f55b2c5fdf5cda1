//! Whom an assertion is about, and that whoever brings it may (Core 2.4, Profiles 4.1.4.2).

use roxmltree::Node;

use super::conditions::in_time;
use super::message::Message;
use super::witness::{Part, Witness};
use super::{Expected, Trust};
use crate::saml::decrypt::Envelope;
use crate::saml::refusal::{Check, Refusal};
use crate::saml::screen::Screened;
use crate::saml::xml::{ASSERTION, attribute, children, optional, required, text};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// Longest value, bytes.
const MAX: usize = 1024;

/// Whom the idp means (Core 2.2.3, 8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// The identifier, without white space around it; never empty, no control characters.
    pub value: String,
    /// What kind of identifier; `None` says as much as `unspecified`.
    pub format: Option<String>,
    /// Who made it, where that is not the issuer.
    pub name_qualifier: Option<String>,
    /// For whom it was made.
    pub sp_name_qualifier: Option<String>,
}

impl NameId {
    /// From a `NameID` element.
    pub(in crate::saml) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        let value = text(node)?;
        if value.is_empty() || value.len() > MAX || value.chars().any(char::is_control) {
            // Personal data: how long it is has to do.
            let came = match value.len() {
                0 => String::new(),
                length if length > MAX => format!("{length} bytes"),
                length => format!("{length} bytes with control characters"),
            };
            return Err(Refusal::new(
                Check::NameId,
                format!("1 to {MAX} bytes without control characters"),
                came,
            ));
        }
        let owned = |name| attribute(node, name).map(str::to_owned);
        Ok(Self {
            value,
            format: owned("Format"),
            name_qualifier: owned("NameQualifier"),
            sp_name_qualifier: owned("SPNameQualifier"),
        })
    }

    /// From the one `NameID` or `EncryptedID` in `holder`.
    pub(in crate::saml) fn in_element(
        holder: Node<'_, '_>,
        trust: &Trust<'_>,
    ) -> Result<Self, Refusal> {
        let plain = optional(holder, ASSERTION, "NameID")?;
        let sealed = optional(holder, ASSERTION, "EncryptedID")?;
        match (plain, sealed) {
            (Some(plain), None) => Self::read(plain),
            (None, Some(sealed)) => {
                let opened = Envelope::read(sealed)?.open(trust.decryption_keys);
                let opened = opened.ok_or_else(Refusal::decryption)?;
                Self::opened(&opened).map_err(|_why| Refusal::decryption())
            }
            (None, None) => Err(Refusal::new(Check::NameId, "a NameID", "none")),
            (Some(_), Some(_)) => Err(Refusal::new(Check::NameId, "one NameID", "two")),
        }
    }

    fn opened(plaintext: &str) -> Result<Self, Refusal> {
        Self::read(Screened::piece(plaintext, ASSERTION, "NameID")?.root())
    }
}

/// The person, and the request that the assertion answers.
pub(super) fn read(
    assertion: Node<'_, '_>,
    message: &Message,
    trust: &Trust<'_>,
    expected: &Expected<'_>,
    witness: &mut dyn Witness,
) -> Result<(NameId, Option<String>), Refusal> {
    let subject = required(assertion, ASSERTION, "Subject")?;
    let (request, outcome) = match confirmed(subject, message, expected) {
        Ok(request) => (request, Ok(())),
        Err(refusal) => (None, Err(refusal)),
    };
    witness.saw(Part::Confirmation, Check::Confirmation, outcome)?;
    let name_id = NameId::in_element(subject, trust)?;
    witness.saw(Part::Assertion, Check::NameId, Ok(()))?;
    Ok((name_id, request))
}

/// The request that it answers, where one confirmation holds.
fn confirmed(
    subject: Node<'_, '_>,
    message: &Message,
    expected: &Expected<'_>,
) -> Result<Option<String>, Refusal> {
    let mut why = refuse("a bearer confirmation", "none");
    // One that holds is enough: others are for other recipients.
    for confirmation in children(subject, ASSERTION, "SubjectConfirmation") {
        if attribute(confirmation, "Method") != Some(BEARER) {
            continue;
        }
        match confirm(confirmation, message, expected) {
            Ok(request) => return Ok(request),
            Err(refusal) => why = refusal,
        }
    }
    Err(why)
}

fn refuse(expected: &str, came: &str) -> Refusal {
    Refusal::new(Check::Confirmation, expected, came)
}

/// Profiles 4.1.4.2 and 4.1.4.3: for our address, for a time, and for a request of ours if there was one.
fn confirm(
    confirmation: Node<'_, '_>,
    message: &Message,
    expected: &Expected<'_>,
) -> Result<Option<String>, Refusal> {
    let data = required(confirmation, ASSERTION, "SubjectConfirmationData")?;
    let recipient = attribute(data, "Recipient").unwrap_or_default();
    if recipient != expected.acs {
        return Err(refuse(&format!("Recipient {}", expected.acs), recipient));
    }
    if attribute(data, "NotOnOrAfter").is_none() {
        return Err(refuse("a confirmation with NotOnOrAfter", "none"));
    }
    in_time(data, expected.now)?;
    let came = (attribute(data, "InResponseTo"), message.in_response_to());
    let is_open = |id: &str| expected.requests.contains(&id);
    match came {
        (Some(inner), Some(outer)) if inner == outer && is_open(inner) => {
            Ok(Some(inner.to_owned()))
        }
        // What is not signed may leave it out, as the assertion says it.
        (Some(inner), None) if !message.is_signed() && is_open(inner) => Ok(Some(inner.to_owned())),
        (None, None) if expected.idp_initiated => Ok(None),
        (None, None) => Err(Refusal::new(
            Check::Unsolicited,
            "a request of ours; idp_initiated is off",
            "a response that nobody asked for",
        )),
        (inner, outer) => Err(Refusal::new(
            Check::InResponseTo,
            "a request that this browser sent and that is open",
            format!(
                "{} in the assertion, {} in the response",
                inner.unwrap_or("none"),
                outer.unwrap_or("none")
            ),
        )),
    }
}
