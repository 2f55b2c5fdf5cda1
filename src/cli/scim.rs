//! `sidegate scim …`

use std::process::ExitCode;

use serde_json::Value;

use super::output::{Output, or_dash};
use super::{InTenant, Server};
use crate::server::control::{ExchangeRow, Operation};

/// Provisioning: what clients asked, and stopping it.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The last exchanges with SCIM clients, newest first: what was asked, how we read it, why it was refused.
    Log {
        /// Only those about this person or group: part of a name, an address, an id.
        #[arg(long, value_name = "TEXT")]
        user: Option<String>,
        /// Refused ones alone.
        #[arg(long)]
        failed: bool,
        /// At most so many; 500 is the most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// One JSON array, with the bodies.
        #[arg(long)]
        json: bool,
    },
    /// Answer 503 with Retry-After to every SCIM client until `resume`; outlives a restart.
    Pause,
    /// Let SCIM clients in again.
    Resume,
    /// Let deactivations through again after the fuse (`max_deactivations_per_hour`) stopped them.
    ResetFuse(InTenant),
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Log {
            user,
            failed,
            limit,
            json,
        } => {
            let rows: Vec<ExchangeRow> = server.ask(&Operation::ScimLog {
                user: user.clone(),
                failed: *failed,
                limit: usize::from(*limit),
            })?;
            if *json {
                output.json(&rows)?;
            } else {
                for row in &rows {
                    tell(row, output);
                }
            }
        }
        Command::Pause => {
            let _done: Value = server.ask(&Operation::ScimPause { on: true })?;
            output.line("paused: SCIM clients are told to come back (503)");
        }
        Command::Resume => {
            let _done: Value = server.ask(&Operation::ScimPause { on: false })?;
            output.line("resumed");
        }
        Command::ResetFuse(InTenant { tenant }) => {
            let tenant = tenant.clone();
            let _done: Value = server.ask(&Operation::ScimResetFuse { tenant })?;
            output.line("reset: deactivations are counted anew");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(row: &ExchangeRow, output: &mut Output) {
    output.line(&format!(
        "{} {} {} {}  {}  tenant {}  token {}  request {}",
        row.at,
        row.status,
        row.method,
        row.target,
        or_dash(row.subject.as_deref()),
        or_dash(row.tenant.as_deref()),
        or_dash(row.client.as_deref()),
        row.request_id,
    ));
    for line in &row.reading {
        output.line(&format!("    {line}"));
    }
    if let Some(refusal) = &row.refusal {
        output.line(&format!("    refused: {refusal}"));
    }
    if let Some(hint) = &row.hint {
        output.line(&format!("    hint: {hint}"));
    }
}
