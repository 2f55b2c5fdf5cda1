//! Lists: filters are heeded, refused and answered the same, whichever index finds the resources.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{gate, refused};
use crate::support::{Answer, ScimClient, user};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn list(it: &mut ScimClient, path: &str, filter: &str, rest: &str) -> Answer {
    let filter = encoded(filter);
    it.get(&format!("{path}?filter={filter}{rest}")).await
}

#[tokio::test]
async fn a_wrong_filter_is_refused_even_where_an_index_finds_nobody() {
    let gate = gate("scim.password = true\n").await;
    let mut it = ScimClient::new(&gate).await;
    it.person("ada").await;
    for filter in [
        r#"userName eq "nobody" and active gt true"#,
        r#"userName eq "ada" and active gt true"#,
        r#"id eq "none" and name eq "x""#,
        r#"externalId eq "none" and password sw "a""#,
        r#"userName eq "nobody" or (id eq "none" and active lt false)"#,
    ] {
        let answer = list(&mut it, "/Users", filter, "").await;
        refused(&answer, 400, filter);
        let error: Value = answer.json();
        assert_eq!(error["scimType"], "invalidFilter", "{filter}");
    }
}

#[tokio::test]
async fn members_are_asked_for_and_shown_each_by_itself() {
    let gate = gate("").await;
    let mut it = ScimClient::new(&gate).await;
    let (ada, bob) = (it.person("ada").await, it.person("bob").await);
    it.group("all", &[&ada, &bob]).await;
    it.group("adas", &[&ada]).await;
    it.group("none", &[]).await;
    let one = format!(r#"displayName pr and members eq "{ada}""#);
    let not = format!(r#"not (members.value eq "{bob}")"#);
    let either = format!(r#"members[value eq "{bob}"] or displayName eq "none""#);
    for (filter, want) in [
        ("displayName co \"a\"", vec![("all", 2), ("adas", 1)]),
        (one.as_str(), vec![("all", 2), ("adas", 1)]),
        (not.as_str(), vec![("adas", 1), ("none", 0)]),
        (either.as_str(), vec![("all", 2), ("none", 0)]),
        ("members pr", vec![("all", 2), ("adas", 1)]),
        (r#"members.type eq "none""#, vec![]),
    ] {
        for (shown, rest) in [
            (true, ""),
            (false, "&excludedAttributes=members"),
            (true, "&sortBy=members&sortOrder=descending"),
        ] {
            let answer = list(&mut it, "/Groups", filter, rest).await;
            let list: Value = answer.json();
            let mut found: Vec<_> = list["Resources"].as_array().unwrap().iter().collect();
            found.sort_by_key(|group| {
                want.iter()
                    .position(|(name, _)| group["displayName"] == *name)
            });
            let members = |group: &Value| group["members"].as_array().map_or(0, Vec::len);
            let found: Vec<_> = found
                .into_iter()
                .map(|it| (it["displayName"].as_str().unwrap(), members(it)))
                .collect();
            let want = want
                .iter()
                .map(|(name, members)| (*name, if shown { *members } else { 0 }));
            assert_eq!(found, want.collect::<Vec<_>>(), "{filter} {rest}");
        }
    }
}

/// Entra's default mapping for `externalId` is the nickname, "which may not be unique".
#[tokio::test]
async fn many_of_one_external_id_or_address_are_counted_and_paged() {
    let gate = gate("").await;
    let mut it = ScimClient::new(&gate).await;
    for number in 0..25 {
        let mut person = user(&format!("p{number:02}"));
        person["externalId"] = "same".into();
        person["emails"][0]["value"] = "desk@example.com".into();
        it.made("/Users", &person).await;
    }
    for filter in [
        r#"externalId eq "same""#,
        r#"emails[type eq "work"].value eq "Desk@example.com""#,
        r#"emails eq "desk@example.com" or externalId eq "same""#,
    ] {
        let mut names = BTreeSet::new();
        for start in [1, 11, 21] {
            let rest = format!("&count=10&startIndex={start}&sortBy=userName");
            let list: Value = list(&mut it, "/Users", filter, &rest).await.json();
            assert_eq!(list["totalResults"], 25, "{filter}");
            let found = list["Resources"].as_array().unwrap().iter();
            names.extend(found.map(|it| it["userName"].as_str().unwrap().to_owned()));
        }
        assert_eq!(names.len(), 25, "{filter}");
        assert_eq!(it.find("/Users", filter).await.len(), 25, "{filter}");
    }
}

/// RFC 7643 4.2: `display`.
#[tokio::test]
async fn members_are_named_where_somebody_asks_for_them() {
    let gate = gate("").await;
    let mut it = ScimClient::new(&gate).await;
    let ada = it.person("ada").await;
    let mut nameless = user("bob");
    nameless.as_object_mut().unwrap().remove("displayName");
    let bob = it.made("/Users", &nameless).await;
    let group = it.group("all", &[&ada, &bob]).await;
    for path in [format!("/Groups/{group}?"), "/Groups?".to_owned()] {
        for (rest, want) in [
            ("", json!([null, null])),
            ("attributes=members", json!(["Display of ada", "bob"])),
            (
                "attributes=members.display",
                json!(["Display of ada", "bob"]),
            ),
            ("attributes=members.value", json!([null, null])),
            ("excludedAttributes=members.display", json!([null, null])),
            ("excludedAttributes=displayName", json!([null, null])),
            ("excludedAttributes=members", json!([])),
        ] {
            let answer: Value = it.get(&format!("{path}{rest}")).await.json();
            let group = answer.pointer("/Resources/0").unwrap_or(&answer);
            let members = group["members"].as_array().into_iter().flatten();
            let mut names: Vec<_> = members.map(|it| it["display"].clone()).collect();
            names.sort_by_key(|name| name.as_str().map(str::to_lowercase).map(|it| it == "bob"));
            assert_eq!(Value::from(names), want, "{path}{rest}");
        }
    }
    // As a client reads it, so it may write it back.
    let named = format!("/Groups/{group}?attributes=displayName,members,meta");
    let read: Value = it.get(&named).await.json();
    let written = it.put(&named, &read).await;
    assert_eq!(written.status, 200, "{}", written.text());
    let written: Value = written.json();
    assert_eq!(written["members"], read["members"]);
    assert_eq!(written["meta"]["version"], read["meta"]["version"]);
    // A new name counts at once; nobody has to change the group.
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Countess" }]);
    it.patch(&format!("/Users/{ada}"), rename).await;
    let read = it.get(&named).await.text();
    assert!(read.contains(r#""display":"Countess""#), "{read}");
}
