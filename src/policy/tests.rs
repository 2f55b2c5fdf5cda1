use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::config::Settings;
use crate::identity::{ManagedBy, Role, SignInMethod, TenantSlug, User, UserId};

const NOON: Timestamp = Timestamp::from_secs(1_000_000);

fn policy(rules: &str) -> Policy {
    let text = format!(
        "public_url = 'https://app.test'\nlocal.enabled = true\nupstream.url = 'http://127.0.0.1:1'\n{rules}"
    );
    let settings = Settings::parse(&text).unwrap_or_else(|error| panic!("{rules}: {error}"));
    Policy::new(&settings.rules).unwrap()
}

fn person(user_name: &str, emails: Value, groups: &[&str], roles: &[&str]) -> Identity {
    Identity {
        user: User {
            id: UserId::from("1"),
            tenant: TenantSlug::default(),
            user_name: user_name.to_owned(),
            external_id: None,
            active: true,
            attributes: [("emails".to_owned(), emails)].into_iter().collect(),
            sign_in: SignInMethod::External,
            password: None,
            must_change_password: false,
            managed_by: ManagedBy::Operator,
            created: NOON,
            modified: NOON,
            version: 1,
        },
        groups: groups.iter().map(|its| (*its).to_owned()).collect(),
        roles: roles.iter().map(|its| Role((*its).to_owned())).collect(),
        account: None,
    }
}

fn ada() -> Identity {
    person(
        "Ada",
        json!([{"value": "Ada@Corp.com"}]),
        &["staff"],
        &["MEMBER"],
    )
}

/// `allow`, `allow+` with identity, `sign_in`, `again`, or why it was refused; and the rule.
fn ask(
    policy: &Policy,
    method: &str,
    path: &str,
    client: &str,
    who: Option<&Identity>,
) -> (&'static str, Option<usize>) {
    let path = RequestPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let asked = Asked {
        path: &path,
        method: &method.parse().unwrap(),
        client: client.parse().ok(),
        now: NOON,
    };
    let person = who.map(|identity| Person {
        identity,
        authenticated_at: NOON.minus(Duration::from_mins(10)),
    });
    match policy.decide(asked, person) {
        Decision::Allow(grant) if grant.identified() => ("allow+", grant.rule()),
        Decision::Allow(grant) => ("allow", grant.rule()),
        Decision::SignIn { rule, .. } => ("sign_in", rule),
        Decision::SignInAgain { rule } => ("again", rule),
        Decision::Refuse { rule, why } => (why, rule),
    }
}

const RULES: &str = "
[[rule]]
path = '/healthz'
methods = ['GET']
access = 'public'
[[rule]]
path = '/public/**'
access = 'public'
[[rule]]
path = '/maybe/**'
access = 'optional'
[[rule]]
path = '/api/**'
methods = ['OPTIONS']
access = 'public'
[[rule]]
path = '/admin/**'
roles = ['ADMIN']
[[rule]]
path = '/packages/**'
access = 'public'
allow_in_path = ['%2f', ';', '//']
";

