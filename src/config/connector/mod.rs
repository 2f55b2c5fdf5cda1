//! `[connector]`: how the app's own user API is spoken to. `docs/CONNECTORS.md` is the reference of the format.
//!
//! Everything is parsed at start: templates, patterns, pointers, methods. Nothing of it is a program.

mod api;
mod app_login;
mod body;
mod errors;
mod field;
mod kinds;
mod lines;
mod operation;
mod presets;
mod reading;
mod template;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use toml::{Table, Value};

use super::mistake::Mistake;
use super::notes::Notes;
use super::reader::Section;
use super::{Mistakes, SourceError, UpstreamUrl, source};
use crate::secret::Secret;

use api::Place;
pub use api::{Api, ApiLogin, BodyEncoding, Endpoint, TokenAt};
pub use app_login::{AppLogin, Csrf, LoginKind, Sign, Target};
pub use body::{Body, SPREAD};
pub use errors::{Condition, ErrorRule, Meaning, OPERATIONS, Test};
pub use field::{Field, Only};
pub use kinds::{Active, Groups as AppGroups, Kind, Members, Mode, Users as AppUsers};
pub use operation::{
    Called, Find, Listing, NewId, Next, Operation, Pointer, Send, Style, Total, Update,
};
pub use presets::{PRESETS, preset};
pub use template::{ATTRIBUTES, Filter, Name, Part, Template, leads_away, written};

const DAY: Duration = Duration::from_hours(24);
/// Largest connector file, bytes.
const MAX_FILE: u64 = 256 * 1024;
/// Longest secret in a file that a variable names, bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// The app's own user API.
#[derive(Clone, Debug)]
pub struct Connector {
    /// `[api]`
    pub api: Api,
    /// `[users]`
    pub users: AppUsers,
    /// `[groups]`; none where groups stay with us.
    pub groups: Option<AppGroups>,
    /// `[[errors]]`: the first that fits counts.
    pub errors: Vec<ErrorRule>,
    /// How often the app's accounts are compared with the directory; zero is never. Default 24 h.
    pub drift_every: Duration,
    /// Links to accounts of the app of this name may be forgotten; empty is none.
    pub forget: String,
}

/// Parts of `sidegate.toml` that a connector's `[gate]` may hold.
const GATE: [&[&str]; 2] = [&["headers"], &["upstream", "app_session"]];

impl Connector {
    /// `[connector]`; none without it.
    pub(super) fn read(mut section: Section, upstream: &UpstreamUrl) -> Option<Self> {
        let preset_name = section.text("preset", "");
        let file = section.file("file");
        let base = section.text("base", "");
        let (never, month) = (Duration::ZERO, Duration::from_hours(24 * 30));
        let drift_every = section.duration("drift_every", DAY, never..=month);
        let forget = section.text("forget", "");
        let place = Place {
            upstream: Some(upstream),
            base: Some(base).filter(|base| !base.is_empty()),
        };
        let inline = ["api", "users", "groups", "errors"]
            .iter()
            .any(|key| section.has(key));
        let given = [!preset_name.is_empty(), file.is_some(), inline];
        match given.into_iter().filter(|given| *given).count() {
            0 => {
                if place.base.is_some() {
                    section.mistake(
                        "base",
                        "stands alone; preset, file or the tables of a connector belong to it",
                    );
                }
                return None;
            }
            1 => {}
            _ => {
                section.mistake(
                    "preset",
                    "exactly one of preset, file and the tables themselves",
                );
                return None;
            }
        }
        if inline {
            let connector = read_tables(&mut section, &place, &variable)?;
            return Some(Self {
                drift_every,
                forget,
                ..connector
            });
        }
        let (key, name, text) = match &file {
            Some(path) => ("file", path.display().to_string(), read_text(path)),
            None => ("preset", preset_name.clone(), preset_text(&preset_name)),
        };
        let text = text.map_err(|why| section.mistake(key, why)).ok()?;
        let (connector, files, mistakes) = parse(&text, &place, &variable);
        section.also(files);
        for (line, Mistake { key: inside, why }) in mistakes {
            section.mistake(key, format!("{name}, line {line}: {inside}: {why}"));
        }
        Some(Self {
            drift_every,
            forget,
            ..connector?
        })
    }

