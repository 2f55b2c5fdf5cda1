//! `sidegate serve`.

use std::path::Path;
use std::process::ExitCode;

use super::logs;
use crate::config::Settings;
use crate::server::{self, LogWriter};

pub(super) fn run(file: &Path) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(file)?;
    let log = LogWriter::to_stdout()?;
    logs::start(&settings.log, log.clone());
    server::raise_open_files(&settings.limits);
    let ended = serve(settings, file, log.clone());
    log.flush();
    ended
}

fn serve(settings: Settings, file: &Path, log: LogWriter) -> anyhow::Result<ExitCode> {
    server::start(settings, Some(file.to_owned()), log)?.until_stopped()?;
    Ok(ExitCode::SUCCESS)
}
