//! The data file: names, keys and cases.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;
use sidegate::clock::Timestamp;
use sidegate::saml::{Certificate, PrivateKey};
use sidegate::secret::Secret;

/// First line of the file.
#[derive(Deserialize)]
pub struct World {
    pub now: u64,
    pub acs: String,
    pub entity_id: String,
    pub idp: String,
    pub request: String,
    pub canary: String,
    certificates: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
}

/// What must become of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Reject,
    /// Refused, or accepted as exactly the name that the case gives.
    Either,
}

/// Any other line.
#[derive(Deserialize)]
pub struct Case {
    pub kind: String,
    pub name: String,
    pub verdict: Verdict,
    pub why: String,
    #[serde(default)]
    pub unsolicited: bool,
    #[serde(default)]
    pub name_id: String,
    pub field: String,
    /// Sent after the first was accepted; must be refused.
    pub again: Option<String>,
}

impl World {
    pub fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.now)
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        Certificate::from_pem(&self.certificates[name]).unwrap()
    }

    /// What Entra's metadata holds: current, rollover, another kind, expired.
    pub fn certificates(&self) -> Vec<Certificate> {
        ["idp1", "idp2", "idpec", "idpexp"]
            .map(|name| self.certificate(name))
            .to_vec()
    }

    /// Writes our key with its certificate, and the key before: `sp.key`, `sp.crt`, `spold.key`.
    pub fn write_keys(&self, folder: &Path) {
        for name in ["sp", "spold"] {
            std::fs::write(folder.join(format!("{name}.key")), &self.keys[name]).unwrap();
        }
        std::fs::write(folder.join("sp.crt"), &self.certificates["sp"]).unwrap();
    }

    /// Ours, and the one before.
    pub fn keys(&self) -> Vec<PrivateKey> {
        ["sp", "spold"]
            .map(|name| PrivateKey::from_pem(&Secret::new(self.keys[name].as_str())).unwrap())
            .into()
    }
}

/// The world, and all cases of a kind.
pub fn load(kind: &str) -> (World, Vec<Case>) {
    let bytes = std::fs::read("tests/saml/cases.jsonl.gz").unwrap();
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let mut lines = text.lines();
    let world = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cases: Vec<Case> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|case: &Case| case.kind == kind)
        .collect();
    assert!(!cases.is_empty(), "no {kind}");
    (world, cases)
}
