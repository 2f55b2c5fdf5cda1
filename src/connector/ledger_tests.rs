//! Passwords that are kept: with the link, for its row alone, and gone with it.

use std::sync::Arc;

use super::*;
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
async fn what_a_record_may_have_been_made_with_stays_until_it_is_settled() {
    let ledger = ledger();
    let ada = owner("default", "1");
    let sealed = ledger.seal(&ada, &Secret::new("canary")).unwrap();
    let making = Intent {
        password: Some(sealed.clone()),
        ..Intent::sync(None, NOW)
    };
    let found = async || ledger.intent(&ada).await.unwrap();
    ledger.write(Ledger::intend(&ada, &making)).await.unwrap();
    // Noted again by who knows nothing of it.
    let again = Intent::sync(Some("7".to_owned()), NOW);
    ledger.write(Ledger::intend(&ada, &again)).await.unwrap();
    let noted = found().await.unwrap();
    assert_eq!(
        (noted.app_id.as_deref(), noted.password),
        (Some("7"), Some(sealed))
    );
    ledger.write(Ledger::settle(&ada)).await.unwrap();
    ledger.write(Ledger::intend(&ada, &again)).await.unwrap();
    assert_eq!(found().await.unwrap().password, None);
}

#[test]
fn rows_of_before_can_be_read() {
    let old: Link = serde_json::from_str(r#"{"app_id":"ada","login":"ada"}"#).unwrap();
    assert_eq!(old, link("ada", None));
}
