//! What all threads share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::ServerConfig;

use super::access_log::AccessLog;
use super::app::App;
use super::stop::Stop;

/// What all threads share.
pub(super) struct Shared {
    /// Everything that the settings made; swapped by a reload.
    pub(super) app: Arc<ArcSwap<App>>,
    /// TLS in force; swapped when certificates change.
    pub(super) tls: ArcSwapOption<ServerConfig>,
    /// Stop accepting, finish what has begun.
    pub(super) stop: Stop,
    /// Access lines.
    pub(super) log: AccessLog,
    connections: AtomicU32,
}

/// One open connection, counted as long as anything of it is open: an upgraded one outlives its HTTP.
pub(super) struct Counted(Arc<Shared>);

impl Shared {
    pub(super) fn new(app: Arc<App>, tls: Option<Arc<ServerConfig>>, log: AccessLog) -> Self {
        Self {
            app: Arc::new(ArcSwap::new(app)),
            tls: ArcSwapOption::new(tls),
            stop: Stop::default(),
            log,
            connections: AtomicU32::new(0),
        }
    }

    /// Counts one more connection, unless there are as many as allowed.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Arc<Counted>> {
        let app = self.app.load();
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(Arc::clone(self));
        app.metrics.connections.inc();
        if before >= app.settings.limits.connections {
            app.metrics.connections_refused.inc();
            return None;
        }
        Some(Arc::new(counted))
    }

    /// Open connections.
    pub(super) fn open(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
        self.0.app.load().metrics.connections.dec();
    }
}
