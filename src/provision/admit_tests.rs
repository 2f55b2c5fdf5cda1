//! First sign-ins and later ones, as tables; and which tenant they are for.

use serde_json::json;

use super::world::*;
use super::*;
use crate::config::{Jit, Match};
use crate::directory::Change;
use crate::identity::{IdpName, Link, ManagedBy, Principal};

fn with(jit: Jit, matching: Match) -> Vec<Tenant> {
    let mut tenant = tenant();
    tenant.provisioning.jit = jit;
    tenant.provisioning.matching = matching;
    vec![tenant]
}

#[tokio::test]
async fn a_first_sign_in_makes_the_record_and_the_next_meets_it() {
    let world = World::new(vec![tenant()]).await;
    let admitted = world.admit(&principal("1", "ada")).await.unwrap();
    let user = admitted.user();
    assert_eq!(
        user.attributes["name"],
        json!({"familyName": "Lovelace", "givenName": "Ada"})
    );
    assert_eq!(user.attributes["displayName"], "Ada Lovelace");
    let email = json!([{"value": "ada@corp.test", "type": "work", "primary": true}]);
    assert_eq!(user.attributes["emails"], email);
    assert_eq!((user.managed_by, user.version), (ManagedBy::SignIn, 1));
    let again = world.admit(&principal("1", "ada")).await.unwrap();
    assert_eq!((&again.user().id, again.user().version), (&user.id, 1));
    let token = world.start(&again).await;
    assert!(world.sessions.find(&token, "app.test", NOW).is_some());
    assert_eq!(world.actions().await, ["user.created", "link.created"]);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn r32_r52_only_what_the_setting_names_ties_a_principal_to_a_record() {
    let unverified = principal("1", "ada");
    let no_match = principal("1", "eve");
    // R52: opaque, byte for byte.
    let other_case = Principal {
        external_id: Some("OID-1".to_owned()),
        ..principal("1", "ada")
    };
    for (name, jit, matching, principal, want, count) in [
        (
            "user name",
            Jit::Create,
            Match::UserName,
            principal("1", " ADA "),
            "Ada",
            1,
        ),
        (
            "user name, link",
            Jit::Link,
            Match::UserName,
            principal("1", "ada"),
            "Ada",
            1,
        ),
        (
            "no such name, link",
            Jit::Link,
            Match::UserName,
            no_match.clone(),
            "no record, and jit does not make one",
            1,
        ),
        (
            "no such name, create",
            Jit::Create,
            Match::UserName,
            no_match,
            "eve",
            2,
        ),
        (
            "off",
            Jit::Off,
            Match::UserName,
            unverified.clone(),
            "no record, and jit does not make one",
            1,
        ),
        (
            "external id",
            Jit::Link,
            Match::ExternalId,
            principal("1", "eve"),
            "Ada",
            1,
        ),
        (
            "external id of another case",
            Jit::Link,
            Match::ExternalId,
            other_case,
            "no record, and jit does not make one",
            1,
        ),
        (
            "verified address",
            Jit::Link,
            Match::EmailsWork,
            verified(principal("2", "ada")),
            "Ada",
            1,
        ),
        (
            "unverified address",
            Jit::Link,
            Match::EmailsWork,
            unverified.clone(),
            "no record, and jit does not make one",
            1,
        ),
        (
            "unverified address, create",
            Jit::Create,
            Match::EmailsWork,
            unverified,
            "a record fits but may not be linked: unverified address of another record",
            1,
        ),
        (
            "private address",
            Jit::Link,
            Match::EmailsWork,
            verified(principal("2", "home")),
            "no record, and jit does not make one",
            1,
        ),
        (
            "verified, the name is taken",
            Jit::Create,
            Match::ExternalId,
            verified(principal("2", "ada")),
            "a record fits but may not be linked: user name of another record",
            1,
        ),
    ] {
        let world = World::new(with(jit, matching)).await;
        let mut ada = record("Ada");
        ada.external_id = Some("oid-1".to_owned());
        ada.attributes.insert(
            "emails".to_owned(),
            json!([
                {"value": "Ada@corp.test", "type": "work"},
                {"value": "home@corp.test", "type": "home"}
            ]),
        );
        let ada = world.scim(ada).await;
        let admitted = world.admit(&principal).await;
        assert_eq!(outcome(&admitted), want, "{name}");
        assert_eq!(world.count().await, count, "{name}");
        let links = world.directory.links(&ada.tenant, &ada.id).await.unwrap();
        assert_eq!(links.len(), usize::from(want == "Ada"), "{name}");
        if admitted.is_err() {
            assert!(
                world.actions().await.is_empty(),
                "{name}: nothing is written"
            );
        }
        // SCIM's record stays as SCIM made it.
        assert_eq!(world.read(&ada).await.unwrap().version, 1, "{name}");
    }
}

#[tokio::test]
async fn a_record_that_may_not_be_taken_is_not() {
    for (name, spoil, want) in [
        (
            "local account",
            "local",
            "a record fits but may not be linked: a local account",
        ),
        ("inactive", "inactive", "person is not active"),
        (
            "linked to another",
            "linked",
            "a record fits but may not be linked: linked to somebody else",
        ),
        (
            "two fit",
            "two",
            "a record fits but may not be linked: more than one record",
        ),
        ("fine", "", "ada"),
    ] {
        let world = World::new(with(Jit::Create, Match::ExternalId)).await;
        let mut ada = User {
            external_id: Some("oid-1".to_owned()),
            ..record("ada")
        };
        match spoil {
            "local" => ada.sign_in = SignInMethod::Local,
            "inactive" => ada.active = false,
            _ => {}
        }
        let ada = world.scim(ada).await;
        if spoil == "linked" {
            let link = Link {
                idp: principal("", "").idp,
                subject: "9".to_owned(),
                tenant: ada.tenant.clone(),
            };
            world
                .directory
                .apply(vec![Change::AddLink(link, ada.id.clone())])
                .await
                .unwrap();
        }
        if spoil == "two" {
            world
                .scim(User {
                    external_id: Some("oid-1".to_owned()),
                    ..record("bob")
                })
                .await;
        }
        let before = world.directory.links(&ada.tenant, &ada.id).await.unwrap();
        let admitted = world.admit(&principal("1", "eve")).await;
        assert_eq!(outcome(&admitted), want, "{name}");
        if !spoil.is_empty() {
            let after = world.directory.links(&ada.tenant, &ada.id).await.unwrap();
            assert_eq!(after, before, "{name}");
            assert_eq!(world.read(&ada).await.unwrap().version, 1, "{name}");
        }
    }
}

#[tokio::test]
async fn r26_a_linked_person_enters_only_while_active() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.admit(&principal("1", "ada")).await.unwrap().user;
    let provision = &world.provision;
    let set = |active| provision.set_active(&ada.tenant, &ada.id, active, &ACTOR);
    set(false).await.unwrap();
    assert_eq!(
        outcome(&world.admit(&principal("1", "ada")).await),
        "person is not active"
    );
    assert_eq!(
        world.read(&ada).await.unwrap().version,
        2,
        "nothing is written"
    );
    set(true).await.unwrap();
    assert_eq!(outcome(&world.admit(&principal("1", "ada")).await), "ada");
    let local = SignInMethod::Local;
    provision
        .set_sign_in(&ada.tenant, &ada.id, local, &ACTOR)
        .await
        .unwrap();
    assert_eq!(
        outcome(&world.admit(&principal("1", "ada")).await),
        "person signs in another way"
    );
}

