//! What every directory must do with the order of making.

use super::sample::*;
use super::*;
use crate::identity::ManagedBy;

on_every_backend!(
    pages_follow_the_order_of_making,
    a_list_under_changes_misses_and_repeats_nobody,
    the_retired_are_found_by_name_and_id_alone,
    answers_for_a_page_come_in_one_read,
);

fn number(page: &Page<User>) -> Vec<usize> {
    let number = |user: &User| user.user_name.trim_start_matches('p').parse().unwrap();
    page.found.iter().map(number).collect()
}

/// More people than two buckets hold, some of them gone again.
async fn pages_follow_the_order_of_making(make: Make) {
    let directory = make.fresh();
    let managed_by = |n: usize| {
        if n.is_multiple_of(3) {
            ManagedBy::Operator
        } else {
            ManagedBy::Scim
        }
    };
    let people: Vec<_> = (0..2500)
        .map(|n| User {
            managed_by: managed_by(n),
            ..person(&format!("p{n}"))
        })
        .collect();
    let elsewhere = User {
        tenant: acme(),
        ..person("p0")
    };
    let changes = people.iter().cloned().chain([elsewhere]).map(new);
    directory.apply(changes.collect()).await.unwrap();
    // The whole second bucket and some of the first.
    let goes = |n: usize| (1024..2048).contains(&n) || n.is_multiple_of(7);
    let gone = people.iter().enumerate().filter(|(n, _)| goes(*n));
    let gone: Vec<_> = gone.map(|(_, user)| remove(user)).collect();
    directory.apply(gone).await.unwrap();
    let all: Vec<_> = (0..2500).filter(|n| !goes(*n)).collect();
    let managed: Vec<_> = all
        .iter()
        .copied()
        .filter(|n| !n.is_multiple_of(3))
        .collect();
    for index in [0, 1, 500, 876, 877, 878, 1000, 1263, 1264, 1265, 5000] {
        for limit in [0, 1, 3, 2000] {
            let from = PageFrom::Index(index);
            for (want, page) in [
                (&all, directory.page_users(&own(), from, limit).await),
                (
                    &managed,
                    directory.page_managed_users(&own(), from, limit).await,
                ),
            ] {
                let page = page.unwrap();
                let slice: Vec<_> = want.iter().copied().skip(index).take(limit).collect();
                assert_eq!(number(&page), slice, "{index} {limit}");
                assert_eq!(page.total, want.len());
                let more = limit > 0 && index.saturating_add(limit) < want.len();
                assert_eq!(page.next.is_some(), more, "{index} {limit}");
            }
        }
    }
    assert_eq!(directory.check().await.unwrap(), Vec::<String>::new());
}

async fn a_list_under_changes_misses_and_repeats_nobody(make: Make) {
    let directory = make.fresh();
    let people: Vec<_> = (0..30).map(|n| person(&format!("p{n}"))).collect();
    directory
        .apply(people.iter().cloned().map(new).collect())
        .await
        .unwrap();
    let mut seen = Vec::new();
    let mut from = PageFrom::Index(0);
    for (round, seen_one) in people.iter().enumerate() {
        let page = directory.page_users(&own(), from, 7).await.unwrap();
        seen.extend(number(&page));
        // One who was seen goes, one comes, while somebody reads.
        let comes = person(&format!("p{}", round.saturating_add(30)));
        let changes = vec![remove(seen_one), new(comes)];
        directory.apply(changes).await.unwrap();
        match page.next {
            Some(next) => from = PageFrom::After(next),
            None => break,
        }
    }
    assert_eq!(seen, (0..35).take(seen.len()).collect::<Vec<_>>());
    assert!(seen.len() >= 34, "{seen:?}");
}

