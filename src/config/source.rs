//! Where settings come from: one TOML file, and `SIDEGATE__…` from the environment on top.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::mistake::{Mistake, Mistakes};

const PREFIX: &str = "SIDEGATE__";
/// Longest configuration file, bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Most items that the environment may add to an array.
const MAX_ITEMS: usize = 64;

/// Why no settings could be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML. The line itself is not repeated: it may hold a secret (R41).
    #[error("line {line}, column {column}: {what}")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// What the parser met.
        what: String,
    },
    /// Values are wrong.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

/// Everything that was said, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    /// The file with the environment on top.
    pub(super) table: Table,
    /// Keys that came from the environment, and the variables' names.
    pub(super) variables: BTreeMap<String, String>,
}

pub(super) fn read(path: &Path) -> Result<Source, SourceError> {
    let text = read_bounded(path, MAX_FILE).map_err(|source| SourceError::Read {
        path: path.to_owned(),
        source,
    })?;
    let table = parse(&text)?;
    Ok(overlay(table, std::env::vars_os())?)
}

pub(super) fn parse(text: &str) -> Result<Table, SourceError> {
    text.parse::<Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        SourceError::Toml {
            line: before.matches('\n').count().saturating_add(1),
            column: line.chars().count().saturating_add(1),
            what: error.message().replace('\n', "; "),
        }
    })
}

/// A text file of at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let read = file
        .take(limit.saturating_add(1))
        .read_to_string(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > limit {
        return Err(std::io::Error::other(format!(
            "is larger than {limit} bytes"
        )));
    }
    Ok(text)
}

/// Numbers, switches and lists as TOML writes them; everything else stays a text.
pub(super) fn typed(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok();
    let value = parsed.and_then(|mut table| table.remove("v"));
    value
        .filter(|value| value.is_bool() || value.is_integer() || value.is_array())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts every variable of ours into the table, as a text; whoever asks for a number gets one.
pub(super) fn overlay(
    mut table: Table,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Source, Mistakes> {
    let mut ours: Vec<_> = variables
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    // Items of arrays come in the order of their numbers: 2 before 10.
    ours.sort_by_cached_key(|(name, _)| {
        let part = |part: &str| match part.parse::<usize>() {
            Ok(number) => format!("{number:06}"),
            Err(_word) => part.to_owned(),
        };
        name.split("__").map(part).collect::<Vec<_>>()
    });
    let (mut seen, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (name, value) in ours {
        let keys = name.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
        let placed = match value.into_string() {
            Ok(value) => place(&mut table, &keys, value),
            Err(_not_text) => Err("is not UTF-8"),
        };
        match placed {
            Ok(key) => {
                seen.insert(key, name);
            }
            Err(why) => mistakes.push(Mistake {
                key: name,
                why: why.to_owned(),
            }),
        }
    }
    if mistakes.is_empty() {
        Ok(Source {
            table,
            variables: seen,
        })
    } else {
        Err(Mistakes(mistakes))
    }
}

/// `server__tls__key_file` nests; a number picks an array's item. Gives the key: `server.tls.key_file`.
fn place(table: &mut Table, keys: &str, value: String) -> Result<String, &'static str> {
    let keys: Vec<&str> = keys.split("__").collect();
    if keys.iter().any(|key| key.is_empty()) {
        return Err("has an empty part between its double underscores");
    }
    let (last, way) = keys.split_last().ok_or("names no key")?;
    let mut here = table;
    let mut exact = String::new();
    let mut parts = way.iter().peekable();
    while let Some(part) = parts.next() {
        exact.push_str(part);
        let next_is_number = parts
            .peek()
            .is_some_and(|next| next.parse::<usize>().is_ok());
        let next = here.entry(*part).or_insert_with(|| {
            if next_is_number {
                Value::Array(Vec::new())
            } else {
                Value::Table(Table::new())
            }
        });
        here = if let Value::Array(items) = next {
            let number = parts.next().and_then(|number| number.parse::<usize>().ok());
            let number = number
                .filter(|number| *number <= items.len() && *number < MAX_ITEMS)
                .ok_or("must name an item by its number, counted from 0, without gaps")?;
            if number == items.len() {
                items.push(Value::Table(Table::new()));
            }
            exact = format!("{exact}[{number}]");
            items.get_mut(number).and_then(Value::as_table_mut)
        } else {
            next.as_table_mut()
        }
        .ok_or("does not lead to a table")?;
        exact.push('.');
    }
    exact.push_str(last);
    here.insert((*last).to_owned(), Value::String(value));
    Ok(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let owned: Vec<(OsString, OsString)> = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        owned.into_iter()
    }

    #[test]
    fn the_environment_lies_on_top() {
        let table = parse("[server]\nlisten = 'a'\n[[idp]]\nname = 'x'").unwrap();
        let source = overlay(
            table,
            variables(&[
                ("SIDEGATE__SERVER__LISTEN", "b"),
                ("SIDEGATE__SERVER__TLS__KEY_FILE", "/k"),
                ("SIDEGATE__IDP__0__CLIENT_SECRET", "123456"),
                ("SIDEGATE__IDP__1__NAME", "y"),
                ("SIDEGATE_CONFIG", "not ours"),
                ("PATH", "not ours"),
            ]),
        )
        .unwrap();
        insta::assert_snapshot!(source.table, @r#"
        [[idp]]
        client_secret = "123456"
        name = "x"

        [[idp]]
        name = "y"

        [server]
        listen = "b"

        [server.tls]
        key_file = "/k"
        "#);
        let keys: Vec<_> = source.variables.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "idp[0].client_secret",
                "idp[1].name",
                "server.listen",
                "server.tls.key_file"
            ]
        );
    }

    #[test]
    fn variables_that_lead_nowhere_are_mistakes() {
        let table = parse("public_url = 'x'\n[[idp]]\nname = 'x'").unwrap();
        let mistakes = overlay(
            table,
            variables(&[
                ("SIDEGATE__IDP__2__NAME", "gap"),
                ("SIDEGATE__IDP__NAME", "no number"),
                ("SIDEGATE__PUBLIC_URL__X", "below a text"),
                ("SIDEGATE____X", "empty part"),
                ("SIDEGATE__", "nothing"),
            ]),
        )
        .unwrap_err();
        insta::assert_snapshot!(mistakes, @r"
        SIDEGATE__: has an empty part between its double underscores
        SIDEGATE____X: has an empty part between its double underscores
        SIDEGATE__IDP__2__NAME: must name an item by its number, counted from 0, without gaps
        SIDEGATE__IDP__NAME: must name an item by its number, counted from 0, without gaps
        SIDEGATE__PUBLIC_URL__X: does not lead to a table
        ");
    }

    #[test]
    fn r41_a_broken_line_is_named_and_not_repeated() {
        let error = parse("a = 1\n[server]\nsecret = \"canary\nb = 2").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("line 3, column "), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn files_are_bounded() {
        let path = Path::new("/dev/zero");
        assert!(read_bounded(path, 1000).is_err());
    }
}
