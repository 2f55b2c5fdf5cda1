//! The idp's keys roll, and somebody else's never take their place.

use serde_json::{Value, json};

use super::our_side::{OurKey, gate_before, idp_settings, led_to, refused, sent_away, sign_in};
use crate::oidc::person;
use crate::support::{AtSamlIdp, SamlIdp, Sidegate, UpstreamApp, new_folder};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_rolls_and_nobody_is_refused() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    idp.set(&json!({ "sign": "assertion" })).await;
    let mut number = 0;
    for (mode, sign_ins) in [("", 40), ("add", 60), ("switch", 60), ("drop", 40)] {
        if !mode.is_empty() {
            let rolled = json!({ "mode": mode });
            idp.control("POST", "/test/roll-keys", &rolled).await;
        }
        for _ in 0..sign_ins {
            number += 1;
            let mut browser = gate.browser();
            let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
            assert!(
                !done.status.is_client_error(),
                "{number} {mode}: {}",
                done.text()
            );
            assert_eq!(led_to(&done), "/", "{number} {mode}");
            assert!(browser.cookies.contains_key("sidegate"), "{number} {mode}");
        }
    }
    assert_eq!(number, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_a_hijacked_metadata_address_changes_nothing() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let mut gate = gate_before(&app, &idp, "").await;
    let mut inside = gate.browser();
    sign_in(&mut inside, &gate, &idp, "/", "bob").await;
    for impostor in ["keys", "entity", "keys"] {
        idp.set(&json!({ "impostor": impostor })).await;
        for attempt in 0..3 {
            let mut browser = gate.browser();
            let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
            refused(&done, &mut browser, &format!("{impostor} {attempt}")).await;
        }
        assert_eq!(person(&mut inside).await.as_deref(), Some("bob"));
        gate.reload().await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        refused(&done, &mut browser, &format!("{impostor}, after a reload")).await;
        let settings = idp_settings("corp", &idp, "");
        gate = Sidegate::start_in(gate.stop(), &app.url(), &settings).await;
        idp.trust(&gate, "corp").await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        refused(&done, &mut browser, &format!("{impostor}, after a restart")).await;

        idp.set(&json!({ "impostor": "" })).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(led_to(&done), "/", "{impostor}");
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
        inside = gate.browser();
        sign_in(&mut inside, &gate, &idp, "/", "bob").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_metadata_never_takes_its_place() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let good = idp.metadata().await;
    let gate = gate_before(&app, &idp, "").await;
    let keyless = {
        let (before, rest) = good.split_once("<ns0:KeyDescriptor").unwrap();
        let after = rest.rsplit_once("</ns0:KeyDescriptor>").unwrap().1;
        format!("{before}{after}")
    };
    for (name, status, body) in [
        (
            "an error page",
            200,
            "<html><body>Please sign in</body></html>",
        ),
        ("nothing", 200, ""),
        ("half of it", 200, &good[..good.len() / 2]),
        ("no keys", 200, &keyless),
        ("an error", 500, "down"),
    ] {
        let down =
            json!({ "endpoint": "metadata", "status": status, "body": body, "type": "text/xml" });
        idp.control("POST", "/test/down", &down).await;
        // Its keys are unknown now: asked for anew, and not found in this.
        idp.set(&json!({ "impostor": "keys" })).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        refused(&done, &mut browser, name).await;
        gate.reload().await;
        idp.set(&json!({ "impostor": "" })).await;
        let mut browser = gate.browser();
        sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(
            person(&mut browser).await.as_deref(),
            Some("alice"),
            "{name}"
        );
        idp.control("DELETE", "/test/down", &Value::Null).await;
    }
}

/// A new key beside the old one, that signs from now on.
async fn roll(idp: &SamlIdp) {
    for mode in ["add", "switch"] {
        idp.control("POST", "/test/roll-keys", &json!({ "mode": mode }))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_forged_answers_do_not_stand_in_the_way_of_a_roll() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    for idp_initiated in [false, true] {
        let more = format!("idp_initiated = {idp_initiated}");
        let gate = gate_before(&app, &idp, &more).await;
        sign_in(&mut gate.browser(), &gate, &idp, "/", "bob").await;
        // By a key of nobody's, to no request of ours.
        idp.set(&json!({ "impostor": "keys" })).await;
        let forged = AtSamlIdp::new(&idp)
            .open("/idp-init", &[("user", "alice")])
            .await;
        for handle in [
            None,
            Some("/"),
            Some("nGoUyTgNfYzZx0aBLrWc1mJkQe4VtH7sXbA2D5PiRuE"),
        ] {
            let mut browser = gate.browser();
            let done = browser
                .bring(&forged.clone().with("RelayState", handle))
                .await;
            refused(&done, &mut browser, "forged").await;
        }
        idp.set(&json!({ "impostor": "" })).await;
        roll(&idp).await;
        let mut browser = gate.browser();
        let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
        assert_eq!(led_to(&done), "/", "{more}");
        assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_found_under_encryption_and_at_sign_out() {
    let app = UpstreamApp::start().await;
    let folder = new_folder();
    let key = OurKey::new().settings(&folder, "ours");
    for (at_sign_out, binding) in [(false, "redirect"), (true, "redirect"), (true, "post")] {
        let idp = SamlIdp::start(&[]).await;
        // As Entra and AD FS: the new key signs nothing but what is inside the ciphertext.
        let how =
            json!({ "sign": "assertion", "encrypt": "aes256-cbc", "logout_binding": binding });
        idp.set(&how).await;
        let gate = gate_before(&app, &idp, &key).await;
        sign_in(&mut gate.browser(), &gate, &idp, "/", "bob").await;
        if !at_sign_out {
            roll(&idp).await;
        }
        let (mut browser, mut at_idp) = (gate.browser(), AtSamlIdp::new(&idp));
        let way = sent_away(&mut browser, &gate, "/").await;
        let back = at_idp.sign_in(&way, "alice").await;
        browser.bring(&back).await;
        assert_eq!(
            person(&mut browser).await.as_deref(),
            Some("alice"),
            "{how}"
        );
        if at_sign_out {
            roll(&idp).await;
            let order = at_idp.open("/idp-logout", &[]).await;
            gate.browser().bring(&order).await;
            assert_eq!(person(&mut browser).await, None, "{how}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
