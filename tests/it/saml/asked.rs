//! What we ask of the idp beside who the person is: how they prove it, how lately, and for how long that holds.

use serde_json::{Value, json};

use super::our_side::{gate_before, led_to, refused, sent_away, sign_in};
use crate::oidc::person;
use crate::support::{AtSamlIdp, SamlIdp, Sidegate, UpstreamApp};

/// What the provider says of everybody.
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const SMARTCARD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI";

/// The request that came to the provider last.
async fn last_request(idp: &SamlIdp) -> Value {
    let state = idp.state().await;
    state["requests"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_who_signed_in_another_way_than_asked_for_stays_outside() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    for (classes, comparison, binding, accepted) in [
        (&[PASSWORD][..], "exact", "redirect", true),
        (&[SMARTCARD, PASSWORD], "exact", "post", true),
        (&[SMARTCARD], "exact", "redirect", false),
        // Which is the stronger is the idp's to know.
        (&[SMARTCARD], "minimum", "post", true),
        (&[SMARTCARD], "better", "redirect", true),
        (&[SMARTCARD], "maximum", "redirect", true),
    ] {
        let settings = format!(
            "authn_context = {classes:?}\nauthn_context_comparison = \"{comparison}\"\nbinding = \"{binding}\"\n\
             idp_initiated = true"
        );
        let gate = gate_before(&app, &idp, &settings).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        let mut told = vec![comparison];
        told.extend(classes);
        assert_eq!(last_request(&idp).await["authn_context"], json!(told));
        // The idp that begins itself was not asked, and its word is judged the same.
        let mut unasked = gate.browser();
        let back = AtSamlIdp::new(&idp)
            .open("/idp-init", &[("user", "alice")])
            .await;
        let begun_there = unasked.bring(&back).await;
        for (done, browser) in [(done, &mut browser), (begun_there, &mut unasked)] {
            if accepted {
                assert_eq!(led_to(&done), "/", "{told:?}");
                assert_eq!(person(browser).await.as_deref(), Some("alice"));
            } else {
                refused(&done, browser, "R42: another class").await;
                assert_eq!(done.status, 403, "{told:?}");
            }
        }
    }
}

/// Goes to a page that wants a new proof, and gives what the provider is asked and what comes of it.
async fn asked_again(
    gate: &Sidegate,
    idp: &SamlIdp,
    browser: &mut crate::support::Client,
) -> (Value, crate::support::Answer) {
    let way = sent_away(browser, gate, "/fresh").await;
    let back = AtSamlIdp::new(idp).sign_in(&way, "alice").await;
    (
        last_request(idp).await["force_authn"].clone(),
        browser.bring(&back).await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_wants_a_new_proof_gets_one() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let rule = "[[rule]]\npath = \"/fresh\"\nmax_auth_age = \"15m\"\n";
    for binding in ["redirect", "post"] {
        let gate = gate_before(&app, &idp, &format!("binding = \"{binding}\"\n{rule}")).await;
        let mut browser = gate.browser();
        idp.set(&json!({ "authn_age": 3600 })).await;
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(led_to(&done), "/", "{binding}");
        assert_eq!(last_request(&idp).await["force_authn"], false);
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
        // The idp passes over it: the old session stays, and opens nothing more.
        let (asked, done) = asked_again(&gate, &idp, &mut browser).await;
        assert_eq!(asked, true);
        assert_eq!(done.status, 403, "{}", done.text());
        assert!(done.text().contains("sign_in.not_again"), "{}", done.text());
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
        idp.set(&json!({ "authn_age": 0 })).await;
        let (asked, done) = asked_again(&gate, &idp, &mut browser).await;
        assert_eq!(asked, true);
        assert_eq!(led_to(&done), "/fresh", "{binding}");
        assert_eq!(browser.get("/fresh").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sign_in_is_a_new_proof_where_the_settings_say_so() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "force_authn = true\nidp_initiated = true").await;
    for (age, accepted) in [(0, true), (60, true), (600, false)] {
        idp.set(&json!({ "authn_age": age })).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(last_request(&idp).await["force_authn"], true);
        if accepted {
            assert_eq!(
                person(&mut browser).await.as_deref(),
                Some("alice"),
                "{age}"
            );
        } else {
            refused(&done, &mut browser, "an old proof").await;
        }
    }
    // The idp's tile is no way around it.
    for (age, accepted) in [(0, true), (600, true), (3600, false)] {
        idp.set(&json!({ "authn_age": age })).await;
        let back = AtSamlIdp::new(&idp)
            .open("/idp-init", &[("user", "alice")])
            .await;
        let mut browser = gate.browser();
        let done = browser.bring(&back).await;
        if accepted {
            assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
        } else {
            refused(&done, &mut browser, "an old proof nobody asked for").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_ends_when_the_idp_says() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    // A minute ago by our clock, which the idp's may differ from: the answer is good, its session is over.
    for (seconds, inside) in [(600, true), (-60, false), (-600, false)] {
        idp.set(&json!({ "session_seconds": seconds })).await;
        let mut browser = gate.browser();
        sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        let found = person(&mut browser).await;
        assert_eq!(found.as_deref(), inside.then_some("alice"), "{seconds}");
    }
}
