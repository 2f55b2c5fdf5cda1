//! `sidegate audit …`

use std::process::ExitCode;

use super::Server;
use super::output::{Output, or_dash};
use crate::server::control::{AuditQuery, AuditRow, ChainVerdict, Operation};

/// The chain of what happened.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The newest entries, newest first.
    Show {
        /// At most so many; 500 is the most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// Only of this person, by the user name they had then.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Only actions that start so, such as `sign_in.` or `user.deactivated`.
        #[arg(long, value_name = "START")]
        action: Option<String>,
        /// Only entries numbered below this: the next page.
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Check that every entry follows from the one before; exit code 1 when one does not.
    Verify {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Show {
            limit,
            user,
            action,
            before,
            json,
        } => {
            let entries: Vec<AuditRow> = server.ask(&Operation::AuditShow(AuditQuery {
                user: user.clone(),
                action: action.clone(),
                before: *before,
                limit: usize::from(*limit),
            }))?;
            if *json {
                output.json(&entries)?;
            } else {
                let rows: Vec<Vec<String>> = entries.iter().map(cells).collect();
                output.table(
                    &[
                        "NUMBER", "AT", "ACTION", "ACTOR", "PERSON", "SESSION", "REASON", "CLIENT",
                    ],
                    &rows,
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { json } => {
            let verdict: ChainVerdict = server.ask(&Operation::AuditVerify)?;
            if *json {
                output.json(&verdict)?;
            } else if let Some(number) = verdict.broken_at {
                output.line(&format!(
                    "broken: entry {number} does not follow from the one before it"
                ));
            } else {
                output.line(&format!("whole: {} entries", verdict.entries.unwrap_or(0)));
            }
            Ok(if verdict.whole {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

fn cells(entry: &AuditRow) -> Vec<String> {
    let event = &entry.event;
    let client = event.client.map(|client| client.to_string());
    vec![
        entry.number.to_string(),
        entry.at.clone(),
        event.action.clone(),
        event.actor.clone(),
        or_dash(event.user_name.as_deref().or(event.user.as_deref())),
        or_dash(event.session.as_deref()),
        or_dash(event.reason.as_deref()),
        or_dash(client.as_deref()),
    ]
}
