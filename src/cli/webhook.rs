//! `sidegate webhook …`

use std::process::ExitCode;

use super::Server;
use super::output::Output;
use crate::server::control::{Operation, QueuedRow};

/// Webhooks: what waits, and what nobody took.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What waits to be posted, oldest first.
    Queue {
        /// One JSON array, with the bodies.
        #[arg(long)]
        json: bool,
    },
    /// What was tried too often and put aside, oldest first.
    Dead {
        /// One JSON array, with the bodies.
        #[arg(long)]
        json: bool,
    },
    /// Post what was put aside again, all or one.
    Retry {
        /// Its id, as `dead` shows it.
        id: Option<String>,
    },
    /// Forget what was put aside.
    Drop {
        /// Its id, as `dead` shows it.
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Queue { json } => show(server, false, *json, output)?,
        Command::Dead { json } => show(server, true, *json, output)?,
        Command::Retry { id } => {
            let count: usize = server.ask(&Operation::WebhookRetry { id: id.clone() })?;
            output.line(&format!("{count} posted again"));
        }
        Command::Drop { id, all: _ } => {
            let count: usize = server.ask(&Operation::WebhookDrop { id: id.clone() })?;
            output.line(&format!("{count} dropped"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(server: &Server<'_>, dead: bool, json: bool, output: &mut Output) -> anyhow::Result<()> {
    let rows: Vec<QueuedRow> = server.ask(&Operation::WebhookList { dead })?;
    if json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.line("nothing");
        return Ok(());
    }
    let cells = rows.into_iter().map(|row| {
        vec![
            row.at,
            row.id,
            row.about,
            row.attempts.to_string(),
            row.due,
            row.why,
        ]
    });
    output.table(
        &["happened", "id", "about", "tries", "due", "why"],
        &cells.collect::<Vec<_>>(),
    );
    Ok(())
}
