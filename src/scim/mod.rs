//! SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) at `/scim/v2`: what Entra ID, Okta and others are pointed at.
//!
//! Refuses whoever has no token of the tenant, what no schema allows, and what is too large, deep or many.
//! The core is the RFC; how senders stray from it stands in [`patch::dialect`] alone.

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod read;
pub mod resource;
pub mod schema;
mod value;

pub use error::{ScimError, ScimType};
