use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::config::Settings;
use crate::crypto::sha256;
use crate::identity::{
    ClaimedGroups, IdpKind, IdpName, ManagedBy, Role, SignInMethod, TenantSlug, User, UserId,
};

const NOON: Timestamp = Timestamp::from_secs(1_000_000);

const X100: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn plan(text: &str) -> Result<(HeaderPlan, Arc<Metrics>), Vec<Mistake>> {
    let settings = Settings::parse(&format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\nupstream.url = 'http://127.0.0.1:1'\n{text}"
    ))
    .unwrap_or_else(|error| panic!("{text}: {error}"));
    let metrics = Arc::new(Metrics::new());
    let plan = HeaderPlan::new(
        &settings.headers,
        &settings.public_url,
        None,
        Arc::clone(&metrics),
    )?;
    Ok((plan, metrics))
}

fn identity(user_name: &str, groups: &[&str]) -> Identity {
    let attributes = json!({
        "displayName": "Zoë O’Neil",
        "emails": [{"value": "zoe@app.test"}],
        "title": null,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D <x>"},
    });
    Identity {
        user: User {
            id: UserId::from("u-1"),
            tenant: TenantSlug::default(),
            user_name: user_name.to_owned(),
            external_id: None,
            active: true,
            attributes: attributes.as_object().cloned().unwrap(),
            sign_in: SignInMethod::External,
            password: None,
            must_change_password: false,
            managed_by: ManagedBy::Operator,
            created: NOON,
            modified: NOON,
            version: 1,
        },
        groups: groups.iter().map(|its| (*its).to_owned()).collect(),
        roles: vec![Role("ADMIN".to_owned()), Role("MEMBER".to_owned())],
        account: None,
    }
}

fn session() -> Session {
    let claims: Map<String, Value> =
        json!({"dept": "x", "nested": {"a": [1, 2]}, "evil": "a\r\nX-Admin: 1"})
            .as_object()
            .cloned()
            .unwrap();
    Session {
        id: "s-1".to_owned(),
        key: sha256(b"token"),
        host: "app.test".to_owned(),
        tenant: TenantSlug::default(),
        user: UserId::from("u-1"),
        idp: IdpName::local(),
        kind: IdpKind::Local,
        subject: "zoe".to_owned(),
        name_id: None,
        idp_session: None,
        id_token: None,
        groups: ClaimedGroups::Silent,
        claims: claims.into(),
        created: NOON,
        authenticated_at: NOON,
        last_seen: NOON,
        absolute_until: NOON.plus(Duration::from_hours(10)),
        client: None,
        user_agent: String::new(),
        app_cookies: Vec::new(),
    }
}

