//! What an operator types. Exit: 0 fine, 1 failed or denied, 2 usage, 78 configuration.
//!
//! Refuses passwords as arguments: they would stand in the process list and the shell's history.

mod audit;
mod check;
mod connector;
mod demo;
mod failure;
mod group;
mod healthcheck;
mod import;
mod logs;
mod output;
mod password;
mod people;
mod saml;
mod scim;
mod serve;
mod session;
mod temporary;
mod token;
mod user;
mod webhook;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::de::DeserializeOwned;

use crate::config::Settings;
use crate::identity::TenantSlug;
use crate::server::control::{Operation, ask};
use output::Output;

/// Where the configuration is when nobody says where.
const DEFAULT_CONFIG: &str = "/etc/sidegate/sidegate.toml";

/// One binary in front of an app you cannot change: single sign-on, identity headers, provisioning.
#[derive(Debug, Parser)]
#[command(
    name = "sidegate",
    version,
    after_help = "Examples:
  sidegate demo                            try it: a demo app, two accounts, nothing to set up
  sidegate check                           is the configuration right?
  sidegate serve                           run
  sidegate user create eve --email eve@example.com --local
  sidegate token create --name entra       what the idp's provisioning asks for
  sidegate user deactivate eve             out within a second, open streams included"
)]
struct Cli {
    /// Configuration file.
    #[arg(
        long,
        global = true,
        env = "SIDEGATE_CONFIG",
        value_name = "FILE",
        default_value = DEFAULT_CONFIG
    )]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until it is told to stop (SIGTERM, SIGINT); SIGHUP reads the settings again.
    Serve,
    /// Try it: a demo app behind a real server, two accounts, nothing to set up, nothing left behind.
    Demo(demo::Args),
    /// Check the configuration, certificates and keys; changes nothing.
    Check(check::Args),
    /// Ask the running server whether it lives; for a container's HEALTHCHECK.
    Healthcheck(healthcheck::Args),
    /// People: list, make, change, let in, shut out.
    #[command(subcommand)]
    User(user::Command),
    /// Groups: list, show.
    #[command(subcommand)]
    Group(group::Command),
    /// Sessions: who is signed in, and the end of it.
    #[command(subcommand)]
    Session(session::Command),
    /// SAML: why sign-ins are refused.
    #[command(subcommand)]
    Saml(saml::Command),
    /// Provisioning: what SCIM clients asked, and stopping it.
    #[command(subcommand)]
    Scim(scim::Command),
    /// The app's own user API: check a connector, compare, what is owed.
    #[command(subcommand)]
    Connector(connector::Command),
    /// Webhooks: what waits, and what nobody took.
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// The chain of what happened: show, verify.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Tokens of SCIM clients: make, list, revoke.
    #[command(subcommand)]
    Token(token::Command),
}

/// Reads the arguments, does what they say, and tells by exit code how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_usage) => {
            // A closed terminal is no reason to fail differently.
            let _printed = help_or_usage.print();
            return u8::try_from(help_or_usage.exit_code())
                .map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let mut output = Output::stdout();
    match run(&cli, &mut output) {
        Ok(code) => code,
        Err(error) => failure::tell(&error, &cli.config),
    }
}

fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<ExitCode> {
    let server = Server {
        config: &cli.config,
        settings: OnceCell::new(),
    };
    match &cli.command {
        Command::Serve => serve::run(&cli.config),
        Command::Demo(args) => demo::run(args, output),
        Command::Check(args) => check::run(args, &cli.config, output),
        Command::Healthcheck(args) => healthcheck::run(args, server.settings()?, output),
        Command::User(command) => user::run(command, &server, output),
        Command::Group(command) => group::run(command, &server, output),
        Command::Session(command) => session::run(command, &server, output),
        Command::Saml(command) => saml::run(command, &server, output),
        Command::Scim(command) => scim::run(command, &server, output),
        Command::Connector(command) => connector::run(command, &server, output),
        Command::Webhook(command) => webhook::run(command, &server, output),
        Command::Audit(command) => audit::run(command, &server, output),
        Command::Token(command) => token::run(command, &server, output),
    }
}

/// The running server, as its configuration file says how to reach it.
struct Server<'a> {
    config: &'a Path,
    settings: OnceCell<Settings>,
}

impl Server<'_> {
    fn settings(&self) -> anyhow::Result<&Settings> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = Settings::load_beside(self.config)?;
        Ok(self.settings.get_or_init(|| settings))
    }

    /// Asks over the control socket.
    fn ask<T: DeserializeOwned>(&self, operation: &Operation) -> anyhow::Result<T> {
        Ok(ask(&self.settings()?.server.control, operation)?)
    }
}

/// Whose directory.
#[derive(Debug, clap::Args)]
struct InTenant {
    /// Whose directory.
    #[arg(long, value_name = "SLUG", default_value = "default", value_parser = slug)]
    tenant: TenantSlug,
}

fn slug(text: &str) -> Result<TenantSlug, crate::identity::NameError> {
    TenantSlug::try_from(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_secret_is_an_argument() {
        fn options(command: &clap::Command, found: &mut Vec<String>) {
            let own = command.get_arguments().filter_map(clap::Arg::get_long);
            found.extend(own.map(str::to_owned));
            for below in command.get_subcommands() {
                options(below, found);
            }
        }
        let mut found = Vec::new();
        options(&Cli::command(), &mut found);
        let secret = |name: &&String| name.contains("password") || name.contains("secret");
        let secrets: Vec<_> = found.iter().filter(secret).collect();
        assert_eq!(secrets, ["password-file", "password-file"]);
    }
}
