//! Metadata (SAML Metadata 2.0): an idp's becomes addresses and keys that may be believed; ours is written.

mod keys;
mod read;
mod write;

use std::time::Duration;

use url::Url;

pub use write::OurMetadata;

use super::certificate::Certificate;
use crate::clock::Timestamp;

/// Largest document, bytes.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an idp says of itself, after every check. Never without a certificate that is valid.
#[derive(Clone, Debug)]
pub struct IdpMetadata {
    /// Exactly as messages must name it.
    pub entity_id: String,
    /// Where people are sent to sign in; one at least.
    pub sign_in: Endpoints,
    /// Where sign-outs go, if anywhere.
    pub sign_out: Endpoints,
    /// Certificates that sign, expired and future ones too: validity is asked at each use.
    pub certificates: Vec<Certificate>,
    /// Why other certificates in it are not used; for the operator.
    pub ignored: Vec<String>,
    /// It must not be used afterwards.
    pub valid_until: Option<Timestamp>,
    /// How long it may be kept before it is asked for again.
    pub keep_for: Option<Duration>,
    /// The idp asks for signed requests.
    pub wants_signed_requests: bool,
}

/// An address for each binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// HTTP-Redirect.
    pub redirect: Option<Endpoint>,
    /// HTTP-POST.
    pub post: Option<Endpoint>,
}

/// An address: https, or http of this machine (R21).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// For requests.
    pub location: Url,
    /// For responses; mostly the same.
    pub responses: Url,
}

/// Where metadata comes from, and what of it was fixed before.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The one entity that is meant; where none is configured, there must be one alone.
    pub entity_id: Option<&'a str>,
    /// The document must be signed by one of these; without any its channel is trusted: https to a configured host, or a file.
    pub signed_by: &'a [Certificate],
}
