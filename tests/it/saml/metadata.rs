//! Every metadata document of the data file: what products publish is read, and nothing comes of the rest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sidegate::clock::Timestamp;
use sidegate::saml::{Check, IdpMetadata, Origin, Refusal};

use super::data::{Verdict, World, load};

fn read(world: &World, field: &str, entity_id: Option<&str>) -> Result<IdpMetadata, Refusal> {
    let origin = Origin {
        entity_id,
        signed_by: &[],
    };
    IdpMetadata::read(&STANDARD.decode(field).unwrap(), &origin, world.now())
}

#[test]
fn r21_r49_what_products_publish_is_read_and_nothing_else() {
    let (world, cases) = load("metadata");
    let mut wrong = Vec::new();
    for case in &cases {
        // With a name, the one meant is found among two.
        let named = Some(world.idp.as_str()).filter(|_| case.name != "two_entities");
        match (case.verdict, read(&world, &case.field, named)) {
            (Verdict::Accept, Ok(metadata)) => {
                let ours = metadata
                    .sign_in
                    .redirect
                    .map(|its| its.location.to_string());
                assert_eq!(metadata.entity_id, world.idp, "{}", case.name);
                assert_eq!(
                    ours.as_deref(),
                    Some("https://idp.example.com/sso"),
                    "{}",
                    case.name
                );
            }
            (Verdict::Reject, Err(_)) => {}
            (_, read) => wrong.push(format!("{} ({}): {read:?}", case.name, case.why)),
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_is_read_is_what_stands_there() {
    let (world, cases) = load("metadata");
    let read = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).expect(name);
        read(&world, &case.field, Some(&world.idp)).expect(name)
    };
    let held = |metadata: &IdpMetadata| {
        let names = ["idp1", "idp2", "idpec", "idpexp", "idpenc"];
        let holds = |name: &&str| {
            let wanted = world.certificate(name).fingerprint();
            metadata
                .certificates
                .iter()
                .any(|its| its.fingerprint() == wanted)
        };
        names
            .into_iter()
            .filter(holds)
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (name, want) in [
        ("entra", "idp1 idp2 idpec idpexp"),
        ("no_use_attribute", "idp1 idp2 idpec"),
        ("mixed_use", "idp1 idp2 idpec"),
        ("two_certs_one_x509data", "idp1 idp2"),
        ("multi_x509data", "idp1 idp2 idpec idpexp"),
        ("adfs", "idp1 idp2 idpec idpexp"),
    ] {
        assert_eq!(held(&read(name)), want, "{name}");
    }
    assert!(read("two_entities").sign_out.redirect.is_some());
    let google = read("google");
    assert_eq!(
        google.valid_until,
        Some(Timestamp::from_secs(world.now + 5 * 365 * 86_400))
    );
    assert!(google.sign_out.redirect.is_none());
    let hours = |name: &str| read(name).keep_for.map(|its| its.as_secs() / 3600);
    assert_eq!(hours("cacheduration_entity"), Some(6));
    assert_eq!(hours("cacheduration_role"), Some(24));
    assert_eq!(hours("plain"), None);
    assert!(read("keycloak").wants_signed_requests);
    assert!(!read("okta").wants_signed_requests);
}

#[test]
fn r49_only_a_pinned_certificate_signs_metadata() {
    let (world, cases) = load("metadata");
    let document = |name: &str| {
        let case = cases.iter().find(|case| case.name == name).expect(name);
        STANDARD.decode(&case.field).unwrap()
    };
    let tampered = |name: &str| {
        let text = String::from_utf8(document(name)).unwrap();
        text.replace("https://idp.example.com/sso", "https://idp.evil.test/sso")
            .into_bytes()
    };
    for (what, bytes, by, want) in [
        ("pinned", document("entra"), "idp1", None),
        (
            "another's",
            document("entra"),
            "idp2",
            Some(Check::Signature),
        ),
        (
            "of another kind",
            document("entra"),
            "idpec",
            Some(Check::Certificate),
        ),
        (
            "expired",
            document("entra"),
            "idpexp",
            Some(Check::Certificate),
        ),
        (
            "tampered with",
            tampered("entra"),
            "idp1",
            Some(Check::Signature),
        ),
        ("unsigned", document("plain"), "idp1", Some(Check::Signed)),
        ("none asked for", tampered("entra"), "", None),
    ] {
        let pinned: Vec<_> = Some(by)
            .filter(|by| !by.is_empty())
            .map(|by| world.certificate(by))
            .into_iter()
            .collect();
        let origin = Origin {
            entity_id: Some(&world.idp),
            signed_by: &pinned,
        };
        let read = IdpMetadata::read(&bytes, &origin, world.now());
        assert_eq!(read.err().map(|refusal| refusal.check()), want, "{what}");
    }
}

#[test]
fn r49_metadata_without_a_certificate_that_is_valid_now_is_refused() {
    let (world, cases) = load("metadata");
    let case = cases.iter().find(|case| case.name == "entra").unwrap();
    let origin = Origin {
        entity_id: None,
        signed_by: &[],
    };
    let bytes = STANDARD.decode(&case.field).unwrap();
    for (years, ok) in [(0, true), (9, true), (11, false)] {
        let at = Timestamp::from_secs(world.now + years * 365 * 86_400);
        assert_eq!(
            IdpMetadata::read(&bytes, &origin, at).is_ok(),
            ok,
            "in {years} years"
        );
    }
}
