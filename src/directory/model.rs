//! What a directory is, in plain maps, for tests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::sample::*;
use super::*;
use crate::identity::{ManagedBy, fold};

/// People, groups and subjects that take part: few, so that they meet.
pub(super) const FEW: u8 = 3;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Put {
        person: u8,
        name: u8,
        external: Option<u8>,
        emails: Vec<u8>,
        managed: bool,
    },
    Remove(u8),
    Retire(u8),
    Link {
        subject: u8,
        person: u8,
    },
    Group {
        group: u8,
        name: u8,
        external: Option<u8>,
    },
    RemoveGroup(u8),
    Join(u8, u8),
    Leave(u8, u8),
}

/// What a directory is, in plain maps.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) users: BTreeMap<String, User>,
    pub(super) links: BTreeMap<String, String>,
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) members: BTreeSet<(String, String)>,
    pub(super) tombstones: BTreeMap<String, (Tombstone, BTreeSet<String>)>,
    /// Ids of people and of groups in the order of making.
    pub(super) order: [Vec<String>; 2],
}

impl Model {
    /// Takes the step and gives its change, and whether it may be done; when not, the model is void.
    pub(super) fn step(&mut self, step: &Step) -> (Change, bool) {
        let person = |number: &u8| format!("p{number}");
        match step {
            Step::Put {
                person,
                name,
                external,
                emails,
                managed,
            } => self.put(self.user(*person, *name, *external, emails, *managed)),
            Step::Remove(number) => self.remove(person(number)),
            Step::Retire(number) => self.retire(person(number)),
            Step::Link {
                subject,
                person: number,
            } => self.link(format!("s{subject}"), person(number)),
            Step::Group {
                group,
                name,
                external,
            } => self.group(*group, *name, *external),
            Step::RemoveGroup(number) => {
                let id = format!("g{number}");
                self.members.retain(|(group, _)| *group != id);
                self.order[1].retain(|its| *its != id);
                let change = Change::RemoveGroup(own(), id.as_str().into());
                (change, self.groups.remove(&id).is_some())
            }
            Step::Join(number, user) => {
                let (group, user) = (format!("g{number}"), person(user));
                let retired = |it: &User| it.managed_by == ManagedBy::Retired;
                let person = self.users.get(&user).is_some_and(|it| !retired(it));
                let known = self.groups.contains_key(&group) && person;
                let change = Change::AddMember(own(), group.as_str().into(), user.as_str().into());
                self.members.insert((group, user));
                (change, known)
            }
            Step::Leave(number, user) => {
                let (group, user) = (format!("g{number}"), person(user));
                let change =
                    Change::RemoveMember(own(), group.as_str().into(), user.as_str().into());
                self.members.remove(&(group, user));
                (change, true)
            }
        }
    }

    fn put(&mut self, user: User) -> (Change, bool) {
        let before = self.users.get(user.id.as_str()).cloned();
        let expected = before
            .as_ref()
            .map_or(Expected::New, |it| Expected::Version(it.version));
        let change = Change::PutUser(Box::new(user.clone()), expected);
        let id = user.id.to_string();
        let retired = |it: &User| it.managed_by == ManagedBy::Retired;
        if before.as_ref().is_none_or(retired) {
            self.order[0].push(id.clone());
        }
        if before.as_ref().is_some_and(retired) {
            // They have the links back that nobody else has taken.
            let links = self.tombstones.remove(&id).map(|(_, links)| links);
            for subject in links.unwrap_or_default() {
                self.links.entry(subject).or_insert_with(|| id.clone());
            }
        }
        let name = fold(&user.user_name);
        let had = before.as_ref().filter(|before| !retired(before));
        let new_name = had.is_none_or(|had| fold(&had.user_name) != name);
        let new_id = had.is_none_or(|had| had.external_id != user.external_id);
        let gone = |it: &Tombstone| {
            let same_id = it.external_id.is_some() && it.external_id == user.external_id;
            (new_name && it.user_name == name) || (new_id && same_id)
        };
        let cleared = self.tombstones.extract_if(.., |_, (it, _)| gone(it));
        for (id, _) in cleared.collect::<Vec<_>>() {
            let retired = self
                .users
                .get(&id)
                .is_some_and(|it| it.managed_by == ManagedBy::Retired);
            if retired {
                self.users.remove(&id);
            }
        }
        let same = |it: &User| it.id != user.id && fold(&it.user_name) == name;
        let free = !self.users.values().any(same);
        self.users.insert(id, user);
        (change, free)
    }

