//! Resources as clients send them whole: POST and PUT (RFC 7644 3.3, 3.5.1).
//!
//! Refuses values of another type, what is required and missing, and what `[[scim.attribute]]` does not allow.

mod accept;
mod rules;

pub use accept::{accept, accept_members, check_immutable};
pub use rules::{RuleError, Rules};
