//! SAML 2.0 as a service provider: what an idp posts becomes a [`VerifiedAssertion`], or a [`Refusal`] that says why.
//!
//! Bytes are screened before any C code sees them (`screen`), signatures are checked with pinned keys alone
//! (`signature`, by samael and xmlsec), and identity is read from the bytes that were digested, and from nothing else
//! (`verify`). Refuses whatever it does not know: a second assertion, a comment inside a value, an unknown condition.

mod certificate;
mod claims;
mod decode;
mod decrypt;
mod hint;
mod inspect;
mod message;
mod metadata;
mod once;
mod private_key;
mod refusal;
mod refused;
mod screen;
mod seal;
mod service;
mod shown;
mod signature;
mod time;
mod verify;
mod xml;

pub use certificate::{Certificate, CertificateError};
pub use claims::{ClaimsError, Mapping};
pub use hint::{Hint, Purpose, hint};
pub use inspect::{Fact, Finding, InputError, MAX_FILE, Question, Report, Section, State, inspect};
pub use message::{
    Asked, AuthnRequest, Expecting, LogoutAnswer, LogoutCall, LogoutReply, LogoutRequest, Outgoing,
    PostForm, Received, RedirectQuery, Role, message_id,
};
pub use metadata::{Endpoint, Endpoints, IdpMetadata, Origin, OurMetadata};
pub use once::{OneTime, UsedAssertions};
pub use private_key::{KeyError, PrivateKey};
pub use refusal::{Check, Refusal};
pub use refused::{AskedRefusals, RefusedAnswer, RefusedAnswers};
pub use service::{BuildError, Memory, Party, build, check};
pub use time::moment;
pub use verify::{Attribute, Expected, NameId, Trust, VerifiedAssertion, verify};
