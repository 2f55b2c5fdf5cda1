//! One thread per core: its own runtime, its own queue of connections, its own upstream connections.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::listener::{Bound, Listener};
use super::shared::Shared;
use crate::config::Server;
use crate::proxy::Upstream;

/// How often a worker hands its access lines over.
const TICK: Duration = Duration::from_millis(250);
/// Upstream connections are looked through every so many ticks.
const TICKS_PER_SWEEP: u32 = 40;
/// After a failed accept (no more descriptors), so that it does not spin.
const BREATH: Duration = Duration::from_millis(50);
/// Failed accepts are told no more often than this.
const TELL: Duration = Duration::from_secs(10);

/// Starts the workers. They end when `over` is.
pub(super) fn start_all(
    shared: &Arc<Shared>,
    bound: Bound,
    server: &Server,
    over: &CancellationToken,
) -> io::Result<Vec<JoinHandle<()>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let configured = usize::try_from(server.workers).unwrap_or(0);
    let count = if configured == 0 { cores } else { configured };
    let mut sockets = Vec::new();
    for _further in 1..count {
        sockets.push(bound.another(&server.listen)?);
    }
    sockets.push(bound);
    sockets
        .into_iter()
        .enumerate()
        .map(|(number, socket)| start(Arc::clone(shared), number, socket, over.clone()))
        .collect()
}

fn start(
    shared: Arc<Shared>,
    number: usize,
    socket: Bound,
    over: CancellationToken,
) -> io::Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name(format!("worker-{number}"))
        .spawn(move || {
            runtime.block_on(async {
                match socket.listen() {
                    Ok(listener) => {
                        tokio::spawn(tick(Arc::clone(&shared)));
                        tokio::select! {
                            () = accept(&shared, listener) => over.cancelled().await,
                            () = over.cancelled() => {}
                        }
                    }
                    Err(error) => tracing::error!(%error, "a worker cannot listen"),
                }
            });
            shared.log.sweep(&shared.app.load().metrics);
        })
}

/// Accepts until we stop; then the socket closes, so that nobody waits in a queue that nobody serves.
async fn accept(shared: &Arc<Shared>, listener: Listener) {
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.heard() => return,
        };
        match accepted {
            // Over the limit it is closed at once, which the client sees.
            Ok(accepted) => {
                if let Some(counted) = shared.admit() {
                    let shared = Arc::clone(shared);
                    tokio::spawn(connection::serve(shared, accepted, counted));
                }
            }
            Err(error) => {
                failures.another(&error, Instant::now());
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Failed accepts of one worker: many a second while there are no more descriptors.
#[derive(Default)]
struct Failures {
    told: Option<Instant>,
    untold: u64,
}

impl Failures {
    fn another(&mut self, error: &io::Error, now: Instant) {
        self.untold = self.untold.saturating_add(1);
        let recently = |told: Instant| now.duration_since(told) < TELL;
        if self.told.is_some_and(recently) {
            return;
        }
        self.told = Some(now);
        let times = std::mem::take(&mut self.untold);
        tracing::warn!(%error, times, "connections could not be accepted");
    }
}

async fn tick(shared: Arc<Shared>) {
    let mut ticks: u32 = 0;
    loop {
        tokio::time::sleep(TICK).await;
        shared.log.sweep(&shared.app.load().metrics);
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(TICKS_PER_SWEEP) {
            Upstream::sweep();
        }
    }
}
