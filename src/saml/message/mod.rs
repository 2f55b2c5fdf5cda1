//! What travels between the idp and us besides assertions: requests to sign in, requests to sign out and their answers,
//! over HTTP-Redirect and HTTP-POST (Bindings 3.4, 3.5).

mod inbound;
mod logout;
mod message_check;
mod post;
mod query;
mod redirect;
mod request;

pub use inbound::RedirectQuery;
pub use logout::{Asked, Expecting, LogoutAnswer, LogoutRequest, Received};
pub use post::PostForm;

pub use request::{AuthnRequest, LogoutCall, LogoutReply};

use openssl::error::ErrorStack;

use super::certificate::Certificate;
use super::private_key::PrivateKey;
use super::seal::signature;
use crate::crypto::random_token;

/// An ID for a message of ours: 256 random bits behind a letter that every parser takes (Core 1.3.4).
pub fn message_id() -> String {
    format!("_{}", random_token())
}

/// What a message is, and the parameter that it travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `SAMLRequest`
    Request,
    /// `SAMLResponse`
    Response,
}

impl Role {
    /// Name of the parameter.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// A message of ours, ready for a binding: in canonical form, so that a signature needs no canonicaliser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    role: Role,
    id: String,
    /// Up to and including the issuer, where a signature belongs.
    head: String,
    tail: String,
}

impl Outgoing {
    /// The message's ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The message as XML, unsigned.
    pub fn to_xml(&self) -> String {
        format!("{}{}", self.head, self.tail)
    }

    /// The message with a signature by our key, behind the issuer.
    ///
    /// # Errors
    ///
    /// The library failed.
    pub fn signed_xml(
        &self,
        key: &PrivateKey,
        certificate: &Certificate,
    ) -> Result<String, ErrorStack> {
        let signature = signature(&self.id, &self.to_xml(), key, certificate)?;
        Ok(format!("{}{signature}{}", self.head, self.tail))
    }
}
