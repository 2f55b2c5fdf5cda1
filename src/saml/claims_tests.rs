#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::saml::verify::NameId;

const TENANT_ID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const NOW: Timestamp = Timestamp::from_secs(1000);

fn name_id(value: &str, format: &str) -> NameId {
    NameId {
        value: value.to_owned(),
        format: Some(format.to_owned()),
        name_qualifier: None,
        sp_name_qualifier: None,
    }
}

fn mapping() -> Mapping {
    Mapping {
        idp: IdpName::try_from("one").unwrap(),
        attributes: Attributes::saml(),
    }
}

fn principal(name_id: NameId, attributes: &[(&str, &[&str])]) -> Result<Principal, ClaimsError> {
    mapping().principal(&VerifiedAssertion::sample(name_id, attributes), NOW)
}

fn linked(issuer: &str, name_id: NameId, attributes: &[(&str, &[&str])]) -> Option<String> {
    let assertion = VerifiedAssertion::sample(name_id, attributes).issued_by(issuer);
    let principal = mapping().principal(&assertion, NOW);
    principal.ok().map(|its| its.link_subject)
}

#[test]
fn r32_people_are_linked_by_what_names_them_for_ever() {
    let entra = format!("https://sts.windows.net/{TENANT_ID}/");
    let ids: &[(&str, &[&str])] = &[(TENANT, &[TENANT_ID]), (OBJECT, &["o1"]), ("uid", &["u"])];
    let linked_entra = format!("entra:{TENANT_ID}:o1");
    let other = "https://idp.test/";
    for (name, issuer, format, attributes, want) in [
        (
            "Entra",
            entra.as_str(),
            EMAIL,
            ids,
            Some(linked_entra.clone()),
        ),
        (
            "Entra, transient",
            &entra,
            TRANSIENT,
            ids,
            Some(linked_entra),
        ),
        (
            "a tenant that is not the issuer's",
            other,
            EMAIL,
            ids,
            Some(format!("{other}#n")),
        ),
        (
            "no tenant",
            &entra,
            EMAIL,
            &[(OBJECT, &["o1"])],
            Some(format!("{entra}#n")),
        ),
        (
            "another idp",
            other,
            UNSPECIFIED,
            &[],
            Some(format!("{other}#n")),
        ),
        (
            "persistent",
            other,
            PERSISTENT,
            &[("uid", &["u"])],
            Some(format!("{other}#n")),
        ),
        (
            "transient alone",
            other,
            TRANSIENT,
            &[("uid", &["u"])],
            None,
        ),
        (
            "transient, with an identifier of the subject",
            other,
            TRANSIENT,
            &[
                ("uid", &["u"]),
                ("urn:oasis:names:tc:SAML:attribute:subject-id", &["a@x"]),
            ],
            Some(format!(
                "{other}#\nurn:oasis:names:tc:SAML:attribute:subject-id\na@x"
            )),
        ),
    ] {
        assert_eq!(
            linked(issuer, name_id("n", format), attributes),
            want,
            "{name}"
        );
    }
    let qualified = |by: &str| {
        let mut its = name_id("n", PERSISTENT);
        its.name_qualifier = Some(by.to_owned());
        linked(other, its, &[("uid", &["u"])])
    };
    assert_eq!(qualified(other), Some(format!("{other}#n")));
    assert_eq!(
        qualified("https://third.test"),
        Some(format!("{other}#https://third.test\nn"))
    );
}

#[test]
fn an_opaque_name_id_is_no_user_name() {
    let upn = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
    let name = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
    for (what, format, attributes, want) in [
        ("NameID", UNSPECIFIED, &[(name, &["N"][..])][..], Some("n")),
        ("upn first", UNSPECIFIED, &[(upn, &["u@x"])], Some("u@x")),
        ("persistent", PERSISTENT, &[(name, &["N"])], Some("N")),
        ("persistent alone", PERSISTENT, &[], None),
        (
            "an empty one is none",
            PERSISTENT,
            &[(name, &["", "N"]), ("mail", &["m@x"])],
            Some("m@x"),
        ),
        ("control characters", PERSISTENT, &[(name, &["a\nb"])], None),
        (
            "an attribute of that name is not it",
            UNSPECIFIED,
            &[("NameID", &["evil"])],
            Some("n"),
        ),
    ] {
        let found = principal(name_id("n", format), attributes).ok();
        assert_eq!(found.map(|its| its.user_name).as_deref(), want, "{what}");
    }
}

#[test]
fn an_address_is_one_by_name_or_format() {
    let own = |format| principal(name_id("n@x.test", format), &[]).unwrap();
    assert_eq!(own(EMAIL).email.as_deref(), Some("n@x.test"));
    assert_eq!(own(UNSPECIFIED).email, None);
    assert!(!own(EMAIL).email_verified);
}

#[test]
fn r05_groups_that_are_not_all_there_are_unknown() {
    let many = vec!["g"; MAX_GROUPS + 1];
    for (name, attributes, want) in [
        ("none", &[][..], ClaimedGroups::Silent),
        (
            "two",
            &[("groups", &["a", "b"][..])],
            ClaimedGroups::Known(vec!["a".into(), "b".into()]),
        ),
        ("empty", &[("groups", &[])], ClaimedGroups::Known(vec![])),
        (
            "empty text",
            &[("groups", &[""])],
            ClaimedGroups::Known(vec![]),
        ),
        (
            "link",
            &[(OVERAGE, &["https://graph"])],
            ClaimedGroups::TooMany,
        ),
        (
            "some and a link",
            &[("groups", &["a"]), (OVERAGE, &["https://graph"])],
            ClaimedGroups::TooMany,
        ),
        ("too many", &[("groups", &many)], ClaimedGroups::TooMany),
    ] {
        let found = principal(name_id("n", EMAIL), attributes).unwrap();
        assert_eq!(found.groups, want, "{name}");
    }
}

#[test]
fn the_rest_is_passed_on() {
    let its = principal(
        name_id("n@x", EMAIL),
        &[("a", &["1"]), ("b", &["1", "2"]), ("c", &[])],
    )
    .unwrap();
    assert_eq!(its.session_ends, Some(Timestamp::from_secs(2000)));
    assert_eq!(its.authenticated_at, Timestamp::from_secs(900));
    assert_eq!(its.idp_session.as_deref(), Some("_s"));
    let name_id =
        json!({"value": "n@x", "format": EMAIL, "name_qualifier": null, "sp_name_qualifier": null});
    assert_eq!(
        Value::from(its.claims),
        json!({"a": "1", "b": ["1", "2"], "c": [], "NameID": name_id})
    );
}
