//! Random changes, and after each of them the same answers as a model that has no index.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::sample::*;
use super::*;
use crate::identity::fold;

/// People, groups and subjects that take part: few, so that they meet.
const FEW: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    Put {
        person: u8,
        name: u8,
        external: Option<u8>,
        emails: Vec<u8>,
    },
    Remove(u8),
    Link {
        subject: u8,
        person: u8,
    },
    Group {
        group: u8,
        name: u8,
    },
    RemoveGroup(u8),
    Join(u8, u8),
    Leave(u8, u8),
}

/// What a directory is, in plain maps.
#[derive(Clone, Default)]
struct Model {
    users: BTreeMap<String, User>,
    links: BTreeMap<String, String>,
    groups: BTreeMap<String, Group>,
    members: BTreeSet<(String, String)>,
    tombstones: BTreeMap<String, (Tombstone, BTreeSet<String>)>,
}

impl Model {
    /// Takes the step and gives its change, and whether it may be done; when not, the model is void.
    fn step(&mut self, step: &Step) -> (Change, bool) {
        let person = |number: &u8| format!("p{number}");
        match step {
            Step::Put {
                person,
                name,
                external,
                emails,
            } => self.put(self.user(*person, *name, *external, emails)),
            Step::Remove(number) => self.remove(person(number)),
            Step::Link {
                subject,
                person: number,
            } => self.link(format!("s{subject}"), person(number)),
            Step::Group { group, name } => self.group(*group, *name),
            Step::RemoveGroup(number) => {
                let id = format!("g{number}");
                self.members.retain(|(group, _)| *group != id);
                let change = Change::RemoveGroup(own(), id.as_str().into());
                (change, self.groups.remove(&id).is_some())
            }
            Step::Join(number, user) => {
                let (group, user) = (format!("g{number}"), person(user));
                let known = self.groups.contains_key(&group) && self.users.contains_key(&user);
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
        let before = self.users.get(user.id.as_str());
        let expected = before.map_or(Expected::New, |it| Expected::Version(it.version));
        let change = Change::PutUser(Box::new(user.clone()), expected);
        let name = fold(&user.user_name);
        let same = |it: &User| it.id != user.id && fold(&it.user_name) == name;
        let free = !self.users.values().any(same);
        self.tombstones.retain(|_, (it, _)| {
            it.user_name != name && (it.external_id.is_none() || it.external_id != user.external_id)
        });
        self.users.insert(user.id.to_string(), user);
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
        let links: BTreeSet<_> = theirs.map(|(subject, _)| subject.clone()).collect();
        self.links.retain(|_, user| *user != id);
        self.members.retain(|(_, user)| *user != id);
        self.tombstones.insert(id, (tombstone(&user), links));
        (remove(&user), true)
    }

    fn link(&mut self, subject: String, id: String) -> (Change, bool) {
        let change = Change::AddLink(link(&subject), id.as_str().into());
        let known = self.users.contains_key(&id);
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

    fn group(&mut self, number: u8, name: u8) -> (Change, bool) {
        let id = format!("g{number}");
        let before = self.groups.get(&id).map(|it| it.version);
        let record = Group {
            id: id.as_str().into(),
            version: before.unwrap_or(0).saturating_add(1),
            ..group(&format!("Group {name}"))
        };
        let expected = before.map_or(Expected::New, Expected::Version);
        let change = Change::PutGroup(Box::new(record.clone()), expected);
        let same = |it: &Group| it.id != record.id && it.display_name == record.display_name;
        let free = !self.groups.values().any(same);
        self.groups.insert(id, record);
        (change, free)
    }

    fn user(&self, number: u8, name: u8, external: Option<u8>, emails: &[u8]) -> User {
        let mut user = User {
            id: format!("p{number}").as_str().into(),
            ..person(&format!("Name {name}"))
        };
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

    fn is_buried(&self, key: &UserKey) -> bool {
        self.tombstones.values().any(|(it, _)| match key {
            UserKey::UserName(name) => it.user_name == *name,
            UserKey::ExternalId(id) => it.external_id.as_ref() == Some(id),
            UserKey::Email(_) => false,
        })
    }

    fn find(&self, key: &UserKey) -> Vec<String> {
        let fits = |user: &&User| match key {
            UserKey::UserName(name) => fold(&user.user_name) == *name,
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

async fn compare(directory: &dyn Directory, model: &Model) {
    let text = |user: &User| serde_json::to_string(user).unwrap();
    let all = directory.list_users(&own(), None, 100).await.unwrap();
    let all: Vec<_> = all.iter().map(text).collect();
    let mut want: Vec<_> = model.users.values().collect();
    want.sort_by_key(|user| fold(&user.user_name));
    assert_eq!(all, want.into_iter().map(text).collect::<Vec<_>>());
    let groups = directory.list_groups(&own(), None, 100).await.unwrap();
    assert_eq!(groups.len(), model.groups.len());
    for number in 0..FEW {
        for key in [
            UserKey::UserName(format!("name {number}")),
            UserKey::ExternalId(format!("e{number}")),
            UserKey::Email(format!("a{number}@x.test")),
        ] {
            assert_eq!(
                ids(directory, key.clone()).await,
                model.find(&key),
                "{key:?}"
            );
            let keys = std::slice::from_ref(&key);
            let buried = directory.tombstone(&link("none"), keys).await.unwrap();
            assert_eq!(buried.is_some(), model.is_buried(&key), "{key:?}");
        }
        let subject = format!("s{number}");
        let linked = directory.linked(&link(&subject)).await.unwrap();
        assert_eq!(
            linked.map(|id| id.to_string()).as_ref(),
            model.links.get(&subject)
        );
        let buried = directory.tombstone(&link(&subject), &[]).await.unwrap();
        let want = model
            .tombstones
            .values()
            .any(|(_, links)| links.contains(&subject));
        assert_eq!(buried.is_some(), want, "{subject}");
        compare_members(directory, model, number).await;
    }
}

async fn compare_members(directory: &dyn Directory, model: &Model, number: u8) {
    let group = format!("g{number}");
    let members = directory
        .members(&own(), &group.as_str().into(), None, 100)
        .await
        .unwrap();
    let members: Vec<_> = members
        .into_iter()
        .map(|id| (group.clone(), id.to_string()))
        .collect();
    let want: Vec<_> = model
        .members
        .iter()
        .filter(|(its, _)| *its == group)
        .cloned()
        .collect();
    assert_eq!(members, want);
    let user = format!("p{number}");
    let groups = directory
        .groups_of(&own(), &user.as_str().into())
        .await
        .unwrap();
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|it| (it.id.to_string(), user.clone()))
        .collect();
    groups.sort();
    let want: Vec<_> = model
        .members
        .iter()
        .filter(|(_, its)| *its == user)
        .cloned()
        .collect();
    assert_eq!(groups, want);
}

fn step() -> impl Strategy<Value = Step> {
    let few = || 0..FEW;
    let emails = prop::collection::btree_set(few(), 0..3);
    let put = (few(), few(), prop::option::of(few()), emails);
    prop_oneof![
        4 => put.prop_map(|(person, name, external, emails)| Step::Put {
            person,
            name,
            external,
            emails: emails.into_iter().collect(),
        }),
        2 => few().prop_map(Step::Remove),
        3 => (few(), few()).prop_map(|(subject, person)| Step::Link { subject, person }),
        2 => (few(), few()).prop_map(|(group, name)| Step::Group { group, name }),
        1 => few().prop_map(Step::RemoveGroup),
        3 => (few(), few()).prop_map(|(group, person)| Step::Join(group, person)),
        1 => (few(), few()).prop_map(|(group, person)| Step::Leave(group, person)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn indexes_agree_with_a_model(calls in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = EMBEDDED.fresh();
            let mut model = Model::default();
            for (number, call) in calls.into_iter().enumerate() {
                let mut next = model.clone();
                let mut changes = Vec::new();
                let mut fine = true;
                for step in &call {
                    let (change, may_be) = next.step(step);
                    changes.push(change);
                    fine = may_be;
                    // Behind a refused step nothing counts.
                    if !fine {
                        break;
                    }
                }
                let done = directory.apply(changes).await;
                assert_eq!(done.is_ok(), fine, "{call:?} {done:?}");
                if fine {
                    model = next;
                }
                if number % 8 == 7 {
                    compare(directory.as_ref(), &model).await;
                }
            }
            compare(directory.as_ref(), &model).await;
        });
    }
}
