//! From a check that did not hold to what an operator changes, at the idp or here.

use super::refusal::{Check, Refusal};
use crate::identity::IdpKind;
use crate::login::{EntraError, PortalField, explain};

/// What a message was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in.
    SignIn,
    /// Signing out.
    SignOut,
}

/// What an operator does about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Where in Entra's portal; other idps have the same setting under another name. None when no setting is wrong there.
    pub field: Option<PortalField>,
    /// What to do.
    pub todo: &'static str,
}

impl Refusal {
    /// What can be done about it. Where Entra gives a code of its own, what that means.
    pub fn hint(&self, purpose: Purpose) -> Hint {
        match self.entra() {
            Some(error) => Hint {
                field: error.field,
                todo: error.hint,
            },
            None => self
                .status_hint()
                .unwrap_or_else(|| hint(self.check(), purpose)),
        }
    }

    /// Status codes that every idp has (Core 3.2.2.2), where they say more than no.
    fn status_hint(&self) -> Option<Hint> {
        let is = |code: &str| {
            let mut codes = self.came().split([':', ' ', '/']);
            self.check() == Check::Status && codes.any(|its| its == code)
        };
        let (field, todo) = if is("InvalidNameIDPolicy") {
            (
                Some(PortalField::NameId),
                "the idp does not have the name_id_format that we ask for: leave it out, or let the idp send that format",
            )
        } else if is("NoAuthnContext") || is("NoPassive") {
            (
                None,
                "the idp could not sign the person in the way that was asked for; its own sign-in log says more",
            )
        } else if is("Requester") {
            (
                Some(PortalField::VerificationCertificates),
                "the idp finds fault with our request: it may want it signed (sign_requests = true with a key whose certificate it has), or not know our entity ID; its own log says which",
            )
        } else {
            return None;
        };
        Some(Hint { field, todo })
    }

    /// The error of Entra's that it holds.
    pub(super) fn entra(&self) -> Option<EntraError> {
        let is_status = self.check() == Check::Status;
        is_status
            .then(|| explain(self.came(), IdpKind::Saml))
            .flatten()
    }
}