    fn remove(&mut self, id: String) -> (Change, bool) {
        let Some(user) = self.users.remove(&id) else {
            let nobody = User {
                id: id.as_str().into(),
                ..person("")
            };
            return (remove(&nobody), false);
        };
        let theirs = self.links.iter().filter(|(_, user)| **user == id);
        let mut links: BTreeSet<_> = theirs.map(|(subject, _)| subject.clone()).collect();
        let earlier = self.tombstones.remove(&id).map(|(_, links)| links);
        links.extend(earlier.unwrap_or_default());
        self.links.retain(|_, user| *user != id);
        self.members.retain(|(_, user)| *user != id);
        self.order[0].retain(|its| *its != id);
        self.tombstones.insert(id, (tombstone(&user), links));
        (remove(&user), true)
    }

    fn retire(&mut self, id: String) -> (Change, bool) {
        let before = self.users.get(&id).cloned();
        let (_, known) = self.remove(id.clone());
        let mut user = before.unwrap_or_else(|| User {
            id: id.as_str().into(),
            ..person("")
        });
        let expected = Expected::Version(user.version);
        user.version = user.version.saturating_add(1);
        user.active = false;
        user.managed_by = ManagedBy::Retired;
        let stone = tombstone(&user);
        self.users.insert(id, user.clone());
        let change = Change::RetireUser(Box::new(user), expected, stone);
        (change, known)
    }

    fn link(&mut self, subject: String, id: String) -> (Change, bool) {
        let change = Change::AddLink(link(&subject), id.as_str().into());
        let known = self
            .users
            .get(&id)
            .is_some_and(|it| it.managed_by != ManagedBy::Retired);
        let buried = self
            .tombstones
            .values()
            .any(|(_, links)| links.contains(&subject));
        let fits = match self.links.get(&subject) {
            Some(holder) => *holder == id,
            None => !buried && self.links.values().all(|its| *its != id),
        };
        self.links.insert(subject, id);
        (change, known && fits)
    }

    fn group(&mut self, number: u8, name: u8, external: Option<u8>) -> (Change, bool) {
        let id = format!("g{number}");
        let before = self.groups.get(&id).map(|it| it.version);
        let record = Group {
            id: id.as_str().into(),
            version: before.unwrap_or(0).saturating_add(1),
            external_id: external.map(|number| format!("e{number}")),
            ..group(&format!("Group {name}"))
        };
        let expected = before.map_or(Expected::New, Expected::Version);
        let change = Change::PutGroup(Box::new(record.clone()), expected);
        let same = |it: &Group| it.id != record.id && it.display_name == record.display_name;
        let free = !self.groups.values().any(same);
        if before.is_none() {
            self.order[1].push(id.clone());
        }
        self.groups.insert(id, record);
        (change, free)
    }

    fn user(
        &self,
        number: u8,
        name: u8,
        external: Option<u8>,
        emails: &[u8],
        managed: bool,
    ) -> User {
        let mut user = User {
            id: format!("p{number}").as_str().into(),
            ..person(&format!("Name {name}"))
        };
        if !managed {
            user.managed_by = ManagedBy::Operator;
        }
        user.external_id = external.map(|number| format!("e{number}"));
        let emails = emails
            .iter()
            .map(|n| json!({ "value": format!("A{n}@x.test") }));
        user.attributes
            .insert("emails".to_owned(), emails.collect::<Vec<_>>().into());
        let before = self.users.get(user.id.as_str()).map_or(0, |it| it.version);
        user.version = before.saturating_add(1);
        user
    }

    pub(super) fn is_buried(&self, key: &UserKey) -> bool {
        self.tombstones.values().any(|(it, _)| match key {
            UserKey::UserName(name) => it.user_name == *name,
            UserKey::ExternalId(id) => it.external_id.as_ref() == Some(id),
            UserKey::Email(_) => false,
        })
    }

    pub(super) fn find(&self, key: &UserKey) -> Vec<String> {
        let retired = |user: &User| user.managed_by == ManagedBy::Retired;
        let fits = |user: &&User| match key {
            UserKey::UserName(name) => fold(&user.user_name) == *name,
            _ if retired(user) => false,
            UserKey::ExternalId(id) => user.external_id.as_ref() == Some(id),
            UserKey::Email(address) => {
                let emails = user.attributes.get("emails").and_then(|it| it.as_array());
                let same = |email: &serde_json::Value| email["value"].as_str().map(fold);
                emails
                    .is_some_and(|it| it.iter().any(|email| same(email).as_ref() == Some(address)))
            }
        };
        let found = self.users.values().filter(fits);
        found.map(|user| user.id.to_string()).collect()
    }
}
