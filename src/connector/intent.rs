//! What was begun in the app and is not known to be done.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::crypto::Sealed;
use crate::identity::fold;

/// Names of a record that are remembered at most.
const MAX_NAMES: usize = 16;

/// Something begun in the app that is not known to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// A record that shall be made, as it shall be; none: the app is to hold what the directory holds, which may be nothing.
    pub create: Option<Value>,
    /// The app's id of the record that is taken over, once it is known.
    pub app_id: Option<String>,
    /// What the record may be called in the app by now: keys that were asked for, the newest last. Where a name is the
    /// id, it is found by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Ids of groups of ours that somebody was in when they were deleted: an account that stays leaves them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The account was that of somebody who was deleted here: it keeps nothing of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// The password that the record is made with: so that a crash in between does not lose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// When it was begun.
    pub since: Timestamp,
    /// When it was tried last.
    pub tried: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// What was met last.
    pub why: String,
}

impl Intent {
    /// The app is to hold what the directory holds.
    pub const fn sync(since: Timestamp) -> Self {
        Self {
            create: None,
            app_id: None,
            names: Vec::new(),
            groups: Vec::new(),
            anew: false,
            password: None,
            since,
            tried: since,
            attempts: 0,
            why: String::new(),
        }
    }

    /// The same, and what the record is called then.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if !name.is_empty() && !self.names.iter().any(|its| its == name) {
            self.names.push(name.to_owned());
        }
        self
    }

    /// The name of the record that is being made.
    pub fn name(&self) -> Option<&str> {
        let record = self.create.as_ref()?;
        let name = record
            .get("user_name")
            .or_else(|| record.get("display_name"));
        name?.as_str()
    }

    /// Whether the record may be called so, whatever the case.
    pub fn is_called(&self, name: &str) -> bool {
        let names = self.names.iter().map(String::as_str).chain(self.name());
        let name = fold(name);
        names.map(fold).any(|its| its == name)
    }

    /// What was noted before stays true until it is settled: a record may have been made with that password, be that
    /// account, be called so.
    pub(super) fn after(mut self, before: Self) -> Self {
        self.password = self.password.or(before.password);
        self.app_id = self.app_id.or(before.app_id);
        self.anew |= before.anew;
        let more = before.groups.into_iter();
        let more: Vec<_> = more.filter(|id| !self.groups.contains(id)).collect();
        self.groups.extend(more);
        let newest = std::mem::replace(&mut self.names, before.names);
        self.names.retain(|its| !newest.contains(its));
        self.names.extend(newest);
        let many = self.names.len().saturating_sub(MAX_NAMES);
        self.names.drain(..many);
        self
    }
}
