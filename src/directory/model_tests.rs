//! Random changes, and after each of them the same answers as a model that has no index.

use proptest::prelude::*;

use super::model::{FEW, Model, Step};
use super::sample::*;
use super::*;
use crate::identity::{ManagedBy, fold};

async fn compare(directory: &dyn Directory, model: &Model) {
    let text = |user: &User| serde_json::to_string(user).unwrap();
    let all = directory.list_users(&own(), None, 100).await.unwrap();
    let all: Vec<_> = all.iter().map(text).collect();
    let mut want: Vec<_> = model.users.values().collect();
    want.sort_by_key(|user| fold(&user.user_name));
    assert_eq!(all, want.into_iter().map(text).collect::<Vec<_>>());
    let groups = directory.list_groups(&own(), None, 100).await.unwrap();
    assert_eq!(groups.len(), model.groups.len());
    compare_order(directory, model).await;
    let check = directory.check().await.unwrap();
    assert!(check.is_empty(), "{check:?}");
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

async fn compare_order(directory: &dyn Directory, model: &Model) {
    let [users, groups] = &model.order;
    let managed: Vec<_> = users
        .iter()
        .filter(|id| model.users[*id].managed_by == ManagedBy::Scim)
        .collect();
    for index in 0..=usize::from(FEW) {
        let (from, rest) = (PageFrom::Index(index), |len: usize| {
            len.saturating_sub(index)
        });
        let page = directory.page_users(&own(), from, 2).await.unwrap();
        let found: Vec<_> = page.found.iter().map(|it| it.id.to_string()).collect();
        assert!(found.iter().eq(users.iter().skip(index).take(2)));
        assert_eq!(page.total, users.len());
        assert_eq!(page.next.is_some(), rest(users.len()) > 2);
        if let Some(next) = page.next {
            let from = PageFrom::After(next);
            let behind = directory.page_users(&own(), from, 9).await.unwrap();
            let found: Vec<_> = behind.found.iter().map(|it| it.id.to_string()).collect();
            assert!(found.iter().eq(users.iter().skip(index.saturating_add(2))));
        }
        let page = directory.page_managed_users(&own(), from, 2).await.unwrap();
        let found: Vec<_> = page.found.iter().map(|it| it.id.to_string()).collect();
        assert!(found.iter().eq(managed.iter().skip(index).take(2).copied()));
        assert_eq!(page.total, managed.len());
        assert_eq!(page.next.is_some(), rest(managed.len()) > 2);
        let page = directory.page_groups(&own(), from, 2).await.unwrap();
        let found: Vec<_> = page.found.iter().map(|it| it.id.to_string()).collect();
        assert!(found.iter().eq(groups.iter().skip(index).take(2)));
        assert_eq!(page.total, groups.len());
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
    let key = GroupKey::ExternalId(format!("e{number}"));
    let found = directory.find_groups(&own(), &key).await.unwrap();
    let found: Vec<_> = found.iter().map(|it| it.id.as_str()).collect();
    let fits = |it: &&Group| it.external_id.as_deref() == Some(&*format!("e{number}"));
    let want: Vec<_> = model.groups.values().filter(fits).collect();
    assert_eq!(
        found,
        want.iter().map(|it| it.id.as_str()).collect::<Vec<_>>()
    );
    let user = format!("p{number}");
    for group in model.groups.keys() {
        let (group_id, user_id) = (group.as_str().into(), user.as_str().into());
        let is = directory
            .is_member(&own(), &group_id, &user_id)
            .await
            .unwrap();
        let want = model.members.contains(&(group.clone(), user.clone()));
        assert_eq!(is, want, "{user} in {group}");
    }
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
    let external = || prop::option::of(few());
    let put = (few(), few(), external(), emails, any::<bool>());
    prop_oneof![
        4 => put.prop_map(|(person, name, external, emails, managed)| Step::Put {
            person,
            name,
            external,
            emails: emails.into_iter().collect(),
            managed,
        }),
        2 => few().prop_map(Step::Remove),
        1 => few().prop_map(Step::Retire),
        3 => (few(), few()).prop_map(|(subject, person)| Step::Link { subject, person }),
        2 => (few(), few(), external()).prop_map(|(group, name, external)| Step::Group {
            group,
            name,
            external,
        }),
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