/// What mostly is behind a failed check.
#[expect(clippy::too_many_lines, reason = "a list: one entry for each check")]
pub const fn hint(check: Check, purpose: Purpose) -> Hint {
    let (field, todo) = match check {
        Check::Audience => (
            Some(PortalField::Identifier),
            "the idp made it for another service provider: give it our entity ID, which is what was expected",
        ),
        Check::Destination | Check::Confirmation => match purpose {
            Purpose::SignIn => (
                Some(PortalField::ReplyUrl),
                "the idp sends it to another address: give it ours, which is what was expected, letter by letter, and make it the default",
            ),
            Purpose::SignOut => (
                Some(PortalField::LogoutUrl),
                "the idp sends it to another address: give it ours, which is what was expected, letter by letter",
            ),
        },
        Check::Issuer => (
            Some(PortalField::MetadataUrl),
            "it is another idp's or another tenant's: metadata_url must be that of this application; where the idp's metadata names several, idp_entity_id says which",
        ),
        Check::Signature => (
            Some(PortalField::MetadataUrl),
            "none of the keys in the idp's metadata made the signature: with Entra metadata_url must end in ?appid=, else it names the tenant's general keys; a metadata_file may be old; or it is a forgery",
        ),
        Check::Certificate => (
            Some(PortalField::Certificates),
            "the idp signs with a certificate that is expired, not valid yet, or not in its metadata: make a new one active there, and look at this server's clock",
        ),
        Check::Signed => (
            Some(PortalField::SigningOption),
            "let the idp sign it: \"Sign SAML response and assertion\" fits every setting here; for sign-outs the idp needs the switch that signs logout messages",
        ),
        Check::Algorithm => (
            Some(PortalField::SigningAlgorithm),
            "choose SHA-256; SHA-1 is not taken",
        ),
        Check::EncryptionAlgorithm => (
            Some(PortalField::TokenEncryption),
            "let the idp encrypt by AES-128 or AES-256 with the key carried by RSA-OAEP; RSA 1.5 and Triple DES are not taken",
        ),
        Check::Decryption => (
            Some(PortalField::TokenEncryption),
            "the idp encrypts to another certificate than ours (idp.certificate), or what is inside is not signed by it: upload ours there, keep the old one as idp.previous_key while it rolls; `sidegate saml inspect` says which",
        ),
        Check::Status => (
            Some(PortalField::UsersAndGroups),
            "the idp did not sign the person in; its own sign-in log says why",
        ),
        Check::NameId => (
            Some(PortalField::NameId),
            "the idp sends no name identifier that can be used: choose an attribute that every person has and that does not change",
        ),
        Check::Attributes => (
            Some(PortalField::Claims),
            "send what is missing as a claim, or name what the idp sends in [idp.attributes]; encrypted attributes are not taken",
        ),
        Check::Unsolicited => (
            Some(PortalField::SignOnUrl),
            "the sign-in began at the idp (a tile, a test button): give the idp PUBLIC_URL/.sidegate/login?idp=NAME as the address where sign-ins begin, or set idp_initiated = true",
        ),
        Check::InResponseTo => (
            None,
            "the answer came too late, for the second time, or to another browser than asked: the person starts again; if it happens to all, cookies get lost on the way or several replicas have a store each",
        ),
        Check::IssueInstant | Check::Validity => (
            None,
            "compare both clocks (NTP); three minutes of difference are taken. A single one is somebody who went back in the browser's history",
        ),
        Check::AuthnStatement => (
            None,
            "the person's session at the idp is over, or the idp did not ask them anew where it had to: they sign out there and start again",
        ),
        Check::Replay => (
            None,
            "the same answer was sent twice: a reload or a double click; many of one assertion are somebody who has copied it",
        ),
        Check::Limits => (
            Some(PortalField::Claims),
            "larger than any sign-in: send fewer groups, such as those assigned to the application alone",
        ),
        Check::Metadata => (
            Some(PortalField::MetadataUrl),
            "metadata_url or metadata_file must lead to the metadata of this application at the idp",
        ),
        Check::Encoding | Check::Parameters => (
            Some(PortalField::ReplyUrl),
            "no message of the HTTP-POST binding: mostly a program that tries addresses; if it is the idp, it must answer by HTTP-POST",
        ),
        Check::Xml | Check::Comment | Check::Id | Check::Structure | Check::Reference => (
            None,
            "no idp that is known writes this: an attack, or something between rewrites messages; `sidegate saml inspect` explains a captured one",
        ),
        Check::Conditions | Check::Version => (
            None,
            "the idp uses a part of SAML that is not understood here, so it counts as not met: switch it off there",
        ),
    };
    Hint { field, todo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_leads_to_the_field_that_is_to_change() {
        use Purpose::{SignIn, SignOut};
        for (check, purpose, field) in [
            (Check::Audience, SignIn, "Identifier (Entity ID)"),
            (
                Check::Destination,
                SignIn,
                "Reply URL (Assertion Consumer Service URL)",
            ),
            (
                Check::Confirmation,
                SignIn,
                "Reply URL (Assertion Consumer Service URL)",
            ),
            (Check::Destination, SignOut, "Logout Url"),
            (Check::Unsolicited, SignIn, "Sign on URL"),
            (Check::NameId, SignIn, "Unique User Identifier (Name ID)"),
            (Check::Signed, SignIn, "Signing Option"),
            (Check::Algorithm, SignIn, "Signing Algorithm"),
            (Check::Signature, SignIn, "App Federation Metadata Url"),
            (Check::Issuer, SignIn, "App Federation Metadata Url"),
            (Check::Certificate, SignIn, "Token signing certificate"),
            (Check::Decryption, SignIn, "Token encryption"),
            (Check::EncryptionAlgorithm, SignIn, "Token encryption"),
            (Check::Attributes, SignIn, "Additional claims"),
        ] {
            let found = hint(check, purpose).field.map(PortalField::as_str);
            assert_eq!(found, Some(field), "{check}");
        }
        for check in [Check::Validity, Check::Replay, Check::InResponseTo] {
            assert_eq!(hint(check, SignIn).field, None, "{check}");
        }
    }

    #[test]
    fn an_error_of_entras_says_more_than_the_check() {
        for (came, field, todo) in [
            (
                "Responder: AADSTS50105: Your administrator",
                Some(PortalField::UsersAndGroups),
                "assign them",
            ),
            (
                "Requester: AADSTS700016: Application with identifier",
                Some(PortalField::Identifier),
                "our entity ID",
            ),
            (
                "Responder: AADSTS75011: by method",
                Some(PortalField::SignInLogs),
                "another method",
            ),
            (
                "Requester / InvalidNameIDPolicy",
                Some(PortalField::NameId),
                "name_id_format",
            ),
            (
                "Requester: unknown",
                Some(PortalField::VerificationCertificates),
                "sign_requests",
            ),
            ("Responder / NoPassive", None, "asked for"),
            (
                "Responder: Requester's fault",
                Some(PortalField::UsersAndGroups),
                "did not sign",
            ),
            (
                "Responder / AuthnFailed",
                Some(PortalField::UsersAndGroups),
                "did not sign",
            ),
        ] {
            let found = Refusal::new(Check::Status, "Success", came).hint(Purpose::SignIn);
            assert_eq!(found.field, field, "{came}");
            assert!(found.todo.contains(todo), "{came}: {}", found.todo);
        }
        // Words of a stranger in another place mean nothing.
        let audience = Refusal::new(Check::Audience, "us", "AADSTS50105").hint(Purpose::SignIn);
        assert_eq!(audience.field, Some(PortalField::Identifier));
    }
}
