//! Whose a record of the app is. An id alone does not say it for ever: apps give the number of who was deleted to the next
//! one, are restored from an older copy, and answer a create with a record that was there.

use super::AppFailure;
use super::ledger::Link;
use super::records::{Found, Records};
use super::render::{Attributes, written};
use crate::config::Kind;
use crate::identity::fold;

/// Of an answer to a create.
pub(super) const NO_ID: &str = "it says nothing of the new id";

/// A record of the app as far as we know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What the app calls it.
    pub id: String,
    /// Its key there as we heard it last; behind it what changes without an answer would have made of it.
    names: Vec<String>,
}

impl Known {
    /// By the app's id and its key there.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            names: vec![name.into()],
        }
    }

    /// It may have one of these keys, too.
    #[must_use]
    pub fn or(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names);
        self
    }

    /// Its key in the app as we heard it last.
    pub fn name(&self) -> &str {
        self.names.first().map(String::as_str).unwrap_or_default()
    }

    /// Refuses a record that is called neither as we know it nor as it is wanted. What an app does not tell cannot be
    /// compared.
    pub(super) fn check(
        &self,
        kind: &Kind,
        found: &Found,
        wanted: Option<&str>,
    ) -> Result<(), AppFailure> {
        let Some(held) = key_of(kind, &found.attributes) else {
            return Ok(());
        };
        let known = self.names.iter().map(String::as_str).chain(wanted);
        if known.into_iter().any(|name| fold(name) == fold(&held)) {
            return Ok(());
        }
        let (what, id, name) = (word(kind), &found.id, self.name());
        Err(AppFailure::Another(format!(
            "the {what} with id {id:?} is called {held:?} there, not {name:?}"
        )))
    }
}

impl From<&Link> for Known {
    fn from(link: &Link) -> Self {
        Self::new(link.app_id.as_str(), link.login.as_str())
    }
}

impl Records<'_> {
    /// The record that a create has told the id of: it must hold the wanted key, or else it is somebody's who was there.
    pub(super) async fn made(&self, id: &str, wanted: &Attributes) -> Result<Found, AppFailure> {
        let made = self.get(id).await.map_err(AppFailure::perhaps)?;
        let unknown = || AppFailure::odd("it does not know whom it has just made");
        let made = made.ok_or_else(unknown)?;
        let name = key_of(self.kind, wanted).unwrap_or_default();
        let held = match key_of(self.kind, &made.attributes) {
            Some(held) => held,
            // Told by the list, or by a search, and not by the record itself.
            None => match self.find(&self.kind.key, &name).await {
                Ok(Some(found)) if fold(&found.id) == fold(&made.id) => name.clone(),
                Ok(_) => String::new(),
                Err(failure) => return Err(failure.perhaps()),
            },
        };
        if !name.is_empty() && fold(&held) == fold(&name) {
            return Ok(made);
        }
        let (what, key) = (word(self.kind), &self.kind.key);
        Err(AppFailure::odd(format!(
            "asked to make the {what} {name:?}, it answers with id {id:?}, whose {key} is {held:?}; nothing is done to that one"
        )))
    }
}

/// The attribute by which two records are the same one.
pub(super) fn key_of(kind: &Kind, attributes: &Attributes) -> Option<String> {
    attributes.get(&kind.key).map(written)
}

fn word(kind: &Kind) -> &'static str {
    if kind.name == "groups" {
        "group"
    } else {
        "account"
    }
}
