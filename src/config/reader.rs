//! Takes values out of a TOML table and collects every mistake on the way.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;

use toml::{Table, Value};

use super::mistake::{Mistake, kind, quoted};
use super::notes::{Notes, Unknown, join};
use super::source;
use crate::secret::Secret;

/// Longest secret in a file, bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// One table being read. When it goes, what nobody asked for is a mistake.
pub(super) struct Section {
    notes: Rc<RefCell<Notes>>,
    /// As shown to people: items of arrays by their name.
    path: String,
    /// As the environment names it: items of arrays by their number.
    exact: String,
    /// As documentation names it: items of arrays as `[]`.
    generic: String,
    table: Table,
    known: Vec<&'static str>,
}

impl Section {
    pub(super) fn root(table: Table, notes: &Rc<RefCell<Notes>>) -> Self {
        Self {
            notes: Rc::clone(notes),
            path: String::new(),
            exact: String::new(),
            generic: String::new(),
            table,
            known: Vec::new(),
        }
    }

    /// Notes a mistake of this key of this section.
    pub(super) fn mistake(&self, key: &str, why: impl Into<String>) {
        let mut notes = self.notes.borrow_mut();
        let variable = notes.variables.get(&join(&self.exact, key)).cloned();
        notes.mistakes.push(Mistake {
            key: variable.unwrap_or_else(|| join(&self.path, key)),
            why: why.into(),
        });
    }

