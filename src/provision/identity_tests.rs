//! Groups and roles as they are now; and which tenant a sign-in is for.

use serde_json::json;

use super::roles::RoleRule;
use super::world::*;
use super::*;
use crate::directory::Change;
use crate::identity::{ClaimedGroups, IdpName, Principal, UserId};

#[tokio::test]
async fn r27_of_its_own_groups_the_directory_alone_decides() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.scim(record("ada")).await;
    let staff = world.group("Staff", &[&ada]).await;
    world.group("Admins", &[]).await;
    world.group("checkpoint_inline_7", &[&ada]).await;
    let known = |names: &[&str]| ClaimedGroups::Known(names.iter().map(|&it| it.into()).collect());
    for (name, claimed, want) in [
        ("silent", ClaimedGroups::Silent, vec!["Staff"]),
        ("too many", ClaimedGroups::TooMany, vec!["Staff"]),
        (
            "unknown to the directory",
            known(&["vpn", "vpn"]),
            vec!["Staff", "vpn"],
        ),
        (
            "known, and not a member",
            known(&["Admins", "admins ", "ＡＤＭＩＮＳ"]),
            vec!["Staff"],
        ),
        (
            "known, and a member",
            known(&["staff", "Staff"]),
            vec!["Staff"],
        ),
        ("ignored", known(&["checkpoint_inline_x"]), vec!["Staff"]),
        (
            "no names",
            known(&["", " ", "a\nb", &"x".repeat(2000)]),
            vec!["Staff"],
        ),
    ] {
        let identity = world
            .provision
            .identity(&ada.tenant, &ada.id, &claimed)
            .await
            .unwrap();
        assert_eq!(identity.unwrap().groups, want, "{name}");
    }
    let leave = Change::RemoveMember(ada.tenant.clone(), staff.id, ada.id.clone());
    world.directory.apply(vec![leave]).await.unwrap();
    let claimed = known(&["Staff"]);
    let identity = world
        .provision
        .identity(&ada.tenant, &ada.id, &claimed)
        .await
        .unwrap();
    assert!(
        identity.unwrap().groups.is_empty(),
        "the token's word is older"
    );
}

