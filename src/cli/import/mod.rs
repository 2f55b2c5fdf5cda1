//! `sidegate user import`: people from a file, or from the app.

mod accounts;
mod csv;
mod file;

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::{Output, plain};
use super::{InTenant, Server};
use crate::provision::Outcome;
use crate::server::control::{ImportedRow, MAX_QUESTION, MAX_ROWS, Operation};
use file::Row;

/// Lines of each kind that a plan shows.
const SHOWN: usize = 10;
/// Largest file, bytes.
const MAX_FILE: u64 = 256 * 1024 * 1024;

pub(super) const HELP: &str = "The file is CSV with a first line that names the columns: userName, externalId, email, displayName,
givenName, familyName, userType, active, roles. Or it holds one JSON object a line, a user as SCIM has it.
An empty cell, and what a file does not name, leaves things as they are. Nobody is deleted.

Examples:
  sidegate user import people.csv                                the plan; changes nothing
  sidegate user import people.csv --apply --tenant acme
  sidegate user import --from connector                          whose the app's accounts are

Exit code: 0 fine, 1 something is refused; the rest is done all the same.";

/// People from a file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CSV or JSON lines.
    #[arg(value_name = "FILE", required_unless_present = "from")]
    file: Option<PathBuf>,
    /// `connector`: the app's own accounts, by the connector; found by exact name, then by name in other letters.
    #[arg(long, value_name = "SOURCE", value_parser = ["connector"], conflicts_with = "file")]
    from: Option<String>,
    /// Do it; without, only the plan is shown.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    tenant: InTenant,
}

pub(super) fn run(
    args: &Args,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let Some(file) = &args.file else {
        return accounts::run(args, server, output);
    };
    let name = file.display();
    let failed = |error: std::io::Error| anyhow::anyhow!("{name}: {error}");
    if std::fs::metadata(file).map_err(failed)?.len() > MAX_FILE {
        anyhow::bail!("{name}: is larger than 256 MiB");
    }
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let people = match file::read(&text) {
        Ok(people) => people,
        Err(mistakes) => anyhow::bail!("{name}: {}", mistakes.join("\n  ")),
    };
    let mut seen = Seen::default();
    for chunk in chunks(&people) {
        let rows: Vec<ImportedRow> = server.ask(&Operation::UserImport {
            tenant: args.tenant.tenant.clone(),
            people: chunk.iter().map(|row| row.person.clone()).collect(),
            apply: args.apply,
        })?;
        for (row, answer) in chunk.iter().zip(&rows) {
            seen.take(row.line, answer);
        }
    }
    seen.tell(args.apply, output);
    Ok(if seen.conflicts.count == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// As many at once as one question holds.
fn chunks(people: &[Row]) -> Vec<&[Row]> {
    let mut chunks = Vec::new();
    let mut rest = people;
    while !rest.is_empty() {
        let mut bytes: usize = 0;
        let fits = |row: &&Row| {
            // What cannot be written is one too many for any question.
            let size = serde_json::to_string(&row.person).map_or(MAX_QUESTION, |text| text.len());
            bytes = bytes.saturating_add(size.saturating_add(1));
            bytes < MAX_QUESTION / 2
        };
        let count = rest.iter().take_while(fits).take(MAX_ROWS).count().max(1);
        let (chunk, left) = rest.split_at(count);
        chunks.push(chunk);
        rest = left;
    }
    chunks
}

/// What was answered, by kind.
#[derive(Default)]
struct Seen {
    creates: Lines,
    changes: Lines,
    same: Lines,
    conflicts: Lines,
}

/// How many, and the first of them.
#[derive(Default)]
struct Lines {
    count: usize,
    first: Vec<String>,
}

impl Lines {
    fn add(&mut self, text: String) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < SHOWN {
            self.first.push(text);
        }
    }
}

impl Seen {
    fn take(&mut self, line: usize, row: &ImportedRow) {
        let name = &row.user_name;
        match (row.outcome, &row.conflict) {
            (Some(Outcome::Create), _) => self.creates.add(format!("line {line}: {name}")),
            (Some(Outcome::Change), _) => self.changes.add(format!("line {line}: {name}")),
            (Some(Outcome::Same), _) => self.same.add(format!("line {line}: {name}")),
            (None, why) => {
                let why = why.as_deref().unwrap_or("refused");
                self.conflicts.add(format!("line {line}: {name}: {why}"));
            }
        }
    }

    fn tell(&self, applied: bool, output: &mut Output) {
        let words = if applied {
            ["made", "changed", "the same", "refused"]
        } else {
            ["to make", "to change", "the same", "would be refused"]
        };
        let all = [&self.creates, &self.changes, &self.same, &self.conflicts];
        for (word, lines) in words.into_iter().zip(all) {
            output.line(&format!("{word}: {}", lines.count));
            let shown = if word == "the same" { 0 } else { SHOWN };
            for text in lines.first.iter().take(shown) {
                output.line(&plain(&format!("  {text}")));
            }
            if lines.count > lines.first.len() && shown > 0 {
                output.line("  …");
            }
        }
        if !applied {
            output.line("nothing is changed yet: add --apply");
        }
    }
}
