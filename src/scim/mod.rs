//! SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) at `/scim/v2`: what Entra ID, Okta and others are pointed at.
//!
//! Refuses whoever has no token of the tenant, what no schema allows, and what is too large, deep or many.
//! The core is the RFC; how senders stray from it stands in [`patch::dialect`] alone.

mod answer;
pub mod auth;
mod bulk;
mod call;
mod discovery;
mod endpoint;
pub mod error;
mod exchanges;
pub mod federation;
pub mod filter;
mod fitting;
mod groups;
mod imported;
mod list;
mod me;
mod mistakes;
pub mod oauth;
pub mod patch;
pub mod path;
mod pause;
mod place;
mod projection;
mod query;
mod read;
mod reading;
mod record;
mod refusal;
mod render;
pub mod resource;
mod rooms;
mod route;
pub mod schema;
mod sort;
pub mod token;
mod users;
mod value;
mod wanted;

use std::sync::Arc;

use crate::config::Settings;
use crate::crypto::Passwords;
use crate::login::Login;
use crate::outbound::OutboundError;
use crate::provision::Provision;
use list::Scans;
use rooms::Rooms;
use schema::Schemas;

pub use auth::{Access, Denied, Failures, ScimClient};
pub use endpoint::Answered;
pub use error::{ScimError, ScimType};
pub use exchanges::{Asked, Exchange, Exchanges};
pub use mistakes::mistakes;
pub use pause::Pause;
pub use projection::Projection;
pub use read::read_body;
pub use token::Tokens;

/// What outlives a reload.
pub struct ScimState {
    /// Tokens of clients.
    pub tokens: Arc<Tokens>,
    /// Failed tries at them.
    pub failures: Arc<Failures>,
    /// The last exchanges.
    pub exchanges: Arc<Exchanges>,
    /// Whether it is paused.
    pub pause: Arc<Pause>,
}

/// Everything below `/scim/v2`.
pub struct Scim {
    settings: Arc<Settings>,
    schemas: Arc<Schemas>,
    provision: Arc<Provision>,
    login: Arc<Login>,
    passwords: Arc<Passwords>,
    access: Access,
    exchanges: Arc<Exchanges>,
    pause: Arc<Pause>,
    prefix: Arc<str>,
    rooms: Rooms,
    scans: Scans,
}

impl Scim {
    /// With the settings of `login`, and what outlives a reload.
    ///
    /// # Errors
    ///
    /// The machine's trusted certificates cannot be read.
    pub fn new(login: &Arc<Login>, state: &ScimState) -> Result<Self, OutboundError> {
        let settings = &login.settings;
        let ScimState {
            tokens, failures, ..
        } = state;
        let access = Access::new(settings, tokens, failures, &login.clock, &login.metrics)?;
        Ok(Self {
            settings: Arc::clone(settings),
            schemas: Arc::new(Schemas::new(&settings.scim)),
            provision: Arc::clone(&login.provision),
            login: Arc::clone(login),
            passwords: Arc::clone(&login.passwords),
            access,
            exchanges: Arc::clone(&state.exchanges),
            pause: Arc::clone(&state.pause),
            prefix: settings.paths.scim.as_str().into(),
            rooms: Rooms::default(),
            scans: Scans::default(),
        })
    }

    /// The last exchanges with each client.
    pub fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    /// The operator's stop.
    pub fn pause(&self) -> &Pause {
        &self.pause
    }

    /// The prefix, such as `/scim/v2`.
    pub const fn prefix(&self) -> &Arc<str> {
        &self.prefix
    }
}