#[tokio::test]
async fn r54_a_link_outlasts_names_and_a_second_subject_is_somebody_else() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.admit(&principal("1", "ada")).await.unwrap().user;
    // The name now belongs to another subject of the same idp.
    let taken = world.admit(&principal("2", "ada")).await;
    assert_eq!(
        outcome(&taken),
        "a record fits but may not be linked: linked to somebody else"
    );
    let renamed = world.admit(&principal("1", "lovelace")).await.unwrap();
    assert_eq!(renamed.user().id, ada.id);
    assert_eq!(renamed.user().user_name, "ada");
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn r32_the_same_name_at_another_idp_is_somebody_else() {
    let of = |idp: &str| Principal {
        idp: IdpName::try_from(idp).unwrap(),
        email_verified: true,
        ..principal("7", "ceo")
    };
    for (matching, want) in [
        (
            Match::UserName,
            "a record fits but may not be linked: another idp's person of the same name",
        ),
        // What is the same everywhere makes one person of two.
        (Match::EmailsWork, "ceo"),
    ] {
        let world = World::new(with(Jit::Create, matching)).await;
        assert_eq!(outcome(&world.admit(&of("one")).await), "ceo");
        assert_eq!(
            outcome(&world.admit(&of("two")).await),
            want,
            "{matching:?}"
        );
        assert_eq!(world.count().await, 1);
    }
}

#[tokio::test]
async fn the_deleted_stay_deleted_until_scim_brings_them_back() {
    for jit in [Jit::Create, Jit::Link, Jit::Off] {
        let world = World::new(with(jit, Match::UserName)).await;
        let ada = world.scim(record("ada")).await;
        world
            .provision
            .delete(&ada.tenant, &ada.id, &ACTOR)
            .await
            .unwrap();
        for subject in ["1", "2"] {
            let refused = world.admit(&principal(subject, "Ada")).await;
            assert_eq!(outcome(&refused), "person was deleted", "{jit:?}");
        }
        assert_eq!(world.count().await, 0);
        world.scim(record("ada")).await;
        let want = if jit == Jit::Off {
            "no record, and jit does not make one"
        } else {
            "ada"
        };
        assert_eq!(
            outcome(&world.admit(&principal("1", "ada")).await),
            want,
            "{jit:?}"
        );
    }
    // Whoever was linked is known by the link, whatever they are called now.
    let world = World::new(vec![tenant()]).await;
    let ada = world.admit(&principal("1", "ada")).await.unwrap().user;
    world
        .provision
        .delete(&ada.tenant, &ada.id, &ACTOR)
        .await
        .unwrap();
    assert_eq!(
        outcome(&world.admit(&principal("1", "eve")).await),
        "person was deleted"
    );
}

#[tokio::test]
async fn two_first_sign_ins_at_once_end_in_one_record() {
    let world = World::new(vec![tenant()]).await;
    let ada = principal("1", "ada");
    let all = tokio::join!(
        world.admit(&ada),
        world.admit(&ada),
        world.admit(&ada),
        world.admit(&ada)
    );
    let all = [all.0, all.1, all.2, all.3];
    let ids: Vec<_> = all.into_iter().map(|done| done.unwrap().user.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(world.count().await, 1);
    assert_eq!(world.actions().await, ["user.created", "link.created"]);
}
