//! Start, reload, stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::access_log::AccessLog;
use super::app::{BuildError, Stores};
use super::control::{ControlError, ControlSocket};
use super::listener::Bound;
use super::log_writer::LogWriter;
use super::reload::Reload;
use super::shared::Shared;
use super::tls::{self, TlsError};
use super::{chores, ops_listener, worker};
use crate::config::{Listen, Settings};

/// How often a drain looks whether all connections are gone.
const LOOK: Duration = Duration::from_millis(50);
/// Connections that are closed at its end have this long to take their leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings ask for something that cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The certificate cannot be used.
    #[error("server.tls")]
    Tls(#[from] TlsError),
    /// A listener cannot be bound.
    #[error("{key} {listen}: cannot listen")]
    Bind {
        /// The setting.
        key: &'static str,
        /// Its value.
        listen: Listen,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The control socket cannot be bound.
    #[error("server.control.socket")]
    Control(#[from] ControlError),
    /// The machine gives no thread or runtime.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

/// A server that runs. It stops at once when this goes; [`Running::drain`] is the orderly way.
pub struct Running {
    runtime: Runtime,
    workers: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
    reload: Arc<Reload>,
    over: CancellationToken,
    address: String,
    ops_address: String,
}

/// Starts everything and returns when requests are accepted. `file` is read again on a reload; access lines go to
/// `log`.
///
/// # Errors
///
/// See [`StartError`]; nothing is left running then.
pub fn start(
    settings: Settings,
    file: Option<PathBuf>,
    log: LogWriter,
) -> Result<Running, StartError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("main")
        .enable_all()
        .build()
        .map_err(StartError::Thread)?;
    let bound = bind("server.listen", &settings.server.listen)?;
    let ops = bind("server.ops.listen", &settings.server.ops)?;
    let entered = runtime.enter();
    let control = ControlSocket::bind(&settings.server.control)?;
    let tls = settings
        .server
        .tls
        .as_ref()
        .map(tls::server_config)
        .transpose()?;
    let log = AccessLog::new(settings.log.access.then_some(settings.log.format), log);
    let stores = runtime.block_on(Stores::open(&settings))?;
    let app = runtime.block_on(stores.build(settings, None))?;
    drop(entered);
    let server = app.settings.server.clone();
    let shared = Arc::new(Shared::new(Arc::new(app), tls, log));
    let reload = Arc::new(Reload::new(Arc::clone(&shared), stores, file));
    let over = CancellationToken::new();
    let (address, ops_address) = (bound.address(), ops.address());
    let workers = worker::start_all(&shared, bound, &server, &over).map_err(StartError::Thread)?;
    runtime.spawn(control.serve(Arc::clone(&shared.app), over.clone()));
    runtime.spawn(ops_listener::serve(Arc::clone(&shared), ops, over.clone()));
    runtime.spawn(chores::run(
        Arc::clone(&shared),
        Arc::clone(&reload),
        over.clone(),
    ));
    tracing::info!(listen = address, ops = ops_address, "sidegate answers");
    Ok(Running {
        runtime,
        workers,
        shared,
        reload,
        over,
        address,
        ops_address,
    })
}

fn bind(key: &'static str, listen: &Listen) -> Result<Bound, StartError> {
    Bound::bind(listen).map_err(|source| StartError::Bind {
        key,
        listen: listen.clone(),
        source,
    })
}

impl Running {
    /// Where people's requests arrive, with the port that was chosen for port 0.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub fn ops_address(&self) -> &str {
        &self.ops_address
    }

    /// Reads the settings again, as SIGHUP does. Says whether they are in force now.
    pub fn reload(&self) -> bool {
        self.runtime.block_on(self.reload.all())
    }

    /// Serves until SIGTERM or SIGINT, reloads on SIGHUP, then drains.
    ///
    /// # Errors
    ///
    /// Signals cannot be waited for.
    pub fn until_stopped(self) -> std::io::Result<()> {
        self.runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut hangup = signal(SignalKind::hangup())?;
            loop {
                tokio::select! {
                    _ = terminate.recv() => return Ok::<(), std::io::Error>(()),
                    _ = interrupt.recv() => return Ok(()),
                    _ = hangup.recv() => {
                        self.reload.all().await;
                    }
                }
            }
        })?;
        self.drain();
        Ok(())
    }

    /// Stops accepting, lets requests and upgraded connections finish for at most `server.drain_timeout`, closes
    /// what is left, and ends.
    pub fn drain(self) {
        let wait = self.shared.app.load().settings.server.drain_timeout;
        tracing::info!(
            connections = self.shared.open(),
            "stopping: requests in flight may finish"
        );
        self.shared.stop.say();
        if !self.empty_within(wait) {
            tracing::warn!(
                connections = self.shared.open(),
                "cut off: they did not finish in time"
            );
            self.shared.stop.close();
            // Who does not take it in time is cut off with the rest of us.
            let _taken = self.empty_within(FAREWELL);
        }
        let app = self.shared.app.load_full();
        if let Err(error) = self.runtime.block_on(app.sessions.sweep()) {
            tracing::warn!(%error, "last uses of sessions could not be written");
        }
    }

    /// Whether all connections ended within `wait`.
    fn empty_within(&self, wait: Duration) -> bool {
        let empty = async {
            while self.shared.open() > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        let within = async { tokio::time::timeout(wait, empty).await.is_ok() };
        self.runtime.block_on(within)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.say();
        self.over.cancel();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a worker had panicked");
            }
        }
    }
}
