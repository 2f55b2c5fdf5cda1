//! How senders stray from the RFCs, each with who does so, since when it is known, and a sample. All of it is
//! always on: no sender is asked which dialect it speaks, and nothing of it changes what a correct request means.
//!
//! Three habits need no code here. Names and URNs come in any case of letters (RFC 7643 2.1 allows it). Unknown
//! schemas and attributes are ignored: Entra sends `urn:ietf:params:scim:schemas:extension:enterprise:2.0User`
//! (Microsoft's documentation, 2026-09), Google `urn:scim:schemas:core:1.0`, Postman collections `adreses`.
//! Enterprise attributes may stand without their URN ([`ResourceType::find`]): Entra sends `"department": null`
//! beside `userName`, and `{"op": "Add", "path": "manager", …}` (Microsoft's documentation, 2026-09).
//!
//! [`ResourceType::find`]: crate::scim::schema::ResourceType::find

mod names;
mod values;

pub(in crate::scim) use names::{behind_urn, is_value, member, not_empty, sub_alias, verb};
pub(in crate::scim) use values::{
    boolean, from_text, is_cleared, number, one_of_one, open_text, unpacked,
};

#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod entra_tests;