#[expect(clippy::too_many_lines, reason = "one story")]
async fn the_retired_are_found_by_name_and_id_alone(make: Make) {
    let directory = make.fresh();
    let ada = User {
        external_id: Some("e".to_owned()),
        ..person("ada")
    };
    let staff = group("staff");
    let changes = vec![
        new(ada.clone()),
        new_group(staff.clone()),
        join(&staff, &ada),
        Change::AddLink(link("1"), ada.id.clone()),
    ];
    directory.apply(changes).await.unwrap();
    let retired = User {
        managed_by: ManagedBy::Retired,
        active: false,
        version: 2,
        ..ada.clone()
    };
    let retire = Change::RetireUser(
        Box::new(retired.clone()),
        Expected::Version(1),
        tombstone(&ada),
    );
    directory.apply(vec![retire]).await.unwrap();
    let by_name = UserKey::UserName("ada".to_owned());
    let by_id = UserKey::ExternalId("e".to_owned());
    let directory = directory.as_ref();
    assert_eq!(ids(directory, by_name.clone()).await, ["id-ada"]);
    assert!(ids(directory, by_id.clone()).await.is_empty());
    assert!(group_names(directory, &ada).await.is_empty());
    assert_eq!(directory.linked(&link("1")).await.unwrap(), None);
    let page = directory.page_users(&own(), PageFrom::Index(0), 9).await;
    assert_eq!(page.unwrap().total, 0);
    // A sign-in does not make them again, by whatever they are known.
    for key in [by_name.clone(), by_id] {
        let found = directory.tombstone(&link("9"), &[key]).await.unwrap();
        assert!(found.is_some());
    }
    let again = User {
        managed_by: ManagedBy::SignIn,
        id: "again".into(),
        ..person("ADA")
    };
    let refused = directory.apply(vec![new(again.clone())]).await;
    assert!(
        matches!(refused, Err(DirectoryError::Deleted)),
        "{refused:?}"
    );
    for change in [
        join(&staff, &ada),
        Change::AddLink(link("2"), ada.id.clone()),
    ] {
        let refused = directory.apply(vec![change]).await;
        assert!(
            matches!(refused, Err(DirectoryError::Missing)),
            "{refused:?}"
        );
    }
    // Brought back, with the link; then retired again, and the name given to somebody else.
    let back = User {
        managed_by: ManagedBy::Operator,
        version: 3,
        ..ada.clone()
    };
    let put = Change::PutUser(Box::new(back), Expected::Version(2));
    directory.apply(vec![put]).await.unwrap();
    assert_eq!(
        directory.linked(&link("1")).await.unwrap(),
        Some(ada.id.clone())
    );
    let retired = User {
        version: 4,
        ..retired
    };
    let retire = Change::RetireUser(Box::new(retired), Expected::Version(3), tombstone(&ada));
    let other = User {
        managed_by: ManagedBy::Scim,
        ..again
    };
    directory.apply(vec![retire, new(other)]).await.unwrap();
    assert_eq!(ids(directory, by_name).await, ["again"]);
    assert!(directory.user(&own(), &ada.id).await.unwrap().is_none());
    assert!(
        directory
            .tombstone(&link("1"), &[])
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(directory.check().await.unwrap(), Vec::<String>::new());
}

async fn answers_for_a_page_come_in_one_read(make: Make) {
    let directory = make.fresh();
    let people: Vec<_> = (0..4).map(|n| person(&format!("p{n}"))).collect();
    let (staff, admins) = (group("staff"), group("Admins"));
    let mut changes: Vec<_> = people.iter().cloned().map(new).collect();
    changes.extend([new_group(staff.clone()), new_group(admins.clone())]);
    changes.extend(people.iter().take(3).map(|user| join(&staff, user)));
    changes.push(join(&admins, &people[1]));
    directory.apply(changes).await.unwrap();
    let of = |numbers: &[usize]| -> Vec<UserId> {
        numbers.iter().map(|n| people[*n].id.clone()).collect()
    };
    let groups = directory
        .groups_of_all(&own(), &of(&[1, 3, 0]))
        .await
        .unwrap();
    let names: Vec<Vec<_>> = groups
        .iter()
        .map(|groups| groups.iter().map(|it| it.display_name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["Admins", "staff"], vec![], vec!["staff"]]);
    let mut asked = of(&[2, 0]);
    asked.insert(1, "nobody".into());
    let users = directory.users_by_id(&own(), &asked).await.unwrap();
    let users: Vec<_> = users.into_iter().map(|user| user.id).collect();
    assert_eq!(users, of(&[2, 0]));
    let groups = [admins.id, "none".into(), staff.id];
    let members = directory.members_of_all(&own(), &groups, 2).await.unwrap();
    assert_eq!(members, [of(&[1]), vec![], of(&[0, 1])]);
}
