//! Real sockets for the tests: an app that shows what it got, our server before it, clients, and real
//! programs of others.

mod app;
mod client;
mod command;
mod held;
mod history;
mod login_app;
mod people;
mod process;
mod raw;
mod saml_idp;
mod scim;
mod sidegate;
mod stub_api;
mod stub_app;
mod tools;

pub use app::{Seen, UpstreamApp};
pub use client::{Answer, Client};
pub use command::{Ran, run};
pub use held::{Held, SOON};
pub use history::check_history;
pub use login_app::{LoginApp, Said};
pub use people::{PASSWORD, create_person};
pub use process::Process;
pub use raw::{raw, status};
pub use saml_idp::{AtSamlIdp, SamlIdp, Way};
pub use scim::{ScimClient, user};
pub use sidegate::{Sidegate, new_folder};
pub use stub_api::CONNECTOR;
pub use stub_app::{StubApp, Team, Trouble};
pub use tools::{AtIdp, OidcIdp, Program, drive, python, test_file};
