//! The whole life of a throw-away person against the real app: what its API does, and what it cannot.
//!
//! Nothing is changed or removed that is not called by the throw-away name: a file that is wrong must not cost anybody
//! their account.

mod changes;
mod groups;
mod names;
mod reads;

use super::known::{NO_ID, key_of};
use super::render::Attributes;
use super::{AppFailure, Connector, Found, Known, Made};
use crate::identity::fold;
use crate::secret::Secret;
pub use names::ThrowAway;

/// What helps where an app takes e-mail addresses alone, or names of another shape.
const OTHER_NAME: &str = "if it is the name, give another: --as 'sidegate-{random}@example.com'";

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// As it should.
    Ok,
    /// The app, or this connector, cannot do it.
    Cannot(&'static str),
    /// Not as it should.
    Failed(String),
}

/// Steps and how they went, in order.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// What was tried.
    pub steps: Vec<(&'static str, Step)>,
}

/// Who is played.
struct Part {
    /// What they shall be in the app.
    person: Attributes,
    /// The key, with the mark: a login name where that is the key.
    name: String,
    /// Who they are in the app by now.
    known: Known,
}

impl Rehearsal {
    /// Plays every operation through with one new person and one new group, whose names hold `mark`. What it makes
    /// it removes; it stops where the app's record is not the one that was made.
    pub async fn play(connector: &Connector, names: &ThrowAway, mark: &str) -> Self {
        let mut play = Self::default();
        let person = names.person(mark);
        let name = connector.login(&person);
        play.note("list people", connector.users().await.map(drop));
        let nobody = connector.find_user(&format!("nobody-{name}")).await;
        play.expect("find nobody", nobody, Option::is_none, "it finds somebody");
        let Some(known) = play.create(connector, &person, &name).await else {
            return play;
        };
        let mut part = Part {
            person,
            name,
            known,
        };
        let again = names.person(&format!("new-{mark}"));
        if !play.read_back(connector, &part).await {
            return play;
        }
        play.look(connector, &part).await;
        play.change(connector, &part, &again).await;
        play.activity(connector, &part).await;
        play.groups(connector, &part.known, mark).await;
        play.rename(connector, &mut part, &again).await;
        play.delete(connector, &part).await;
        play
    }

    /// Whether nothing failed.
    pub fn is_fine(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|(_, step)| matches!(step, Step::Failed(_)))
    }

    async fn create(
        &mut self,
        connector: &Connector,
        person: &Attributes,
        name: &str,
    ) -> Option<Known> {
        let made = match connector.create_user(person, Some(&password())).await {
            Err(failure) if is_untold(&failure) => {
                let found = connector.find_user(name).await;
                found.and_then(|found| {
                    let id = found.ok_or(failure)?.id;
                    Ok(Made { id, rest: Ok(()) })
                })
            }
            made => made,
        };
        match made {
            Ok(Made { id, rest }) => {
                self.note("create", rest);
                Some(Known::new(id, name))
            }
            Err(failure) => {
                if matches!(failure, AppFailure::Invalid(_)) {
                    self.failed("create", format!("{failure}; {OTHER_NAME}"));
                } else {
                    self.note::<()>("create", Err(failure));
                }
                self.clean_up(connector, name).await;
                None
            }
        }
    }

    /// Somebody may have been made although the answer was wrong: found by the throw-away name, and nobody else.
    async fn clean_up(&mut self, connector: &Connector, name: &str) {
        let removed = match connector.find_user(name).await {
            Ok(Some(found)) => {
                let known = Known::new(found.id, name);
                connector.remove_user(&known).await.map(drop)
            }
            Ok(None) => return,
            Err(failure) => Err(failure),
        };
        self.note("clean up", removed);
    }

    /// Whether this step failed: what depends on it is not tried.
    fn has_failed(&self, name: &str) -> bool {
        let failed = |(its, step): &(&str, Step)| *its == name && matches!(step, Step::Failed(_));
        self.steps.iter().any(failed)
    }

    fn push(&mut self, name: &'static str, step: Step) {
        self.steps.push((name, step));
    }

    fn failed(&mut self, name: &'static str, why: impl Into<String>) {
        self.push(name, Step::Failed(why.into()));
    }

    fn note<T>(&mut self, name: &'static str, done: Result<T, AppFailure>) {
        self.push(
            name,
            match done {
                Ok(_) => Step::Ok,
                Err(AppFailure::Cannot(what)) => Step::Cannot(what),
                Err(failure) => Step::Failed(failure.to_string()),
            },
        );
    }

    fn expect<T>(
        &mut self,
        name: &'static str,
        done: Result<T, AppFailure>,
        wanted: impl Fn(&T) -> bool,
        otherwise: &str,
    ) {
        match done {
            Ok(got) if !wanted(&got) => self.failed(name, otherwise),
            done => self.note(name, done),
        }
    }
}

impl Part {
    /// Whether this is the account that was made.
    fn is(&self, found: Option<&Found>) -> bool {
        found.is_some_and(|found| found.id == self.known.id)
    }

    /// Whether the app's record has the throw-away name.
    fn is_named(&self, connector: &Connector, found: &Found) -> bool {
        let held = key_of(&connector.users.kind, &found.attributes);
        held.is_some_and(|held| fold(&held) == fold(&self.name))
    }
}

/// Whether it was made and only its id is not told: it is looked for by its key.
fn is_untold(failure: &AppFailure) -> bool {
    matches!(failure, AppFailure::Unavailable { why, .. } if why == NO_ID)
}

/// Nobody signs in with it.
fn password() -> Secret {
    Secret::new(super::random_password())
}

#[cfg(test)]
#[path = "../rehearsal_tests.rs"]
mod tests;
