//! SAML: what idps really send and what attackers make of it, as data (`tests/saml/ORIGIN.md`), and sign-in through a real
//! provider (`tests/idp/saml-idp.py`).

mod asked;
mod binding;
mod blind;
mod chromium;
mod data;
mod fitting;
mod help;
mod inspected;
mod messages;
mod metadata;
mod our_side;
mod people;
mod published;
mod pysaml2;
mod responses;
mod restarting;
mod rolling;
mod sign_in;
mod sign_out;
