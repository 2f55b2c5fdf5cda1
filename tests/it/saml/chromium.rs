//! Sign-in and sign-out in a real browser, with the provider on another site: cookies stay behind as they really do.

use serde_json::{Value, json};
use sidegate::clock::Timestamp;
use sidegate::saml::{Certificate, OurMetadata};

use super::our_side::OurKey;
use crate::browser::{SIGNED_OUT, Steps, cookie};
use crate::support::{SamlIdp, Sidegate, UpstreamApp, new_folder};

const APP: &str = "https://app.example.com";
const IDP: &str = "https://idp.example.net";

/// On the provider's page.
fn sign_in_at_idp(steps: Steps, name: &str) -> Steps {
    steps.then(json!([
        {"expect_url": format!("^{IDP}/")},
        {"fill": "#username", "value": name},
        {"fill": "#password", "value": "password"},
        {"click": "#login"},
    ]))
}

/// Both by TLS, under names of their own; requests signed, assertions encrypted.
async fn world(binding: &str, logout_binding: &str) -> (Sidegate, SamlIdp, UpstreamApp) {
    let app = UpstreamApp::start().await;
    let folder = new_folder();
    let at = folder.display().to_string();
    for name in ["app.example.com", "idp.example.net"] {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        std::fs::write(format!("{at}/{name}.crt"), made.cert.pem()).unwrap();
        std::fs::write(format!("{at}/{name}.key"), made.signing_key.serialize_pem()).unwrap();
    }
    let idp = SamlIdp::start(&[
        ("PUBLIC_URL", IDP),
        ("CERTIFICATE_FILE", &format!("{at}/idp.example.net.crt")),
        ("KEY_FILE", &format!("{at}/idp.example.net.key")),
    ])
    .await;
    std::fs::write(format!("{at}/idp.xml"), idp.metadata().await).unwrap();
    let ours = OurKey::new();
    let certificate = [Certificate::from_pem(&ours.certificate).unwrap()];
    let metadata = OurMetadata {
        entity_id: &format!("{APP}/saml2/service-provider-metadata/corp"),
        acs: &format!("{APP}/saml2/sso/corp"),
        slo: Some(&format!("{APP}/saml2/slo/corp")),
        signing: &certificate,
        encryption: &certificate,
        signs_requests: true,
        name_id_format: None,
        valid_until: Timestamp::from_secs(4_000_000_000),
    };
    idp.trust_metadata(&metadata.to_xml()).await;
    let demands = json!({ "signed_requests": true, "encrypt": "aes256-cbc", "logout_binding": logout_binding });
    idp.set(&demands).await;
    let further = format!(
        "public_url = \"{APP}\"\nserver.tls.certificate_file = \"{at}/app.example.com.crt\"\n\
         server.tls.key_file = \"{at}/app.example.com.key\"\n\
         [[idp]]\nname = \"corp\"\nkind = \"saml\"\nmetadata_file = \"{at}/idp.xml\"\nidp_initiated = true\n\
         sign_requests = true\nbinding = \"{binding}\"\n{}",
        ours.settings(&folder, "ours")
    );
    let gate = Sidegate::start_in(folder, &app.url(), &further).await;
    (gate, idp, app)
}

/// Where the names lead.
fn hosts(gate: &Sidegate, idp: &SamlIdp) -> Value {
    json!({"app.example.com": gate.address.to_string(), "idp.example.net": idp.tls.clone().unwrap()})
}

async fn sign_in_and_out(binding: &str, logout_binding: &str) {
    let (gate, idp, _app) = world(binding, logout_binding).await;
    let steps = Steps::default().then(json!([{"goto": format!("{APP}/wanted?x=1")}]));
    let steps = sign_in_at_idp(steps, "alice")
        .at_app(&format!(r"^{APP}/wanted\?x=1$"), "alice")
        .then(json!([{"cookies": true}, {"eval": "document.cookie", "equals": ""},
            // Out from here, and there.
            {"goto": format!("{APP}/write")}, {"click": "#out"}, {"expect_text": SIGNED_OUT},
            {"expect_url": format!("^{APP}/")},
            {"goto": format!("{APP}/wanted")}, {"expect_url": format!("^{IDP}/")}, {"expect": "#password"},
            // Two tabs at once; the second ends first.
            {"new_context": "tabs"}, {"goto": format!("{APP}/one")}, {"expect": "#password"},
            {"tab": "second"}, {"goto": format!("{APP}/two")}]));
    let steps = sign_in_at_idp(steps, "zoë.o’neil@例え.jp")
        .at_app("/two$", "zoë.o’neil@例え.jp")
        .then(json!({"tab": "main"}));
    let steps = sign_in_at_idp(steps, "zoë.o’neil@例え.jp")
        .at_app("/one$", "zoë.o’neil@例え.jp")
        // Out from there, and here.
        .then(json!([{"goto": format!("{IDP}/idp-logout")}, {"expect_text": "Signed out everywhere"},
            {"goto": format!("{APP}/wanted")}, {"expect_url": format!("^{IDP}/")}, {"expect": "#password"},
            // Begun there.
            {"new_context": "begun there"}, {"goto": format!("{IDP}/idp-init?user=bob")},
            {"expect_url": format!("^{APP}/")}]))
        .at_app(&format!("^{APP}/$"), "bob")
        .then(json!({"expect_clean": true}));
    let lines = steps.run(APP, hosts(&gate, &idp)).await;
    let session = cookie(&lines, "__Host-sidegate").unwrap();
    assert_eq!(session["sameSite"], "Lax");
    assert_eq!(
        (&session["secure"], &session["httpOnly"]),
        (&json!(true), &json!(true))
    );
    let state = idp.state().await;
    let asked = state["requests"].as_array().unwrap();
    assert!(asked.iter().all(|one| one["signed"] == true), "{state}");
    let log = state["logout_log"].as_array().unwrap();
    assert!(log.iter().all(|one| one["signature"] == "good"), "{state}");
    assert!(!log.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_redirects() {
    sign_in_and_out("redirect", "redirect").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_forms() {
    sign_in_and_out("post", "post").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_a_button_goes_on() {
    let (gate, idp, _app) = world("post", "post").await;
    let on = json!([{"expect_url": format!("^{APP}/")}, {"expect": "form .button.main"}, {"click": "form .button.main"}]);
    let on_there = json!([{"expect_url": format!("^{IDP}/")}, {"expect": "#continue"}, {"click": "#continue"}]);
    let steps = Steps::default().then(json!([
        {"new_context": "scriptless", "javascript": false},
        {"goto": format!("{APP}/wanted?x=1")},
    ]));
    let steps = sign_in_at_idp(steps.then(on), "alice")
        .then(on_there.clone())
        .at_app(&format!(r"^{APP}/wanted\?x=1$"), "alice")
        .then(json!([{"goto": format!("{APP}/write")}, {"click": "#out"}]))
        .then(on_there)
        .then(
            json!([{"expect_text": SIGNED_OUT}, {"expect_url": format!("^{APP}/")},
            {"goto": format!("{APP}/wanted")}, {"expect": "form .button.main"}]),
        );
    steps.run(APP, hosts(&gate, &idp)).await;
}
