//! Whose is whose in the app, what is begun, and passwords that are kept.

use std::sync::Arc;

use super::*;
use crate::clock::Timestamp;
use crate::connector::LedgerError;
use crate::crypto::SealKey;
use crate::metrics::Metrics;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn ledger() -> Ledger {
    let store = Embedded::in_memory(Arc::new(Metrics::new())).unwrap();
    Ledger::new(store, SealKey::random())
}

fn owner(tenant: &str, id: &str) -> Owner {
    Owner::new(Kind::User, &TenantSlug::try_from(tenant).unwrap(), id)
}

fn link(app_id: &str, password: Option<Sealed>) -> Link {
    Link {
        app_id: app_id.to_owned(),
        login: app_id.to_owned(),
        unconfirmed: false,
        password,
    }
}

#[tokio::test]
async fn r55_a_password_lasts_with_its_link_and_opens_for_its_row_alone() {
    let ledger = ledger();
    let (ada, secret) = (owner("default", "1"), Secret::new("canary"));
    let sealed = ledger.seal(&ada, &secret).unwrap();
    let tie = Ledger::tie(&ada, &link("ada", Some(sealed)));
    ledger.write(tie).await.unwrap();
    let kept = ledger.link(&ada).await.unwrap().unwrap().password.unwrap();
    assert_eq!(ledger.open(&ada, &kept).unwrap().expose(), "canary");
    let group = Owner {
        kind: Kind::Group,
        ..ada.clone()
    };
    for other in [owner("default", "2"), owner("acme", "1"), group] {
        // As if its row had been put in the place of the other's.
        assert_eq!(ledger.open(&other, &kept).unwrap_err(), SealError::Changed);
    }
    ledger.write(Ledger::untie(&ada)).await.unwrap();
    assert!(ledger.link(&ada).await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_record_may_be_stays_until_it_is_settled() {
    let ledger = ledger();
    let ada = owner("default", "1");
    let sealed = ledger.seal(&ada, &Secret::new("canary")).unwrap();
    let making = Intent {
        password: Some(sealed.clone()),
        ..Intent::sync(NOW).named("ada").named("eve")
    };
    let found = async || ledger.intent(&ada).await.unwrap();
    ledger.write(Ledger::intend(&ada, &making)).await.unwrap();
    // Noted again by who knows nothing of it.
    let again = Intent {
        app_id: Some("7".to_owned()),
        ..Intent::sync(NOW).named("zoe").named("ada")
    };
    ledger.write(Ledger::intend(&ada, &again)).await.unwrap();
    let noted = found().await.unwrap();
    assert_eq!(noted.app_id.as_deref(), Some("7"));
    assert_eq!(noted.names, ["eve", "zoe", "ada"]);
    assert_eq!(noted.password, Some(sealed));
    assert!(noted.is_called("EVE") && !noted.is_called("bob"));
    for number in 0..40 {
        let more = Intent::sync(NOW).named(&format!("name-{number}"));
        ledger.write(Ledger::intend(&ada, &more)).await.unwrap();
    }
    let names = found().await.unwrap().names;
    assert_eq!(names.len(), 16, "no more than these");
    assert_eq!(names[15], "name-39");

    let back = Ledger::put_back(&ada, Some(&again));
    ledger.write(back).await.unwrap();
    let noted = found().await.unwrap();
    assert_eq!(noted.names, ["zoe", "ada"], "as it was before");
    assert_eq!(noted.password, None);
    ledger.write(Ledger::put_back(&ada, None)).await.unwrap();
    assert!(found().await.is_none());
}

#[tokio::test]
async fn r53_what_is_another_s_stays_theirs() {
    let ledger = ledger();
    let (ada, eve) = (owner("acme", "1"), owner("umbrella", "2"));
    for owner in [&ada, &eve] {
        ledger
            .write(Ledger::tie(owner, &link("7", None)))
            .await
            .unwrap();
    }
    assert_eq!(ledger.owner(Kind::User, "7").await.unwrap(), Some(ada));
    assert_eq!(ledger.link(&eve).await.unwrap(), None);
}

#[test]
fn rows_of_before_can_be_read() {
    let old: Link = serde_json::from_str(r#"{"app_id":"ada","login":"ada"}"#).unwrap();
    assert_eq!(old, link("ada", None));
}

#[tokio::test]
async fn an_account_has_one_owner() {
    let ledger = ledger();
    let group = Owner::new(Kind::Group, &TenantSlug::default(), "ada");
    for (owner, link) in [
        (owner("default", "ada"), link("1", None)),
        (owner("default", "ada"), link("2", None)),
        (group.clone(), link("2", None)),
    ] {
        ledger.write(Ledger::tie(&owner, &link)).await.unwrap();
    }
    assert_eq!(
        ledger.link(&owner("default", "ada")).await.unwrap(),
        Some(link("2", None))
    );
    assert_eq!(
        ledger.owner(Kind::User, "1").await.unwrap(),
        None,
        "free again"
    );
    assert_eq!(
        ledger.owner(Kind::User, "2").await.unwrap(),
        Some(owner("default", "ada"))
    );
    assert_eq!(ledger.owner(Kind::Group, "2").await.unwrap(), Some(group));
    ledger
        .write(Ledger::untie(&owner("default", "ada")))
        .await
        .unwrap();
    assert_eq!(ledger.owner(Kind::User, "2").await.unwrap(), None);
    assert_eq!(ledger.links(Kind::User).await.unwrap(), []);
    assert_eq!(ledger.links(Kind::Group).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_begun_lasts_until_it_is_settled() {
    let ledger = ledger();
    let intent = Intent {
        app_id: Some("7".to_owned()),
        ..Intent::sync(NOW)
    };
    ledger
        .write(Ledger::intend(&owner("default", "ada"), &intent))
        .await
        .unwrap();
    let all = ledger.intents().await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        ledger
            .intent(&owner("default", "ada"))
            .await
            .unwrap()
            .unwrap()
            .app_id
            .as_deref(),
        Some("7")
    );
    ledger
        .write(Ledger::settle(&owner("default", "ada")))
        .await
        .unwrap();
    assert!(ledger.intents().await.unwrap().is_empty());
}

#[tokio::test]
async fn r53_links_of_one_app_are_never_used_for_another() {
    let ledger = ledger();
    ledger.belong("kanboard", "").await.unwrap();
    ledger.belong("redmine", "").await.unwrap();
    ledger
        .write(Ledger::tie(&owner("default", "ada"), &link("1", None)))
        .await
        .unwrap();
    ledger.belong("redmine", "").await.unwrap();
    let refused = ledger.belong("kanboard", "").await.unwrap_err();
    assert!(matches!(refused, LedgerError::Other { .. }), "{refused}");
    let refused = ledger.belong("kanboard", "miniflux").await;
    assert!(refused.is_err(), "another one may be forgotten");
    assert_eq!(
        ledger.link(&owner("default", "ada")).await.unwrap(),
        Some(link("1", None))
    );
    ledger.belong("kanboard", "redmine").await.unwrap();
    assert_eq!(ledger.link(&owner("default", "ada")).await.unwrap(), None);
}
