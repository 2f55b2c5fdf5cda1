//! `sidegate connector …`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;

use super::Server;
use super::failure::InFile;
use super::output::{Output, plain};
use crate::config::{self, ATTRIBUTES, PRESETS, SourceError, UpstreamUrl, preset};
use crate::connector::{AppFailure, Attributes, Connector, Rehearsal, Shown, Step, ThrowAway};
use crate::crypto::random_token;
use crate::provision::{Drift, DriftKind};
use crate::server::control::{Operation, OwedRow};

const HELP: &str = "Examples:
  sidegate connector check miniflux --upstream http://127.0.0.1:8080
  sidegate connector check ./app.toml --write                the whole life of a throw-away person
  sidegate connector try users.create ./app.toml --set userName=eve --dry-run
  sidegate connector drift --mend changed,missing

FILE is a connector file or the name of a preset. docs/CONNECTORS.md is the reference.";

/// The app's own user API: check a connector, compare, what is owed.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = HELP)]
pub(super) enum Command {
    /// Read a connector and tell every mistake with its line, and ask the app for its lists; with --write, try it all.
    Check {
        #[command(flatten)]
        which: Which,
        /// Make, find, change, deactivate and delete a throw-away person and group in the app.
        #[arg(long)]
        write: bool,
        /// The throw-away name where the app takes no other, as sidegate-{random}@example.com; {random} is required.
        #[arg(long = "as", value_name = "NAME", requires = "write", value_parser = throw_away)]
        names: Option<ThrowAway>,
    },
    /// Print the exact request of an operation; nothing is sent.
    Try {
        /// `users.create`, `members.add`, …
        operation: String,
        #[command(flatten)]
        which: Which,
        /// A value: an attribute, or id, value, user, group.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Nothing is sent: required, as nothing else is offered here; `check --write` sends.
        #[arg(long, required = true)]
        dry_run: bool,
    },
    /// Accounts of the app, and groups of ours there, that are not as the directory says.
    Drift {
        /// What is mended: changed and missing become what the directory says, added ones are deactivated.
        #[arg(long, value_delimiter = ',', value_name = "KINDS", value_parser = kind)]
        mend: Vec<DriftKind>,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// What was begun in the app and is not known to be done.
    Owed {
        /// Try all of it now.
        #[arg(long)]
        retry: bool,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// The shipped connectors; with a name, the text of one.
    Presets {
        /// Which.
        name: Option<String>,
    },
}

/// Which connector.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// A connector file, or the name of a preset.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the app is, for {upstream}.
    #[arg(long, value_name = "URL", value_parser = upstream)]
    upstream: Option<UpstreamUrl>,
    /// The app's API, in place of the file's base.
    #[arg(long, value_name = "URL")]
    base: Option<String>,
}

fn upstream(text: &str) -> Result<UpstreamUrl, &'static str> {
    text.parse()
}

fn throw_away(text: &str) -> Result<ThrowAway, &'static str> {
    text.parse()
}

fn kind(text: &str) -> Result<DriftKind, &'static str> {
    match text {
        "changed" => Ok(DriftKind::Changed),
        "missing" => Ok(DriftKind::Missing),
        "added" => Ok(DriftKind::Added),
        _ => Err("must be changed, missing or added"),
    }
}

