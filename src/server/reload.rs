//! New settings without a lost request: everything is made anew beside the old, then swapped.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::app::Stores;
use super::shared::Shared;
use super::tls;
use crate::config::Settings;
use crate::metrics::Kind;

/// What tells one state of a file from another.
type Stamp = Option<(SystemTime, u64)>;

/// Makes settings that changed take effect.
pub(super) struct Reload {
    shared: Arc<Shared>,
    stores: Stores,
    file: Option<PathBuf>,
    /// What the process runs with that no reload changes.
    started: Arc<Settings>,
    seen: Mutex<Vec<(PathBuf, Stamp)>>,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Reload {
    pub(super) fn new(shared: Arc<Shared>, stores: Stores, file: Option<PathBuf>) -> Self {
        let started = Arc::clone(&shared.app.load().settings);
        let seen = stamps(&started.files);
        Self {
            shared,
            stores,
            file,
            started,
            seen: Mutex::new(seen),
            one_at_a_time: tokio::sync::Mutex::new(()),
        }
    }

    /// Reads the file again. A bad one keeps what is in force.
    pub(super) async fn all(&self) -> bool {
        let Some(file) = &self.file else {
            return self.take(self.again()).await;
        };
        match Settings::load(file) {
            Ok(settings) => self.take(Ok(settings)).await,
            Err(error) => self.take(Err(error.to_string())).await,
        }
    }

    /// Looks whether a file that the settings name has changed, and reads those again.
    pub(super) async fn changed_files(&self) {
        let now = stamps(&self.shared.app.load().settings.files);
        let changed = self.seen.lock().is_ok_and(|seen| *seen != now);
        if changed {
            tracing::info!("a certificate, key or secret file changed");
            self.take(self.again()).await;
            if let Ok(mut seen) = self.seen.lock() {
                *seen = now;
            }
        }
    }

    fn again(&self) -> Result<Settings, String> {
        let settings = Arc::clone(&self.shared.app.load().settings);
        settings.reread().map_err(|mistakes| mistakes.to_string())
    }

    async fn take(&self, settings: Result<Settings, String>) -> bool {
        let _alone = self.one_at_a_time.lock().await;
        let made = match settings {
            Ok(settings) => Box::pin(self.swap(settings)).await,
            Err(mistakes) => Err(mistakes),
        };
        let kind = if made.is_ok() { "ok" } else { "refused" };
        let metrics = &self.shared.app.load().metrics;
        metrics.reloads.get_or_create(&Kind { kind }).inc();
        match made {
            Ok(()) => {
                tracing::info!("settings reloaded");
                true
            }
            Err(why) => {
                tracing::error!(
                    mistakes = why,
                    "settings not reloaded; the old ones stay in force"
                );
                false
            }
        }
    }

    async fn swap(&self, settings: Settings) -> Result<(), String> {
        let old = self.shared.app.load_full();
        let restart = fixed(&self.started, &settings);
        let tls = settings
            .server
            .tls
            .as_ref()
            .map(tls::server_config)
            .transpose();
        let tls = tls.map_err(|error| chain(&error))?;
        let app = self
            .stores
            .build(settings, Some(&old))
            .await
            .map_err(|error| chain(&error))?;
        let files = stamps(&app.settings.files);
        // Behind everything that can fail: a refused file must not change anything.
        app.sessions.set_idle(app.settings.session.idle);
        self.shared.app.store(Arc::new(app));
        self.shared.tls.store(tls);
        if let Ok(mut seen) = self.seen.lock() {
            *seen = files;
        }
        if !restart.is_empty() {
            let keys = restart.join(", ");
            tracing::warn!(keys, "a change of these needs a restart");
        }
        Ok(())
    }
}

/// Keys that were taken at start and say something else now.
fn fixed(started: &Settings, new: &Settings) -> Vec<&'static str> {
    let (was, is) = (&started.server, &new.server);
    let (log, its) = (&started.log, &new.log);
    let pending = |settings: &Settings| settings.limits.pending_sign_ins;
    let all = [
        ("server.listen", was.listen != is.listen),
        ("server.ops.listen", was.ops != is.ops),
        ("server.control.socket", was.control != is.control),
        ("server.workers", was.workers != is.workers),
        ("storage.url", started.storage.url != new.storage.url),
        (
            "storage.seal_key",
            started.storage.seal_key != new.storage.seal_key,
        ),
        (
            "storage.previous_seal_key",
            started.storage.previous_seal_key != new.storage.previous_seal_key,
        ),
        ("limits.pending_sign_ins", pending(started) != pending(new)),
        ("log.format", log.format != its.format),
        ("log.level", log.level != its.level),
        ("log.access", log.access != its.access),
    ];
    let changed = all.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| key).collect()
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn stamps(files: &[PathBuf]) -> Vec<(PathBuf, Stamp)> {
    files
        .iter()
        .map(|file| (file.clone(), stamp(file)))
        .collect()
}

fn stamp(file: &Path) -> Stamp {
    let its = std::fs::metadata(file).ok()?;
    Some((its.modified().ok()?, its.len()))
}
