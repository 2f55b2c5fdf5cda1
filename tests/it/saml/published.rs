//! Our metadata, as idps get it.

use http::Method;
use roxmltree::Document;
use serde_json::{Value, json};

use super::our_side::{OurKey, gate_before, idp_settings};
use crate::support::{SamlIdp, Sidegate, UpstreamApp, new_folder};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PATH: &str = "/saml2/service-provider-metadata/corp";

async fn signed_by(idp: &SamlIdp, metadata: &str, key: &OurKey) -> bool {
    let asked = json!({ "metadata": metadata, "certificate": key.certificate });
    let said = idp.control("POST", "/test/check-sp", &asked).await;
    said["signed"].as_bool().unwrap()
}

fn certificates(document: &Document<'_>, purpose: &str) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.attribute("use") == Some(purpose))
        .flat_map(|node| node.descendants().collect::<Vec<_>>())
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/09/xmldsig#", "X509Certificate")))
        .map(|node| node.text().unwrap().to_owned())
        .collect()
}

fn in_xml(key: &OurKey) -> String {
    let lines = key.certificate.lines();
    lines.filter(|line| !line.starts_with("-----")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_signed_and_another_implementation_says_so() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let (old, new) = (OurKey::new(), OurKey::new());
    let keys = old
        .settings(&folder, "old")
        .replace("key_file", "previous_key_file");
    let keys = keys.replace("certificate_file", "previous_certificate_file")
        + &new.settings(&folder, "new");
    let gate = gate_before(&app, &idp, &keys).await;
    let shown = gate.program().get(PATH).await;
    assert_eq!(
        shown.header("content-type"),
        Some("application/samlmetadata+xml")
    );
    let text = shown.text();
    assert!(signed_by(&idp, &text, &new).await);
    assert!(!signed_by(&idp, &text, &old).await);
    let elsewhere = text.replace("/saml2/sso/", "/saml2/sso2/");
    assert!(!signed_by(&idp, &elsewhere, &new).await);

    let document = Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(
        root.attribute("entityID"),
        Some(&*format!("{}{PATH}", gate.url()))
    );
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let until = root.attribute("validUntil").unwrap();
    let at =
        |years: u64| sidegate::clock::Timestamp::from_secs(now + years * 365 * 86_400).to_rfc3339();
    assert!(at(4).as_str() < until && until <= at(5).as_str(), "{until}");
    assert_eq!(
        certificates(&document, "signing"),
        [in_xml(&new), in_xml(&old)]
    );
    assert_eq!(certificates(&document, "encryption"), [in_xml(&new)]);
    let formats = document
        .descendants()
        .filter(|node| node.has_tag_name((METADATA, "NameIDFormat")));
    let formats: Vec<_> = formats
        .map(|node| node.text().unwrap().rsplit(':').next().unwrap())
        .collect();
    assert_eq!(
        formats,
        ["persistent", "emailAddress", "unspecified", "transient"]
    );
    // Whoever asks often costs one signature a day.
    assert_eq!(gate.program().get(PATH).await.text(), text);

    // Without a key there is nothing to sign with, and it is as good as before.
    let gate = gate_before(&app, &idp, "name_id_format = \"urn:example:one\"").await;
    let text = gate.program().get(PATH).await.text();
    assert!(
        !text.contains("Signature") && !text.contains("KeyDescriptor"),
        "{text}"
    );
    assert!(
        text.contains("<md:NameIDFormat>urn:example:one</md:NameIDFormat>"),
        "{text}"
    );
    assert!(!signed_by(&idp, &text, &new).await);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_no_idp_has_is_told_as_such() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let local = "[local]\nenabled = true\n[[rule]]\npath = \"/**\"\naccess = \"public\"\n";
    let gate = gate_before(&app, &idp, local).await;
    for (method, what) in [
        (Method::GET, "service-provider-metadata"),
        (Method::GET, "sso"),
        (Method::POST, "sso"),
        (Method::GET, "slo"),
    ] {
        let path = format!("/saml2/{what}/UNKNOWN");
        let answer = gate.program().send(method, &path, &[], "").await;
        assert_eq!(answer.status, 404, "{path}");
        let told: Value = answer.json();
        assert_eq!(told["code"], "idp.unknown", "{path}");
        assert!(told["detail"].as_str().unwrap().contains("name"), "{told}");
    }
    // What is not SAML's stays the app's, and all of it does where no idp speaks SAML.
    assert_eq!(gate.program().get("/saml2/other/UNKNOWN").await.status, 200);
    let plain = Sidegate::start(&app.url(), local).await;
    assert_eq!(plain.program().get("/saml2/sso/corp").await.status, 200);
    let _unused = idp_settings("corp", &idp, "");
}
