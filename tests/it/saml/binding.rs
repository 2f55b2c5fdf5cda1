//! A response is good once, in the browser that asked for it, and leads to this host alone.

use super::our_side::{gate_before, led_to, refused, sent_away};
use crate::oidc::person;
use crate::support::{AtSamlIdp, SamlIdp, UpstreamApp};

const TRICKS: &str = include_str!("../../data/open_redirects.txt");

/// Those that can stand in a form as they are.
fn tricks() -> impl Iterator<Item = &'static str> {
    let comment = |line: &&str| line.is_empty() || line.starts_with("# ");
    TRICKS
        .lines()
        .filter(move |line| !comment(line) && !line.contains("\\x"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_another_browser_can_do_nothing_with_a_response() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    for settings in ["", "idp_initiated = true"] {
        let gate = gate_before(&app, &idp, settings).await;
        // The attacker signs in as themself and sends the answer to somebody else's browser: a new one for each try.
        let (gate, idp) = (&gate, &idp);
        let lure = async || {
            let mut attacker = gate.browser();
            let way = sent_away(&mut attacker, gate, "/").await;
            AtSamlIdp::new(idp).sign_in(&way, "bob").await
        };
        let mut victim = gate.browser();
        let done = victim.bring(&lure().await).await;
        refused(&done, &mut victim, "an empty jar").await;
        let own = sent_away(&mut victim, gate, "/").await;
        let handle = own.field("RelayState");
        let done = victim.bring(&lure().await).await;
        refused(&done, &mut victim, "one that asked for another").await;
        let changed = lure().await.with("RelayState", handle.as_deref());
        let done = victim.bring(&changed).await;
        refused(&done, &mut victim, "with the handle of its own").await;
        let changed = lure().await.with("RelayState", None);
        let done = victim.bring(&changed).await;
        refused(&done, &mut victim, "without a handle").await;
        // What the victim asked for is still answered.
        let way = sent_away(&mut victim, gate, "/").await;
        let back = AtSamlIdp::new(idp).sign_in(&way, "alice").await;
        let done = victim.bring(&back).await;
        assert_eq!(led_to(&done), "/");
        assert_eq!(person(&mut victim).await.as_deref(), Some("alice"));
        // A session that exists is not replaced by somebody else's.
        victim.bring(&lure().await).await;
        assert_eq!(person(&mut victim).await.as_deref(), Some("alice"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_a_response_is_good_once() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "idp_initiated = true").await;
    let mut browser = gate.browser();
    let way = sent_away(&mut browser, &gate, "/").await;
    let back = AtSamlIdp::new(&idp).sign_in(&way, "alice").await;
    let mut thief = browser.copy();
    let done = browser.bring(&back).await;
    assert_eq!(led_to(&done), "/");
    let done = thief.bring(&back).await;
    refused(&done, &mut thief, "with all that the browser knew").await;

    let back = AtSamlIdp::new(&idp)
        .open("/idp-init", &[("user", "bob")])
        .await;
    let mut browser = gate.browser();
    let done = browser.bring(&back).await;
    assert_eq!(led_to(&done), "/");
    assert_eq!(person(&mut browser).await.as_deref(), Some("bob"));
    let mut thief = gate.browser();
    let done = thief.bring(&back).await;
    refused(&done, &mut thief, "nobody asked, and it came before").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_the_idp_begins_only_where_it_may() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    for (settings, may) in [
        ("", false),
        ("idp_initiated = false", false),
        ("idp_initiated = true", true),
    ] {
        let gate = gate_before(&app, &idp, settings).await;
        let back = AtSamlIdp::new(&idp)
            .open("/idp-init", &[("user", "alice")])
            .await;
        // Also in a browser that has asked for something else.
        for asked in [false, true] {
            let mut browser = gate.browser();
            let mut back = back.clone();
            if asked {
                let own = sent_away(&mut browser, &gate, "/").await;
                let parameters = [("user", "alice")];
                let fresh = AtSamlIdp::new(&idp).open("/idp-init", &parameters).await;
                back = fresh.with("RelayState", own.field("RelayState").as_deref());
            }
            let done = browser.bring(&back).await;
            if may && !asked {
                assert_eq!(led_to(&done), "/");
                assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
            } else if !may {
                refused(&done, &mut browser, settings).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r17_relay_state_leads_to_no_other_host() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    idp.set(&serde_json::json!({ "sign": "assertion" })).await;
    let gate = gate_before(&app, &idp, "idp_initiated = true").await;
    // A path of ours is the most that it may say.
    let parameters = [("user", "alice"), ("RelayState", "/wanted?x=1")];
    let back = AtSamlIdp::new(&idp).open("/idp-init", &parameters).await;
    let led = led_to(&gate.browser().bring(&back).await);
    assert!(["/", "/wanted?x=1"].contains(&&*led), "{led}");
    let all: Vec<_> = tricks().collect();
    assert!(all.len() > 40);
    for (number, trick) in all.iter().enumerate() {
        let parameters = [("user", "alice"), ("RelayState", trick)];
        let back = AtSamlIdp::new(&idp).open("/idp-init", &parameters).await;
        let mut browser = gate.browser();
        let done = browser.bring(&back).await;
        if done.status.is_client_error() {
            refused(&done, &mut browser, trick).await;
        } else {
            assert_eq!(led_to(&done), "/", "{trick}");
        }
        // In place of the handle that we gave.
        if number % 8 > 0 {
            continue;
        }
        let mut browser = gate.browser();
        let way = sent_away(&mut browser, &gate, "/wanted").await;
        let back = AtSamlIdp::new(&idp).sign_in(&way, "alice").await;
        let done = browser.bring(&back.with("RelayState", Some(trick))).await;
        if done.status.is_client_error() {
            refused(&done, &mut browser, trick).await;
        } else {
            led_to(&done);
        }
        assert!(!done.text().contains("evil.test"), "R51: {trick}");
    }
}
