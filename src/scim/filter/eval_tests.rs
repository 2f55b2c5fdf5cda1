use serde_json::json;

use super::*;
use crate::scim::schema::tests::schemas;

const OWN: &str = "urn:ietf:params:scim:schemas:extension:2.0:CustomExtensionName";
const OPEN: &str = "urn:ietf:params:scim:schemas:extension:2.0:Metadata";
const ENTERPRISE: &str = crate::scim::schema::ENTERPRISE;

fn person() -> Value {
    json!({
        "schemas": [crate::scim::schema::USER, ENTERPRISE],
        "id": "a1", "externalId": "Ext-1", "userName": "Ada@Example.test", "active": true,
        "displayName": "Ada Ray", "title": "Ärztin", "nickName": "", "name": { "familyName": "Ray" },
        "emails": [
            { "type": "work", "value": "ada@work.test", "primary": true },
            { "type": "home", "value": "ada@home.test" },
        ],
        "roles": [{ "value": "ADMIN", "primary": "True" }],
        "x509Certificates": [{ "value": "QUJD" }],
        "groups": [{ "value": "g1", "display": "Eng" }],
        "meta": { "resourceType": "User", "created": "2026-11-22T09:30:00Z", "lastModified": "2026-11-22T10:30:00.5+01:00" },
        ENTERPRISE: { "department": "R&D", "manager": { "value": "m1" } },
        OWN: { "folders": ["F1", "F2"], "size": 7 },
        OPEN: { "CostCode": "77", "Cost.Site": "Bonn" },
    })
}

fn group() -> Value {
    json!({ "id": "g1", "displayName": "Eng", "members": [{ "value": "a1" }, { "value": "a2" }] })
}

fn fits(filter: &str, resource: &Value) -> Result<bool, String> {
    let schemas = schemas();
    let kind = if resource.get("members").is_some() {
        schemas.group
    } else {
        schemas.user
    };
    let filter: Filter = filter
        .parse()
        .unwrap_or_else(|why| panic!("{filter}: {why}"));
    let fits = filter.matches(&kind, resource.as_object().unwrap());
    fits.map_err(|error| {
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
        error.detail.into_owned()
    })
}

fn check(resource: &Value, table: &[(&str, bool)]) {
    for (filter, want) in table {
        assert_eq!(fits(filter, resource), Ok(*want), "{filter}");
    }
}

