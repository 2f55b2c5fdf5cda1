//! Sign-out in both directions with a real SAML identity provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use super::our_side::{OurKey, gate_before, sent_away, sign_in};
use crate::oidc::person;
use crate::support::{Answer, AtSamlIdp, Client, SamlIdp, Sidegate, UpstreamApp, Way, new_folder};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Signs in and leaves the browser's session at the provider too.
async fn inside(gate: &Sidegate, idp: &SamlIdp, who: &str) -> (Client, AtSamlIdp) {
    let (mut browser, mut at_idp) = (gate.browser(), AtSamlIdp::new(idp));
    let way = sent_away(&mut browser, gate, "/").await;
    let back = at_idp.sign_in(&way, who).await;
    browser.bring(&back).await;
    assert_eq!(person(&mut browser).await.as_deref(), Some(who));
    (browser, at_idp)
}

/// Follows redirects on our own host, to what is shown at last.
async fn shown_at_last(browser: &mut Client, gate: &Sidegate, mut answer: Answer) -> Answer {
    let here: Url = gate.url().parse().unwrap();
    for _ in 0..3 {
        if !answer.status.is_redirection() {
            return answer;
        }
        let next = here.join(answer.location()).unwrap();
        assert_eq!(next.origin(), here.origin(), "{next}");
        answer = browser.get(Way::Get(next).target()).await;
    }
    panic!("in circles: {}", answer.location());
}

