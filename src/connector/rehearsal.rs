//! The whole life of a throw-away person against the real app: what its API does, and what it cannot.

use super::people::Made;
use super::render::Attributes;
use super::{AppFailure, Connector};
use crate::secret::Secret;

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

impl Rehearsal {
    /// Plays every operation through with one new person and one new group, whose names end with `mark`. What it makes
    /// it removes.
    pub async fn play(connector: &Connector, mark: &str) -> Self {
        let mut play = Self::default();
        let person = person(mark);
        let name = format!("sidegate-{mark}");
        play.note("list people", connector.users().await.map(drop));
        let nobody = connector.find_user(&format!("nobody-{mark}")).await;
        play.expect("find nobody", nobody, Option::is_none, "it finds somebody");
        let made = connector.create_user(&person, Some(&password())).await;
        let id = match made {
            Ok(Made { id, rest }) => {
                play.note("create", rest);
                id
            }
            Err(failure) => {
                play.note::<()>("create", Err(failure));
                return play;
            }
        };
        play.read(connector, &id, &person, &name).await;
        play.change(connector, &id, &person, mark).await;
        play.activity(connector, &id, &person, &name).await;
        play.groups(connector, &id, mark).await;
        play.delete(connector, &id, &person).await;
        play
    }

    /// Whether nothing failed.
    pub fn is_fine(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|(_, step)| matches!(step, Step::Failed(_)))
    }

    fn push(&mut self, name: &'static str, step: Step) {
        self.steps.push((name, step));
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
            Ok(got) if !wanted(&got) => self.push(name, Step::Failed(otherwise.to_owned())),
            done => self.note(name, done),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a list: one entry for each step")]
    async fn read(&mut self, connector: &Connector, id: &str, person: &Attributes, name: &str) {
        let back = connector.user(id).await;
        let differs = |found: &Attributes| {
            let held = connector.user_attributes().filter(|its| *its != "active");
            let differs = held.filter(|its| {
                let (got, wanted) = (found.get(*its), person.get(*its));
                got.is_some()
                    && wanted.is_some()
                    && !super::map::same(
                        &connector.users.kind,
                        its,
                        got,
                        wanted.unwrap_or(&serde_json::Value::Null),
                    )
            });
            differs.map(str::to_owned).collect::<Vec<_>>()
        };
        match back {
            Ok(Some(found)) if differs(&found.attributes).is_empty() => {
                self.push("read back", Step::Ok);
            }
            Ok(Some(found)) => {
                let which = differs(&found.attributes).join(", ");
                self.push(
                    "read back",
                    Step::Failed(format!("it holds something else in {which}")),
                );
            }
            Ok(None) => self.push(
                "read back",
                Step::Failed("it does not know whom it has just made".to_owned()),
            ),
            Err(failure) => self.note::<()>("read back", Err(failure)),
        }
        let again = connector.create_user(person, Some(&password())).await;
        self.push("refuse a second one", match again {
            Ok(Made { id: second, .. }) if second != id => {
                drop(connector.remove_user(&second).await);
                Step::Failed("it made another one of the same name; the look-up before each create prevents that".to_owned())
            }
            Ok(_) => Step::Failed("it took it for done".to_owned()),
            Err(AppFailure::Unavailable { why, .. }) => Step::Failed(format!("a rule in [[errors]] is missing: {why}")),
            Err(_refused) => Step::Ok,
        });
        let same =
            |found: &Option<super::Found>| found.as_ref().is_some_and(|found| found.id == id);
        self.expect(
            "find by name",
            connector.find_user(name).await,
            same,
            "it does not find them",
        );
        let upper = connector.find_user(&name.to_uppercase()).await;
        self.expect(
            "find by name in other letters",
            upper,
            same,
            "it does not find them: two spellings would be two people",
        );
        let email = person
            .get("emails.value")
            .and_then(|it| it.as_str())
            .unwrap_or_default();
        if connector.users.kind.field("emails.value").is_some() {
            let found = connector.find_user_by("emails.value", email).await;
            self.expect("find by e-mail", found, same, "it does not find them");
        } else {
            self.push("find by e-mail", Step::Cannot("hold e-mail addresses"));
        }
    }

    async fn change(&mut self, connector: &Connector, id: &str, person: &Attributes, mark: &str) {
        let kind = &connector.users.kind;
        let wanted = [
            ("name.givenName", "Änni".to_owned()),
            ("displayName", "Änni O'User".to_owned()),
            ("name.formatted", "Änni O'User".to_owned()),
            ("emails.value", format!("new-{mark}@example.com")),
        ];
        let wanted = wanted
            .into_iter()
            .filter(|(name, _)| super::map::is_written(kind, name));
        let wanted: Attributes = wanted
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        if wanted.is_empty() || kind.update.is_none() {
            return self.push("change", Step::Cannot("change names or addresses"));
        }
        let mut all = person.clone();
        all.extend(wanted.clone());
        if let Err(failure) = connector.update_user(id, &all).await {
            return self.note::<()>("change", Err(failure));
        }
        let after = connector.user(id).await;
        let holds = |found: &Option<super::Found>| {
            found.as_ref().is_some_and(|found| {
                wanted.iter().all(|(name, value)| {
                    super::map::same(kind, name, found.attributes.get(name), value)
                })
            })
        };
        self.expect(
            "change",
            after,
            holds,
            "it said done and holds what it held before",
        );
    }

    async fn activity(&mut self, connector: &Connector, id: &str, person: &Attributes, name: &str) {
        if !connector.can_deactivate() {
            return self.push(
                "deactivate",
                Step::Cannot("deactivate: the gate alone keeps people out"),
            );
        }
        let mut off = person.clone();
        off.remove("emails.value");
        off.retain(|key, _| key == connector.user_key() || key == "active");
        let mut on = off.clone();
        off.insert("active".to_owned(), false.into());
        on.insert("active".to_owned(), true.into());
        self.note("deactivate", connector.update_user(id, &off).await);
        self.note("deactivate again", connector.update_user(id, &off).await);
        let same =
            |found: &Option<super::Found>| found.as_ref().is_some_and(|found| found.id == id);
        self.expect(
            "find while inactive",
            connector.find_user(name).await,
            same,
            "it hides who is inactive: ask for all in find",
        );
        let all = connector.users().await;
        let among = |all: &Vec<super::Found>| all.iter().any(|found| found.id == id);
        self.expect(
            "list while inactive",
            all,
            among,
            "it hides who is inactive: ask for all in list",
        );
        self.note("activate", connector.update_user(id, &on).await);
    }

    #[expect(clippy::too_many_lines, reason = "a list: one entry for each step")]
    async fn groups(&mut self, connector: &Connector, user: &str, mark: &str) {
        if !connector.has_groups() {
            return self.push(
                "groups",
                Step::Cannot("keep groups, or they are not mapped"),
            );
        }
        let named =
            |name: String| Attributes::from([(connector.group_key().to_owned(), name.into())]);
        let name = format!("sidegate-{mark}");
        let id = match connector.create_group(&named(name.clone())).await {
            Ok(id) => id,
            Err(failure) => return self.note::<()>("create a group", Err(failure)),
        };
        self.push("create a group", Step::Ok);
        let found = connector.find_group(&name).await;
        self.expect(
            "find a group",
            found,
            |found| found.as_ref().is_some_and(|its| its.id == id),
            "it does not find it",
        );
        if connector.has_members() {
            let one = [user.to_owned()];
            for (step, add, inside) in [
                ("add a member", true, true),
                ("add a member again", true, true),
                ("remove a member", false, false),
                ("remove a member again", false, false),
            ] {
                let (come, go): (&[String], &[String]) =
                    if add { (&one, &[]) } else { (&[], &one) };
                if let Err(failure) = connector.change_members(&id, come, go).await {
                    self.note::<()>(step, Err(failure));
                    continue;
                }
                let members = connector.members(&id).await;
                self.expect(
                    step,
                    members,
                    |members| members.contains(user) == inside,
                    "it said done and the list is as before",
                );
            }
        } else {
            self.push("members", Step::Cannot("tell who is in a group"));
        }
        let groups = connector.groups.as_ref();
        let (renames, deletes) = groups.map_or((false, false), |it| {
            (it.kind.update.is_some(), it.kind.delete.is_some())
        });
        let mut last = id;
        if renames {
            match connector
                .update_group(&last, &named(format!("sidegate-{mark}-new")))
                .await
            {
                Ok(id) => {
                    last = id;
                    self.push("rename a group", Step::Ok);
                }
                Err(failure) => self.note::<()>("rename a group", Err(failure)),
            }
        } else {
            self.push("rename a group", Step::Cannot("rename groups"));
        }
        if deletes {
            self.note("delete a group", connector.remove_group(&last).await);
        } else {
            self.push("delete a group", Step::Cannot("delete groups"));
        }
    }

    async fn delete(&mut self, connector: &Connector, id: &str, person: &Attributes) {
        if connector.users.kind.delete.is_none() {
            return self.push("delete", Step::Cannot("delete people"));
        }
        self.note("delete", connector.remove_user(id).await);
        self.note("delete again", connector.remove_user(id).await);
        if connector.users.kind.soft {
            return self.push(
                "change nobody",
                Step::Cannot("forget people: it only disables them"),
            );
        }
        match connector.update_user(id, person).await {
            Err(AppFailure::Missing) => self.push("change nobody", Step::Ok),
            Ok(_) => self.push(
                "change nobody",
                Step::Failed("it changed somebody who is deleted".to_owned()),
            ),
            Err(failure) => self.note::<()>("change nobody", Err(failure)),
        }
    }
}

fn person(mark: &str) -> Attributes {
    let texts = [
        ("userName", format!("sidegate-{mark}")),
        ("name.givenName", "Pröbe".to_owned()),
        ("name.familyName", "O'User".to_owned()),
        ("name.formatted", "Pröbe O'User".to_owned()),
        ("displayName", "Pröbe O'User".to_owned()),
        ("emails.value", format!("sidegate-{mark}@example.com")),
    ];
    let mut person: Attributes = texts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    person.insert("active".to_owned(), true.into());
    person
}

/// Nobody signs in with it.
fn password() -> Secret {
    Secret::new(super::random_password())
}
