//! Whatever is posted: it is refused with a reason, or it says what the idp signed. Metadata and queries come along.
//!
//! An input is a document, or, when it begins with a byte over 127, changes to a response of the tests' data: the number
//! of the response, then pieces of place, length to leave out, length to put in, and what.
#![no_main]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sidegate::clock::Timestamp;
use sidegate::config::Attributes;
use sidegate::identity::IdpName;
use sidegate::saml::{
    Certificate, Expected, IdpMetadata, Mapping, Origin, PrivateKey, RedirectQuery, Trust, UsedAssertions, verify,
};
use sidegate::secret::Secret;

const DATA: &[u8] = include_bytes!("../../tests/saml/cases.jsonl.gz");
/// Nobody else was ever signed in by a key of the idp.
const GENUINE: [&str; 5] = [
    "alice@example.com",
    "admin@example.com.attacker.example",
    "S40rgb3XjhFTv6EQTETkEzcgVmToHKRkZUIsJlmLdVc",
    "_3f7b3dcf1674ecb3a0e5c5a5d6f5c8f9",
    "AAdzZWNyZXQxabcdef",
];

struct World {
    names: BTreeMap<&'static str, String>,
    now: Timestamp,
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKey>,
    documents: Vec<Vec<u8>>,
    mapping: Mapping,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut text = String::new();
    GzDecoder::new(DATA).read_to_string(&mut text).expect("gzip");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let first = lines.next().expect("a first line");
    let pem = |kind: &str, name: &str| first[kind][name].as_str().expect("PEM").to_owned();
    let certificate = |name| Certificate::from_pem(&pem("certificates", name)).expect("a certificate");
    let key = |name| PrivateKey::from_pem(&Secret::new(pem("keys", name))).expect("a key");
    let name = |name| (name, first[name].as_str().expect("a text").to_owned());
    World {
        names: ["idp", "entity_id", "acs", "request"].map(name).into(),
        now: Timestamp::from_secs(first["now"].as_u64().expect("a time")),
        certificates: ["idp1", "idp2", "idpec", "idpexp"].map(certificate).to_vec(),
        keys: ["sp", "spold"].map(key).into(),
        documents: lines
            .filter(|case| case["verdict"] != "reject" && case["kind"] == "response")
            .filter_map(|case| STANDARD.decode(case["field"].as_str()?).ok())
            .filter(|document| document.len() < 64 * 1024)
            .collect(),
        mapping: Mapping {
            idp: IdpName::try_from("one").expect("a name"),
            attributes: Attributes::saml(),
        },
    }
});

fuzz_target!(|input: &[u8]| {
    let world = &*WORLD;
    let document = match input {
        [first @ 128..=255, rest @ ..] => changed(world, *first, rest),
        _ => input.to_vec(),
    };
    let name = |name: &str| world.names[name].as_str();
    let trust = Trust {
        entity_id: name("idp"),
        certificates: &world.certificates,
        decryption_keys: &world.keys,
    };
    for idp_initiated in [false, true] {
        let expected = Expected {
            entity_id: name("entity_id"),
            acs: name("acs"),
            requests: &[name("request")],
            idp_initiated,
            signed_response: false,
            authn_context: &[],
            used: &UsedAssertions::default(),
            now: world.now,
        };
        let Ok(verified) = verify(&STANDARD.encode(&document), &trust, &expected) else {
            continue;
        };
        assert!(GENUINE.contains(&verified.name_id().value.as_str()), "{verified:?}");
        assert_eq!(verified.issuer(), name("idp"));
        if let Ok(principal) = world.mapping.principal(&verified, world.now) {
            assert!(!principal.user_name.is_empty() && !principal.link_subject.is_empty());
        }
    }
    let anybody = Origin {
        entity_id: None,
        signed_by: &[],
    };
    if let Ok(metadata) = IdpMetadata::read(&document, &anybody, world.now) {
        assert!(metadata.certificates.iter().any(|its| its.is_valid(world.now)));
    }
    if let Ok(query) = str::from_utf8(&document) {
        let _read = RedirectQuery::read(query);
    }
});

fn changed(world: &World, number: u8, changes: &[u8]) -> Vec<u8> {
    let number = usize::from(number - 128);
    let mut document = world.documents[number % world.documents.len()].clone();
    let mut rest = changes;
    while let [high, low, out, into, more @ ..] = rest {
        let from = usize::from(u16::from_be_bytes([*high, *low])).min(document.len());
        let to = from.saturating_add(usize::from(*out)).min(document.len());
        let (new, more) = more.split_at(usize::from(*into).min(more.len()));
        document.splice(from..to, new.iter().copied());
        rest = more;
    }
    document
}
