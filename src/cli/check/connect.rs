//! `--connect`: can idps, the app and the store be reached from here, now.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use redb::{DatabaseError, ReadOnlyDatabase};

use super::mistakes::chain;
use super::upstream;
use crate::cli::output::{Output, plain};
use crate::cli::temporary::Folder;
use crate::clock::{Clock, SystemClock};
use crate::config::{Settings, StorageUrl};
use crate::metrics::Metrics;
use crate::oidc;
use crate::proxy::Upstream;
use crate::server::control::{AskError, Operation, ask};

pub(super) fn run(settings: &Settings, output: &mut Output) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut all = true;
    let mut tell = |what: &str, result: Result<String, String>| {
        let text = match &result {
            Ok(good) => format!(
                "{what}: ok{}{good}",
                if good.is_empty() { "" } else { ": " }
            ),
            Err(bad) => format!("{what}: FAILED: {bad}"),
        };
        all &= result.is_ok();
        output.line(&plain(&text));
    };
    // An empty folder: what an earlier run cached is no proof that the idp answers now.
    let cache = Folder::new("check")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Arc::new(Metrics::new());
    let used = oidc::UsedTokens::default();
    for idp in oidc::build(settings, cache.path(), &clock, &metrics, &used)? {
        let ready = runtime.block_on(async {
            idp.refresh().await;
            idp.ready().await
        });
        tell(
            &format!("idp {}", idp.name().as_str()),
            ready.map(|()| String::new()),
        );
    }
    let app = Upstream::new(&settings.upstream)?;
    let reached = runtime.block_on(app.reach());
    tell(
        &format!("upstream {}", upstream(&settings.upstream.url)),
        reached
            .map(|()| String::new())
            .map_err(|error| chain(&error)),
    );
    let StorageUrl::Redb(file) = &settings.storage.url;
    tell(
        &format!("store {}", file.display()),
        store(&settings.server.control, file),
    );
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A running server has the file to itself; then it is asked instead.
fn store(control: &Path, file: &Path) -> Result<String, String> {
    match ask::<String>(control, &Operation::Ping) {
        Ok(version) => return Ok(format!("in use by the running server, version {version}")),
        Err(AskError::Nobody(_)) => {}
        Err(other) => return Err(chain(&other)),
    }
    if !file.exists() {
        return Ok("will be made at the first start".to_owned());
    }
    let failed = |error: &dyn Display| Err(format!("cannot be opened: {error}"));
    match ReadOnlyDatabase::open(file) {
        Ok(_opened) => Ok(String::new()),
        Err(DatabaseError::RepairAborted) => {
            Ok("was not closed in order; the next start mends it".to_owned())
        }
        Err(error) => failed(&error),
    }
}