async fn answers(idp: &SamlIdp) -> Vec<Value> {
    let log = idp.control("GET", "/test/logout-log", &Value::Null).await;
    log.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_here_signs_out_there() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let key = OurKey::new().settings(&folder, "ours");
    for (settings, signed) in [(&*key, true), ("", false)] {
        for binding in ["redirect", "post"] {
            let gate = gate_before(&app, &idp, settings).await;
            idp.set(&json!({ "logout_binding": binding })).await;
            let (mut browser, mut at_idp) = inside(&gate, &idp, "alice").await;
            let (mut bystander, _) = inside(&gate, &idp, "bob").await;
            // Without a sign-out the provider would let the person in again unasked.
            let again = sent_away(&mut gate.browser(), &gate, "/").await;
            assert!(at_idp.go(&again).await.field("SAMLResponse").is_some());

            let out = browser.get("/.sidegate/logout").await;
            assert_eq!(person(&mut browser).await, None, "ours ends first");
            let away = Way::of(&out, &gate.url().parse().unwrap());
            assert_eq!(away.address().origin(), idp.slo.origin(), "{away:?}");
            let back = at_idp.go(&away).await;
            assert!(back.target().starts_with("/saml2/slo/corp"), "{back:?}");
            let done = browser.bring(&back).await;
            let done = shown_at_last(&mut browser, &gate, done).await;
            assert_eq!(done.status, 200, "{binding} {}", done.text());
            assert_eq!(person(&mut browser).await, None);
            assert_eq!(person(&mut bystander).await.as_deref(), Some("bob"));

            let state = idp.state().await;
            let asked = state["requests"].as_array().unwrap();
            let asked = asked.iter().rfind(|one| one["kind"] == "logout").unwrap();
            assert_eq!(asked["signed"], signed, "{asked}");
            let left = state["sessions"].as_array().unwrap();
            assert!(left.iter().any(|one| one["user"] == "bob"), "{state}");
            let way = sent_away(&mut browser, &gate, "/").await;
            let form = at_idp.look(&way).await.text();
            assert!(form.contains("id=password"), "{form}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_that_fails_elsewhere_is_told() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut told = Vec::new();
    for partial in [false, true] {
        idp.set(&json!({ "partial_logout": partial })).await;
        let (mut browser, mut at_idp) = inside(&gate, &idp, "alice").await;
        let out = browser.get("/.sidegate/logout").await;
        let back = at_idp
            .go(&Way::of(&out, &gate.url().parse().unwrap()))
            .await;
        let done = browser.bring(&back).await;
        let done = shown_at_last(&mut browser, &gate, done).await;
        assert_eq!(person(&mut browser).await, None);
        told.push(done.text());
    }
    assert_ne!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_idp_signs_people_out_with_its_own_word() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let key = OurKey::new().settings(&folder, "ours");
    let gate = gate_before(&app, &idp, &key).await;
    for binding in ["redirect", "post"] {
        idp.set(&json!({ "logout_binding": binding })).await;
        let (mut alice, mut at_idp) = inside(&gate, &idp, "alice").await;
        let (mut bob, _) = inside(&gate, &idp, "bob").await;
        let order = at_idp.open("/idp-logout", &[]).await;
        // A frame of another site: no cookie of ours comes with it.
        let mut frame = gate.browser();
        let answer = frame.bring(&order).await;
        assert_eq!(
            person(&mut alice).await,
            None,
            "{binding}: {}",
            answer.text()
        );
        assert_eq!(person(&mut bob).await.as_deref(), Some("bob"), "{binding}");
        let back = Way::of(&answer, &gate.url().parse().unwrap());
        let shown = at_idp.look(&back).await;
        assert!(
            shown.text().contains("Signed out everywhere"),
            "{}",
            shown.text()
        );
        let told = answers(&idp).await;
        let told = told.last().unwrap();
        assert_eq!(
            (&told["status"], &told["signature"]),
            (&json!(SUCCESS), &json!("good"))
        );

        // The same order again is none: who has signed in since stays.
        sign_in(&mut alice, &gate, &idp, "/", "alice").await;
        assert_eq!(person(&mut alice).await.as_deref(), Some("alice"));
        let answer = gate.browser().bring(&order).await;
        assert_eq!(answer.status, 400, "R38: {binding}");
        assert_eq!(person(&mut alice).await.as_deref(), Some("alice"));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_nobody_else_signs_people_out() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let genuine = json!({ "sign_logout": true, "impostor": "" });
    for binding in ["redirect", "post"] {
        idp.set(&json!({ "logout_binding": binding })).await;
        for (name, settings) in [
            ("unsigned", json!({ "sign_logout": false })),
            ("another key", json!({ "impostor": "keys" })),
            ("another idp", json!({ "impostor": "entity" })),
        ] {
            idp.set(&genuine).await;
            let (mut alice, mut at_idp) = inside(&gate, &idp, "alice").await;
            idp.set(&settings).await;
            let order = at_idp.open("/idp-logout", &[]).await;
            let answer = gate.browser().bring(&order).await;
            assert!(!answer.status.is_server_error(), "{}", answer.text());
            let stays = person(&mut alice).await;
            assert_eq!(stays.as_deref(), Some("alice"), "{binding} {name}");
        }
        idp.set(&genuine).await;
        // Signed, and changed on its way.
        let (mut bob, mut at_idp) = inside(&gate, &idp, "bob").await;
        let order = at_idp.open("/idp-logout", &[]).await;
        let changed = match &order {
            Way::Get(address) => {
                let text = address.as_str().replace("Signature=", "Signature=AAAA");
                Way::Get(text.parse().unwrap())
            }
            Way::Post(..) => {
                let field = order.field("SAMLRequest").unwrap();
                let xml = String::from_utf8(STANDARD.decode(field).unwrap()).unwrap();
                let longer = xml.replace("SessionIndex>_", "SessionIndex>_0");
                let field = STANDARD.encode(longer);
                order.clone().with("SAMLRequest", Some(&field))
            }
        };
        gate.browser().bring(&changed).await;
        assert_eq!(person(&mut bob).await.as_deref(), Some("bob"), "{binding}");
        // Where nobody changed it, it counts.
        gate.browser().bring(&order).await;
        assert_eq!(person(&mut bob).await, None, "{binding}");
    }
}
