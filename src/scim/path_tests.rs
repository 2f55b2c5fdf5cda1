use super::*;
use crate::scim::schema::ENTERPRISE;

fn parts(text: &str) -> Option<(Option<String>, String, Option<String>)> {
    let path: AttributePath = text.parse().ok()?;
    Some((path.schema, path.name, path.sub))
}

#[test]
fn the_attribute_stands_behind_the_last_colon() {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const SHORT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0";
    for (text, schema, name, sub) in [
        ("userName", None, "userName", None),
        (" name.familyName ", None, "name", Some("familyName")),
        ("$ref", None, "$ref", None),
        ("manager.$ref", None, "manager", Some("$ref")),
        (&format!("{CORE}:userName"), Some(CORE), "userName", None),
        (
            &format!("{CORE}:name.givenName"),
            Some(CORE),
            "name",
            Some("givenName"),
        ),
        (
            &format!("{ENTERPRISE}:manager.value"),
            Some(ENTERPRISE),
            "manager",
            Some("value"),
        ),
        (ENTERPRISE, Some(SHORT), "User", None),
        ("URN:x:Y:z", Some("URN:x:Y"), "z", None),
        ("urn:x:2.0", Some("urn:x"), "2", Some("0")),
        ("urn:x:1.2.3", Some("urn:x:1.2.3"), "", None),
        ("urn:x:Metadata:77", Some("urn:x:Metadata"), "77", None),
        (
            "urn:x:Metadata:Straße",
            Some("urn:x:Metadata"),
            "Straße",
            None,
        ),
    ] {
        let got = parts(text).unwrap_or_else(|| panic!("{text}"));
        let want = (
            schema.map(str::to_owned),
            name.to_owned(),
            sub.map(str::to_owned),
        );
        assert_eq!(got, want, "{text}");
        let path: AttributePath = text.parse().unwrap();
        assert_eq!(path.to_string(), text.trim());
    }
}

#[test]
fn what_no_path_is() {
    for (text, why) in [
        ("", PathError::Empty),
        (" \t", PathError::Empty),
        (&"a".repeat(MAX_FILTER + 1), PathError::TooLong),
        (".", PathError::Name),
        ("a.", PathError::Name),
        (".a", PathError::Name),
        ("a.b.c", PathError::Name),
        ("a..b", PathError::Name),
        ("a b", PathError::Name),
        ("1a", PathError::Name),
        ("-a", PathError::Name),
        ("a:b", PathError::Name),
        ("http://x.test/a:b", PathError::Name),
        ("urn:", PathError::Name),
        ("urn:a", PathError::Name),
        ("urn::a", PathError::Name),
        ("urn:a:", PathError::Name),
        ("urn:a:b.c.d", PathError::Name),
        ("urn:a b:c", PathError::Name),
        ("a\0", PathError::Name),
        ("\"a\"", PathError::Name),
        ("a]", PathError::Name),
        ("a/b", PathError::Name),
    ] {
        assert_eq!(text.parse::<AttributePath>(), Err(why), "{text}");
    }
}

#[test]
fn a_whole_schema_is_known_in_both_forms() {
    let lower = ENTERPRISE.to_ascii_lowercase();
    for (path, whole) in [
        (AttributePath::whole(ENTERPRISE), true),
        (ENTERPRISE.parse().unwrap(), true),
        (lower.parse().unwrap(), true),
        (AttributePath::of("User", None), false),
        (format!("{ENTERPRISE}:manager").parse().unwrap(), false),
        (format!("{ENTERPRISE}.manager").parse().unwrap(), false),
    ] {
        assert_eq!(path.is_whole(ENTERPRISE), whole, "{path}");
    }
    let dotted: AttributePath = "urn:mine:2.0".parse().unwrap();
    assert!(dotted.is_whole("urn:mine:2.0"));
}

#[test]
fn targets_are_paths_with_one_filter() {
    let work = r#"[type eq "work"]"#;
    for (text, path, filter) in [
        ("userName", "userName", None),
        ("name.givenName", "name.givenName", None),
        (
            &format!("emails{work}"),
            "emails",
            Some(r#"type eq "work""#),
        ),
        (
            &format!(" emails{work}.value "),
            "emails.value",
            Some(r#"type eq "work""#),
        ),
        (
            "emails [ TYPE EQ work ].Value",
            "emails.Value",
            Some(r#"TYPE eq "work""#),
        ),
        (
            r#"members[value eq "a" or value eq "]"]"#,
            "members",
            Some(r#"value eq "a" or value eq "]""#),
        ),
        (
            "roles[primary eq True].value",
            "roles.value",
            Some(r#"primary eq "True""#),
        ),
        (
            &format!("{ENTERPRISE}:manager[value eq 7].$ref"),
            &format!("{ENTERPRISE}:manager.$ref"),
            Some("value eq 7"),
        ),
        (ENTERPRISE, ENTERPRISE, None),
    ] {
        let (got, its) = parse_target(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(got.to_string(), path, "{text}");
        assert_eq!(its.map(|its| its.to_string()).as_deref(), filter, "{text}");
    }
}

#[test]
fn what_no_target_is() {
    for (text, detail) in [
        ("", "path is empty"),
        ("[type eq 1]", "path is empty"),
        (
            "emails[]",
            "path: filter, character 8: an attribute is expected",
        ),
        (
            "emails[type eq \"work\"",
            "path: filter, character 22: ] is expected",
        ),
        (
            "emails[type eq \"work\")",
            "path: filter, character 22: ] is expected",
        ),
        (
            "emails[type]",
            "path: filter, character 12: an operator is expected",
        ),
        (
            "emails[type eq]",
            "path: filter, character 15: a value is expected",
        ),
        ("emails[a eq 1]value", "only .sub-attribute may follow"),
        ("emails[a eq 1].", "only .sub-attribute may follow"),
        ("emails[a eq 1].b.c", "only .sub-attribute may follow"),
        ("emails[a eq 1][b eq 1]", "only .sub-attribute may follow"),
        ("emails[a eq 1].b pr", "only .sub-attribute may follow"),
        ("emails.value[a eq 1]", "path is not [urn:"),
        ("urn:a:1.2.3[a eq 1].b", "path is not [urn:"),
        ("a b[a eq 1]", "path is not [urn:"),
        (
            "emails[a[b pr]]",
            "path: filter, character 9: [ may not stand",
        ),
        (
            &format!("a[{}", "b eq 1 or ".repeat(1000)),
            "path is longer than",
        ),
    ] {
        let error = ScimError::from(parse_target(text).unwrap_err());
        assert_eq!(error.scim_type, Some(ScimType::InvalidPath), "{text}");
        assert!(error.detail.starts_with(detail), "{text}: {error}");
    }
}
