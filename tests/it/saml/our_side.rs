//! Our side of a sign-in for tests: keys, settings, and where a browser ends up.

use std::fmt::Write as _;
use std::path::Path;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::Value;

use crate::support::{Answer, AtSamlIdp, Client, SamlIdp, Sidegate, UpstreamApp, Way};

/// The person's `NameID` at the provider, when it is persistent.
pub fn persistent_id(person: &str) -> String {
    person.bytes().fold(String::from("p-"), |mut id, byte| {
        write!(id, "{byte:02x}").unwrap();
        id
    })
}

/// One `[[idp]]` of this name.
pub fn idp_settings(name: &str, idp: &SamlIdp, more: &str) -> String {
    format!(
        "[[idp]]\nname = \"{name}\"\nkind = \"saml\"\nmetadata_url = \"{}\"\n{more}\n",
        idp.metadata_url
    )
}

/// A server before this app that trusts this provider under the name `corp`, and is trusted by it.
pub async fn gate_before(app: &UpstreamApp, idp: &SamlIdp, more: &str) -> Sidegate {
    let gate = Sidegate::start(&app.url(), &idp_settings("corp", idp, more)).await;
    idp.trust(&gate, "corp").await;
    gate
}

/// A key of ours with its certificate, as PEM; idps encrypt to it, so it is RSA.
pub struct OurKey {
    pub key: String,
    pub certificate: String,
}

impl OurKey {
    pub fn new() -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "app.example.com").unwrap();
        let name = name.build();
        let mut serial = BigNum::new().unwrap();
        serial.rand(120, MsbOption::ONE, false).unwrap();
        let mut made = X509::builder().unwrap();
        made.set_version(2).unwrap();
        made.set_serial_number(&serial.to_asn1_integer().unwrap())
            .unwrap();
        made.set_subject_name(&name).unwrap();
        made.set_issuer_name(&name).unwrap();
        made.set_pubkey(&key).unwrap();
        made.set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        made.set_not_after(&Asn1Time::days_from_now(365).unwrap())
            .unwrap();
        made.sign(&key, MessageDigest::sha256()).unwrap();
        let text = |pem| String::from_utf8(pem).unwrap();
        Self {
            key: text(key.private_key_to_pem_pkcs8().unwrap()),
            certificate: text(made.build().to_pem().unwrap()),
        }
    }

    /// Writes it into this folder and gives the settings that name it.
    pub fn settings(&self, folder: &Path, name: &str) -> String {
        let path = folder.join(name);
        let path = path.display();
        std::fs::write(format!("{path}.key"), &self.key).unwrap();
        std::fs::write(format!("{path}.crt"), &self.certificate).unwrap();
        format!("key_file = \"{path}.key\"\ncertificate_file = \"{path}.crt\"\n")
    }
}

/// Goes to a page of ours and gives the way to the provider that this leads to.
pub async fn sent_away(browser: &mut Client, gate: &Sidegate, target: &str) -> Way {
    let here = gate.url().parse().unwrap();
    let mut answer = browser.get(target).await;
    for _ in 0..3 {
        let way = Way::of(&answer, &here);
        if way.address().origin() != here.origin() {
            return way;
        }
        answer = browser.get(way.target()).await;
    }
    panic!("never sent away: {} {}", answer.status, answer.text());
}

/// Goes to a page, signs in where that leads, and gives the answer at our ACS.
pub async fn sign_in(
    browser: &mut Client,
    gate: &Sidegate,
    idp: &SamlIdp,
    target: &str,
    person: &str,
) -> Answer {
    let way = sent_away(browser, gate, target).await;
    let back = AtSamlIdp::new(idp).sign_in(&way, person).await;
    browser.bring(&back).await
}

/// Where a sign-in that succeeded leads: on this host, whatever was asked for.
pub fn led_to(done: &Answer) -> String {
    let refresh = done
        .header("refresh")
        .and_then(|its| its.strip_prefix("0; url="));
    let target = refresh.map_or_else(|| done.location().to_owned(), str::to_owned);
    assert!(
        target.starts_with('/') && !target.starts_with("//") && !target.contains('\\'),
        "{target}"
    );
    target
}

/// Nobody was signed in by this, and it says little: an error, or the way to start again.
pub async fn refused(done: &Answer, browser: &mut Client, what: &str) {
    let begins_anew =
        done.status.is_redirection() && done.location().starts_with("/.sidegate/login");
    assert!(
        done.status.is_client_error() || begins_anew,
        "{what}: {} {}",
        done.status,
        done.text()
    );
    assert!(!browser.cookies.contains_key("sidegate"), "{what}");
    assert_eq!(crate::oidc::person(browser).await, None, "{what}");
    // Which check failed is for the operator alone.
    for word in ["SAMLResponse", "InResponseTo", "Audience", "signature"] {
        assert!(!done.text().contains(word), "{what}: {}", done.text());
    }
}

/// What our server says of whoever is signed in.
pub async fn whoami(browser: &mut Client) -> Value {
    browser.get("/.sidegate/whoami").await.json()
}
