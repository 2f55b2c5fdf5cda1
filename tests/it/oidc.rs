//! Sign-in through a real OpenID provider.

use serde_json::{Value, json};
use sidegate::server::control::Operation;

use crate::support::{Answer, AtIdp, Client, OidcIdp, Seen, Sidegate, UpstreamApp};

/// One `[[idp]]` of this name.
pub fn idp_settings(name: &str, idp: &OidcIdp, more: &str) -> String {
    format!(
        "[[idp]]\nname = \"{name}\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"sidegate\"\nclient_secret = \"sidegate-secret\"\n\
         scopes = [\"openid\", \"profile\", \"email\", \"groups\"]\n{more}\n",
        idp.issuer
    )
}

/// Goes to a page, signs in where that leads, and gives the answer at our callback.
pub async fn sign_in(browser: &mut Client, idp: &OidcIdp, target: &str, person: &str) -> Answer {
    let led = browser.get(target).await;
    assert_eq!(led.status, 302, "{}", led.text());
    let back = AtIdp::new(idp).sign_in(led.location(), person).await;
    browser.get(&back).await
}

/// Whom the app sees at `/`; nobody when the browser is sent to sign in.
pub async fn person(browser: &mut Client) -> Option<String> {
    let answer = browser.get("/").await;
    if answer.status != 200 {
        return None;
    }
    let seen: Seen = answer.json();
    seen.header("x-forwarded-user").map(str::to_owned)
}

async fn gate_before(app: &UpstreamApp, idp: &OidcIdp, more: &str) -> Sidegate {
    let gate = Sidegate::start(&app.url(), &idp_settings("corp", idp, more)).await;
    idp.trust(&gate.url(), "corp").await;
    gate
}

async fn down(idp: &OidcIdp, endpoints: &[&str]) {
    let outage = json!({ "endpoint": endpoints, "status": 503 });
    idp.control("POST", "/test/down", &outage).await;
}

