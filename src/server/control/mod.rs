//! The control socket: the command line's way into the running server.
//!
//! One JSON line asks, one JSON line answers, then the connection ends. Refuses whoever is neither
//! root nor the user that the server runs as, lines over 64 KiB, and slow ones.

mod client;
mod connector;
mod execute;
mod import;
mod operation;
mod people;
mod row;
mod saml;
mod scim;
mod sessions;
mod socket;
mod tokens;
mod webhook;

pub use client::{AskError, ask};
pub use connector::{AccountsRow, OwedRow};
pub use operation::{Answer, AuditQuery, Create, CreateToken, Operation, Which};
pub use row::{
    AuditRow, ChainVerdict, ChangedUser, ConflictRow, GroupDetails, GroupRow, ImportedRow, Page,
    Revoked, RoleRow, SessionRow, UserDetails, UserRow,
};
pub use saml::RefusedRow;
pub use scim::ExchangeRow;
pub use socket::{ControlError, ControlSocket};
pub use tokens::{NewTokenRow, TokenRow};
pub use webhook::QueuedRow;

/// Longest question, bytes.
pub const MAX_QUESTION: usize = 64 * 1024;
/// Longest answer that the command line reads, bytes.
pub const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Most rows of one page of a listing.
pub const MAX_ROWS: usize = 500;
