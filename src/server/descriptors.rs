//! Open files: as many as the machine lets us have, and a word when that is too few.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::Limits;

/// A client's connection and the one to the app that it may need.
const PER_CONNECTION: u64 = 2;
/// Listeners, store, control socket, health, calls that we start, connections kept for later.
const BESIDES: u64 = 256;

/// Raises the soft limit of open files to the hard one (`RLIMIT_NOFILE`, getrlimit(2)), and warns when
/// `limits.connections` would need more. To be called once, at the start of the process.
pub fn raise_open_files(limits: &Limits) {
    let mut have = getrlimit(Resource::Nofile);
    // None is without limit.
    let below = match (have.current, have.maximum) {
        (Some(current), Some(maximum)) => current < maximum,
        (current, None) => current.is_some(),
        (None, Some(_)) => false,
    };
    if below {
        let before = have.current;
        have.current = have.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, have) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            have.current = before;
        }
    }
    let need = needed(limits.connections);
    if let Some(have) = have.current.filter(|have| *have < need) {
        tracing::warn!(
            have,
            need,
            "fewer open files than limits.connections may need"
        );
    }
}

fn needed(connections: u32) -> u64 {
    u64::from(connections)
        .saturating_mul(PER_CONNECTION)
        .saturating_add(BESIDES)
}
