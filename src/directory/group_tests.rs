//! What every directory must do with groups and lists.

use super::sample::*;
use super::*;
use crate::identity::fold;

on_every_backend!(members_are_rows_both_ways, lists_come_in_pages);

#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn members_are_rows_both_ways(make: Make) {
    let directory = make.fresh();
    let (staff, admins) = (group("staff"), group("Admins"));
    let people: Vec<_> = (0..5).map(|n| person(&format!("p{n}"))).collect();
    let mut changes: Vec<_> = people.iter().cloned().map(new).collect();
    changes.extend([
        new_group(staff.clone()),
        new_group(admins.clone()),
        join(&admins, &people[0]),
    ]);
    changes.extend(people.iter().map(|user| join(&staff, user)));
    directory.apply(changes).await.unwrap();
    directory
        .apply(vec![join(&staff, &people[0]), leave(&admins, &people[1])])
        .await
        .unwrap();
    assert_eq!(
        group_names(directory.as_ref(), &people[0]).await,
        ["Admins", "staff"]
    );
    assert_eq!(group_names(directory.as_ref(), &people[1]).await, ["staff"]);
    let mut seen: Vec<UserId> = Vec::new();
    loop {
        let page = directory
            .members(&own(), &staff.id, seen.last(), 2)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page);
    }
    assert_eq!(
        seen,
        people
            .iter()
            .map(|user| user.id.clone())
            .collect::<Vec<_>>()
    );
    let names = ["ADMINS ", "Guests", "staff"].map(str::to_owned);
    let found = directory
        .membership(&own(), &people[0].id, &names)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.unknown, ["Guests"]);
    assert_eq!(found.groups.len(), 2);
    assert!(
        directory
            .membership(&acme(), &people[0].id, &names)
            .await
            .unwrap()
            .is_none()
    );
    let renamed = Group {
        display_name: "root".to_owned(),
        version: 2,
        ..admins.clone()
    };
    let rename = Change::PutGroup(Box::new(renamed), Expected::Version(1));
    directory
        .apply(vec![rename, leave(&staff, &people[0])])
        .await
        .unwrap();
    assert_eq!(group_names(directory.as_ref(), &people[0]).await, ["root"]);
    assert!(
        directory
            .find_group(&own(), "admins")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        directory
            .find_group(&own(), " ROOT")
            .await
            .unwrap()
            .is_some()
    );
    directory
        .apply(vec![Change::RemoveGroup(own(), admins.id.clone())])
        .await
        .unwrap();
    assert!(group_names(directory.as_ref(), &people[0]).await.is_empty());
    assert!(directory.group(&own(), &admins.id).await.unwrap().is_none());
}

async fn lists_come_in_pages(make: Make) {
    let directory = make.fresh();
    let names = ["b", "A", "é", "aa", "a b"];
    let people = names.iter().map(|name| new(person(name)));
    let groups = names.iter().map(|name| new_group(group(name)));
    directory
        .apply(people.chain(groups).collect())
        .await
        .unwrap();
    let elsewhere = User {
        tenant: acme(),
        ..person("c")
    };
    directory.apply(vec![new(elsewhere)]).await.unwrap();
    let mut users: Vec<String> = Vec::new();
    let mut groups: Vec<String> = Vec::new();
    for _ in 0..3 {
        let after = users.last().map(|name| fold(name));
        let page = directory
            .list_users(&own(), after.as_deref(), 2)
            .await
            .unwrap();
        users.extend(page.into_iter().map(|user| user.user_name));
        let after = groups.last().map(|name| fold(name));
        let page = directory
            .list_groups(&own(), after.as_deref(), 2)
            .await
            .unwrap();
        groups.extend(page.into_iter().map(|group| group.display_name));
    }
    assert_eq!(users, ["A", "a b", "aa", "b", "é"]);
    assert_eq!(groups, users);
}
