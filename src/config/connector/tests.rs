use super::*;

fn told(text: &str) -> String {
    read(text).1
}

fn read(text: &str) -> (Option<Connector>, String) {
    let known = |name: &str, _: &mut Vec<PathBuf>| match name {
        "UNSET" => Err("variable UNSET is not set, nor UNSET_FILE".to_owned()),
        _ => Ok(Secret::new("canary")),
    };
    let upstream = "http://app:8080".parse().unwrap();
    let place = Place {
        upstream: Some(&upstream),
        base: None,
    };
    let (connector, _, mistakes) = parse(text, &place, &known);
    let lines = mistakes
        .iter()
        .map(|(line, Mistake { key, why })| format!("{line}: {key}: {why}\n"));
    let lines: String = lines.collect();
    assert!(
        connector.is_some() || !lines.is_empty(),
        "refused without a reason"
    );
    (connector, lines)
}

#[test]
fn every_preset_reads() {
    for (name, text) in PRESETS {
        assert_eq!(told(text), "", "{name}");
    }
}

const SMALL: &str = r#"
[api]
base = "https://app.test/api"
[users]
[users.fields]
login = "userName"
active = "active"
[users.list]
call = "GET /users"
"#;

#[test]
fn the_smallest_connector_reads() {
    assert_eq!(told(SMALL), "");
}

#[test]
fn an_app_without_a_name_is_called_by_its_address() {
    let name = |text: &str| read(text).0.unwrap().api.name;
    assert_eq!(name(SMALL), "app.test");
    let port = SMALL.replace("app.test", "app.test:8443");
    assert_eq!(name(&port), "app.test:8443");
    let named = SMALL.replace("[api]", "[api]\nname = \"larder\"");
    assert_eq!(name(&named), "larder");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = r#"
[api]
base = "http://elsewhere.test/api"
headers = { Authorization = "Bearer {env.UNSET}" }
tiemout = "3s"
[users]
active = "calls"
key = "displayName"
[users.fields]
login = "usrName"
x = { scim = "title", default = "{valeu}" }
[users.list]
call = "FETCH /users"
items = "users"
page = { style = "pages" }
[users.create]
call = "POST /users/{id}"
[users.find."emails"]
call = "GET users"
[[errors]]
op = "users.make"
match = "("
is = "gone"
"#;
    insta::assert_snapshot!(told(text));
}

#[test]
fn r21_credentials_travel_by_tls_or_where_the_app_is() {
    for (base, fine) in [
        ("https://elsewhere.test/api", true),
        ("http://127.0.0.1:3000/api", true),
        ("http://app:9000/api", true),
        ("{upstream}/api", true),
        ("http://elsewhere.test/api", false),
        ("http://app.elsewhere.test/api", false),
        ("https://ada:secret@app.test/api", false),
        ("https://app.test/api?x=1", false),
    ] {
        let text = SMALL.replace("https://app.test/api", base);
        assert_eq!(told(&text).is_empty(), fine, "{base}");
    }
}

#[test]
fn variables_that_cannot_be_rendered_are_told() {
    let parts = |key: &str, call: &str| {
        format!(
            "[api]\nbase = \"https://app.test\"\nheaders = {{ X-Key = \"{key}\" }}\n[users]\n[users.fields]\nlogin = \"userName\"\nactive = \"active\"\n[users.list]\ncall = \"GET {call}\"\n"
        )
    };
    for (value, key, call, line) in [
        ("fine", "Bearer {env.K}", "/{env.K}/users", None),
        ("a\nb", "{env.K}", "/users", Some("3: api.headers: X-Key: ")),
        (
            "a\r\nb",
            "x {env.K}",
            "/users",
            Some("3: api.headers: X-Key: "),
        ),
        ("a\nb", "{env.K|b64}", "/users", None),
        (
            "a\u{7f}b",
            "{env.K}",
            "/users",
            Some("3: api.headers: X-Key: "),
        ),
        ("a/b", "{env.K}", "/users", None),
        (
            "a/b",
            "{env.K}",
            "/{env.K}/users",
            Some("9: users.list.call: "),
        ),
        (
            "..",
            "{env.K}",
            "/{env.K}/users",
            Some("9: users.list.call: "),
        ),
        (
            "a\nb",
            "{env.K|b64}",
            "/users?k={env.K}",
            Some("9: users.list.call: "),
        ),
    ] {
        let text = parts(key, call);
        let known = |_: &str, _: &mut Vec<PathBuf>| Ok(Secret::new(value));
        let place = Place {
            upstream: None,
            base: None,
        };
        let (_, _, mistakes) = parse(&text, &place, &known);
        let told = mistakes.first();
        let told = told.map(|(at, Mistake { key, why })| format!("{at}: {key}: {why}"));
        match (line, &told) {
            (None, None) => {}
            (Some(line), Some(told)) if told.starts_with(line) => {
                assert!(!told.contains(value), "{told}");
            }
            _ => panic!("{value:?} in {key:?} and {call:?}: {told:?}"),
        }
    }
}

#[test]
fn what_the_operator_wrote_stands_above_the_preset() {
    let text = "[connector]\npreset = \"miniflux\"\n[headers]\nlower = false\n";
    let table = with_gate(source::parse(text).unwrap());
    assert_eq!(table["headers"]["lower"].as_bool(), Some(false));
    assert_eq!(table["headers"]["preset"].as_str(), Some("forwarded"));
    let cookies = table["upstream"]["app_session"]["cookies"]
        .as_array()
        .unwrap();
    assert!(!cookies.is_empty());
}

#[test]
fn what_members_look_like_can_be_undone() {
    for (looks, fine) in [
        ("as = \"account:{x}\"", true),
        ("as = \"{x|int}\"", true),
        ("ref = \"/id\"\nas = { id = \"u-{x}\" }", true),
        ("ref = \"/id\"\nas = \"people/{x}\"", true),
        ("as = \"{x}:{x}\"", false),
        ("as = \"account\"", false),
        ("as = \"{x|b64}\"", false),
        ("ref = \"/id\"\nas = { id = \"{x}:{x}\" }", false),
    ] {
        let groups = "[groups]\n[groups.fields]\nname = \"displayName\"\n[groups.list]\ncall = \"GET /teams\"\n[groups.members]\nmode = \"group_field\"\nread = \"/members\"\nset = { call = \"PUT /teams/{group}\", body = \"{users}\" }\n";
        let told = told(&format!("{SMALL}{groups}{looks}\n"));
        let line = if looks.starts_with("ref") { 20 } else { 19 };
        let want = format!("{line}: groups.members.as: ");
        assert_eq!(told.is_empty(), fine, "{looks}: {told}");
        assert!(fine || told.starts_with(&want), "{looks}: {told}");
    }
}

#[test]
fn names_in_the_keys_of_a_body_are_checked() {
    let delete = "[users.delete]\ncall = \"POST /remove\"\nbody = { all = { \"{nosuch}\" = true, \"{value}\" = 1 } }\n";
    let told = told(&format!("{SMALL}{delete}"));
    assert!(told.starts_with("12: users.delete.body: "), "{told}");
}
