//! Changing a password: who may, and what it ends.

use super::*;
use crate::login::world::{Answer, Browser, PASSWORD, World, actor};

const NEW: &str = "brand new staple";

async fn world() -> World {
    World::new(&[], "local.enabled = true").await
}

async fn demanded(world: &World) -> (Browser<'_>, Answer) {
    world.person("ada", SignInMethod::Local, true).await;
    let mut browser = world.browser();
    let page = browser.get("login?return_to=/notes").await;
    let fields = [
        ("username", "ada"),
        ("password", PASSWORD),
        ("token", &page.hidden("token")),
        ("return_to", "/notes"),
    ];
    let sent = browser.post("login", &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let step = sent.field("location").strip_prefix("/.sidegate/").unwrap();
    let page = browser.get(step).await;
    (browser, page)
}

async fn choose(browser: &mut Browser<'_>, page: &Answer, new: &str, repeat: &str) -> Answer {
    let fields = [
        ("step", page.hidden("step")),
        ("token", page.hidden("token")),
        ("new_password", new.to_owned()),
        ("repeat_password", repeat.to_owned()),
    ];
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post("password", &fields).await
}

#[tokio::test]
async fn r58_a_demanded_change_comes_before_the_session() {
    let world = world().await;
    let (mut browser, page) = demanded(&world).await;
    assert!(page.body.contains("Choose your own password"));
    // R58: no other page makes a session of the step.
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("whoami").await.status, StatusCode::UNAUTHORIZED);
    let token = page.hidden("token");
    let without_step = [
        ("token", token.as_str()),
        ("new_password", NEW),
        ("repeat_password", NEW),
    ];
    assert_eq!(
        browser.post("password", &without_step).await.status,
        StatusCode::BAD_REQUEST
    );
    assert!(!browser.is_signed_in());
    let done = choose(&mut browser, &page, NEW, NEW).await;
    assert_eq!(
        (done.status, done.field("location")),
        (StatusCode::SEE_OTHER, "/notes")
    );
    assert!(browser.is_signed_in());
    // The next sign-in is an ordinary one, with the new password alone.
    assert_eq!(
        world.browser().sign_in("ada", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.browser().sign_in("ada", NEW).await.field("location"),
        "/"
    );
    // What was proved once counts once.
    let again = choose(
        &mut browser,
        &page,
        "another new staple",
        "another new staple",
    )
    .await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn r58_a_step_is_of_its_browser_and_its_moment() {
    for name in [
        "another browser",
        "too late",
        "a password set meanwhile",
        "deactivated",
        "an idp's by now",
    ] {
        let world = world().await;
        let (mut browser, page) = demanded(&world).await;
        let provision = &world.login.provision;
        let user = provision
            .local_account("app.test", "ada")
            .await
            .unwrap()
            .unwrap();
        let (tenant, id, actor) = (&user.tenant, &user.id, &actor());
        match name {
            "another browser" => {
                browser.cookies = world.browser().cookies;
                browser.get("login").await;
            }
            "too late" => world.clock.advance(std::time::Duration::from_mins(10)),
            "a password set meanwhile" => {
                let hash = Secret::new("$2b$04$changed");
                let done = provision.set_password(tenant, id, hash, true, None, actor);
                done.await.unwrap();
            }
            "deactivated" => world.deactivate(&user).await,
            _ => {
                let external = SignInMethod::External;
                let done = provision.set_sign_in(tenant, id, external, actor);
                done.await.unwrap();
            }
        }
        let before = stored(&world).await;
        let answer = choose(&mut browser, &page, NEW, NEW).await;
        assert_eq!(stored(&world).await, before, "{name}");
        assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
        assert!(!browser.is_signed_in(), "{name}");
    }
}

#[tokio::test]
async fn unfit_passwords_are_refused_and_told() {
    let world = world().await;
    let (mut browser, page) = demanded(&world).await;
    for (new, repeat, told) in [
        (
            NEW,
            "brand new stable",
            "The two new passwords are not the same.",
        ),
        ("tiny.pw", "tiny.pw", "The new password is too short."),
        (&"a".repeat(73), &"a".repeat(73), "72 bytes are the most"),
        (
            "brand new\0staple",
            "brand new\0staple",
            "a character that cannot be used",
        ),
        (
            PASSWORD,
            PASSWORD,
            "Choose another password than the one you have.",
        ),
    ] {
        let answer = choose(&mut browser, &page, new, repeat).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{told}");
        assert!(answer.body.contains(told), "{told}");
        assert!(
            !answer.body.contains(new),
            "{told}: passwords are never shown again"
        );
    }
    assert_eq!(
        choose(&mut browser, &page, NEW, NEW).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn r58_of_two_forms_with_one_proof_one_counts() {
    let world = world().await;
    let (mut browser, page) = demanded(&world).await;
    let mut twin = world.browser();
    twin.cookies = browser.cookies.clone();
    let (one, two) = tokio::join!(
        choose(&mut browser, &page, NEW, NEW),
        choose(&mut twin, &page, "brand new stable", "brand new stable"),
    );
    let mut both = [one.status.as_u16(), two.status.as_u16()];
    both.sort_unstable();
    assert_eq!(both, [303, 400]);
}

/// Digest of the stored hash, whoever the person is by now.
async fn stored(world: &World) -> Option<crate::crypto::Digest> {
    let key = crate::directory::UserKey::UserName("ada".to_owned());
    let tenant = crate::identity::TenantSlug::default();
    let found = world.login.provision.directory().find_users(&tenant, &key);
    found.await.unwrap().first().map(fingerprint)
}

/// Old password, new password.
async fn change(browser: &mut Browser<'_>, old: &str, new: &str) -> Answer {
    let token = browser.get("password").await.hidden("token");
    let fields = [
        ("token", token.as_str()),
        ("password", old),
        ("new_password", new),
        ("repeat_password", new),
    ];
    browser.post("password", &fields).await
}

#[tokio::test]
async fn a_change_ends_the_other_sessions() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let (mut here, mut there) = (world.browser(), world.browser());
    here.sign_in("ada", PASSWORD).await;
    there.sign_in("ada", PASSWORD).await;
    let done = change(&mut here, PASSWORD, NEW).await;
    assert_eq!(done.field("location"), "/.sidegate/password?changed=1");
    assert!(
        here.get("password?changed=1")
            .await
            .body
            .contains("Your password is changed")
    );
    assert!(here.is_signed_in() && !there.is_signed_in());
    assert!(
        world
            .events(3)
            .await
            .contains(&"password.set  ada".to_owned())
    );
}

#[tokio::test]
async fn r60_the_old_password_cannot_be_guessed_here() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    for _ in 0..3 {
        let answer = change(&mut browser, "wrong horse", NEW).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("The current password is wrong."));
    }
    assert_eq!(
        world.events(1).await,
        ["password.refused password.wrong ada"]
    );
    let answer = change(&mut browser, PASSWORD, NEW).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.field("retry-after"), "900");
}

#[tokio::test]
async fn csrf_a_change_is_of_our_own_page() {
    let world = world().await;
    world.person("ada", SignInMethod::Local, false).await;
    let mut browser = world.browser();
    browser.sign_in("ada", PASSWORD).await;
    // The token of the sign-in page is of the same browser, and for something else.
    let other = browser.get("login?again=1").await.hidden("token");
    for token in ["", other.as_str()] {
        let fields = [
            ("token", token),
            ("password", PASSWORD),
            ("new_password", NEW),
            ("repeat_password", NEW),
        ];
        assert_eq!(
            browser.post("password", &fields).await.status,
            StatusCode::FORBIDDEN
        );
    }
    browser.fields.push(("sec-fetch-site", "cross-site"));
    assert_eq!(
        change(&mut browser, PASSWORD, NEW).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.browser().sign_in("ada", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn nobody_is_led_to_sign_in_first() {
    let world = world().await;
    let answer = world.browser().get("password").await;
    let there = "/.sidegate/login?return_to=%2F.sidegate%2Fpassword";
    assert_eq!(answer.field("location"), there);
}
