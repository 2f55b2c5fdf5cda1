//! Messages of ours (Core 3.4.1, 3.7). Attributes stand in the order of canonical form.

use super::{Outgoing, Role};
use crate::clock::Timestamp;
use crate::config::Comparison;
use crate::saml::verify::NameId;
use crate::saml::xml::{in_attribute, in_text};

/// Asks the idp to sign somebody in.
///
/// Neither `NameIDPolicy` nor `RequestedAuthnContext` unless it must be: Entra refuses people who signed in otherwise.
#[derive(Clone, Copy, Debug)]
pub struct AuthnRequest<'a> {
    /// From [`super::message_id`]; kept, for `InResponseTo`.
    pub id: &'a str,
    /// The time.
    pub issued: Timestamp,
    /// The idp's address that it goes to.
    pub destination: &'a str,
    /// Our entity ID.
    pub issuer: &'a str,
    /// Where the answer shall go; by HTTP-POST.
    pub acs: &'a str,
    /// The person must prove anew who they are.
    pub again: bool,
    /// The only format of `NameID` that is wanted.
    pub name_id_format: Option<&'a str>,
    /// How the person shall have signed in, as class references; empty asks nothing.
    pub authn_context: &'a [String],
    /// What the answer's class must be to those.
    pub comparison: Comparison,
}

impl AuthnRequest<'_> {
    /// As XML.
    pub fn write(&self) -> Outgoing {
        let force = if self.again {
            " ForceAuthn=\"true\""
        } else {
            ""
        };
        let mut body = self.name_id_format.map_or_else(String::new, |format| {
            format!(
                "<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"{}\"></samlp:NameIDPolicy>",
                in_attribute(format)
            )
        });
        body.push_str(&self.requested_context());
        let attributes = format!(
            " AssertionConsumerServiceURL=\"{}\" Destination=\"{}\"{force} ID=\"{}\" IssueInstant=\"{}\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Version=\"2.0\"",
            in_attribute(self.acs),
            in_attribute(self.destination),
            in_attribute(self.id),
            self.issued.to_rfc3339(),
        );
        outgoing(
            Role::Request,
            "AuthnRequest",
            self.id,
            &attributes,
            self.issuer,
            &body,
        )
    }

    /// Core 3.4.1: behind the policy for names.
    fn requested_context(&self) -> String {
        if self.authn_context.is_empty() {
            return String::new();
        }
        let classes = self.authn_context.iter().map(|class| {
            format!(
                "<saml:AuthnContextClassRef xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}\
                 </saml:AuthnContextClassRef>",
                in_text(class)
            )
        });
        format!(
            "<samlp:RequestedAuthnContext Comparison=\"{}\">{}</samlp:RequestedAuthnContext>",
            self.comparison.as_str(),
            classes.collect::<String>()
        )
    }
}

/// Asks the idp to sign somebody out.
#[derive(Clone, Copy, Debug)]
pub struct LogoutCall<'a> {
    /// From [`super::message_id`]; kept, for `InResponseTo`.
    pub id: &'a str,
    /// The time.
    pub issued: Timestamp,
    /// The idp's address that it goes to.
    pub destination: &'a str,
    /// Our entity ID.
    pub issuer: &'a str,
    /// The person, exactly as the idp named them.
    pub name_id: &'a NameId,
    /// The idp's session; none means all of them.
    pub session_index: Option<&'a str>,
}

impl LogoutCall<'_> {
    /// As XML.
    pub fn write(&self) -> Outgoing {
        let mut body =
            String::from("<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"");
        for (name, value) in [
            ("Format", &self.name_id.format),
            ("NameQualifier", &self.name_id.name_qualifier),
            ("SPNameQualifier", &self.name_id.sp_name_qualifier),
        ] {
            if let Some(value) = value {
                for part in [" ", name, "=\"", &in_attribute(value), "\""] {
                    body.push_str(part);
                }
            }
        }
        for part in [">", &in_text(&self.name_id.value), "</saml:NameID>"] {
            body.push_str(part);
        }
        if let Some(index) = self.session_index {
            for part in [
                "<samlp:SessionIndex>",
                &in_text(index),
                "</samlp:SessionIndex>",
            ] {
                body.push_str(part);
            }
        }
        let attributes = common(self.destination, self.id, self.issued, "");
        outgoing(
            Role::Request,
            "LogoutRequest",
            self.id,
            &attributes,
            self.issuer,
            &body,
        )
    }
}

/// Answers the idp's request to sign somebody out.
#[derive(Clone, Copy, Debug)]
pub struct LogoutReply<'a> {
    /// From [`super::message_id`].
    pub id: &'a str,
    /// The time.
    pub issued: Timestamp,
    /// The idp's address that it goes to.
    pub destination: &'a str,
    /// Our entity ID.
    pub issuer: &'a str,
    /// `ID` of the idp's request.
    pub in_response_to: &'a str,
    /// Nobody of that name is signed in here any more.
    pub done: bool,
}

impl LogoutReply<'_> {
    /// As XML.
    pub fn write(&self) -> Outgoing {
        let status = if self.done { "Success" } else { "Responder" };
        let body = format!(
            "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{status}\">\
             </samlp:StatusCode></samlp:Status>"
        );
        let answers = format!(" InResponseTo=\"{}\"", in_attribute(self.in_response_to));
        let attributes = common(self.destination, self.id, self.issued, &answers);
        outgoing(
            Role::Response,
            "LogoutResponse",
            self.id,
            &attributes,
            self.issuer,
            &body,
        )
    }
}

/// Attributes of every message; `answers` stands where the alphabet puts it.
fn common(destination: &str, id: &str, issued: Timestamp, answers: &str) -> String {
    format!(
        " Destination=\"{}\" ID=\"{}\"{answers} IssueInstant=\"{}\" Version=\"2.0\"",
        in_attribute(destination),
        in_attribute(id),
        issued.to_rfc3339(),
    )
}

fn outgoing(
    role: Role,
    name: &str,
    id: &str,
    attributes: &str,
    issuer: &str,
    body: &str,
) -> Outgoing {
    Outgoing {
        role,
        id: id.to_owned(),
        head: format!(
            "<samlp:{name} xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"{attributes}>\
             <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer>",
            in_text(issuer)
        ),
        tail: format!("{body}</samlp:{name}>"),
    }
}
