//! `sidegate saml …`

mod inspect;
mod log;

use std::process::ExitCode;

use super::Server;
use super::output::Output;

/// SAML: why sign-ins are refused.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The last answers of idps that were refused, newest first: which check, what it expected, what came, what to change.
    Log(log::Args),
    /// Explain a captured message of an idp, without the server and without the network.
    Inspect(inspect::Args),
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Log(args) => log::run(args, server, output),
        Command::Inspect(args) => inspect::run(args, server, output),
    }
}
