//! The addresses below our prefix: chooser, sign-out, `whoami`, forms that wait.

use http::StatusCode;
use serde_json::Value;

use super::*;
use crate::crypto::sha256;
use crate::identity::{IdpKind, IdpName, Principal, SignInMethod};
use crate::login::ReturnTo;
use crate::login::world::{NOW, PASSWORD, World};
use crate::login::{Kept, Pending};
use crate::secret::Secret;

const IDPS: &[(&str, &str)] = &[("entra", "corp.test,corp.example"), ("okta", "")];
const LOCAL: &str = "local.enabled = true";
const NO_LOCAL: &str = "[[rule]]\npath = '/healthz'\naccess = 'public'";

#[tokio::test]
async fn addresses_and_methods() {
    let world = World::new(IDPS, LOCAL).await;
    for (method, target, status, allow) in [
        ("GET", "login", 200, ""),
        ("HEAD", "login", 200, ""),
        ("PUT", "login", 405, "GET, HEAD, POST"),
        ("DELETE", "logout", 405, "GET, HEAD, POST"),
        ("POST", "whoami", 405, "GET, HEAD"),
        ("OPTIONS", "whoami", 405, "GET, HEAD"),
        ("POST", "logout/done", 405, "GET, HEAD"),
        ("GET", "whoami", 401, ""),
        ("GET", "resume", 302, ""),
        ("GET", "", 404, ""),
        ("GET", "login/", 404, ""),
        ("GET", "Login", 404, ""),
        ("GET", "logout/done/x", 404, ""),
    ] {
        let method: Method = method.parse().unwrap();
        let answer = world.browser().ask(method.clone(), target, "").await;
        assert_eq!(answer.status, status, "{method} {target}");
        assert_eq!(answer.field("allow"), allow, "{method} {target}");
        assert_eq!(
            answer.field("cache-control"),
            "no-store",
            "{method} {target}"
        );
        if method == Method::HEAD {
            assert!(answer.body.is_empty() && answer.field("content-length") != "0");
        }
    }
    let world = World::new(IDPS, NO_LOCAL).await;
    let answer = world.browser().post("login", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.field("allow")),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn the_chooser_leads_to_idps() {
    let world = World::new(IDPS, LOCAL).await;
    let page = world.browser().get("login?return_to=/notes").await;
    let link = "/.sidegate/login?idp=okta&amp;return_to=%2Fnotes";
    assert!(page.body.contains(link), "{}", page.body);
    for (target, status, location) in [
        (
            "login?idp=okta",
            302,
            "https://okta.test/?hint=&again=false",
        ),
        (
            "login?idp=okta&again=1&hint=a%40b.test",
            302,
            "https://okta.test/?hint=a@b.test&again=true",
        ),
        ("login?idp=nobody", 404, ""),
        ("login?idp=okta&idp=entra", 400, ""),
    ] {
        let answer = world.browser().get(target).await;
        assert_eq!(
            (answer.status.as_u16(), answer.field("location")),
            (status, location),
            "{target}"
        );
    }
    let alone = World::new(&IDPS[..1], NO_LOCAL).await;
    let answer = alone.browser().get("login").await;
    assert_eq!(
        answer.field("location"),
        "https://entra.test/?hint=&again=false"
    );
}

#[tokio::test]
async fn r26_a_session_without_its_person_is_none() {
    let world = World::new(&[], LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    world.gone.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(browser.get("whoami").await.status, StatusCode::UNAUTHORIZED);
    // The page, not back to where nobody is let in: that would be a circle.
    assert_eq!(browser.get("login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_that_is_too_old_does_not_go_in_circles() {
    let world = World::new(&[], LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    let visit = browser.visit(Method::GET, "whoami");
    let fresh = ReturnTo::parse("/fresh").unwrap();
    let sent = world.login.challenge(&visit, fresh, true).await;
    let sent = browser.take(sent).await;
    let page = sent.field("location").strip_prefix("/.sidegate/").unwrap();
    let page = browser.get(page).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        (page.hidden("again"), page.hidden("return_to")),
        ("1".to_owned(), "/fresh".to_owned())
    );
}

#[tokio::test]
async fn r31_an_address_finds_the_idp_of_its_whole_domain() {
    let world = World::new(IDPS, LOCAL).await;
    for (address, found) in [
        ("ada@corp.test", true),
        (" Ada@CORP.Example ", true),
        ("ada@evil.corp.test", false),
        ("ada@corp.test.evil", false),
        ("ada@notcorp.test", false),
        ("ada@evil.test@corp.test", false),
        ("corp.test", false),
        ("", false),
    ] {
        let email = url::form_urlencoded::byte_serialize(address.as_bytes()).collect::<String>();
        let answer = world.browser().get(&format!("login?email={email}")).await;
        // Not a redirect: Chrome's `form-action` would stop it.
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let led = answer
            .body
            .contains("http-equiv=\"refresh\" content=\"0;url=/.sidegate/login?idp=entra&");
        assert_eq!(led, found, "{address}");
        assert_eq!(
            answer.body.contains("No sign-in is set up"),
            !found,
            "{address}"
        );
    }
}

#[tokio::test]
async fn r26_whoami_is_the_person_as_they_are_now() {
    let world = World::new(IDPS, LOCAL).await;
    let user = world.person("zoë", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("zoë", PASSWORD).await;
    let answer = browser.get("whoami").await;
    let mut json: Value = serde_json::from_str(&answer.body).unwrap();
    let session = json["session"]["id"].take();
    assert!(session.is_string());
    assert_eq!(json["user"]["id"].take(), user.id.as_str());
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    world.deactivate(&user).await;
    browser.fields.clear();
    let answer = browser.get("whoami").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.field("content-type"), "application/problem+json");
    assert_eq!(
        answer.field("www-authenticate"),
        "Bearer realm=\"sidegate\""
    );
}

#[tokio::test]
async fn a_sign_out_ends_the_session_and_forgets_the_browser() {
    let world = World::new(IDPS, LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    for method in [Method::GET, Method::POST] {
        let mut browser = world.browser();
        browser.sign_in("ada", PASSWORD).await;
        let mut copy = world.browser();
        copy.cookies = browser.cookies.clone();
        let answer = browser.ask(method.clone(), "logout", "").await;
        assert_eq!(answer.field("location"), "/.sidegate/logout/done");
        assert_eq!(
            answer.status.as_u16(),
            if method == Method::GET { 302 } else { 303 }
        );
        // R25: the cookie is worth nothing, wherever a copy of it is.
        assert!(
            browser.cookies.keys().eq(["__Host-sidegate-person"]) && !copy.is_signed_in(),
            "{method}"
        );
        assert_eq!(
            world.events(1).await[0]
                .split(' ')
                .take(2)
                .collect::<Vec<_>>(),
            ["session.ended", "logout"]
        );
        assert_eq!(
            browser.get("logout").await.field("location"),
            "/.sidegate/logout/done"
        );
    }
}

#[tokio::test]
async fn nobody_is_signed_out_by_others() {
    let world = World::new(IDPS, LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    for (name, method, field, ended) in [
        (
            "another site's link",
            "GET",
            ("sec-fetch-site", "cross-site"),
            false,
        ),
        (
            "another site's form",
            "POST",
            ("sec-fetch-site", "cross-site"),
            false,
        ),
        (
            "a picture of our own",
            "GET",
            ("sec-fetch-dest", "image"),
            false,
        ),
        ("a frame", "GET", ("sec-fetch-dest", "iframe"), false),
        ("a prefetch", "GET", ("sec-purpose", "prefetch"), false),
        ("a look", "HEAD", ("accept", "*/*"), false),
        (
            "a sibling host's link",
            "GET",
            ("sec-fetch-site", "same-site"),
            true,
        ),
        ("typed by hand", "GET", ("sec-fetch-site", "none"), true),
        (
            "a script of the app",
            "POST",
            ("sec-fetch-dest", "empty"),
            true,
        ),
    ] {
        let mut browser = world.browser();
        browser.sign_in("ada", PASSWORD).await;
        let (field, value) = field;
        browser.fields.retain(|(before, _)| *before != field);
        browser.fields.push((field, value));
        let answer = browser.ask(method.parse().unwrap(), "logout", "").await;
        assert_eq!(browser.is_signed_in(), !ended, "{name}");
        let asks = answer.body.contains("href=\"/.sidegate/logout\"");
        assert_eq!(asks, !ended && method != "HEAD", "{name}");
    }
}

fn principal(idp: &IdpName) -> Principal {
    Principal {
        idp: idp.clone(),
        kind: IdpKind::Oidc,
        link_subject: "s1".to_owned(),
        subject: "s1".to_owned(),
        name_id: None,
        user_name: "eve".to_owned(),
        email: None,
        email_verified: false,
        external_id: None,
        display_name: None,
        given_name: None,
        family_name: None,
        groups: crate::identity::ClaimedGroups::Silent,
        idp_session: None,
        authenticated_at: NOW,
        session_ends: None,
        claims: serde_json::Map::new(),
        id_token: None,
    }
}

#[tokio::test]
async fn a_sign_out_says_where_the_person_is_still_signed_in() {
    for (name, location) in [
        (
            "entra",
            "https://entra.test/out?to=https://app.test/.sidegate/logout/done",
        ),
        ("okta", "/.sidegate/logout/done?idp=okta"),
    ] {
        let world = World::new(IDPS, LOCAL).await;
        let idp = IdpName::try_from(name).unwrap();
        let mut browser = world.browser();
        let visit = browser.visit(Method::GET, "login");
        let pending = Pending {
            handle: String::new(),
            browser: sha256(b""),
            idp: idp.clone(),
            nonce: String::new(),
            verifier: Secret::default(),
            origin: "https://app.test".to_owned(),
            return_to: ReturnTo::root(),
            host: "app.test".to_owned(),
            client: None,
            begun: NOW,
            again: false,
            replaces: None,
        };
        let done = world.login.finish(&visit, pending, principal(&idp)).await;
        browser.take(done.unwrap()).await;
        assert!(browser.is_signed_in());
        // A password of ours is not this person's to change.
        assert_eq!(browser.get("password").await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.get("logout").await.field("location"), location);
    }
    let world = World::new(IDPS, LOCAL).await;
    let open = world.browser().get("logout/done?idp=okta").await.body;
    assert!(open.contains("You may still be signed in at <strong>okta</strong>"));
    for done in ["logout/done", "logout/done?idp=%3Cb%3E"] {
        let page = world.browser().get(done).await.body;
        assert!(page.contains("You are signed out") && !page.contains("You may still"));
    }
}

#[tokio::test]
async fn a_form_that_waits_is_sent_on_its_persons_word() {
    let world = World::new(IDPS, LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    let cookie = world
        .login
        .browser(&browser.visit(Method::GET, "login"))
        .unwrap();
    for (name, method, target, action) in [
        ("a form", "POST", "/save", "/save?sidegate-resume="),
        (
            "with a query",
            "POST",
            "/save?id=1&x=\"y",
            "/save?id=1&amp;x=&quot;y&amp;sidegate-resume=",
        ),
        ("not a form's method", "PUT", "/save", ""),
        ("another host's address", "POST", "//evil.test/x", ""),
    ] {
        let handle = world.login.kept.put(Kept {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            content_type: "application/json".to_owned(),
            body: Bytes::from_static(b"secret words"),
            browser: sha256(cookie.as_bytes()),
            writer: None,
            at: NOW,
        });
        let resume = format!("resume?kept={handle}");
        let page = browser.get(&resume).await;
        let form = format!("method=\"post\" action=\"{action}{handle}\"");
        assert_eq!(page.body.contains(&form), !action.is_empty(), "{name}");
        assert_eq!(
            page.body.contains("no longer here"),
            action.is_empty(),
            "{name}"
        );
        assert!(!page.body.contains("secret words"), "{name}");
        // R22: what waits is of one browser, and of somebody.
        let mut other = world.browser();
        other.sign_in("ada", PASSWORD).await;
        assert!(
            other.get(&resume).await.body.contains("no longer here"),
            "{name}"
        );
        let nobody = world.browser().get(&resume).await;
        let there = format!("/.sidegate/login?return_to=%2F.sidegate%2Fresume%3Fkept%3D{handle}");
        assert_eq!(nobody.field("location"), there, "{name}");
    }
}

#[tokio::test]
async fn r17_what_is_lost_links_to_the_app_alone() {
    let world = World::new(IDPS, LOCAL).await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    for (to, link) in [
        ("%2Fnotes%3Fa%3D1", "href=\"/notes?a=1\""),
        ("%2F%2Fevil.test", "href=\"/\""),
        ("javascript%3Aalert(1)", "href=\"/\""),
        ("%22%3E%3Cb%3E", "href=\"/\""),
    ] {
        let page = browser.get(&format!("resume?lost=1&to={to}")).await.body;
        assert!(
            page.contains("could not be kept") && page.contains(link),
            "{to}"
        );
    }
}
