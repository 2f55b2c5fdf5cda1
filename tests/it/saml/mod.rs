//! SAML: what idps really send and what attackers make of it, as data (`tests/saml/ORIGIN.md`).

mod data;
mod messages;
mod metadata;
mod people;
mod responses;
