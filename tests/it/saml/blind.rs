//! Whatever is wrong with a ciphertext that nobody signed is told alike: one answer, at one time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;

use super::our_side::{OurKey, gate_before, led_to, refused, sent_away};
use crate::support::{AtSamlIdp, SamlIdp, UpstreamApp, new_folder};

/// Changes the bytes of one `CipherValue`: the first is the key, the second the content.
fn with_value(xml: &str, number: usize, change: impl Fn(&mut Vec<u8>)) -> String {
    let start = xml.match_indices("CipherValue>").nth(2 * number).unwrap().0 + "CipherValue>".len();
    let end = start + xml[start..].find('<').unwrap();
    let mut bytes = STANDARD
        .decode(xml[start..end].replace(['\n', '\r'], ""))
        .unwrap();
    change(&mut bytes);
    format!("{}{}{}", &xml[..start], STANDARD.encode(bytes), &xml[end..])
}

fn flipped(at: impl Fn(usize) -> usize) -> impl Fn(&mut Vec<u8>) {
    move |bytes| {
        let at = at(bytes.len());
        bytes[at] ^= 1;
    }
}

/// With this of it changed.
fn spoilt(xml: &str, what: &str) -> String {
    match what {
        "the key" => with_value(xml, 0, flipped(|_| 7)),
        "no key" => with_value(xml, 0, Vec::clear),
        "the beginning" => with_value(xml, 1, flipped(|_| 0)),
        "the middle" => with_value(xml, 1, flipped(|all| all / 2)),
        "the padding" => with_value(xml, 1, flipped(|all| all - 17)),
        "a block less" => with_value(xml, 1, |its| its.truncate(its.len() - 16)),
        "no content" => with_value(xml, 1, Vec::clear),
        "the cipher" => xml.replace("#aes256-cbc", "#tripledes-cbc"),
        _ => xml.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r48_whatever_is_wrong_with_a_ciphertext_is_told_alike() {
    let app = UpstreamApp::start().await;
    let idp = SamlIdp::start(&[]).await;
    let folder = new_folder();
    let key = OurKey::new().settings(&folder, "ours");
    let gate = gate_before(&app, &idp, &key).await;
    idp.set(&json!({ "sign": "assertion", "encrypt": "aes256-cbc" }))
        .await;
    let ways = [
        "the key",
        "no key",
        "the beginning",
        "the middle",
        "the padding",
        "a block less",
        "no content",
        "the cipher",
        "nothing",
    ];
    let mut told = Vec::new();
    for what in ways {
        let mut browser = gate.browser();
        let way = sent_away(&mut browser, &gate, "/").await;
        let back = AtSamlIdp::new(&idp).sign_in(&way, "alice").await;
        let field = STANDARD
            .decode(back.field("SAMLResponse").unwrap())
            .unwrap();
        let changed = STANDARD.encode(spoilt(&String::from_utf8(field).unwrap(), what));
        let began = Instant::now();
        let done = browser
            .bring(&back.with("SAMLResponse", Some(&changed)))
            .await;
        let took = began.elapsed();
        if what == "nothing" {
            assert_eq!(led_to(&done), "/");
            continue;
        }
        assert!(took >= Duration::from_millis(100), "{what}: {took:?}");
        // Only the number to quote differs.
        let text = done.text();
        let number = text.split("<code>").nth(1).unwrap();
        let number = number.split('<').next().unwrap();
        told.push((done.status, text.replace(number, "")));
        refused(&done, &mut browser, what).await;
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    std::fs::remove_dir_all(folder).unwrap();
}