pub(super) fn run(
    command: &Command,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check {
            which,
            write,
            names,
        } => {
            let names = names.clone().unwrap_or_default();
            check(which, write.then_some(&names), output)
        }
        Command::Try {
            operation,
            which,
            set,
            dry_run: _,
        } => {
            let connector = Connector::new(which.read()?)?;
            let lines = connector.dry_run(operation, &given(set)?)?;
            for line in &lines {
                output.line(&plain(line));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Drift { mend, json } => {
            let found: Vec<Drift> =
                server.ask(&Operation::ConnectorDrift { mend: mend.clone() })?;
            if *json {
                output.json(&found)?;
            } else {
                drift(&found, output);
            }
            let left = found.iter().any(|drift| !drift.mended);
            Ok(if left {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
        Command::Owed { retry, json } => {
            let rows: Vec<OwedRow> = server.ask(&Operation::ConnectorOwed { retry: *retry })?;
            if *json {
                output.json(&rows)?;
            } else {
                owed(&rows, output);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Presets { name: None } => {
            for (name, _) in PRESETS {
                output.line(name);
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Presets { name: Some(name) } => {
            let text = preset(name).with_context(|| format!("there is no preset {name:?}"))?;
            output.line(text.trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Which {
    fn read(&self) -> anyhow::Result<config::Connector> {
        let name = self.file.to_string_lossy();
        let (upstream, base) = (self.upstream.as_ref(), self.base.clone());
        let read = match preset(&name) {
            Some(text) => config::Connector::from_text(text, upstream, base),
            None => config::Connector::load(&self.file, upstream, base),
        };
        match read {
            // It names the file.
            Err(error @ SourceError::Read { .. }) => Err(error.into()),
            read => read.with_context(|| InFile(self.file.clone())),
        }
    }
}

fn given(set: &[String]) -> anyhow::Result<Attributes> {
    let mut given = Attributes::new();
    for pair in set {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("--set {pair:?}: must be NAME=VALUE");
        };
        let value = match (name, value) {
            ("active", "true") => true.into(),
            ("active", "false") => false.into(),
            (_, value) => value.into(),
        };
        given.insert(name.to_owned(), value);
    }
    Ok(given)
}

/// What fills templates when they are rendered to see that they can be.
const SAMPLES: [&str; 7] = [
    "id", "value", "user", "group", "field", "changed", "password",
];

fn check(
    which: &Which,
    write: Option<&ThrowAway>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let settings = which.read()?;
    let connector = Connector::new(settings)?;
    let samples = SAMPLES.iter().chain(&ATTRIBUTES);
    let samples = samples.map(|name| ((*name).to_owned(), "1".into()));
    let samples: Attributes = samples.collect();
    let operations = connector.operations();
    for operation in &operations {
        let rendered = connector.dry_run(operation, &samples);
        rendered.with_context(|| format!("{operation} cannot be rendered"))?;
    }
    output.line(&format!(
        "{}: {} operations of {}, each renders",
        which.file.display(),
        operations.len(),
        connector.name()
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut fine = look(&runtime.block_on(connector.look()), output);
    if let Some(names) = write.filter(|_| fine) {
        fine = rehearse(&connector, names, &runtime, output);
    }
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What the app's lists show; whether they could be read.
fn look(lists: &[(String, Result<Shown, AppFailure>)], output: &mut Output) -> bool {
    for (operation, shown) in lists {
        let line = match shown {
            Ok(Shown {
                records,
                total,
                read,
                nowhere,
            }) => {
                let total = total
                    .map(|total| format!(" of {total}"))
                    .unwrap_or_default();
                let read = match (records, read.as_slice()) {
                    (0, _) => "nothing to read in it".to_owned(),
                    (_, []) => "no field read".to_owned(),
                    (_, read) => format!("read {}", read.join(", ")),
                };
                let nowhere = match (records, nowhere.as_slice()) {
                    (0, _) | (_, []) => String::new(),
                    (_, nowhere) => format!("; found nothing for {}", nowhere.join(", ")),
                };
                format!(
                    "  ok      {operation}: {records} records{total} on its first page; {read}{nowhere}"
                )
            }
            Err(failure) => format!("  FAILED  {operation}: {failure}"),
        };
        output.line(&plain(&line));
    }
    lists.iter().all(|(_, shown)| shown.is_ok())
}

fn rehearse(
    connector: &Connector,
    names: &ThrowAway,
    runtime: &Runtime,
    output: &mut Output,
) -> bool {
    let mark: String = random_token()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let played = runtime.block_on(Rehearsal::play(connector, names, &mark.to_lowercase()));
    for (step, done) in &played.steps {
        let line = match done {
            Step::Ok => format!("  ok      {step}"),
            Step::Cannot(what) => format!("  cannot  {step}: the app's API cannot {what}"),
            Step::Failed(why) => format!("  FAILED  {step}: {why}"),
        };
        output.line(&plain(&line));
    }
    let count =
        |wanted: fn(&Step) -> bool| played.steps.iter().filter(|(_, step)| wanted(step)).count();
    let failed = count(|step| matches!(step, Step::Failed(_)));
    let cannot = count(|step| matches!(step, Step::Cannot(_)));
    output.line(&format!(
        "{}: {} ok, {cannot} cannot, {failed} failed",
        connector.name(),
        count(|step| *step == Step::Ok)
    ));
    played.is_fine()
}

fn drift(found: &[Drift], output: &mut Output) {
    if found.is_empty() {
        return output.line("every account and every group of ours is as the directory says");
    }
    let rows: Vec<_> = found
        .iter()
        .map(|drift| {
            let kind = match drift.kind {
                DriftKind::Changed => "changed",
                DriftKind::Missing => "missing",
                DriftKind::Added => "added",
            };
            let mended = if drift.mended { "mended" } else { "" };
            vec![
                kind.to_owned(),
                format!("{:?}", drift.of).to_lowercase(),
                drift.login.clone(),
                drift.app_id.clone(),
                drift.note.clone(),
                mended.to_owned(),
            ]
        })
        .collect();
    output.table(&["what", "type", "login", "id there", "note", ""], &rows);
}

fn owed(rows: &[OwedRow], output: &mut Output) {
    if rows.is_empty() {
        return output.line("nothing: the app holds what the directory holds");
    }
    let cells = rows.iter().map(|row| {
        let what = if row.making {
            "being made"
        } else {
            "to follow"
        };
        let kind = format!("{:?}", row.kind).to_lowercase();
        vec![
            row.since.clone(),
            row.tenant.clone(),
            kind,
            row.id.clone(),
            what.to_owned(),
            row.attempts.to_string(),
            row.why.clone(),
        ]
    });
    output.table(
        &["since", "tenant", "kind", "id", "what", "tries", "why"],
        &cells.collect::<Vec<_>>(),
    );
}
