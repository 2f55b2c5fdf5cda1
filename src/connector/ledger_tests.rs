use std::sync::Arc;

use super::*;
use crate::metrics::Metrics;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn ledger() -> Ledger {
    Ledger::new(Embedded::in_memory(Arc::new(Metrics::new())).unwrap())
}

fn ada() -> Owner {
    Owner::new(Kind::User, &TenantSlug::default(), "ada")
}

fn account(id: &str) -> Link {
    Link {
        app_id: id.to_owned(),
        login: "ada".to_owned(),
        unconfirmed: false,
    }
}

#[tokio::test]
async fn an_account_has_one_owner() {
    let ledger = ledger();
    let group = Owner::new(Kind::Group, &TenantSlug::default(), "ada");
    for (owner, link) in [
        (ada(), account("1")),
        (ada(), account("2")),
        (group.clone(), account("2")),
    ] {
        ledger.write(Ledger::tie(&owner, &link)).await.unwrap();
    }
    assert_eq!(ledger.link(&ada()).await.unwrap(), Some(account("2")));
    assert_eq!(
        ledger.owner(Kind::User, "1").await.unwrap(),
        None,
        "free again"
    );
    assert_eq!(ledger.owner(Kind::User, "2").await.unwrap(), Some(ada()));
    assert_eq!(ledger.owner(Kind::Group, "2").await.unwrap(), Some(group));
    ledger.write(Ledger::untie(&ada())).await.unwrap();
    assert_eq!(ledger.owner(Kind::User, "2").await.unwrap(), None);
    assert_eq!(ledger.links(Kind::User).await.unwrap(), []);
    assert_eq!(ledger.links(Kind::Group).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_begun_lasts_until_it_is_settled() {
    let ledger = ledger();
    let intent = Intent::sync(Some("7".to_owned()), NOW);
    ledger.write(Ledger::intend(&ada(), &intent)).await.unwrap();
    let all = ledger.intents().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        ledger
            .intent(&ada())
            .await
            .unwrap()
            .unwrap()
            .app_id
            .as_deref(),
        Some("7")
    );
    ledger.write(Ledger::settle(&ada())).await.unwrap();
    assert!(ledger.intents().await.unwrap().is_empty());
}

#[tokio::test]
async fn r53_links_of_one_app_are_never_used_for_another() {
    let ledger = ledger();
    ledger.belong("kanboard", "").await.unwrap();
    ledger.belong("redmine", "").await.unwrap();
    ledger
        .write(Ledger::tie(&ada(), &account("1")))
        .await
        .unwrap();
    ledger.belong("redmine", "").await.unwrap();
    let refused = ledger.belong("kanboard", "").await.unwrap_err();
    assert!(matches!(refused, LedgerError::Other { .. }), "{refused}");
    let refused = ledger.belong("kanboard", "miniflux").await;
    assert!(refused.is_err(), "another one may be forgotten");
    assert_eq!(ledger.link(&ada()).await.unwrap(), Some(account("1")));
    ledger.belong("kanboard", "redmine").await.unwrap();
    assert_eq!(ledger.link(&ada()).await.unwrap(), None);
}
