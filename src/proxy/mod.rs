//! One proxied request: sanitize, gate, attach, forward.
//!
//! Refuses what policy refuses before one byte of the upstream is read (R29). The upstream is called
//! in [`forward`] alone, and only with a [`crate::policy::Grant`] (R11).

mod app_answer;
mod app_login;
mod app_session;
mod assertion;
mod attach;
mod body;
mod build;
mod connection;
mod cors;
mod dial;
mod encode;
mod forward;
mod frames;
mod framing;
mod gate;
mod header_names;
mod headers;
mod in_use;
mod keys;
mod leads;
mod mistakes;
mod prepare;
mod reserved;
mod resume;
mod sanitize;
mod template;
mod told;
mod trace;
mod turn_away;
mod upgrade;
mod upstream;

use std::sync::Arc;

use hyper::body::Incoming;

use crate::config::Settings;
use crate::login::Login;
use crate::metrics::Metrics;
use crate::web::Inbound;

pub use app_answer::{After, Next, Stale};
pub use app_session::{AppSessions, Before, Issued};
pub use attach::attach;
pub use body::{Body, BodyEnd};
pub use build::BuildError;
pub use cors::Cors;
pub use dial::DialError;
pub use framing::FramingError;
pub use headers::{HeaderPlan, RenderError, Rendered};
pub use keys::{AssertionKeys, KeysError};
pub use mistakes::mistakes;
pub use prepare::Prepare;
pub use sanitize::{Sanitized, Sanitizer};
pub use trace::{Trace, Verdict};
pub use upgrade::Takeover;
pub use upstream::Upstream;

/// What comes with a request besides its head.
pub struct Arrived {
    /// What the listener knows of the connection.
    pub inbound: Inbound,
    /// Its body, unread.
    pub body: Incoming,
    /// What takes the connection over when the upstream switches protocols.
    pub upgrade: Option<Takeover>,
}

/// The way of proxied requests.
pub struct Proxy {
    gate: gate::Gate,
    upstream: Arc<Upstream>,
    login: Arc<Login>,
    settings: Arc<Settings>,
    cors: Arc<Cors>,
    app_sessions: Arc<AppSessions>,
    app_login: Option<Arc<app_login::AppLogin>>,
    sanitizer: Sanitizer,
    prepare: Arc<Prepare>,
    metrics: Arc<Metrics>,
}
