//! `sidegate check`: everything that can be known before the first request.

mod certificate;
mod connect;
mod mistakes;
mod store;
mod warnings;

use std::path::Path;
use std::process::ExitCode;

use super::output::{Output, plain};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Mistakes, Settings, SourceError, UpstreamUrl};

/// How far to look.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sidegate check
  sidegate check --connect --config ./sidegate.toml
  sidegate check --store                   while no server runs

Exit code: 0 fine (warnings are printed), 1 something could not be reached or disagrees, 78 the configuration is wrong.")]
pub(super) struct Args {
    /// Also reach every idp, the app and the store.
    #[arg(long)]
    connect: bool,
    /// Also compare every index of the store with the records, and check the audit chain; no server may run.
    #[arg(long)]
    store: bool,
}

pub(super) fn run(args: &Args, file: &Path, output: &mut Output) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(file)?;
    let now = SystemClock.now();
    let mut found = mistakes::find(&settings);
    let (certificates, mut warned) = certificate::look(&settings, now);
    found.extend(certificates);
    if !found.is_empty() {
        return Err(SourceError::from(Mistakes(found)).into());
    }
    output.line(&format!("{}: fine: {}", file.display(), summary(&settings)));
    warned.extend(warnings::find(&settings));
    for warning in &warned {
        output.line(&format!("warning: {}", plain(warning)));
    }
    let mut code = ExitCode::SUCCESS;
    if args.connect {
        code = connect::run(&settings, output)?;
    }
    if args.store {
        let agrees = store::run(&settings, output)?;
        if agrees != ExitCode::SUCCESS {
            code = agrees;
        }
    }
    Ok(code)
}

fn summary(settings: &Settings) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    let local = if settings.local.enabled { "on" } else { "off" };
    format!(
        "{} -> {}; {}, local accounts {local}, {}, {}",
        settings.public_url.origin(),
        upstream(&settings.upstream.url),
        count(settings.idps.len(), "idp"),
        count(settings.rules.len(), "rule"),
        count(settings.tenants.len(), "tenant"),
    )
}

fn upstream(url: &UpstreamUrl) -> String {
    match url {
        UpstreamUrl::Http { host, port } => format!("http://{host}:{port}"),
        UpstreamUrl::Https { host, port } => format!("https://{host}:{port}"),
        UpstreamUrl::Unix(path) => format!("unix:{}", path.display()),
    }
}
