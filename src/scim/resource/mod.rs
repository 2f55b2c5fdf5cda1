//! Resources as clients send them whole: POST and PUT (RFC 7644 3.3, 3.5.1).
//!
//! Refuses values of another type, and what is required and missing.

mod accept;

pub use accept::{accept, accept_members, check_immutable};
