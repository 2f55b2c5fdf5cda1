//! What the app holds after a change: some say yes and do nothing.

use std::time::Duration;

use serde_json::Value;

use super::records::{Found, Records};
use super::render::{Attributes, written};
use super::{AppFailure, Connector, map};
use crate::identity::fold;

/// How often, and in what steps, a change is looked for: some answer at once and change a moment later.
const LOOKS: usize = 4;
const MOMENT: Duration = Duration::from_millis(150);

/// A few looks at what was changed, and what was wrong at the last of them.
#[derive(Debug, Default)]
pub(super) struct Looks {
    taken: usize,
    why: Option<String>,
}

impl Looks {
    /// Whether to look once more: at once, then each time a moment later.
    pub(super) async fn go_on(&mut self) -> bool {
        if (1..LOOKS).contains(&self.taken) {
            tokio::time::sleep(MOMENT).await;
        }
        self.taken = self.taken.saturating_add(1);
        self.taken <= LOOKS
    }

    /// Whether all is well; what is not is told in the end.
    pub(super) fn is_well(&mut self, wrong: Option<String>) -> bool {
        self.why = wrong;
        self.why.is_none()
    }

    /// What was wrong to the end.
    pub(super) fn failure(self) -> AppFailure {
        let gone = || "it does not know what it has just changed".to_owned();
        AppFailure::odd(self.why.unwrap_or_else(gone))
    }
}

impl Connector {
    /// Reads back what was changed, as it is then. `was` is what whoever asks took to be there: where it is the same as
    /// what is wanted, nobody asked for a change.
    pub(super) async fn verify(
        &self,
        id: &str,
        before: &Found,
        wanted: &Attributes,
        was: &Attributes,
    ) -> Result<Found, AppFailure> {
        let mut looks = Looks::default();
        while looks.go_on().await {
            let Some(after) = self.user(id).await? else {
                continue;
            };
            let wrong = self
                .wrongly_active(&after, wanted)
                .or_else(|| self.people().unheld(before, &after, wanted, was));
            if looks.is_well(wrong) {
                return Ok(after);
            }
        }
        Err(looks.failure())
    }

    /// What is wrong with `active`: who shall not be active is not, and whoever shall be is.
    pub(super) fn wrongly_active(&self, after: &Found, wanted: &Attributes) -> Option<String> {
        let wanted = wanted.get("active").and_then(Value::as_bool)?;
        if !self.can_deactivate() {
            return None;
        }
        let held = after.attributes.get("active")?;
        match held.as_bool() {
            Some(is) if is == wanted => None,
            Some(is) => Some(format!(
                "it took the change to {}, and says {}",
                word(wanted),
                word(is)
            )),
            None => {
                let field = self.users.kind.field("active");
                let field = field.map(|field| field.name.as_str()).unwrap_or_default();
                Some(format!(
                    "its {field} is {held}, which says neither active nor inactive: the field needs \
                     map = {{ true = …, false = … }}"
                ))
            }
        }
    }
}

impl Records<'_> {
    /// Fields that hold what they held before although another value was sent, or nothing. A third value is the app's own
    /// spelling of it.
    pub(super) fn unheld(
        &self,
        before: &Found,
        after: &Found,
        wanted: &Attributes,
        was: &Attributes,
    ) -> Option<String> {
        let mut sent = self.differences(before, wanted);
        sent.retain(|name, value| name != "active" && was.get(name) != Some(value));
        let wrong = |(name, value): &(&String, &Value)| !self.holds(before, after, name, value);
        let wrong: Vec<_> = sent.iter().filter(wrong).collect();
        let names: Vec<_> = wrong.iter().map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| {
            let names = names.join(", ");
            format!("it took the change, and holds what it held before, or nothing, in {names}")
        })
    }

    fn holds(&self, before: &Found, after: &Found, name: &str, wanted: &Value) -> bool {
        let (old, held) = (before.attributes.get(name), after.attributes.get(name));
        if map::same(self.kind, name, held, wanted) {
            return true;
        }
        let exact = name == self.kind.key;
        if old.is_some_and(|old| alike(old, wanted, exact)) {
            return true;
        }
        if let Some(held) = held {
            return Some(held) != old && !written(held).is_empty();
        }
        // What a record never tells cannot be judged.
        let field = self.kind.field(name);
        let read = field.and_then(|field| field.read.as_ref()?.of(&after.record));
        old.is_none() && read.is_none()
    }
}

/// Whether an app that writes values its own way may make the first of the second: without punctuation, cut short, or
/// a telephone number without its country. Names and addresses are told apart by their case alone.
fn alike(held: &Value, wanted: &Value, exact: bool) -> bool {
    let (held, wanted) = (fold(&written(held)), fold(&written(wanted)));
    if exact || held.contains('@') || wanted.contains('@') {
        return held == wanted;
    }
    let plain = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let (held, wanted) = (plain(&held), plain(&wanted));
    if held == wanted || (held.chars().count() >= 16 && wanted.starts_with(&held)) {
        return true;
    }
    let number = |text: &str| text.len() >= 6 && text.chars().all(|c| c.is_ascii_digit());
    let local = held.trim_start_matches('0');
    number(&held) && number(&wanted) && number(local) && wanted.ends_with(local)
}

const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}
