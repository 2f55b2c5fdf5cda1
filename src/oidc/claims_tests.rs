#![expect(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::json;

use super::*;
use crate::config::Protocol;
use crate::config::Settings;

fn mapping(more: &str) -> Mapping {
    let text = format!(
        "public_url = \"https://app.test\"\n[upstream]\nurl = \"http://127.0.0.1:1\"\n[[idp]]\nname = \"one\"\n\
         kind = \"oidc\"\nissuer = \"https://idp.test\"\nclient_id = \"c\"\n[idp.attributes]\n{more}\n"
    );
    let settings = Settings::parse(&text).unwrap();
    let idp = settings.idps.first().unwrap();
    assert!(matches!(idp.protocol, Protocol::Oidc(_)));
    Mapping {
        idp: idp.name.clone(),
        attributes: idp.attributes.clone(),
    }
}

fn read(more: &str, claims: &Value) -> Principal {
    mapping(more)
        .read(claims.as_object().unwrap().clone())
        .unwrap()
}

#[test]
fn r32_people_are_linked_by_issuer_and_subject_or_by_tenant_and_object() {
    const TID: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let entra = format!("https://login.microsoftonline.com/{TID}/v2.0");
    let object = "00000000-0000-0000-66f3-3332eca7ea81";
    let linked = format!("entra:{TID}:{object}");
    for (name, claims, want) in [
        (
            "any issuer",
            json!({ "iss": "https://idp.test", "sub": "s" }),
            "https://idp.test#s".to_owned(),
        ),
        (
            "Entra",
            json!({ "iss": entra, "sub": "s", "tid": TID, "oid": object }),
            linked.clone(),
        ),
        (
            "Entra for another app",
            json!({ "iss": entra, "sub": "t", "tid": TID, "oid": object }),
            linked.clone(),
        ),
        (
            "Entra for customers",
            json!({ "iss": format!("https://{TID}.ciamlogin.com/{TID}/v2.0"), "sub": "s", "tid": TID, "oid": object }),
            linked,
        ),
        (
            "Entra without oid",
            json!({ "iss": entra, "sub": "s", "tid": TID }),
            format!("{entra}#s"),
        ),
        (
            "a tenant that is not the issuer's",
            json!({ "iss": "https://idp.test", "sub": "s", "tid": TID, "oid": object }),
            "https://idp.test#s".to_owned(),
        ),
        (
            "a tenant that is a piece of the issuer",
            json!({ "iss": "https://idp.test/x", "sub": "s", "tid": "x", "oid": object }),
            "https://idp.test/x#s".to_owned(),
        ),
        (
            "the same address at another issuer",
            json!({ "iss": "https://other.test", "sub": "s", "email": "a@corp.com", "email_verified": true }),
            "https://other.test#s".to_owned(),
        ),
    ] {
        assert_eq!(read("", &claims).link_subject, want, "{name}");
    }
}

#[test]
fn r32_an_address_is_verified_by_the_idps_word_alone() {
    for (name, more, claims, want) in [
        (
            "true",
            "",
            json!({ "email": "a@x.test", "email_verified": true }),
            true,
        ),
        (
            "text true",
            "",
            json!({ "email": "a@x.test", "email_verified": "true" }),
            true,
        ),
        (
            "text True",
            "",
            json!({ "email": "a@x.test", "email_verified": "True" }),
            false,
        ),
        (
            "one",
            "",
            json!({ "email": "a@x.test", "email_verified": 1 }),
            false,
        ),
        (
            "false",
            "",
            json!({ "email": "a@x.test", "email_verified": false }),
            false,
        ),
        (
            "nothing said (Entra)",
            "",
            json!({ "email": "a@x.test" }),
            false,
        ),
        (
            "xms_edov",
            "",
            json!({ "email": "a@x.test", "xms_edov": true }),
            true,
        ),
        (
            "xms_edov as text",
            "",
            json!({ "email": "a@x.test", "xms_edov": "1" }),
            true,
        ),
        (
            "xms_edov false",
            "",
            json!({ "email": "a@x.test", "xms_edov": false }),
            false,
        ),
        (
            "a word about another claim",
            "email = [\"upn\", \"email\"]",
            json!({ "upn": "a@x.test", "email": "b@x.test", "email_verified": true }),
            false,
        ),
        ("no address", "", json!({ "email_verified": true }), false),
    ] {
        let mut claims = claims;
        claims["sub"] = json!("s");
        assert_eq!(read(more, &claims).email_verified, want, "{name}");
    }
}