#[test]
fn the_first_rule_of_path_and_method_decides() {
    let (policy, ada) = (policy(RULES), ada());
    for (method, path, nobody, somebody) in [
        ("GET", "/healthz", ("allow", Some(0)), ("allow", Some(0))),
        ("HEAD", "/healthz", ("allow", Some(0)), ("allow", Some(0))),
        ("GET", "/healthz/", ("allow", Some(0)), ("allow", Some(0))),
        ("POST", "/healthz", ("sign_in", None), ("allow+", None)),
        ("GET", "/healthz/x", ("sign_in", None), ("allow+", None)),
        ("GET", "/Healthz", ("sign_in", None), ("allow+", None)),
        (
            "DELETE",
            "/public/x",
            ("allow", Some(1)),
            ("allow", Some(1)),
        ),
        ("GET", "/publicx", ("sign_in", None), ("allow+", None)),
        ("GET", "/maybe", ("allow", Some(2)), ("allow+", Some(2))),
        ("OPTIONS", "/api/x", ("allow", Some(3)), ("allow", Some(3))),
        ("GET", "/api/x", ("sign_in", None), ("allow+", None)),
        // R10: no method is special.
        ("OPTIONS", "/", ("sign_in", None), ("allow+", None)),
        (
            "OPTIONS",
            "/admin/x",
            ("sign_in", Some(4)),
            ("who", Some(4)),
        ),
        ("TRACE", "/x", ("sign_in", None), ("allow+", None)),
        ("GET", "/admin", ("sign_in", Some(4)), ("who", Some(4))),
        ("GET", "/admin/", ("sign_in", Some(4)), ("who", Some(4))),
        ("GET", "/%61dmin/x", ("sign_in", Some(4)), ("who", Some(4))),
        ("GET", "/", ("sign_in", None), ("allow+", None)),
    ] {
        assert_eq!(
            ask(&policy, method, path, "", None),
            nobody,
            "{method} {path}"
        );
        assert_eq!(
            ask(&policy, method, path, "", Some(&ada)),
            somebody,
            "{method} {path} as Ada"
        );
    }
}

#[test]
fn r14_no_spelling_crosses_a_rule() {
    let (policy, ada) = (policy(RULES), ada());
    for (path, want) in [
        ("/public%2f..x", ("path_spelling", None)),
        ("/public/a%2fb", ("path_spelling", Some(1))),
        ("/public//admin", ("path_spelling", Some(1))),
        ("/public;x/admin", ("path_spelling", None)),
        ("/admin;x", ("path_spelling", None)),
        ("/admin%2fx", ("path_spelling", None)),
        ("//admin", ("path_spelling", None)),
        ("/x%5cadmin", ("path_spelling", None)),
        ("/x%23", ("path_spelling", None)),
        // Without an odd spelling, but an app could read another rule's path into it.
        ("/%2561dmin/x", ("path_spelling", None)),
        ("/admin%3Fx", ("path_spelling", None)),
        ("/healthz%3Fx", ("path_spelling", None)),
        ("/public%3Fx", ("path_spelling", None)),
        ("/public/%3Fx", ("allow", Some(1))),
        ("/a%40b", ("allow+", None)),
        ("/a%2520b", ("allow+", None)),
        // Allowed there, as long as every reading stays there.
        ("/packages/a%2fb", ("allow", Some(5))),
        ("/packages/a;v=1//b", ("allow", Some(5))),
        ("/packages/a%5cb", ("path_spelling", Some(5))),
        ("//packages/a", ("path_spelling", None)),
        ("/packages;/a", ("path_spelling", None)),
        ("/packages%2fa", ("path_spelling", None)),
    ] {
        assert_eq!(ask(&policy, "GET", path, "", Some(&ada)), want, "{path}");
    }
}

#[test]
fn r40_every_kind_of_allow_rule_says_no_too() {
    let staff = person("bob", json!([]), &["Staff"], &[]);
    let alike = person(
        "adam",
        json!([{"value": "x@a.corp.com"}]),
        &["staffs"],
        &["MEMBERS"],
    );
    let two_ats = person("eve", json!([{"value": "ada@corp.com@corp.com"}]), &[], &[]);
    let by_domain = person("eve", json!([{"value": "eve@CORP.com"}]), &[], &[]);
    let suffix = person("eve", json!([{"value": "eve@evilcorp.com"}]), &[], &[]);
    let below = person(
        "eve",
        json!([{"value": "eve@corp.com.evil.test"}]),
        &[],
        &[],
    );
    let swapped = person(
        "staff",
        json!([{"value": "MEMBER@x"}]),
        &["MEMBER"],
        &["staff", "Ada"],
    );
    let folded = person("ＡＤＡ", json!([]), &[], &[]);
    let spaced = person(" ada ", json!([]), &[], &[]);
    let ada = ada();
    for (kind, yes, no) in [
        (
            "users = ['ada']",
            &[&ada, &folded, &spaced][..],
            &[&staff, &alike, &swapped][..],
        ),
        (
            "emails = ['ada@corp.com']",
            &[&ada],
            &[&two_ats, &alike, &by_domain, &staff],
        ),
        (
            "email_domains = ['Corp.com']",
            &[&ada, &by_domain],
            &[&two_ats, &alike, &suffix, &below, &staff],
        ),
        ("groups = ['staff']", &[&ada], &[&staff, &alike, &swapped]),
        ("roles = ['MEMBER']", &[&ada], &[&staff, &alike, &swapped]),
        ("groups = ['other']\nroles = ['MEMBER']", &[&ada], &[&staff]),
        ("", &[&ada, &staff, &alike], &[]),
    ] {
        let policy = policy(&format!("[[rule]]\npath = '/**'\n{kind}"));
        for (people, want) in [(yes, "allow+"), (no, "who")] {
            for its in people {
                let name = &its.user.user_name;
                assert_eq!(
                    ask(&policy, "GET", "/x", "", Some(its)),
                    (want, Some(0)),
                    "{kind} {name}"
                );
            }
        }
        assert_eq!(
            ask(&policy, "GET", "/x", "", None),
            ("sign_in", Some(0)),
            "{kind}"
        );
    }
}

