//! `sidegate serve`.

use std::path::Path;
use std::process::ExitCode;

use super::logs;
use crate::config::Settings;
use crate::server;

pub(super) fn run(file: &Path) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(file)?;
    logs::start(&settings.log);
    server::start(settings, Some(file.to_owned()))?.until_stopped()?;
    Ok(ExitCode::SUCCESS)
}