fn render(text: &str, who: &Identity) -> HashMap<String, String> {
    let (plan, _) = plan(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let rendered = plan.render(who, &session(), NOON).unwrap();
    let value = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    rendered
        .headers
        .iter()
        .map(|(n, v)| (n.to_string(), value(v)))
        .collect()
}

#[test]
fn presets_say_who_is_asking() {
    let who = identity("Zoë@App.test", &["staff", "équipe"]);
    let got = render("", &who);
    for (name, want) in [
        ("x-forwarded-user", "Zoë@App.test"),
        ("x-forwarded-email", "zoe@app.test"),
        ("x-forwarded-preferred-username", "Zoë@App.test"),
        ("x-forwarded-groups", "staff,équipe"),
        ("x-forwarded-roles", "ADMIN,MEMBER"),
        ("x-forwarded-name", "Zoë O’Neil"),
    ] {
        assert_eq!(got[name], want, "{name}");
    }
    assert_eq!(got.len(), 6);
    let got = render(
        "[headers]\npreset = 'remote-user'\nlower = true\ngroups_filter = '^st'",
        &who,
    );
    for (name, want) in [
        ("remote-user", "zoë@app.test"),
        ("remote-email", "zoe@app.test"),
        ("remote-name", "Zoë O’Neil"),
        ("remote-groups", "staff"),
        ("remote-roles", "ADMIN,MEMBER"),
    ] {
        assert_eq!(got[name], want, "{name}");
    }
    assert_eq!(got.len(), 5);
    // Nothing to say removes the field.
    assert!(!render("", &identity("zoe", &[])).contains_key("x-forwarded-groups"));
    assert!(render("headers.preset = 'none'", &who).is_empty());
}

#[test]
fn templates_see_the_person_and_the_session() {
    let who = identity("Zoe", &["staff", "a,admins", "ops"]);
    for (template, want) in [
        ("{{ user.userName }}", Some("zoe")),
        (
            "{{ user['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'].department }}",
            Some("R&D <x>"),
        ),
        ("{{ user['urn:nothing'].department.deeper }}", None),
        ("{{ user.title }}", None),
        ("{{ user.password }}", None),
        ("{{ user.id }}/{{ tenant }}", Some("u-1/default")),
        ("{{ groups | join('|') }}", Some("staff|ops")),
        ("{{ roles | first }}", Some("ADMIN")),
        ("{% if 'ADMIN' in roles %}yes{% endif %}", Some("yes")),
        ("{% if 'OTHER' in roles %}yes{% endif %}", None),
        (
            "{{ session.id }} {{ session.idp }} {{ session.created }}",
            Some("s-1 local 1970-01-12T13:46:40Z"),
        ),
        ("{{ claims.dept }}{{ claims.nested.a[1] }}", Some("x2")),
        ("Basic QWRtaW46", Some("Basic QWRtaW46")),
        ("{{ claims.evil }}", None),
        (
            "{% for i in range(9999) %}{% for j in range(9) %}{% endfor %}{% endfor %}done",
            None,
        ),
        ("{% for i in range(9999) %}xxxxxxxxxx{% endfor %}", None),
        ("{{ user.userName + 1 }}", None),
    ] {
        let text = format!(
            "[headers]\npreset = 'none'\nlower = true\n[headers.set]\nX-It = \"{template}\""
        );
        let got = render(&text, &who);
        assert_eq!(got.get("x-it").map(String::as_str), want, "{template}");
    }
}

#[test]
fn r41_what_may_not_travel_is_left_out_and_counted() {
    const CONTROL: &str = "control_character";
    let (user, groups) = ("x-forwarded-user", "x-forwarded-groups");
    let small = "headers.max_value = '64B'";
    let halves = ["0123456789012345678901234567890123456789"; 2];
    for (name, settings, who, header, kind) in [
        (
            "line break",
            "",
            identity("a\r\nX-Admin: 1", &[]),
            user,
            CONTROL,
        ),
        ("nul", "", identity("a\0", &[]), user, CONTROL),
        (
            "in a group",
            "",
            identity("a", &["x", "y\nz"]),
            groups,
            CONTROL,
        ),
        ("too long", small, identity(X100, &[]), user, "too_long"),
        (
            "too many",
            small,
            identity("a", &halves),
            groups,
            "too_long",
        ),
        (
            "two in one",
            "",
            identity("a", &["a,admins"]),
            groups,
            "separator",
        ),
        (
            "trims to another",
            "",
            identity("a", &["admins "]),
            groups,
            "separator",
        ),
    ] {
        let (plan, metrics) = plan(settings).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let rendered = plan.render(&who, &session(), NOON).unwrap();
        assert!(
            rendered.headers.iter().all(|(its, _)| its != header),
            "{name}"
        );
        let text = metrics.to_text();
        assert!(
            text.contains(&format!("dropped_total{{kind=\"{kind}\"}}")),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_group_with_the_separator_goes_alone_or_travels_escaped() {
    let got = render("", &identity("a", &["a,admins", "staff"]));
    assert_eq!(got["x-forwarded-groups"], "staff");
    let got = render(
        "headers.encoding = 'percent'",
        &identity("a", &["a,admins", "staff"]),
    );
    assert_eq!(got["x-forwarded-groups"], "a%2Cadmins,staff");
}

#[test]
fn a_name_that_does_not_fit_refuses_the_request() {
    for (encoding, user_name, fits) in [
        ("latin1", "zoë", true),
        ("latin1", "例え", false),
        ("ascii", "zoe", true),
        ("ascii", "zoë", false),
        ("utf8", "例え", true),
    ] {
        let (plan, _) = plan(&format!("headers.encoding = '{encoding}'\nheaders.preset = 'none'\nheaders.set.X = '{{{{ user.userName }}}}'"))
            .unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let got = plan.render(&identity(user_name, &[]), &session(), NOON);
        assert_eq!(got.is_ok(), fits, "{encoding} {user_name}");
        if let Err(error) = got {
            assert_eq!(Problem::from(error).code, "headers.encoding");
        }
    }
}

#[test]
fn a_display_name_or_group_that_does_not_fit_is_left_out() {
    let (plan, metrics) = plan("headers.encoding = 'latin1'").unwrap();
    // Their name is Zoë O’Neil, and Latin-1 has no such apostrophe.
    let who = identity("zoë", &["Café", "Łódź"]);
    let told: HashMap<_, _> = plan
        .render(&who, &session(), NOON)
        .unwrap()
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect();
    assert_eq!(told["x-forwarded-user"].as_bytes(), b"zo\xeb");
    assert_eq!(told["x-forwarded-groups"].as_bytes(), b"Caf\xe9");
    assert!(!told.contains_key("x-forwarded-name"));
    let text = metrics.to_text();
    assert!(
        text.contains("dropped_total{kind=\"encoding\"} 2"),
        "{text}"
    );
}

const COLLISIONS: &[(&str, &[&str])] = &[
    (
        "headers.set.X-Forwarded_User = 'x'",
        &["headers.set.x-forwarded_user"],
    ),
    (
        "[headers]\npreset='none'\n[headers.set]\nX-A = '1'\nx_a = '2'",
        &["headers.set.x_a"],
    ),
    (
        "[headers]\npreset='none'\n[headers.set]\nSM_USER = '1'\n'sm.user' = '2'",
        &["headers.set.sm.user"],
    ),
    (
        "[headers.assertion]\nname = 'X-Forwarded-User'",
        &["headers.assertion.name"],
    ),
    ("headers.set.Host = 'x'", &["headers.set.host"]),
    ("headers.set.Cookie = 'x'", &["headers.set.cookie"]),
    (
        "headers.set.Content-Length = '1'",
        &["headers.set.content-length"],
    ),
    (
        "headers.set.content_type = '1'",
        &["headers.set.content_type"],
    ),
    ("headers.set.Connection = 'x'", &["headers.set.connection"]),
    (
        "headers.set.Transfer_Encoding = 'x'",
        &["headers.set.transfer_encoding"],
    ),
    ("headers.set.TE = 'x'", &["headers.set.te"]),
    (
        "headers.set.X-Forwarded-For = 'x'",
        &["headers.set.x-forwarded-for"],
    ),
    (
        "headers.set.X-Request-Id = 'x'",
        &["headers.set.x-request-id"],
    ),
    (
        "headers.set.X-Original-URL = 'x'",
        &["headers.set.x-original-url"],
    ),
    ("headers.set.X-A = '{{ user.'", &["headers.set.x-a"]),
    (
        "headers.set.X-A = '{% if %}'\nheaders.set.Host = 'x'\nheaders.groups_separator = ''",
        &[
            "headers.set.host",
            "headers.set.x-a",
            "headers.groups_separator",
        ],
    ),
    (
        "headers.groups_separator = \"\\n\"",
        &["headers.groups_separator"],
    ),
    (
        "headers.groups_separator = 'é'",
        &["headers.groups_separator"],
    ),
    ("headers.set.Authorization = 'Basic x'", &[]),
    (
        "headers.set.X-Dept = 'x'\nheaders.groups_separator = ' | '",
        &[],
    ),
];

#[test]
fn r09_names_that_could_speak_for_each_other_are_mistakes() {
    for (settings, want) in COLLISIONS {
        let got = plan(settings).err().unwrap_or_default();
        let mut keys: Vec<_> = got.iter().map(|mistake| mistake.key.as_str()).collect();
        let mut want = want.to_vec();
        keys.sort_unstable();
        want.sort_unstable();
        assert_eq!(keys, want, "{settings}: {got:?}");
    }
}

#[test]
fn without_keys_nobody_is_told_that_an_assertion_is_there() {
    let (plan, _) = plan("[headers.assertion]").unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    assert!(plan.names().any(|name| name == "x-sidegate-assertion"));
    let got = plan.render(&identity("a", &[]), &session(), NOON);
    assert!(matches!(got, Err(RenderError::NoKey)));
}