    /// Reads a connector file by itself. `upstream` is where the app is, if it is known.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or all of its mistakes, each with its line.
    pub fn load(
        path: &Path,
        upstream: Option<&UpstreamUrl>,
        base: Option<String>,
    ) -> Result<Self, SourceError> {
        let text = source::read_bounded(path, MAX_FILE);
        let text = text.map_err(|source| SourceError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_text(&text, upstream, base)
    }

    /// Reads a text as if it were a connector file.
    ///
    /// # Errors
    ///
    /// All of its mistakes, each with its line.
    pub fn from_text(
        text: &str,
        upstream: Option<&UpstreamUrl>,
        base: Option<String>,
    ) -> Result<Self, SourceError> {
        source::parse(text)?;
        let (connector, _files, mistakes) = parse(text, &Place { upstream, base }, &variable);
        let told = mistakes
            .into_iter()
            .map(|(line, Mistake { key, why })| Mistake {
                key: format!("line {line}: {key}"),
                why,
            });
        let told: Vec<_> = told.collect();
        match connector {
            Some(connector) if told.is_empty() => Ok(connector),
            _ => Err(Mistakes(told).into()),
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    source::read_bounded(path, MAX_FILE).map_err(|error| format!("{}: {error}", path.display()))
}

fn preset_text(name: &str) -> Result<String, String> {
    let names = || {
        PRESETS
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    preset(name)
        .map(str::to_owned)
        .ok_or_else(|| format!("there is no preset {name:?}; there are {}", names()))
}

type Parsed = (Option<Connector>, Vec<PathBuf>, Vec<(usize, Mistake)>);

/// Finds a variable, or the file that holds it, which is then one of the settings' files.
type Variable<'a> = &'a dyn Fn(&str, &mut Vec<PathBuf>) -> Result<Secret, String>;

fn parse(text: &str, place: &Place<'_>, find: Variable<'_>) -> Parsed {
    let table = match source::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let mistake = Mistake {
                key: "file".to_owned(),
                why: error.to_string(),
            };
            return (None, Vec::new(), vec![(1, mistake)]);
        }
    };
    let notes = Rc::new(RefCell::new(Notes::default()));
    let connector = {
        let mut root = Section::root(table, &notes);
        check_gate(&mut root);
        read_tables(&mut root, place, find)
    };
    let notes = notes.take();
    let mistakes = notes
        .all_mistakes()
        .into_iter()
        .map(|mistake| (lines::line_of(text, &mistake.key).unwrap_or(1), mistake));
    let mut mistakes: Vec<_> = mistakes.collect();
    mistakes.sort_by_key(|(line, _)| *line);
    (connector, notes.files, mistakes)
}

fn read_tables(root: &mut Section, place: &Place<'_>, find: Variable<'_>) -> Option<Connector> {
    let files = RefCell::new(Vec::new());
    let variables = |name: &str| find(name, &mut files.borrow_mut());
    for table in ["api", "users"] {
        if !root.has(table) {
            root.mistake(table, "is required");
        }
    }
    let api = Api::read(root.section("api"), place, &variables);
    let procedures = api.as_ref().is_some_and(|api| api.endpoint.is_some());
    let reading = reading::Reading {
        variables: &variables,
        procedures,
    };
    let users = AppUsers::read(root.section("users"), &reading);
    let groups = root
        .has("groups")
        .then(|| AppGroups::read(root.section("groups"), &reading));
    let errors = root
        .sections("errors")
        .into_iter()
        .map(ErrorRule::read)
        .collect();
    if matches!(users.active, Active::MemberOf(_)) {
        let by_user = groups.as_ref().and_then(|groups| groups.members.as_ref());
        if !by_user.is_some_and(|members| matches!(members.mode, Mode::UserField(_))) {
            root.mistake(
                "users",
                "active = \"member_of\" needs [groups.members] with mode = \"user_field\"",
            );
        }
    }
    root.also(files.into_inner());
    Some(Connector {
        api: api?,
        users,
        groups,
        errors,
        drift_every: DAY,
        forget: String::new(),
    })
}

/// A variable of the process, or the file that `NAME_FILE` names.
fn variable(name: &str, files: &mut Vec<PathBuf>) -> Result<Secret, String> {
    #[expect(clippy::disallowed_methods, reason = "`config` reads the environment")]
    let value = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(value) = value(name) {
        return Ok(Secret::new(value));
    }
    let Some(path) = value(&format!("{name}_FILE")).map(PathBuf::from) else {
        return Err(format!("variable {name} is not set, nor {name}_FILE"));
    };
    let text = source::read_bounded(&path, MAX_SECRET);
    let text = text.map_err(|error| format!("{name}_FILE: {}: {error}", path.display()))?;
    files.push(path);
    Ok(Secret::new(text.trim_end()))
}

fn check_gate(root: &mut Section) {
    if !root.has("gate") {
        return;
    }
    let mut gate = root.section("gate");
    let _headers = gate.take("headers", None);
    if gate.has("upstream") {
        let _app_session = gate.section("upstream").take("app_session", None);
    }
}

/// What a preset or file says of `sidegate.toml` itself is put under what the operator wrote there.
pub(super) fn with_gate(mut table: Table) -> Table {
    let text = |key: &str| {
        let value = table.get("connector")?.get(key)?.as_str()?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    };
    let file = text("file").and_then(|path| read_text(Path::new(&path)).ok());
    let text = file.or_else(|| preset_text(&text("preset")?).ok());
    let gate = text
        .and_then(|text| source::parse(&text).ok())
        .and_then(|mut table| table.remove("gate"));
    let Some(Value::Table(gate)) = gate else {
        return table;
    };
    for path in GATE {
        let mut found = Some(&gate);
        let (last, way) = path.split_last().unwrap_or((&"", &[]));
        for key in way {
            found = found
                .and_then(|table| table.get(*key))
                .and_then(Value::as_table);
        }
        let Some(found) = found
            .and_then(|table| table.get(*last))
            .and_then(Value::as_table)
        else {
            continue;
        };
        let mut here = Some(&mut table);
        for key in path {
            let next = here.and_then(|table| {
                table
                    .entry(*key)
                    .or_insert_with(|| Table::new().into())
                    .as_table_mut()
            });
            here = next;
        }
        let Some(here) = here else { continue };
        for (key, value) in found {
            here.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }
    table
}

#[cfg(test)]
mod tests;