#[test]
fn r40_networks_hold_for_every_access() {
    for (access, inside) in [
        ("public", "allow"),
        ("optional", "allow+"),
        ("required", "allow+"),
    ] {
        let policy = policy(&format!(
            "[[rule]]\npath = '/**'\naccess = '{access}'\nnetworks = ['10.0.0.0/8', '2001:db8::/32']"
        ));
        for (client, want) in [
            ("10.1.2.3", inside),
            ("::ffff:10.1.2.3", inside),
            ("2001:db8::1", inside),
            ("11.0.0.1", "network"),
            ("2001:db9::1", "network"),
            // R5: nobody knows where it is from.
            ("", "network"),
        ] {
            assert_eq!(
                ask(&policy, "GET", "/", client, Some(&ada())).0,
                want,
                "{access} {client}"
            );
        }
    }
}

#[test]
fn r40_a_proof_ages() {
    // Ada proved who she is ten minutes ago.
    for (age, want) in [("10m", "allow+"), ("599s", "again"), ("9m", "again")] {
        let policy = policy(&format!("[[rule]]\npath = '/**'\nmax_auth_age = '{age}'"));
        assert_eq!(ask(&policy, "GET", "/", "", Some(&ada())).0, want, "{age}");
        assert_eq!(ask(&policy, "GET", "/", "", None).0, "sign_in", "{age}");
    }
    // Who may not anyhow is not sent to sign in again.
    let policy = policy("[[rule]]\npath = '/**'\nmax_auth_age = '1m'\nroles = ['ADMIN']");
    assert_eq!(ask(&policy, "GET", "/", "", Some(&ada())).0, "who");
}

#[test]
fn what_nobody_gets_is_the_rules_word() {
    for (text, want) in [
        ("", Anonymous::Auto),
        ("anonymous = '401'", Anonymous::Status),
        ("anonymous = 'login'", Anonymous::Login),
    ] {
        let policy = policy(&format!("[[rule]]\npath = '/x'\n{text}"));
        let path = RequestPath::parse("/x").unwrap();
        let asked = Asked {
            path: &path,
            method: &Method::GET,
            client: None,
            now: NOON,
        };
        let decision = policy.decide(asked, None);
        assert!(
            matches!(decision, Decision::SignIn { anonymous, rule: Some(0) } if anonymous == want)
        );
    }
}

#[test]
fn a_rule_that_can_never_fit_is_a_mistake() {
    let mut rule = Settings::parse(
        "public_url = 'https://app.test'\nlocal.enabled = true\nupstream.url = 'http://127.0.0.1:1'\n[[rule]]\npath = '/a'",
    )
    .unwrap()
    .rules;
    rule.push(rule[0].clone());
    rule[1].path = "/a/../b".to_owned();
    assert_eq!(Policy::new(&rule).unwrap_err(), (1, PathError::DotSegment));
}
