//! `sidegate saml inspect`

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::log::idp_name;
use crate::cli::output::{Output, plain};
use crate::cli::{DEFAULT_CONFIG, Server};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Settings;
use crate::identity::IdpName;
use crate::saml::{Fact, Finding, MAX_FILE, Party, Question, Report, State, inspect, moment};
use crate::server::idp_cache;

/// What to explain.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sidegate saml inspect response.txt
  sidegate saml inspect --idp entra --config ./sidegate.toml response.xml
  xclip -o | sidegate saml inspect -       what the browser's developer tools show as form data

FILE holds the XML, base64 of it, or the form or address that it travelled in. Asks nobody: the idp's metadata is read
from metadata_file, or from what the server kept of metadata_url (run it as the server's user). Prints what the message
says, names and attributes of the person included. Nothing that it says is true unless a check says so.

Exit code: 0 every check that can be made here holds, 1 it would be refused or cannot be read, 78 the configuration is wrong.")]
pub(in crate::cli) struct Args {
    /// The captured message; - is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which configured idp it is of; else the one that it names.
    #[arg(long, value_name = "NAME", value_parser = idp_name)]
    idp: Option<IdpName>,
    /// Check as of this moment, such as 2026-11-22T09:30:00Z; else as of now, or of its own issue when that is long ago.
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    at: Option<Timestamp>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn moment_of(text: &str) -> Result<Timestamp, &'static str> {
    moment(text).ok_or("must look like 2026-11-22T09:30:00Z")
}

pub(super) fn run(
    args: &Args,
    server: &Server<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let shown = plain(&args.file.display().to_string());
    let file = read(&args.file).with_context(|| format!("{shown} cannot be read"))?;
    let parties = parties(args, server)?;
    let question = Question {
        file: &file,
        parties: &parties,
        at: args.at,
        now: SystemClock.now(),
    };
    let report =
        quietly(|| inspect(&question)).with_context(|| format!("{shown} holds no message"))?;
    if args.json {
        output.json(&report)?;
    } else {
        tell(&shown, &report, output);
    }
    Ok(if report.refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_FILE)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The idps of the configuration. Without one where it usually is, a message is explained all the same.
fn parties(args: &Args, server: &Server<'_>) -> anyhow::Result<Vec<Party>> {
    let usual = server.config == Path::new(DEFAULT_CONFIG);
    if usual && args.idp.is_none() && !server.config.exists() {
        return Ok(Vec::new());
    }
    let settings: &Settings = server.settings()?;
    let mut all = Party::all(settings, &idp_cache(settings)).context("idp")?;
    let Some(idp) = &args.idp else {
        return Ok(all);
    };
    let names: Vec<_> = all.iter().map(|its| its.idp().to_string()).collect();
    all.retain(|its| its.idp() == idp);
    if all.is_empty() {
        let config = server.config.display();
        match names.as_slice() {
            [] => bail!("{config} has no idp of kind \"saml\""),
            names => bail!(
                "{config} has no SAML idp {idp}; there is {}",
                names.join(", ")
            ),
        }
    }
    Ok(all)
}

/// The C library of signatures writes about each that does not hold to standard error, in its own words.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = std::io::stderr().as_fd().try_clone_to_owned();
    let nowhere = File::options().write(true).open("/dev/null");
    let (Ok(before), Ok(nowhere)) = (before, nowhere) else {
        return work();
    };
    // Where it cannot be turned away the words are read: no harm.
    let _turned = rustix::stdio::dup2_stderr(&nowhere);
    let done = work();
    let _back = rustix::stdio::dup2_stderr(&before);
    done
}

fn tell(file: &str, report: &Report, output: &mut Output) {
    let mut line = |text: String| output.line(plain(&text).replace('\n', "\\n").trim_end());
    line(format!("{file}: read as {}", report.read_as));
    for section in &report.says {
        line(String::new());
        line(format!("{}:", section.title));
        facts(&section.facts, &mut line);
    }
    if !report.against.is_empty() {
        line(String::new());
        line("Checked against:".to_owned());
        facts(&report.against, &mut line);
    }
    line(String::new());
    match &report.as_of {
        Some(as_of) => line(format!("Checks, as of {as_of}:")),
        None => line("Checks:".to_owned()),
    }
    for finding in &report.checks {
        check(finding, &mut line);
    }
    line(String::new());
    line(report.conclusion.clone());
}

fn facts(facts: &[Fact], line: &mut impl FnMut(String)) {
    let short = |fact: &&Fact| fact.name.chars().count() <= 36;
    let widths = facts
        .iter()
        .filter(short)
        .map(|fact| fact.name.chars().count());
    let width = widths.max().unwrap_or(0);
    for fact in facts {
        line(format!("  {:width$}  {}", fact.name, fact.value));
    }
}

fn check(finding: &Finding, line: &mut impl FnMut(String)) {
    let state = match finding.state {
        State::Ok => "ok",
        State::Refused => "REFUSED",
        State::Unknown => "unknown",
    };
    line(format!(
        "  {state:8} {:20} {}",
        finding.check, finding.about
    ));
    let more = [
        ("expected", finding.expected.as_deref()),
        ("came", finding.came.as_deref()),
        ("change", finding.portal_field.as_deref()),
        ("hint", finding.hint),
    ];
    for (name, text) in more {
        if let Some(text) = text {
            line(format!("           {name:9} {text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::paper;
    use crate::saml::Section;

    #[test]
    fn r41_a_report_is_no_command_to_the_terminal() {
        let evil = "\u{1b}[2J\n  ok       signature";
        let fact = || Fact {
            name: evil.to_owned(),
            value: evil.to_owned(),
        };
        let report = Report {
            read_as: evil.to_owned(),
            says: vec![Section {
                title: evil.to_owned(),
                facts: vec![fact()],
            }],
            checks: Vec::new(),
            against: vec![fact()],
            as_of: Some(evil.to_owned()),
            conclusion: evil.to_owned(),
            refused: false,
        };
        let (mut output, text) = paper();
        tell("file", &report, &mut output);
        let text = text();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(text.lines().count(), 11, "{text}");
    }
}
