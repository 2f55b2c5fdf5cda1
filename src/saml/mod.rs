//! SAML 2.0 as a service provider: what an idp posts becomes a [`VerifiedAssertion`], or a [`Refusal`] that says why.
//!
//! Bytes are screened before any C code sees them (`screen`), signatures are checked with pinned keys alone
//! (`signature`, by samael and xmlsec), and identity is read from the bytes that were digested, and from nothing else
//! (`verify`). Refuses whatever it does not know: a second assertion, a comment inside a value, an unknown condition.

mod certificate;
mod claims;
mod decode;
mod decrypt;
mod metadata;
mod once;
mod refusal;
mod screen;
mod signature;
mod time;
mod verify;
mod xml;

pub use certificate::{Certificate, CertificateError};
pub use claims::{ClaimsError, Mapping};
pub use decrypt::{DecryptionKey, KeyError};
pub use metadata::{Endpoint, Endpoints, IdpMetadata, Origin};
pub use once::{OneTime, UsedAssertions};
pub use refusal::{Check, Refusal};
pub use verify::{Attribute, Expected, NameId, Trust, VerifiedAssertion, verify};