#[test]
fn texts_compare_by_their_attributes_case() {
    check(
        &person(),
        &[
            (r#"userName eq "ADA@example.TEST""#, true),
            (r#"userName eq " ada@example.test ""#, true),
            (r#"userName ne "ADA@example.TEST""#, false),
            (r#"userName co "EXAMPLE""#, true),
            (r#"userName sw "ada@""#, true),
            (r#"userName sw "da@""#, false),
            (r#"userName ew ".TEST""#, true),
            (r#"userName ew ".tes""#, false),
            (r#"title eq "ÄRZTIN""#, true),
            (r#"title sw "är""#, true),
            (r#"displayName sw "Ada ""#, true),
            (r#"displayName sw "Ada  ""#, false),
            (r#"displayName gt "ada q""#, true),
            (r#"displayName ge "ADA RAY""#, true),
            (r#"displayName gt "ada ray""#, false),
            (r#"displayName lt "b""#, true),
            (r#"displayName le "Ada Ray""#, true),
            (r#"displayName lt "Ada Ray""#, false),
            (r#"externalId eq "Ext-1""#, true),
            (r#"externalId eq "ext-1""#, false),
            (r#"externalId co "ext""#, false),
            (r#"id eq "a1""#, true),
            (r#"id eq "A1""#, false),
            (r#"meta.resourceType eq "User""#, true),
            (
                r#"schemas eq "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
                true,
            ),
            (r#"schemas eq "urn:nope""#, false),
            (r#"x509Certificates eq "QUJD""#, true),
            (r#"x509Certificates eq "qujd""#, false),
        ],
    );
}

#[test]
fn flags_numbers_and_moments() {
    let size = |rest: &str| format!("{OWN}:size {rest}");
    for (filter, want) in [
        (size("eq 7"), true),
        (size("eq 7.0"), true),
        (size("eq \"7\""), true),
        (size("ne 8"), true),
        (size("gt 6.5"), true),
        (size("lt 7"), false),
        (size("eq seven"), false),
        (size("ne seven"), true),
        (size("sw 7"), true),
    ] {
        assert_eq!(fits(&filter, &person()), Ok(want), "{filter}");
    }
    check(
        &person(),
        &[
            ("active eq true", true),
            ("active eq True", true),
            (r#"active eq "TRUE""#, true),
            (r#"active eq "False""#, false),
            ("active ne false", true),
            ("active eq yes", false),
            ("roles[primary eq true]", true),
            (r#"roles[primary eq "True"].value eq admin"#, true),
            (r#"meta.created eq "2026-11-22T09:30:00.0000000Z""#, true),
            (r#"meta.created eq "2026-11-22T11:30:00+02:00""#, true),
            (r#"meta.created gt "2026-11-22T09:29:59.9999999Z""#, true),
            (r#"meta.created gt "0001-01-03T00:00:00.0000000Z""#, true),
            (r#"meta.created lt "2001-01-01T00:00:00+02:00""#, false),
            (r#"meta.lastModified ge "2026-11-22T09:30:00.5Z""#, true),
            (r#"meta.lastModified le "2026-11-22T09:30:00.4Z""#, false),
            (r#"meta.created sw "2026-11""#, true),
            ("meta.created eq yesterday", false),
            ("meta.created ne yesterday", true),
        ],
    );
}

#[test]
fn what_is_not_there() {
    check(
        &person(),
        &[
            ("title pr", true),
            ("nickName pr", false),
            ("userType pr", false),
            ("name pr", true),
            ("name.givenName pr", false),
            ("emails pr", true),
            ("emails.value pr", true),
            ("phoneNumbers pr", false),
            ("userType ne x", true),
            ("userType eq null", true),
            ("userType ne null", false),
            ("title eq null", false),
            ("title ne null", true),
            ("nickName eq null", true),
            ("manager eq null", false),
            ("name eq null", false),
            ("addresses eq null", true),
            ("not (userType pr)", true),
            (r#"nickName eq """#, true),
            (r#"userType eq """#, false),
            (ENTERPRISE, true),
            ("noSuch pr", false),
            (r#"noSuch eq "x""#, false),
            (r#"noSuch ne "x""#, false),
            ("noSuch[type eq work]", false),
            (r#"urn:nope:attribute eq "x""#, false),
            ("emails.noSuch pr", false),
            ("emails[noSuch eq 1]", false),
            ("emails[type.x eq work]", false),
            ("emails.value[type eq work]", false),
            ("members pr", false),
            ("password", false),
        ]
        .map(|(filter, want)| match filter {
            ENTERPRISE => (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr",
                want,
            ),
            "password" => ("userName.password pr", want),
            filter => (filter, want),
        }),
    );
}

#[test]
fn many_values_and_their_significant_part() {
    check(
        &person(),
        &[
            (r#"emails eq "ADA@home.test""#, true),
            (r#"emails co "work""#, true),
            (r#"emails.value ew "nope""#, false),
            (r#"emails[type eq "work"].value eq "ada@work.test""#, true),
            (r#"emails[type eq "work"].value eq "ada@home.test""#, false),
            (r#"emails[type eq "home" and primary eq true]"#, false),
            (r#"emails.type eq "home" and emails.primary eq true"#, true),
            (r#"emails[type eq "fax"]"#, false),
            (r#"emails[not (type eq "work")]"#, true),
            (r#"not (emails[type eq "work"])"#, false),
            (r#"emails[type eq "work"].value pr"#, true),
            (r#"emails[type eq "work"].display pr"#, false),
            (r#"emails ne "ada@work.test""#, true),
            (r#"phoneNumbers ne "1""#, true),
            (r#"manager eq "m1""#, true),
            (r#"manager.value eq "m2""#, false),
            (r#"manager[value eq "m1"]"#, true),
            (r#"name[familyName eq "ray"]"#, true),
            (r#"groups eq "g1""#, true),
            (r#"groups.display eq "eng""#, true),
            (r#"department eq "r&d""#, true),
            (
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "R&D""#,
                true,
            ),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada""#,
                true,
            ),
        ],
    );
    for (filter, want) in [
        (format!("{OWN}:folders eq F2"), true),
        (format!("{OWN}:Folders[value eq F1]"), true),
        (format!("{OWN}:folders.value eq F1"), false),
        (format!("{OPEN}:costcode eq 77"), true),
        (format!("{OPEN}:Cost.Site eq bonn"), true),
        (format!("{OPEN}:Other pr"), false),
        (format!("{OPEN} pr"), true),
        (format!("{OPEN} eq 1"), false),
    ] {
        assert_eq!(fits(&filter, &person()), Ok(want), "{filter}");
    }
    check(
        &group(),
        &[
            (r#"members eq "a2""#, true),
            (r#"members eq "A2""#, false),
            (r#"members.value eq "a3""#, false),
            (r#"members[value eq "a1"]"#, true),
            (r#"id eq "g1" and members eq "a1""#, true),
            (r#"displayName eq "ENG""#, true),
            (r#"userName eq "x""#, false),
        ],
    );
}

#[test]
fn logic() {
    check(
        &person(),
        &[
            ("active eq true and title pr or id eq x", true),
            ("id eq x or active eq true and userType pr", false),
            ("(id eq x or active eq true) and title pr", true),
            ("not (active eq true) or title pr", true),
            ("not (not (title pr))", true),
            ("NOT (active EQ true)", false),
        ],
    );
}

#[test]
fn comparisons_that_are_refused() {
    for (filter, why) in [
        (
            "active gt true",
            "filter: active: a boolean compares with eq, ne and pr alone",
        ),
        (
            "active co true",
            "filter: active: a boolean compares with eq, ne and pr alone",
        ),
        (
            "emails[primary ge true]",
            "filter: primary: a boolean compares with eq, ne and pr alone",
        ),
        (
            "x509Certificates.value lt a",
            "filter: x509Certificates.value: binary values have no order",
        ),
        (
            "meta.created gt yesterday",
            "filter: meta.created: a dateTime compares with one such as 2026-11-22T09:30:00Z",
        ),
        (
            "title gt null",
            "filter: title: null compares with eq and ne alone",
        ),
        (
            "title co null",
            "filter: title: null compares with eq and ne alone",
        ),
        (
            "name eq Ray",
            "filter: name: has parts: name one, such as name.familyName",
        ),
        (
            "addresses co x",
            "filter: addresses: has parts: name one, such as name.familyName",
        ),
    ] {
        assert_eq!(fits(filter, &person()), Err(why.to_owned()), "{filter}");
    }
    let order = format!("{OWN}:size gt x");
    let why = format!("filter: {OWN}:size: a number compares with a number");
    assert_eq!(fits(&order, &person()), Err(why));
}

#[test]
fn r55_nobody_asks_for_a_password() {
    for (filter, name) in [
        ("password eq x", "password"),
        ("title pr and not (PassWord pr)", "PassWord"),
        ("password[value sw a]", "password"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:password sw a",
            "urn:ietf:params:scim:schemas:core:2.0:User:password",
        ),
    ] {
        let why = format!("filter: {name}: is never told");
        assert_eq!(fits(filter, &person()), Err(why), "{filter}");
    }
}
