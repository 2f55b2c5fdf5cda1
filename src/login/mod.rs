//! One sign-in, whatever proves it: begun here, kept server-side, finished here and nowhere else.
//!
//! Refuses return targets that are not paths of ours, answers that no browser of ours asked for, and
//! people whom `provision` refuses.

mod bearer;
mod begin;
mod chooser;
mod ended;
mod endpoint;
mod entra;
mod finish;
mod form;
mod idp;
mod kept;
mod local;
mod logout;
mod password;
mod pending;
mod resume;
mod return_to;
mod steps;
mod throttle;
mod whoami;
#[cfg(test)]
mod world;
mod wrote;

use std::sync::Arc;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Settings;
use crate::crypto::Passwords;
use crate::metrics::Metrics;
use crate::provision::Provision;
use crate::session::Sessions;
use crate::web::page::Look;

pub use bearer::bearer_token;
pub use entra::{EntraError, PortalField, explain, not_assigned};
pub use idp::{BearerCheck, Begin, BeginRequest, Idp, Logout};
pub use kept::{Asker, Kept, KeptBodies, MAX_KEPT, Missing};
pub use pending::{Pending, Pendings};
pub use return_to::ReturnTo;
pub use steps::PasswordSteps;
pub use throttle::{Attempt, Counts, Network, Throttle, is_exempt};
pub use whoami::PrepareHeaders;
pub use wrote::mark;

/// Name of the session cookie, without prefix.
pub const SESSION_COOKIE: &str = "sidegate";
/// Name of the cookie that ties a sign-in to the browser that began it, without prefix.
pub const BROWSER_COOKIE: &str = "sidegate-browser";

/// Everything that signing in needs.
pub struct Login {
    /// Settings in force.
    pub settings: Arc<Settings>,
    /// Configured idps, in the order of the file.
    pub idps: Vec<Arc<dyn Idp>>,
    /// Sign-ins begun and not finished; outlives a reload.
    pub pending: Arc<Pendings>,
    /// Bodies of requests that met an ended session; outlives a reload.
    pub kept: Arc<KeptBodies>,
    /// Who failed how often; outlives a reload.
    pub throttle: Arc<Throttle>,
    /// Whose password was right and must be changed first; outlives a reload.
    pub steps: Arc<PasswordSteps>,
    /// The one way to people.
    pub provision: Arc<Provision>,
    /// Live sessions.
    pub sessions: Arc<Sessions>,
    /// The chain.
    pub audit: Arc<Audit>,
    /// bcrypt.
    pub passwords: Arc<Passwords>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// How pages look.
    pub look: Arc<Look>,
    /// What the app is told of a person.
    pub prepare: Arc<dyn PrepareHeaders>,
}
