//! `sidegate scim …`

use std::process::ExitCode;

use serde_json::Value;

use super::output::{Output, or_dash, plain};
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

/// What clients sent stays on its line, and is no command to the terminal.
fn tell(row: &ExchangeRow, output: &mut Output) {
    let mut line = |text: String| output.line(&plain(&text).replace('\n', "\\n"));
    line(format!(
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
    for read in &row.reading {
        line(format!("    {read}"));
    }
    if let Some(refusal) = &row.refusal {
        line(format!("    refused: {refusal}"));
    }
    if let Some(hint) = &row.hint {
        line(format!("    hint: {hint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::paper;

    #[test]
    fn r41_what_clients_sent_is_no_command_to_the_terminal() {
        let evil = "\u{1b}[2J\n2026-01-01T00:00:00Z 200 GET /Users".to_owned();
        let row = ExchangeRow {
            at: "2026-11-23T00:00:00Z".to_owned(),
            token: None,
            client: None,
            tenant: None,
            method: "POST".to_owned(),
            target: "/Users".to_owned(),
            status: 400,
            subject: Some(evil.clone()),
            reading: vec![format!("{evil} = 1")],
            refusal: Some(evil),
            hint: None,
            request_id: "r".to_owned(),
            activity_id: None,
            body: None,
        };
        let (mut output, text) = paper();
        tell(&row, &mut output);
        let text = text();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}
