//! Why something of an idp is refused: which check, what it expected, what came. For the operator alone.

use std::fmt;

use super::shown::{MAX, shown};
use crate::problem::Problem;

/// Which check did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Bytes, elements, attributes, depth.
    Limits,
    /// base64, UTF-8, DEFLATE, the XML declaration.
    Encoding,
    /// Well-formed XML without DTD, entities and processing instructions.
    Xml,
    /// Comments that could split a value.
    Comment,
    /// Every ID once, and of the form that XML asks for.
    Id,
    /// Which elements stand where.
    Structure,
    /// Where a signature stands, and what it points at.
    Reference,
    /// Algorithms for signatures, digests and transforms.
    Algorithm,
    /// Algorithms for encryption.
    EncryptionAlgorithm,
    /// There is a signature over what is read.
    Signed,
    /// A certificate of the idp fits, and is inside its validity.
    Certificate,
    /// The signature itself.
    Signature,
    /// Whatever goes wrong between ciphertext and the signature inside; never more is told.
    Decryption,
    /// The idp says that it signed the person in.
    Status,
    /// SAML 2.0.
    Version,
    /// The message is for our address.
    Destination,
    /// The message is the configured idp's.
    Issuer,
    /// When it was made.
    IssueInstant,
    /// Conditions of the assertion other than its times and audience.
    Conditions,
    /// From when, until when it is good.
    Validity,
    /// The assertion is for us.
    Audience,
    /// Whom it is about.
    NameId,
    /// Who may present it: bearer, at our address, in time.
    Confirmation,
    /// The request that it answers.
    InResponseTo,
    /// Whether the idp may begin by itself.
    Unsolicited,
    /// How the person signed in there.
    AuthnStatement,
    /// What else it says of the person.
    Attributes,
    /// It comes for the first time.
    Replay,
    /// Metadata: entity, role, keys, addresses.
    Metadata,
    /// Parameters of a request: each once, none missing.
    Parameters,
}

impl Check {
    /// A stable word for logs and the manual.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Encoding => "encoding",
            Self::Xml => "xml",
            Self::Comment => "comment",
            Self::Id => "id",
            Self::Structure => "structure",
            Self::Reference => "reference",
            Self::Algorithm => "algorithm",
            Self::EncryptionAlgorithm => "encryption_algorithm",
            Self::Signed => "signed",
            Self::Certificate => "certificate",
            Self::Signature => "signature",
            Self::Decryption => "decryption",
            Self::Status => "status",
            Self::Version => "version",
            Self::Destination => "destination",
            Self::Issuer => "issuer",
            Self::IssueInstant => "issue_instant",
            Self::Conditions => "conditions",
            Self::Validity => "validity",
            Self::Audience => "audience",
            Self::NameId => "name_id",
            Self::Confirmation => "confirmation",
            Self::InResponseTo => "in_response_to",
            Self::Unsolicited => "unsolicited",
            Self::AuthnStatement => "authn_statement",
            Self::Attributes => "attributes",
            Self::Replay => "replay",
            Self::Metadata => "metadata",
            Self::Parameters => "parameters",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A check that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{check}: expected {expected}, came {came}")]
pub struct Refusal {
    check: Check,
    expected: String,
    came: String,
}

impl Refusal {
    /// Both are shown cut and escaped: names in a message get into what was expected, too.
    pub(super) fn new(check: Check, expected: impl AsRef<str>, came: impl AsRef<str>) -> Self {
        let came = match came.as_ref() {
            "" => "nothing",
            came => came,
        };
        Self {
            check,
            expected: shown(expected.as_ref(), MAX),
            came: shown(came, MAX),
        }
    }

    /// The one failure for everything between a ciphertext and the signature inside it.
    pub(super) fn decryption() -> Self {
        Self::new(
            Check::Decryption,
            "content encrypted to one of our keys, signed inside by the idp",
            "something else",
        )
    }

    /// Which check it was.
    pub const fn check(&self) -> Check {
        self.check
    }

    /// What would have been right.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What came: cut short, control characters escaped. Written by whoever sent the message: for the log alone.
    pub fn came(&self) -> &str {
        &self.came
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::forbidden(
            "sign_in.saml",
            "Your sign-in service's answer could not be accepted. Please try again.",
        )
        .because(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r41_a_log_line_stays_one_line() {
        let evil = "them\n2026 INFO all is well\u{1b}[2J";
        let refusal = Refusal::new(Check::Audience, evil, evil);
        let line = "them\\n2026 INFO all is well\\u{1b}[2J";
        assert_eq!(
            refusal.to_string(),
            format!("audience: expected {line}, came {line}")
        );
        let long = "x".repeat(4000);
        let long = Refusal::new(Check::Audience, &long, &long);
        assert!(long.to_string().len() < 2 * MAX + 64, "{long}");
        assert_eq!(Refusal::new(Check::Audience, "us", "").came(), "nothing");
    }
}
