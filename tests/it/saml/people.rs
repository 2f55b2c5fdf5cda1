//! The shapes in which products write assertions, read as people.

use sidegate::config::Attributes;
use sidegate::identity::{ClaimedGroups, IdpName};
use sidegate::saml::{Mapping, UsedAssertions};

use super::data::load;
use super::responses::Run;

#[test]
fn every_product_s_attributes_make_a_person() {
    const TENANT: &str =
        "entra:aaaabbbb-0000-cccc-1111-dddd2222eeee:3f2504e0-4f89-11d3-9a0c-0305e82c3301";
    let (world, cases) = load("response");
    let idp = world.idp.clone();
    let run = Run::new(world);
    let mapping = Mapping {
        idp: IdpName::try_from("one").unwrap(),
        attributes: Attributes::saml(),
    };
    let alice = "alice@example.com";
    let linked = format!("{idp}#{alice}");
    for (name, link, user_name, given_name, groups) in [
        (
            "entra_both_signed",
            Some(TENANT),
            alice,
            Some("Alice"),
            Some(3),
        ),
        (
            "entra_groups_150",
            Some(TENANT),
            alice,
            Some("Alice"),
            Some(150),
        ),
        (
            "entra_group_overage",
            Some(TENANT),
            alice,
            Some("Alice"),
            None,
        ),
        (
            "entra_persistent_nameid",
            Some(TENANT),
            alice,
            Some("Alice"),
            Some(3),
        ),
        (
            "entra_encrypted",
            Some(TENANT),
            alice,
            Some("Alice"),
            Some(3),
        ),
        (
            "adfs_assertion_signed",
            Some(&*linked),
            alice,
            None,
            Some(1),
        ),
        (
            "okta_both_signed",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(2),
        ),
        (
            "keycloak_both_signed",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(2),
        ),
        (
            "google_response_signed",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(2),
        ),
        (
            "ping_assertion_signed",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(2),
        ),
        (
            "simplesamlphp_eptid",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(0),
        ),
        (
            "onelogin_both_signed",
            Some(&*linked),
            alice,
            Some("Alice"),
            Some(2),
        ),
        // Transient, and nothing that names the person for ever.
        ("shibboleth_encrypted_gcm", None, alice, None, None),
    ] {
        let case = cases.iter().find(|case| case.name == name).expect(name);
        let verified = run
            .verify(case, &case.field, &UsedAssertions::default())
            .expect(name);
        let principal = mapping.principal(&verified, run.world.now());
        let Some(link) = link else {
            assert!(principal.is_err(), "{name}");
            continue;
        };
        let principal = principal.expect(name);
        assert_eq!(principal.link_subject, link, "{name}");
        assert_eq!(principal.user_name, user_name, "{name}");
        assert_eq!(principal.email.as_deref(), Some(alice), "{name}");
        assert_eq!(principal.given_name.as_deref(), given_name, "{name}");
        assert!(
            principal.authenticated_at.as_secs() + 20 == run.world.now,
            "{name}"
        );
        let found = match principal.groups {
            ClaimedGroups::Known(all) => Some(all.len()),
            ClaimedGroups::Silent => Some(0),
            ClaimedGroups::TooMany => None,
        };
        assert_eq!(found, groups, "{name}");
    }
}