async fn up(idp: &OidcIdp) {
    idp.control("DELETE", "/test/down", &Value::Null).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_and_the_app_knows_who() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    for (person, email, groups) in [
        ("alice", "alice@example.com", Some("staff,admins")),
        ("zoë.o’neil@例え.jp", "zoe@example.com", Some("staff")),
    ] {
        let mut browser = gate.browser();
        let led = browser.get("/wanted?x=1").await;
        assert_eq!(led.status, 302, "{}", led.text());
        let back = AtIdp::new(&idp).sign_in(led.location(), person).await;
        let done = browser.get(&back).await;
        assert_eq!(done.status, 302, "{}", done.text());
        assert_eq!(done.location(), "/wanted?x=1");
        let seen: Seen = browser.get(done.location()).await.json();
        assert_eq!(seen.header("x-forwarded-user"), Some(person));
        assert_eq!(seen.header("x-forwarded-email"), Some(email));
        assert_eq!(seen.header("x-forwarded-groups"), groups, "{seen:?}");
        let whoami: Value = browser.get("/.sidegate/whoami").await.json();
        assert_eq!(whoami["user"]["userName"], *person);
        assert_eq!(whoami["idp"]["kind"], "oidc");
        // The answer to one request is the answer to no other; who is signed in already is just led on.
        let again = browser.get(&back).await;
        assert_eq!((again.status.as_u16(), again.location()), (302, "/"));
        // R22: another browser can do nothing with it.
        let elsewhere = gate.browser().get(&back).await;
        assert_eq!(elsewhere.status, 400);
        assert!(
            elsewhere.text().contains("sign_in.cookies"),
            "{}",
            elsewhere.text()
        );
        assert!(elsewhere.header("set-cookie").is_none());
    }
    let state: Value = idp.control("GET", "/test/state", &json!(null)).await.json();
    assert_eq!(state["requests"]["token"], 2, "{state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tabs_sign_in_side_by_side() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    let mut at_idp = AtIdp::new(&idp);
    let mut tabs = Vec::new();
    for tab in 0..5 {
        let wanted = format!("/tab/{tab}?q=%C3%A9");
        let led = browser.get(&wanted).await.location().to_owned();
        tabs.push((wanted, led));
    }
    let mut old = Vec::new();
    for (wanted, led) in tabs.iter().rev() {
        let back = at_idp.sign_in(led, "bob").await;
        let done = browser.get(&back).await;
        assert_eq!(done.location(), wanted);
        // R22: each sign-in has a new id, and what this browser had before is dead.
        let cookie = browser.cookies["sidegate"].clone();
        let mut before = gate.browser();
        if let Some(old) = old.last().cloned() {
            before.cookies.insert("sidegate".to_owned(), old);
            assert_eq!(person(&mut before).await, None);
        }
        assert!(!old.contains(&cookie));
        old.push(cookie);
        assert_eq!(person(&mut browser).await.as_deref(), Some("bob"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_roll_under_us() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[("ALG", "ES256")]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    assert_eq!(sign_in(&mut browser, &idp, "/", "alice").await.status, 302);
    for mode in ["add", "drop"] {
        idp.control("POST", "/test/rotate-keys", &json!({ "mode": mode }))
            .await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &idp, "/", "alice").await;
        assert_eq!(done.status, 302, "{mode}: {}", done.text());
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    }
    assert_eq!(
        person(&mut browser).await.as_deref(),
        Some("alice"),
        "sessions do not care"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idp_may_be_down_at_start_and_later() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    down(&idp, &["all"]).await;
    let gate = gate_before(&app, &idp, "").await;
    let answer = gate.browser().get("/").await;
    assert_eq!(answer.status, 503, "never seen, and down");
    assert!(
        answer.text().contains("sign_in.idp_unreachable"),
        "{}",
        answer.text()
    );
    assert!(answer.header("retry-after").is_some());

    up(&idp).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    assert_eq!(sign_in(&mut browser, &idp, "/", "alice").await.status, 302);

    down(&idp, &["discovery", "jwks"]).await;
    let mut later = gate.browser();
    assert_eq!(
        sign_in(&mut later, &idp, "/", "bob").await.status,
        302,
        "down later"
    );
    let idp_part = idp_settings("corp", &idp, "");
    let gate = Sidegate::start_in(gate.stop(), &app.url(), &idp_part).await;
    idp.trust(&gate.url(), "corp").await;
    let mut restarted = gate.browser();
    let done = sign_in(&mut restarted, &idp, "/", "bob").await;
    assert_eq!(done.status, 302, "down at start: {}", done.text());
    assert_eq!(person(&mut restarted).await.as_deref(), Some("bob"));

    down(&idp, &["token"]).await;
    let mut refused = gate.browser();
    let done = sign_in(&mut refused, &idp, "/", "bob").await;
    assert_eq!(done.status, 502);
    assert!(
        done.text().contains("sign_in.idp_failed"),
        "{}",
        done.text()
    );
    assert_eq!(person(&mut refused).await, None);
    assert_eq!(
        person(&mut restarted).await.as_deref(),
        Some("bob"),
        "who is inside stays"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_idps_stand_side_by_side_and_are_never_mixed_up() {
    let app = UpstreamApp::start().await;
    let (one, two) = tokio::join!(OidcIdp::start(&[]), OidcIdp::start(&[("ALG", "EdDSA")]));
    let settings = idp_settings(
        "one",
        &one,
        "label = \"Company One\"\ndomains = [\"one.test\"]",
    ) + &idp_settings("two", &two, "label = \"Company Two\"");
    let gate = Sidegate::start(&app.url(), &settings).await;
    one.trust(&gate.url(), "one").await;
    two.trust(&gate.url(), "two").await;
    let mut browser = gate.browser();
    let led = browser.get("/wanted").await;
    assert_eq!(led.location(), "/.sidegate/login?return_to=%2Fwanted");
    let page = browser.get(led.location()).await.text();
    assert!(
        page.contains("Company One") && page.contains("Company Two"),
        "{page}"
    );
    for (name, idp, who) in [("one", &one, "carol"), ("two", &two, "bob")] {
        let mut browser = gate.browser();
        let chosen = format!("/.sidegate/login?idp={name}&return_to=%2Fwanted");
        let done = sign_in(&mut browser, idp, &chosen, who).await;
        assert_eq!(done.location(), "/wanted");
        let whoami: Value = browser.get("/.sidegate/whoami").await.json();
        assert_eq!(whoami["idp"]["name"], name);
    }
    // R32: the name alone does not make one person of two.
    let mut browser = gate.browser();
    let other = sign_in(&mut browser, &two, "/.sidegate/login?idp=two", "carol").await;
    assert_eq!(other.status, 403, "{}", other.text());
    // An answer of one at the other's address is none (RFC 9700 4.4), and its sign-in is over.
    let mut browser = gate.browser();
    let led = browser
        .get("/.sidegate/login?idp=one")
        .await
        .location()
        .to_owned();
    let back = AtIdp::new(&one).sign_in(&led, "alice").await;
    let mixed = browser.get(&back.replace("/oidc/one/", "/oidc/two/")).await;
    assert_eq!(mixed.status, 400, "{}", mixed.text());
    assert!(mixed.text().contains("sign_in.answer"), "{}", mixed.text());
    browser.get(&back).await;
    assert_eq!(person(&mut browser).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_enter_is_told_why_and_gets_nothing() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    sign_in(&mut browser, &idp, "/", "alice").await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    gate.set_active("alice", false).await;
    assert_eq!(person(&mut browser).await, None, "out at once");
    let over = json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://graph.test" } } });
    idp.control("PUT", "/test/users/bob", &over).await;
    for (who, code) in [
        ("alice", "sign_in.inactive"),
        ("bob", "sign_in.group_overage"),
    ] {
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &idp, "/", who).await;
        assert_eq!(done.status, 403, "{who}: {}", done.text());
        assert!(done.text().contains(code), "{who}: {}", done.text());
        assert!(!browser.cookies.contains_key("sidegate"), "{who}");
        assert_eq!(person(&mut browser).await, None);
    }
    let told = refusals(&gate).await;
    assert_eq!(
        told,
        ["sign_in.group_overage bob", "sign_in.inactive alice"]
    );
    // Cancelled at the idp.
    let mut browser = gate.browser();
    let led = browser.get("/").await.location().to_owned();
    let state = url::Url::parse(&led).unwrap();
    let state = state
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let issuer = url::form_urlencoded::byte_serialize(idp.issuer.as_bytes()).collect::<String>();
    let denied = format!(
        "/oidc/corp/callback?error=access_denied&error_description=canary&state={state}&iss={issuer}"
    );
    let done = browser.get(&denied).await;
    assert_eq!(done.status, 403);
    assert!(done.text().contains("sign_in.denied") && !done.text().contains("canary"));
    // Nobody was proved: anybody can do this as often as they like, and fills no audit with it.
    assert_eq!(refusals(&gate).await.len(), 2);
}

/// The newest refusals in the audit: reason, user name.
async fn refusals(gate: &Sidegate) -> Vec<String> {
    let query = json!({ "user": null, "action": "sign_in.refused", "before": null, "limit": 50 });
    let query = serde_json::from_value(query).unwrap();
    let shown: Value = gate.ask(Operation::AuditShow(query)).await;
    let rows = shown.as_array().unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let line = |row| format!("{} {}", text(row, "reason"), text(row, "user_name"));
    rows.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_are_only_at_userinfo_arrive() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[("CLAIMS_IN", "userinfo")]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    assert_eq!(sign_in(&mut browser, &idp, "/", "bob").await.status, 302);
    let seen: Seen = browser.get("/").await.json();
    assert_eq!(seen.header("x-forwarded-user"), Some("bob"));
    assert_eq!(seen.header("x-forwarded-email"), Some("bob@example.com"));
    assert_eq!(seen.header("x-forwarded-groups"), Some("staff"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_cookie_gets_over_the_way_back_from_another_site() {
    let app = UpstreamApp::start().await;
    let idp = OidcIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "[session]\nsame_site = \"strict\"").await;
    let mut browser = gate.browser();
    let done = sign_in(&mut browser, &idp, "/wanted?x=1&y=2", "bob").await;
    assert_eq!(done.status, 200);
    assert_eq!(done.header("refresh"), Some("0; url=/wanted?x=1&y=2"));
    assert!(
        done.header("set-cookie")
            .unwrap()
            .contains("SameSite=Strict")
    );
    assert!(
        done.text().contains("href=\"/wanted?x=1&amp;y=2\""),
        "{}",
        done.text()
    );
    assert_eq!(person(&mut browser).await.as_deref(), Some("bob"));
}
