#![expect(clippy::too_many_lines, reason = "a table of cases")]

use http::{Method, StatusCode};

use super::*;
use crate::clock::Timestamp;
use crate::identity::IdpName;
use crate::login::world::{Browser, World};

const BROWSER: &str = "__Host-sidegate-browser";

fn to(path: &str) -> ReturnTo {
    ReturnTo::parse(path).unwrap()
}

async fn challenge(
    world: &World,
    browser: &mut Browser<'_>,
    host: &str,
) -> crate::login::world::Answer {
    let mut visit = browser.visit(Method::GET, "whoami");
    host.clone_into(&mut visit.origin.host);
    let response = world.login.challenge(&visit, to("/wanted"), false).await;
    browser.take(response).await
}

#[tokio::test]
async fn the_only_way_is_taken_and_several_are_offered() {
    let tenants = "[[tenant]]\nslug = 'acme'\nidps = ['okta']\nhosts = ['acme.test']\n";
    for (name, idps, more, host, want) in [
        (
            "one idp",
            &[("entra", "")][..],
            "",
            "app.test",
            "https://entra.test/",
        ),
        (
            "two",
            &[("entra", ""), ("okta", "")],
            "",
            "app.test",
            "/.sidegate/login?return_to=%2Fwanted",
        ),
        (
            "one and local",
            &[("entra", "")],
            "local.enabled = true\n",
            "app.test",
            "/.sidegate/login?return_to=%2Fwanted",
        ),
        (
            "a tenant's only one",
            &[("entra", ""), ("okta", "")],
            tenants,
            "acme.test",
            "https://okta.test/",
        ),
        (
            "a tenant's host in another case",
            &[("entra", ""), ("okta", "")],
            tenants,
            "ACME.test",
            "https://okta.test/",
        ),
        (
            "another host",
            &[("entra", ""), ("okta", "")],
            tenants,
            "app.test",
            "/.sidegate/login?return_to=%2Fwanted",
        ),
    ] {
        let mut settings = more.to_owned();
        for (idp, _) in idps {
            settings.push_str(&idp_settings(idp));
        }
        let world = World::new(idps, &settings).await;
        let mut browser = world.browser();
        let led = challenge(&world, &mut browser, host).await;
        assert_eq!(led.status, StatusCode::FOUND, "{name}");
        assert!(
            led.field("location").starts_with(want),
            "{name}: {}",
            led.field("location")
        );
        let begun = usize::from(!want.starts_with('/'));
        assert_eq!(world.login.pending.len(), begun, "{name}");
    }
}

#[tokio::test]
async fn r18_the_way_back_is_to_a_host_that_somebody_configured() {
    let more =
        "[[tenant]]\nslug = 'acme'\nhosts = ['acme.test']\n".to_owned() + &idp_settings("entra");
    let world = World::new(&[("entra", "")], &more).await;
    let browser = world.browser();
    for (host, want) in [
        ("app.test", "https://app.test"),
        ("acme.test", "https://acme.test"),
        ("evil.test", "https://app.test"),
        ("acme.test.evil.test", "https://app.test"),
    ] {
        let mut visit = browser.visit(Method::GET, "login");
        host.clone_into(&mut visit.origin.host);
        assert_eq!(world.login.origin(&visit), want, "{host}");
    }
}

#[tokio::test]
async fn r22_one_cookie_holds_all_tabs_of_a_browser_and_only_a_token_is_one() {
    let world = World::new(&[("entra", "")], &idp_settings("entra")).await;
    let mut browser = world.browser();
    challenge(&world, &mut browser, "app.test").await;
    let first = browser.cookies[BROWSER].clone();
    let again = challenge(&world, &mut browser, "app.test").await;
    assert_eq!(browser.cookies[BROWSER], first);
    let field = again.field("set-cookie");
    assert!(
        field.contains("HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1800"),
        "{field}"
    );
    assert_eq!(world.login.pending.len(), 2);
    for planted in [
        "",
        "x",
        &"x".repeat(44),
        "' OR 1=1 -- ' OR 1=1 -- ' OR 1=1 -- ' OR 1",
    ] {
        let mut browser = world.browser();
        browser
            .cookies
            .insert(BROWSER.to_owned(), planted.to_owned());
        challenge(&world, &mut browser, "app.test").await;
        assert_ne!(browser.cookies[BROWSER], planted);
        assert_eq!(browser.cookies[BROWSER].len(), 43);
    }
}

#[tokio::test]
async fn a_sign_in_never_leads_back_to_a_sign_in() {
    let world = World::new(&[("entra", "")], &idp_settings("entra")).await;
    let browser = world.browser();
    let idp = world.login.idp("entra").unwrap();
    let visit = browser.visit(Method::GET, "login");
    for (wanted, want) in [
        ("/x?y", "/x?y"),
        ("/.sidegate/login?idp=entra", "/"),
        ("/oidc/entra/callback", "/"),
    ] {
        let response = world
            .login
            .begin(idp, &visit, to(wanted), false, None)
            .await
            .unwrap();
        let mut fresh = world.browser();
        fresh.take(response).await;
        let kept = world.login.pending.newest().unwrap();
        assert_eq!(kept.return_to.as_str(), want);
        let cookie = fresh.cookies[BROWSER].as_str();
        assert!(
            world
                .login
                .pending
                .take(&kept.handle, Some(cookie), "app.test", Timestamp::default())
                .is_some()
        );
    }
}

fn idp_settings(name: &str) -> String {
    format!(
        "[[idp]]\nname = '{name}'\nkind = 'oidc'\nissuer = 'https://{name}.test'\nclient_id = 'c'\n"
    )
}

#[tokio::test]
async fn r50_strangers_cannot_fill_the_audit() {
    let world = World::new(&[("okta", "")], "local.enabled = true").await;
    let browser = world.browser();
    let visit = browser.visit(Method::GET, "callback");
    let okta = IdpName::try_from("okta").unwrap();
    for _ in 0..40 {
        let problem = Problem::forbidden("sign_in.denied", "No.");
        let back = world.login.sign_in_refused(&visit, &okta, None, problem);
        assert_eq!(back.await.code, "sign_in.denied");
    }
    assert_eq!(world.events(100).await.len(), 30);
    // Whoever an idp proved is always written down.
    let problem = Problem::forbidden("sign_in.inactive", "No.");
    let name = Some("ada".to_owned());
    world
        .login
        .sign_in_refused(&visit, &okta, name, problem)
        .await;
    assert_eq!(world.events(100).await.len(), 31);
}
