//! SAML fits what the gate has: roles, headers, tenants and their domains, the directory's groups, revocation.

use serde_json::json;

use super::our_side::{gate_before, led_to, refused, sign_in, whoami};
use crate::oidc::person;
use crate::support::{SamlIdp, ScimClient, Seen, UpstreamApp};

const OVERAGE: &str = "http://schemas.microsoft.com/claims/groups.link";
const ROLES: &str = "[roles]\ndefault = [\"MEMBER\"]\n[roles.groups]\nadmins = \"ADMIN\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_become_roles_and_headers() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let more = format!(
        "{ROLES}[headers.set]\n\"X-Mail\" = \"{{{{ claims['urn:oid:0.9.2342.19200300.100.1.3'] }}}}\"\n\
         \"X-Name-Id\" = \"{{{{ claims.NameID.value }}}}\"\n"
    );
    let gate = gate_before(&app, &idp, &more).await;
    for (who, groups, role) in [
        ("alice", None, "ADMIN"),
        ("carol", None, "MEMBER"),
        // R27: what the idp says counts from the next sign-in on.
        ("alice", Some(json!(["staff"])), "MEMBER"),
        ("carol", Some(json!(["admins", "staff"])), "ADMIN"),
    ] {
        if let Some(groups) = groups {
            let changed = json!({ "isMemberOf": groups });
            let path = format!("/test/users/{who}");
            idp.control("PUT", &path, &changed).await;
        }
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", who).await;
        assert_eq!(led_to(&done), "/", "{who}");
        let seen: Seen = browser.get("/").await.json();
        assert_eq!(seen.header("x-forwarded-roles"), Some(role), "{who}");
        assert_eq!(seen.header("x-mail"), Some(&*format!("{who}@example.com")));
        let name_id = super::our_side::persistent_id(who);
        assert_eq!(seen.header("x-name-id"), Some(&*name_id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_domain_decides_who_comes_in_and_where_to() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let tenants = "[[tenant]]\nslug = \"acme\"\ndomains = [\"example.com\"]\nidps = [\"corp\"]\n\
                   [[tenant]]\nslug = \"globex\"\ndomains = [\"globex.test\"]\nidps = [\"corp\"]\n";
    let gate = gate_before(&app, &idp, tenants).await;
    for (who, mail, tenant) in [
        ("alice", "alice@example.com", Some("acme")),
        ("bob", "bob@globex.test", Some("globex")),
        ("carol", "carol@elsewhere.test", None),
        ("carol", "carol@sub.example.com", None),
        ("carol", "carol@elsewhere.test@example.com", None),
        ("carol", "carol@example.com.elsewhere.test", None),
    ] {
        let path = format!("/test/users/{who}");
        idp.control("PUT", &path, &json!({ "mail": mail })).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", who).await;
        let Some(tenant) = tenant else {
            refused(&done, &mut browser, mail).await;
            continue;
        };
        assert_eq!(led_to(&done), "/", "{mail}");
        assert_eq!(whoami(&mut browser).await["tenant"], tenant, "{mail}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_groups_are_the_directory_s_or_nobody_s() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, ROLES).await;
    let link =
        "https://graph.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/users/1/getMemberObjects";
    let over = json!({ OVERAGE: link, "isMemberOf": ["admins"] });
    for who in ["alice", "bob"] {
        let path = format!("/test/users/{who}");
        idp.control("PUT", &path, &over).await;
    }
    let mut browser = gate.browser();
    let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    assert_eq!(done.status, 403, "{}", done.text());
    assert!(done.text().contains("sign_in.group_overage"));
    assert!(!done.text().contains("graph.windows.net"));
    refused(&done, &mut browser, "overage").await;

    let mut scim = ScimClient::new(&gate).await;
    let (alice, bob) = (scim.person("alice").await, scim.person("bob").await);
    scim.group("admins", &[&alice]).await;
    scim.group("staff", &[&bob]).await;
    for (who, role) in [("alice", "ADMIN"), ("bob", "MEMBER")] {
        let mut browser = gate.browser();
        sign_in(&mut browser, &gate, &idp, "/", who).await;
        let seen: Seen = browser.get("/").await.json();
        assert_eq!(seen.header("x-forwarded-roles"), Some(role), "{who}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_r26_the_operator_s_word_ends_a_session_at_once() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let (mut alice, mut bob) = (gate.browser(), gate.browser());
    sign_in(&mut alice, &gate, &idp, "/", "alice").await;
    sign_in(&mut bob, &gate, &idp, "/", "bob").await;
    gate.operator("user deactivate alice").await;
    assert_eq!(person(&mut alice).await, None);
    assert_eq!(person(&mut bob).await.as_deref(), Some("bob"));
    let mut again = gate.browser();
    let done = sign_in(&mut again, &gate, &idp, "/", "alice").await;
    refused(&done, &mut again, "R26").await;
    gate.operator("session revoke --user bob").await;
    assert_eq!(person(&mut bob).await, None);
}
