//! What an operator is told of a refusal: `sidegate saml log`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::our_side::{gate_before, refused, sent_away, sign_in};
use crate::support::{AtSamlIdp, SamlIdp, Sidegate, UpstreamApp};

/// Rows of `sidegate saml log` with these options.
async fn log(gate: &Sidegate, options: &str) -> Vec<Value> {
    let shown = gate.operator(&format!("saml log --json{options}")).await;
    serde_json::from_str(&shown).unwrap()
}

/// An error as Entra posts it: unsigned.
fn entra_error(words: &str) -> String {
    STANDARD.encode(format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\" Version=\"2.0\" \
         IssueInstant=\"2026-11-22T12:00:00Z\"><samlp:Status>\
         <samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"/>\
         <samlp:StatusMessage>{words}</samlp:StatusMessage></samlp:Status></samlp:Response>"
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_learns_what_to_change_by_the_id_that_the_person_saw() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "signed_response = true").await;
    assert_eq!(log(&gate, "").await, Vec::<Value>::new());
    let empty = gate.operator("saml log").await;
    assert!(empty.starts_with("nothing"), "{empty}");

    idp.set(&json!({ "sign": "assertion" })).await;
    let mut browser = gate.browser();
    let done = sign_in(&mut browser, &gate, &idp, "/", "alice").await;
    refused(&done, &mut browser, "signed_response").await;
    let rows = log(&gate, " --idp corp").await;
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    for (key, want) in [
        ("idp", json!("corp")),
        ("purpose", json!("sign_in")),
        ("check", json!("signed")),
        ("expected", json!("a signed response")),
        ("came", json!("an unsigned one")),
        ("portal_field", json!("Signing Option")),
        ("asked", json!(true)),
        ("times", json!(1)),
    ] {
        assert_eq!(row[key], want, "{row}");
    }
    let id = row["request_ids"][0].as_str().unwrap();
    assert!(done.text().contains(id), "{}", done.text());
    let shown = gate.operator(&format!("saml log --request {id}")).await;
    for line in [
        "sign-in refused: signed, asked for",
        "expected  a signed",
        "change    Signing Option",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert_eq!(log(&gate, " --request nobody").await.len(), 0);
    assert_eq!(log(&gate, " --idp other").await.len(), 0);
    // Nothing of the person is kept.
    let all = log(&gate, "").await;
    assert!(!format!("{all:?}").contains("alice"), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_entra_are_translated_and_told_to_whom_they_are_for() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let unassigned = entra_error("AADSTS50105: The signed in user is blocked\u{202e}");
    let acs = "/saml2/sso/corp";
    let mut browser = gate.browser();
    let way = sent_away(&mut browser, &gate, "/").await;
    let handle = way.field("RelayState").unwrap();
    let fields = [("SAMLResponse", &*unassigned), ("RelayState", &*handle)];
    let done = browser.post_from_elsewhere(acs, &fields).await;
    assert!(done.text().contains("not assigned"), "{}", done.text());
    assert!(!done.text().contains("AADSTS"), "{}", done.text());
    refused(&done, &mut browser, "AADSTS50105").await;
    // Nobody asked: nothing is told.
    let mut stranger = gate.browser();
    let done = stranger
        .post_from_elsewhere(acs, &[("SAMLResponse", &*unassigned)])
        .await;
    assert!(!done.text().contains("assigned"), "{}", done.text());
    refused(&done, &mut stranger, "a stranger").await;

    let rows = log(&gate, "").await;
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["check"], "status");
        assert_eq!(row["portal_field"], "Users and groups");
        let hint = row["hint"].as_str().unwrap();
        assert!(hint.contains("not assigned"), "{hint}");
        let came = row["came"].as_str().unwrap();
        assert!(came.ends_with("blocked\\u{202e}"), "{came}");
    }
    let asked: Vec<_> = rows
        .iter()
        .map(|row| row["asked"].as_bool().unwrap())
        .collect();
    assert!(asked.contains(&true) && asked.contains(&false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r48_garbage_is_counted_and_leaves_the_genuine_one() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let gate = gate_before(&app, &idp, "").await;
    let mut browser = gate.browser();
    let way = sent_away(&mut browser, &gate, "/").await;
    let back = AtSamlIdp::new(&idp).sign_in(&way, "alice").await;
    let handle = back.field("RelayState").unwrap();
    let broken = back.field("SAMLResponse").unwrap().replacen('Q', "R", 1);
    let fields = [("SAMLResponse", &*broken), ("RelayState", &*handle)];
    browser
        .post_from_elsewhere("/saml2/sso/corp", &fields)
        .await;
    let mut stranger = gate.browser();
    for number in 0..250 {
        let field = entra_error(&format!("number {number}"));
        stranger
            .post_from_elsewhere("/saml2/sso/corp", &[("SAMLResponse", &*field)])
            .await;
        stranger
            .post_from_elsewhere("/saml2/sso/corp", &[("SAMLResponse", "%%%")])
            .await;
    }
    let rows = log(&gate, " --limit 500").await;
    assert_eq!(rows.iter().filter(|row| row["asked"] == true).count(), 1);
    assert_eq!(rows.len(), 201, "bounded");
    let encoding = rows
        .iter()
        .find(|row| row["check"] == "encoding" && row["asked"] == false);
    assert_eq!(encoding.unwrap()["times"], 250);
    assert_eq!(log(&gate, " --limit 3").await.len(), 3);
}