    /// Whether something is wrong with another section, as far as that is known by now.
    pub(super) fn has_mistakes_of(&self, section: &str) -> bool {
        let notes = self.notes.borrow();
        let is_of = |key: &str| {
            let rest = key.strip_prefix(section);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let by_variable = |key: &str| {
            let mut variables = notes.variables.iter();
            variables.any(|(exact, variable)| variable == key && is_of(exact))
        };
        let mut mistakes = notes.mistakes.iter();
        mistakes.any(|mistake| is_of(&mistake.key) || by_variable(&mistake.key))
    }

    pub(super) fn take(&mut self, key: &'static str, default: Option<String>) -> Option<Value> {
        self.known.push(key);
        let generic = join(&self.generic, key);
        let mut notes = self.notes.borrow_mut();
        if !notes.asked.iter().any(|(asked, _)| *asked == generic) {
            notes.asked.push((generic, default));
        }
        self.table.remove(key)
    }

    /// The same, for what is no text: in the environment everything is one.
    pub(super) fn take_typed(
        &mut self,
        key: &'static str,
        default: Option<String>,
    ) -> Option<Value> {
        let value = self.take(key, default)?;
        match value.as_str() {
            Some(text) if self.is_variable(key) => Some(source::typed(text)),
            _ => Some(value),
        }
    }

    fn as_text(&self, key: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            // Without the value: it may be a secret (R41).
            other @ (Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_)) => {
                self.mistake(
                    key,
                    format!("is {}; must be a text in quotes", kind(&other)),
                );
                None
            }
        }
    }

    /// A text that may be missing.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key, None)?;
        self.as_text(key, value)
    }

    pub(super) fn text(&mut self, key: &'static str, default: &str) -> String {
        let value = self.take(key, Some(format!("{default:?}")));
        value
            .and_then(|value| self.as_text(key, value))
            .unwrap_or_else(|| default.to_owned())
    }

    /// A text that must be there; a mistake and an empty text otherwise.
    pub(super) fn required(&mut self, key: &'static str) -> String {
        let missing = !self.table.contains_key(key);
        let is_text = self.table.get(key).is_some_and(Value::is_str);
        let text = self.optional(key).unwrap_or_default();
        if missing {
            self.mistake(key, "is required");
        } else if is_text && text.trim().is_empty() {
            self.mistake(key, "must not be empty");
        }
        text
    }

    pub(super) fn parsed<T>(&mut self, key: &'static str, default: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let text = self.text(key, default);
        self.parse_text(key, &text)
    }

    pub(super) fn parse_text<T>(&self, key: &str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let told = |why: T::Err| {
            // Errors with a drawing of the place end with what is wrong.
            let why = why.to_string();
            let why = why.lines().last().unwrap_or_default();
            self.mistake(key, format!("{} {why}", quoted(text)));
        };
        text.parse().map_err(told).ok()
    }

    /// One of some words.
    pub(super) fn choice<T: Copy + PartialEq>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let word = choices.iter().find(|(_, value)| *value == default);
        let text = self.text(key, word.map_or("", |(word, _)| word));
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        self.mistake(
            key,
            format!("is {}; allowed: {}", quoted(&text), words.join(", ")),
        );
        default
    }

    /// A table of texts with free keys.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.take(key, None) else {
            return Vec::new();
        };
        let Value::Table(table) = value else {
            self.mistake(
                key,
                format!("is {}; must be a table of texts", kind(&value)),
            );
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (name, value) in table {
            match value.as_str() {
                Some(text) => texts.push((name, text.to_owned())),
                None => self.mistake(
                    key,
                    format!("{name:?} is {}; must be a text in quotes", kind(&value)),
                ),
            }
        }
        texts
    }

    /// A file that the settings name; it is watched.
    pub(super) fn file(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = PathBuf::from(self.optional(key).filter(|text| !text.is_empty())?);
        self.notes.borrow_mut().files.push(path.clone());
        Some(path)
    }

    /// `key`, or `key_file` whose content counts without the white space at its end; not both.
    pub(super) fn secret(&mut self, key: &'static str, key_file: &'static str) -> Option<Secret> {
        let inline = self.optional(key).filter(|text| !text.is_empty());
        let file = self.file(key_file);
        match (inline, file) {
            (Some(_), Some(_)) => {
                self.mistake(
                    key,
                    format!("stands beside {key_file}; exactly one of the two"),
                );
                None
            }
            (Some(text), None) => Some(Secret::new(text)),
            (None, Some(path)) => match source::read_bounded(&path, MAX_SECRET) {
                Ok(text) if !text.trim_end().is_empty() => Some(Secret::new(text.trim_end())),
                Ok(_) => {
                    self.mistake(key_file, format!("{} is empty", path.display()));
                    None
                }
                Err(error) => {
                    self.mistake(key_file, format!("{}: {error}", path.display()));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// Whether the key's value came from a variable, where everything is a text.
    pub(super) fn is_variable(&self, key: &str) -> bool {
        let exact = join(&self.exact, key);
        self.notes.borrow().variables.contains_key(&exact)
    }

    /// Whether the key stands in the file.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A table; empty when missing.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        let table = match self.take(key, None) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.mistake(
                    key,
                    format!("is {}; must be a table: [{key}]", kind(&other)),
                );
                Table::new()
            }
        };
        self.child(key, key, join(&self.generic, key), table)
    }

    /// An array of tables; each is called by its `name` or `slug` where it has one, else by its number from 0.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let value = self.take(key, None);
        let items = match value {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.iter().all(Value::is_table) => items,
            Some(_) => {
                self.mistake(key, format!("must be an array of tables: [[{key}]]"));
                return Vec::new();
            }
        };
        let generic = format!("{}[]", join(&self.generic, key));
        let mut sections = Vec::new();
        for (number, item) in items.into_iter().enumerate() {
            if let Value::Table(table) = item {
                let name = table.get("name").or_else(|| table.get("slug"));
                let exact = format!("{key}[{number}]");
                let shown = match name.and_then(Value::as_str) {
                    Some(name) if is_word(name) => format!("{key}.{name}"),
                    _ => exact.clone(),
                };
                sections.push(self.child(&shown, &exact, generic.clone(), table));
            }
        }
        sections
    }

    /// A table of tables with free names, each with its name.
    pub(super) fn free_sections(&mut self, key: &'static str) -> Vec<(String, Self)> {
        let table = match self.take(key, None) {
            None => return Vec::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.mistake(
                    key,
                    format!("is {}; must be a table of tables", kind(&other)),
                );
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (name, value) in table {
            match value {
                Value::Table(table) => sections.push((name.clone(), self.below(key, &name, table))),
                other @ (Value::String(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Array(_)) => self.mistake(
                    key,
                    format!("{name:?} is {}; must be a table", kind(&other)),
                ),
            }
        }
        sections
    }

    /// A table that stands under `key`, called `name` there.
    pub(super) fn below(&self, key: &str, name: &str, table: Table) -> Self {
        let path = join(key, name);
        let path = path.trim_end_matches('.');
        self.child(path, path, join(&self.generic, path), table)
    }

    /// Further files that the settings name.
    pub(super) fn also(&self, files: Vec<PathBuf>) {
        self.notes.borrow_mut().files.extend(files);
    }

    fn child(&self, shown: &str, exact: &str, generic: String, table: Table) -> Self {
        Self {
            notes: Rc::clone(&self.notes),
            path: join(&self.path, shown),
            exact: join(&self.exact, exact),
            generic,
            table,
            known: Vec::new(),
        }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let mut notes = self.notes.borrow_mut();
        // R40: a key that nobody asked for is a mistake, never a silence.
        for key in self.table.keys() {
            notes.unknown.push(Unknown {
                path: self.path.clone(),
                key: key.clone(),
                exact: join(&self.exact, key),
                known: self.known.clone(),
            });
        }
    }
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 63 && text.chars().all(plain)
}