#[tokio::test]
async fn r26_whoever_is_inactive_or_gone_is_nobody() {
    let world = World::new(vec![tenant()]).await;
    let ada = world.scim(record("ada")).await;
    let is = |tenant: TenantSlug, id: UserId| {
        let provision = Arc::clone(&world.provision);
        async move {
            let found = provision
                .identity(&tenant, &id, &ClaimedGroups::Silent)
                .await;
            found.unwrap().is_some()
        }
    };
    let own = ada.tenant.clone();
    assert!(is(own.clone(), ada.id.clone()).await);
    assert!(!is(TenantSlug::try_from("acme").unwrap(), ada.id.clone()).await);
    assert!(!is(own.clone(), "nobody".into()).await);
    world
        .provision
        .set_active(&own, &ada.id, false, &ACTOR)
        .await
        .unwrap();
    assert!(!is(own.clone(), ada.id.clone()).await);
    world
        .provision
        .set_active(&own, &ada.id, true, &ACTOR)
        .await
        .unwrap();
    assert!(is(own.clone(), ada.id.clone()).await);
    world.provision.delete(&own, &ada.id, &ACTOR).await.unwrap();
    assert!(!is(own, ada.id.clone()).await);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
fn roles_come_from_the_record_and_the_groups() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let in_enterprise = format!("{enterprise}:department");
    let extension_role = "urn:example:2.0:Custom:roles[primary eq true].value";
    for (name, path, attributes, want) in [
        (
            "primary",
            "roles[primary eq true].value",
            json!({"roles": [{"value": "A"}, {"value": "B", "primary": true}]}),
            "B",
        ),
        (
            "primary as a text",
            "roles[primary eq \"True\"].value",
            json!({"roles": [{"value": "B", "primary": "True"}]}),
            "B",
        ),
        (
            "no primary",
            "roles[primary eq true].value",
            json!({"roles": [{"value": "A"}, "B"]}),
            "USER",
        ),
        (
            "all",
            "roles.value",
            json!({"roles": [{"value": "A"}, {"value": "B"}, {"value": "A"}]}),
            "A B",
        ),
        (
            "all, short",
            "roles",
            json!({"roles": [{"value": "A"}, "B"]}),
            "A B",
        ),
        ("not allowed", "roles", json!({"roles": ["ROOT", "A"]}), "A"),
        (
            "only what is not allowed",
            "roles",
            json!({"roles": ["ROOT", ""]}),
            "USER",
        ),
        ("a text", "userType", json!({"userType": " A "}), "A"),
        ("another case", "UserType", json!({"usertype": "A"}), "A"),
        (
            "another sub-attribute",
            "roles.display",
            json!({"roles": [{"value": "A", "display": "B"}]}),
            "B",
        ),
        (
            "extension",
            &in_enterprise,
            json!({enterprise: {"department": "A"}}),
            "A",
        ),
        (
            "extension, primary",
            extension_role,
            json!({"urn:example:2.0:Custom": {"roles": [{"value": "A", "primary": true}]}}),
            "A",
        ),
        (
            "core by URN",
            "urn:ietf:params:scim:schemas:core:2.0:User:userType",
            json!({"userType": "A"}),
            "A",
        ),
        ("number", "userType", json!({"userType": 5}), "USER"),
        ("nothing", "userType", json!({}), "USER"),
    ] {
        let mut settings = tenant().roles;
        settings.attribute = path.to_owned();
        settings.allowed = ["A", "B", "ADMIN", "USER"].map(str::to_owned).to_vec();
        settings.default = vec!["USER".to_owned()];
        settings.groups = [("it", "ADMIN"), ("ops", "A")]
            .map(|(a, b)| (a.into(), b.into()))
            .to_vec();
        let rule = RoleRule::new(&settings);
        let mut user = record("ada");
        user.attributes = attributes.as_object().unwrap().clone();
        let roles = |groups: &[&str]| {
            let groups: Vec<_> = groups.iter().map(|&name| name.to_owned()).collect();
            let roles = rule.roles(&user, &groups);
            roles
                .into_iter()
                .map(|role| role.0)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(roles(&[]), want, "{name}");
        assert_eq!(roles(&["IT", "it "]), want, "{name}: exact names only");
        let with_admin = if want == "USER" {
            "ADMIN".to_owned()
        } else {
            format!("{want} ADMIN")
        };
        assert_eq!(roles(&["x", "it"]), with_admin, "{name}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, most of it a table")]
async fn r31_a_tenant_is_entered_by_host_idp_or_verified_domain() {
    let idps = |names: &[&str]| -> Vec<IdpName> {
        names
            .iter()
            .map(|&name| IdpName::try_from(name).unwrap())
            .collect()
    };
    let make = |slug: &str, hosts: &[&str], names: &[&str], domains: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Tenant {
            slug: TenantSlug::try_from(slug).unwrap(),
            hosts: texts(hosts),
            idps: idps(names),
            domains: texts(domains),
            ..tenant()
        }
    };
    let world = World::new(vec![
        make("acme", &["acme.test"], &["entra"], &["acme.com"]),
        make("beta", &["beta.test"], &[], &["beta.com", "beta.org"]),
        make("gamma", &[], &["okta"], &[]),
        make("delta", &[], &["shared"], &["delta.com"]),
        make("eps", &[], &["shared"], &["eps.com"]),
        make("any", &["any.test"], &[], &[]),
    ])
    .await;
    let domain = "e-mail domain is not one of the tenant's";
    let none = "no tenant for this idp, host and e-mail domain";
    for (name, host, idp, email, verified, want) in [
        (
            "host and idp",
            "acme.test",
            "entra",
            "a@acme.com",
            false,
            "acme",
        ),
        (
            "host as browsers write it",
            "ACME.test.:8443",
            "entra",
            "a@acme.com",
            false,
            "acme",
        ),
        (
            "host, another idp",
            "acme.test",
            "okta",
            "a@acme.com",
            true,
            none,
        ),
        (
            "host, another domain",
            "acme.test",
            "entra",
            "a@evil.com",
            true,
            domain,
        ),
        (
            "a suffix is not the domain",
            "acme.test",
            "entra",
            "a@notacme.com",
            true,
            domain,
        ),
        (
            "nor is a subdomain",
            "acme.test",
            "entra",
            "a@x.acme.com",
            true,
            domain,
        ),
        (
            "two @",
            "acme.test",
            "entra",
            "a@evil.com@acme.com",
            true,
            domain,
        ),
        ("no address", "acme.test", "entra", "", true, domain),
        (
            "any idp, verified",
            "beta.test",
            "okta",
            "a@BETA.org",
            true,
            "beta",
        ),
        (
            "any idp, unverified",
            "beta.test",
            "okta",
            "a@beta.org",
            false,
            domain,
        ),
        ("by idp", "app.test", "entra", "a@acme.com", false, "acme"),
        ("by idp, no domains", "app.test", "okta", "", false, "gamma"),
        (
            "shared idp, by domain",
            "app.test",
            "shared",
            "a@eps.com",
            false,
            "eps",
        ),
        (
            "shared idp, no domain of theirs",
            "app.test",
            "shared",
            "a@acme.com",
            true,
            none,
        ),
        (
            "unnamed idp, by domain",
            "app.test",
            "own",
            "a@beta.com",
            true,
            "beta",
        ),
        (
            "unnamed idp, unverified",
            "app.test",
            "own",
            "a@beta.com",
            false,
            none,
        ),
        ("host without limits", "any.test", "own", "", false, "any"),
    ] {
        let principal = Principal {
            idp: IdpName::try_from(idp).unwrap(),
            email: (!email.is_empty()).then(|| email.to_owned()),
            email_verified: verified,
            ..principal("1", "a")
        };
        let got = world.provision.tenant_of(host, &principal);
        let got = got.map_or_else(|refused| refused.to_string(), |it| it.slug.to_string());
        assert_eq!(got, want, "{name}");
    }
}

#[tokio::test]
async fn r26_a_change_of_somebody_else_brings_back_no_deleted_person() {
    let world = World::new(vec![tenant()]).await;
    // Entra's default: externalId is mailNickname, which two may share.
    let smith = |name: &str| UserDraft {
        external_id: Some("smith".to_owned()),
        ..draft(name)
    };
    let ada = world.post(smith("ada")).await.unwrap();
    let bob = world.post(smith("bob")).await.unwrap();
    let who = principal("1", "ada");
    world.admit(&who).await.unwrap();
    world.delete(&ada).await.unwrap();
    let titled = world.edit(&bob, |draft| {
        draft.attributes.insert("title".to_owned(), "x".into());
    });
    titled.await.unwrap();
    assert_eq!(
        outcome(&world.admit(&who).await),
        Refused::Deleted.to_string()
    );
}
