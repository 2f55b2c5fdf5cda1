//! `--store`: does everything in the store agree with everything else; while no server runs.

use std::process::ExitCode;
use std::sync::Arc;

use crate::audit::{Audit, Verdict};
use crate::cli::output::{Output, plain};
use crate::clock::SystemClock;
use crate::config::{Settings, StorageUrl};
use crate::directory::{Directory as _, EmbeddedDirectory};
use crate::metrics::Metrics;
use crate::server::control::{AskError, Operation, ask};
use crate::storage::Embedded;

pub(super) fn run(settings: &Settings, output: &mut Output) -> anyhow::Result<ExitCode> {
    let StorageUrl::Redb(file) = &settings.storage.url;
    match ask::<String>(&settings.server.control, &Operation::Ping) {
        Ok(version) => anyhow::bail!(
            "the running server, version {version}, has the store to itself; stop it first"
        ),
        Err(AskError::Nobody(_)) => {}
        Err(other) => return Err(other.into()),
    }
    if !file.exists() {
        output.line(&format!(
            "store {}: will be made at the first start",
            file.display()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let store = Embedded::open(file, Arc::new(Metrics::new()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let found = runtime.block_on(look(&store, settings));
    runtime.block_on(store.close());
    let found = found?;
    for disagrees in &found {
        output.line(&plain(&format!("store {}: {disagrees}", file.display())));
    }
    if found.is_empty() {
        output.line(&format!("store {}: ok", file.display()));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Reads everything, changes nothing.
async fn look(store: &Embedded, settings: &Settings) -> anyhow::Result<Vec<String>> {
    let mut found = EmbeddedDirectory::new(store.clone()).check().await?;
    let retention = settings.audit.retention;
    let audit = Audit::new(store.clone(), Arc::new(SystemClock), None, retention)?;
    match audit.verify().await? {
        Verdict::Whole { .. } => {}
        Verdict::Broken { number } => {
            found.push(format!(
                "audit entry {number} does not follow from the one before"
            ));
        }
    }
    Ok(found)
}