#[test]
fn groups_come_in_every_shape() {
    let known =
        |names: &[&str]| ClaimedGroups::Known(names.iter().map(|n| (*n).to_owned()).collect());
    for (name, more, claims, want) in [
        (
            "list",
            "",
            json!({ "groups": ["a", "b, \"c\""] }),
            known(&["a", "b, \"c\""]),
        ),
        ("one", "", json!({ "groups": "a" }), known(&["a"])),
        ("none", "", json!({ "groups": [] }), known(&[])),
        ("silent", "", json!({}), ClaimedGroups::Silent),
        ("null", "", json!({ "groups": null }), ClaimedGroups::Silent),
        (
            "odd ones are left out",
            "",
            json!({ "groups": ["a", 1, { "x": "y" }, ""] }),
            known(&["a"]),
        ),
        (
            "by path",
            "groups = [\"realm_access.roles\"]",
            json!({ "realm_access": { "roles": ["r"] } }),
            known(&["r"]),
        ),
        (
            "a whole name first",
            "groups = [\"https://x.test/groups\"]",
            json!({ "https://x.test/groups": ["g"] }),
            known(&["g"]),
        ),
        (
            "the next name",
            "groups = [\"roles\", \"groups\"]",
            json!({ "groups": ["g"] }),
            known(&["g"]),
        ),
        (
            "Entra's overage",
            "",
            json!({ "_claim_names": { "groups": "src1" } }),
            ClaimedGroups::TooMany,
        ),
        (
            "Entra's overage, implicit",
            "",
            json!({ "hasgroups": "true" }),
            ClaimedGroups::TooMany,
        ),
        (
            "overage of another claim",
            "groups = [\"roles\"]",
            json!({ "hasgroups": true, "roles": ["r"] }),
            known(&["r"]),
        ),
        (
            "too many to be true",
            "",
            json!({ "groups": vec!["g"; 10_001] }),
            ClaimedGroups::TooMany,
        ),
    ] {
        let mut claims = claims;
        claims["sub"] = json!("s");
        assert_eq!(read(more, &claims).groups, want, "{name}");
    }
}

#[test]
fn names_are_taken_in_their_order() {
    let all = json!({
        "sub": "s", "preferred_username": " zoë ", "email": "z@x.test", "upn": "z@corp.test", "oid": "o-1", "sid": "their",
        "name": "Zoë", "given_name": "Z", "family_name": "O",
    });
    let person = read("", &all);
    assert_eq!(person.user_name, "zoë");
    assert_eq!(person.external_id.as_deref(), Some("o-1"));
    assert_eq!(person.idp_session.as_deref(), Some("their"));
    assert_eq!(person.claims.len(), all.as_object().unwrap().len());
    assert_eq!(
        read("user_name = [\"nope\", \"email\"]", &all).user_name,
        "z@x.test"
    );
    assert_eq!(
        read("", &json!({ "sub": "s", "preferred_username": "" })).user_name,
        "s"
    );
    let none = mapping("user_name = [\"nope\"]").read(all.as_object().unwrap().clone());
    assert!(none.unwrap_err().to_string().contains("nope"));
    for bad in [
        json!({}),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "sub": {} }),
    ] {
        assert!(
            mapping("").read(bad.as_object().unwrap().clone()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn userinfo_is_asked_only_for_what_is_missing() {
    let full =
        json!({ "sub": "s", "preferred_username": "p", "email": "e", "name": "n", "groups": [] });
    for (name, gone, more, want) in [
        ("nothing missing", "", "", false),
        (
            "no user name",
            "preferred_username",
            "user_name = [\"preferred_username\", \"sub\"]",
            true,
        ),
        (
            "sub is the user name",
            "preferred_username",
            "user_name = [\"sub\"]",
            false,
        ),
        ("no address", "email", "", true),
        ("no name", "name", "", true),
        ("no groups", "groups", "", true),
        ("groups are not wanted", "groups", "groups = []", false),
    ] {
        let mut claims = full.as_object().unwrap().clone();
        claims.remove(gone);
        assert_eq!(mapping(more).incomplete(&claims), want, "{name}");
    }
}
