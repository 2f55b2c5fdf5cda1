//! Changing: names and addresses, whether somebody is active, the login name, and the end.

use super::{Part, Rehearsal, Step};
use crate::connector::holds::Looks;
use crate::connector::people::is_on;
use crate::connector::render::Attributes;
use crate::connector::{AppFailure, Connector, Found, map};

impl Rehearsal {
    pub(super) async fn change(&mut self, connector: &Connector, part: &Part, again: &Attributes) {
        let kind = &connector.users.kind;
        let wanted = [
            ("name.givenName", "Änni".into()),
            ("displayName", "Änni O'User".into()),
            ("name.formatted", "Änni O'User".into()),
            (
                "emails.value",
                again.get("emails.value").cloned().unwrap_or_default(),
            ),
        ];
        let wanted = wanted
            .into_iter()
            .filter(|(name, _)| map::is_written(kind, name) && *name != kind.key);
        let wanted: Attributes = wanted
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if wanted.is_empty() || kind.update.is_none() {
            return self.push("change", Step::Cannot("change names or addresses"));
        }
        let mut all = part.person.clone();
        all.extend(wanted.clone());
        let changed = connector.update_user(&part.known, &all, &part.person).await;
        if let Err(failure) = changed {
            return self.note::<()>("change", Err(failure));
        }
        let after = connector.user(&part.known.id).await;
        let holds = |found: &Option<Found>| {
            found.as_ref().is_some_and(|found| {
                wanted
                    .iter()
                    .all(|(name, value)| map::same(kind, name, found.attributes.get(name), value))
            })
        };
        self.expect(
            "change",
            after,
            holds,
            "it said done and holds something else",
        );
    }

    pub(super) async fn activity(&mut self, connector: &Connector, part: &Part) {
        if !connector.can_deactivate() {
            return self.push(
                "deactivate",
                Step::Cannot("deactivate: the gate alone keeps people out"),
            );
        }
        let mut off = part.person.clone();
        off.retain(|key, _| key == connector.user_key() || key == "active");
        let mut on = off.clone();
        off.insert("active".to_owned(), false.into());
        on.insert("active".to_owned(), true.into());
        for step in ["deactivate", "deactivate again"] {
            let done = connector.update_user(&part.known, &off, &off).await;
            self.note(step, done);
            if self.has_failed(step) {
                return;
            }
        }
        self.expect(
            "find while inactive",
            connector.find_user(&part.name).await,
            |found| part.is(found.as_ref()),
            "it hides who is inactive: ask for all in find",
        );
        self.expect(
            "list while inactive",
            connector.users().await,
            |all| all.iter().any(|found| part.is(Some(found))),
            "it hides who is inactive: ask for all in list",
        );
        let done = connector.update_user(&part.known, &on, &on).await;
        self.note("activate", done);
    }

    /// Another login name: found by it, and by the old one no more.
    pub(super) async fn rename(
        &mut self,
        connector: &Connector,
        part: &mut Part,
        again: &Attributes,
    ) {
        let kind = &connector.users.kind;
        if !connector.renames_users() || kind.update.is_none() || kind.key != "userName" {
            return self.push("rename", Step::Cannot("rename people"));
        }
        let name = connector.login(again);
        let key = kind.key.as_str();
        let of = |name: &str| Attributes::from([(key.to_owned(), name.into())]);
        let (wanted, was) = (of(&name), of(&part.name));
        match connector.update_user(&part.known, &wanted, &was).await {
            Ok(known) => part.known = known,
            Err(failure) => {
                part.known = part.known.clone().or([name]);
                return self.note::<()>("rename", Err(failure));
            }
        }
        let before = std::mem::replace(&mut part.name, name);
        part.person.extend(wanted);
        let left = connector.find_user(&before).await;
        match left {
            Ok(None) => {
                let found = connector.find_user(&part.name).await;
                let is = |found: &Option<Found>| part.is(found.as_ref());
                self.expect("rename", found, is, "it does not find them by the new name");
            }
            left => self.expect(
                "rename",
                left,
                Option::is_none,
                "it still finds them by the name before",
            ),
        }
    }

    pub(super) async fn delete(&mut self, connector: &Connector, part: &Part) {
        if connector.users.kind.delete.is_none() {
            return self.push("delete", Step::Cannot("delete people"));
        }
        for step in ["delete", "delete again"] {
            let gone = match connector.remove_user(&part.known).await {
                Ok(_) => is_gone(connector, part).await,
                Err(failure) => Err(failure),
            };
            let still = "it says deleted, and still has them by their name: look at id and delete";
            self.expect(step, gone, |gone| *gone, still);
            if self.has_failed(step) {
                return;
            }
        }
        if connector.users.kind.soft {
            return self.push(
                "change nobody",
                Step::Cannot("forget people: it only disables them"),
            );
        }
        let changed = connector.update_user(&part.known, &part.person, &part.person);
        match changed.await {
            Err(AppFailure::Missing) => self.push("change nobody", Step::Ok),
            Ok(_) => self.failed("change nobody", "it changed somebody who is deleted"),
            Err(failure) => self.note::<()>("change nobody", Err(failure)),
        }
    }
}

/// Whether nobody is found by the key any more: by a wrong id they would seem to be gone.
async fn is_gone(connector: &Connector, part: &Part) -> Result<bool, AppFailure> {
    let soft = connector.users.kind.soft;
    let mut looks = Looks::default();
    while looks.go_on().await {
        match connector.find_user(&part.name).await? {
            Some(left) if !soft || is_on(&left.attributes) => {}
            Some(_) | None => return Ok(true),
        }
    }
    Ok(false)
}
