use super::*;
use crate::scim::filter::Asked;
use crate::scim::schema::tests::schemas;

fn lookup(filter: &str, group: bool) -> String {
    let schemas = schemas();
    let kind = if group { schemas.group } else { schemas.user };
    let filter: Filter = filter
        .parse()
        .unwrap_or_else(|why| panic!("{filter}: {why}"));
    let text = format!("{:?}", filter.lookup(&kind));
    text.replace(['"', '\\'], "")
}

#[test]
fn people_are_looked_up_by_what_clients_match_by() {
    for (filter, want) in [
        (r#"userName eq "Ada""#, "UserName(Ada)"),
        ("USERNAME EQ ada", "UserName(ada)"),
        (
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "a""#,
            "UserName(a)",
        ),
        (r#"id eq "1""#, "Id(1)"),
        ("externalId eq 701984", "ExternalId(701984)"),
        (r#"emails eq "a""#, "Email(a)"),
        (r#"emails.value eq "a""#, "Email(a)"),
        (r#"emails[type eq "work"].value eq "a""#, "Email(a)"),
        (r#"emails[value eq "a" and type eq "work"]"#, "Email(a)"),
        (
            r#"emails[value eq "a" or value eq "b"]"#,
            "AnyOf([Email(a), Email(b)])",
        ),
        (r#"emails[value eq "a" or type eq "b"]"#, "Everything"),
        (r#"emails[not (value eq "a")]"#, "Everything"),
        (r#"active eq true and userName eq "a""#, "UserName(a)"),
        (r#"emails eq "e" and (title pr and id eq "1")"#, "Id(1)"),
        (r#"externalId eq "e" and emails eq "x""#, "ExternalId(e)"),
        (r#"manager eq "m" and id eq "1""#, "Id(1)"),
        (
            r#"userName eq "a" or id eq "1""#,
            "AnyOf([UserName(a), Id(1)])",
        ),
        (
            r#"userName eq "a" or (id eq "1" or id eq "2")"#,
            "AnyOf([UserName(a), Id(1), Id(2)])",
        ),
        (r#"userName eq "a" or title pr"#, "Everything"),
        (
            r#"(userName eq "a" or userName eq "b") and emails eq "e""#,
            "AnyOf([UserName(a), UserName(b)])",
        ),
        (r#"userName ne "a""#, "Everything"),
        (r#"userName sw "a""#, "Everything"),
        ("userName eq null", "Everything"),
        (r#"not (userName eq "a")"#, "Everything"),
        (r#"displayName eq "a""#, "Everything"),
        (r#"groups eq "g""#, "Everything"),
        (r#"manager eq "m""#, "Everything"),
        (r#"noSuch eq "a""#, "AnyOf([])"),
        ("noSuch pr and title pr", "AnyOf([])"),
        (r#"noSuch eq "a" or id eq "1""#, "AnyOf([Id(1)])"),
        ("noSuch[a eq 1]", "AnyOf([])"),
        (r#"not (noSuch eq "a")"#, "Everything"),
        (r#"members eq "a""#, "AnyOf([])"),
    ] {
        assert_eq!(lookup(filter, false), want, "{filter}");
    }
}

#[test]
fn groups_are_looked_up_by_name_and_member() {
    for (filter, want) in [
        (r#"displayName eq "Eng""#, "DisplayName(Eng)"),
        (r#"externalId eq "E""#, "ExternalId(E)"),
        (r#"members eq "a""#, "Member(a)"),
        (r#"members.value eq "a""#, "Member(a)"),
        (r#"members[value eq "a"]"#, "Member(a)"),
        (r#"members[value eq "a" and type eq "User"]"#, "Member(a)"),
        (r#"members eq "a" and id eq "g""#, "Id(g)"),
        (
            r#"members eq "a" or displayName eq "g""#,
            "AnyOf([Member(a), DisplayName(g)])",
        ),
        (r#"members.display eq "a""#, "Everything"),
        (r#"userName eq "a""#, "AnyOf([])"),
    ] {
        assert_eq!(lookup(filter, true), want, "{filter}");
    }
}

#[test]
fn members_are_read_only_where_they_are_asked_for() {
    let group = schemas().group;
    let these = |ids: &[&str]| Asked::These(ids.iter().map(|&id| id.to_owned()).collect());
    for (filter, want) in [
        ("displayName eq g", Asked::Nothing),
        ("members eq a", these(&["a"])),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Group:Members.Value eq a",
            these(&["a"]),
        ),
        (
            "id eq g and not (members eq a or members eq b)",
            these(&["a", "b"]),
        ),
        ("members[value eq a]", these(&["a"])),
        ("members[type eq User and value eq a]", these(&["a"])),
        ("members[value eq a or value eq b]", these(&["a", "b"])),
        ("members[value eq a or type eq User]", Asked::Everything),
        ("members[not (value eq a)]", Asked::Everything),
        ("members[type eq User].value eq a", these(&["a"])),
        ("members ne a", Asked::Everything),
        ("members co a", Asked::Everything),
        ("members pr", Asked::Everything),
        ("members eq null", Asked::Everything),
        ("members.type eq User", Asked::Everything),
        ("members eq a and members pr", Asked::Everything),
    ] {
        let filter: Filter = filter
            .parse()
            .unwrap_or_else(|why| panic!("{filter}: {why}"));
        assert_eq!(filter.asked(&group, "members"), want, "{filter}");
    }
}
