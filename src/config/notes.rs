//! What reading found out besides the values: mistakes, keys that exist, files, variables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::mistake::{Mistake, nearest};

/// A key that somebody wrote and nobody asked for.
#[derive(Debug)]
pub(super) struct Unknown {
    /// The section as shown to people.
    pub(super) path: String,
    /// The key.
    pub(super) key: String,
    /// The whole key as the environment names it.
    pub(super) exact: String,
    /// What the section knows.
    pub(super) known: Vec<&'static str>,
}

/// What reading found out besides the values.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// In the order of reading.
    pub(super) mistakes: Vec<Mistake>,
    /// Told last, because a key of another section may have been meant.
    pub(super) unknown: Vec<Unknown>,
    /// Every key that was asked for, with its default as it would be written; array items as `[]`.
    pub(super) asked: Vec<(String, Option<String>)>,
    /// Files that the settings name.
    pub(super) files: Vec<PathBuf>,
    /// Keys that came from the environment, and the variables' names.
    pub(super) variables: BTreeMap<String, String>,
}

impl Notes {
    /// All mistakes, now that all keys are known.
    pub(super) fn all_mistakes(&self) -> Vec<Mistake> {
        let unknown = self.unknown.iter().map(|unknown| self.explain(unknown));
        self.mistakes.iter().cloned().chain(unknown).collect()
    }

    fn explain(&self, unknown: &Unknown) -> Mistake {
        let Unknown {
            path,
            key,
            exact,
            known,
        } = unknown;
        let near = nearest(key, known.iter().copied()).map(|near| join(path, near));
        // A key of another section, as when a line stands below the wrong [header].
        let elsewhere = || {
            let last = |name: &'_ str| name.rsplit('.').next().unwrap_or_default().to_owned();
            let names = self.asked.iter().map(|(name, _)| (last(name), name));
            let names: Vec<_> = names.collect();
            let meant = nearest(key, names.iter().map(|(last, _)| last.as_str()))?;
            let (_, name) = names.iter().find(|(last, _)| last == meant)?;
            Some(name.replace("[]", ""))
        };
        let meant = near.or_else(elsewhere);
        let why = "is not a key that exists here";
        Mistake {
            key: match self.variables.get(exact) {
                Some(variable) => variable.clone(),
                None => join(path, key),
            },
            why: match meant {
                Some(meant) => format!("{why}; did you mean {meant}?"),
                None => why.to_owned(),
            },
        }
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
