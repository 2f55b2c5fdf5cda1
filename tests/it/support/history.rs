//! Whether the directory and the audit tell the same story.

use std::collections::{BTreeMap, BTreeSet};

use sidegate::audit::{Audit, Entry};
use sidegate::directory::{Directory, PageFrom};
use sidegate::identity::TenantSlug;

/// Everybody of the default tenant whom SCIM manages was made by an entry, and each version of a group has its
/// own. To be asked where SCIM alone changes groups, and nothing was pruned.
pub async fn check_history(directory: &dyn Directory, audit: &Audit) {
    let own = TenantSlug::default();
    let (mut people, mut groups) = (BTreeSet::new(), BTreeMap::<String, u64>::new());
    let mut after = 0;
    loop {
        let lines = audit.lines(after).await.unwrap();
        let Some((last, _)) = lines.last() else { break };
        after = *last;
        for (_, line) in lines {
            let event = serde_json::from_str::<Entry>(&line).unwrap().event;
            let user = event.user.unwrap_or_default();
            match event.action.as_str() {
                "user.created" => assert!(people.insert(user), "made twice"),
                "user.deleted" => assert!(people.remove(&user), "deleted, never made"),
                "group.created" | "group.changed" => {
                    *groups.entry(event.group.unwrap()).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    let all = PageFrom::Index(0);
    let found = directory.page_managed_users(&own, all, usize::MAX).await;
    let found = found.unwrap().found.into_iter();
    let found: BTreeSet<_> = found.map(|user| user.id.to_string()).collect();
    assert_eq!(found, people, "people, and those whom the audit has");
    let found = directory.page_groups(&own, all, usize::MAX).await;
    let found = found.unwrap().found.into_iter();
    let found: BTreeMap<_, _> = found.map(|it| (it.id.to_string(), it.version)).collect();
    assert_eq!(found, groups, "versions of groups, and entries of them");
}
