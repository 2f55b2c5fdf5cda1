//! What was used stays used: across restarts.

use super::our_side::{idp_settings, led_to, refused};
use crate::oidc::person;
use crate::support::{AtSamlIdp, Client, SamlIdp, Sidegate, UpstreamApp, Way};

/// The same before and after a restart, which is on another port.
const HOST: &str = "localhost:7999";

/// Brings it in a browser of nobody's.
async fn brought(gate: &Sidegate, back: &Way) -> (crate::support::Answer, Client) {
    let mut browser = Client::new(gate.address, HOST);
    (browser.bring(back).await, browser)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_a_used_answer_is_refused_after_a_restart() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let settings = format!(
        "public_url = \"http://{HOST}\"\n{}",
        idp_settings("corp", &idp, "idp_initiated = true")
    );
    let gate = Sidegate::start(&app.url(), &settings).await;
    idp.trust(&gate, "corp").await;
    let from_idp = async || {
        let asked = [("user", "alice")];
        AtSamlIdp::new(&idp).open("/idp-init", &asked).await
    };
    let (used, unused) = (from_idp().await, from_idp().await);
    let (done, mut browser) = brought(&gate, &used).await;
    assert_eq!(led_to(&done), "/");
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
    let (done, mut browser) = brought(&gate, &used).await;
    refused(&done, &mut browser, "R42: at once").await;

    let gate = Sidegate::start_in(gate.stop(), &app.url(), &settings).await;
    let (done, mut browser) = brought(&gate, &used).await;
    assert_eq!(done.status, 403);
    refused(&done, &mut browser, "R42: after a restart").await;
    // It is not for another reason.
    let (_done, mut browser) = brought(&gate, &unused).await;
    assert_eq!(person(&mut browser).await.as_deref(), Some("alice"));
}
