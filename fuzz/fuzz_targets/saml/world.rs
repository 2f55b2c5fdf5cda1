//! The tests' data, an idp whose key we hold, and a way to encrypt for ourselves.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use openssl::x509::{X509, X509NameBuilder};
use samael::crypto::{Crypto, CryptoProvider as _};
use serde_json::Value;
use sidegate::clock::Timestamp;
use sidegate::config::Attributes;
use sidegate::identity::IdpName;
use sidegate::saml::{Certificate, Mapping, PrivateKey};
use sidegate::secret::Secret;

const DATA: &[u8] = include_bytes!("../../../tests/saml/cases.jsonl.gz");
/// The content's key; that it is no secret changes nothing here.
const KEY: [u8; 32] = [7; 32];

pub struct World {
    names: BTreeMap<&'static str, String>,
    pub now: Timestamp,
    pub certificates: Vec<Certificate>,
    pub keys: Vec<PrivateKey>,
    pub responses: Vec<String>,
    /// Genuine ones with their assertion in the clear.
    pub assertions: Vec<String>,
    pub metadata: Vec<String>,
    pub queries: Vec<String>,
    pub mapping: Mapping,
    /// Of the idp that signs whatever it is given.
    pub ours: Vec<Certificate>,
    signing_key: Vec<u8>,
    wrapped: String,
}

pub static WORLD: LazyLock<World> = LazyLock::new(World::load);

impl World {
    fn load() -> Self {
        let mut text = String::new();
        GzDecoder::new(DATA)
            .read_to_string(&mut text)
            .expect("gzip");
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let first = lines.next().expect("a first line");
        let cases: Vec<Value> = lines.filter(|case| case["verdict"] != "reject").collect();
        let of = |kind: &'static str| cases.iter().filter(move |case| case["kind"] == kind);
        let documents = |kind| {
            let field = |case: &Value| STANDARD.decode(case["field"].as_str()?).ok();
            let small = of(kind).filter_map(field).filter(|it| it.len() < 64 * 1024);
            small
                .filter_map(|it| String::from_utf8(it).ok())
                .collect::<Vec<_>>()
        };
        let pem = |kind: &str, name: &str| first[kind][name].as_str().expect("PEM").to_owned();
        let certificate =
            |name| Certificate::from_pem(&pem("certificates", name)).expect("a certificate");
        let key = |name| PrivateKey::from_pem(&Secret::new(pem("keys", name))).expect("a key");
        let name = |name| (name, first[name].as_str().expect("a text").to_owned());
        let (signing_key, ours) = idp();
        let responses = documents("response");
        Self {
            names: ["idp", "entity_id", "acs", "request"].map(name).into(),
            now: Timestamp::from_secs(first["now"].as_u64().expect("a time")),
            certificates: ["idp1", "idp2", "idpec", "idpexp"]
                .map(certificate)
                .to_vec(),
            keys: ["sp", "spold"].map(key).into(),
            assertions: responses
                .iter()
                .filter(|text| text.contains("Assertion>") && !text.contains("EncryptedAssertion"))
                .cloned()
                .collect(),
            responses,
            metadata: documents("metadata"),
            queries: of("redirect")
                .filter_map(|case| case["field"].as_str().map(str::to_owned))
                .collect(),
            mapping: Mapping {
                idp: IdpName::try_from("one").expect("a name"),
                attributes: Attributes::saml(),
            },
            wrapped: STANDARD.encode(wrapped(&pem("certificates", "sp"))),
            ours: vec![ours],
            signing_key,
        }
    }

    pub fn name(&self, name: &str) -> &str {
        &self.names[name]
    }

    /// Signed by our idp, if it is a document with a place for that.
    pub fn signed(&self, text: &str) -> Option<String> {
        let signed = Crypto::sign_xml(text, &self.signing_key).ok()?;
        let root = signed.find("?>").map_or(signed.as_str(), |end| {
            signed.get(end + 2..).unwrap_or_default()
        });
        Some(root.trim().to_owned())
    }

    /// The response with its assertion encrypted for us.
    pub fn encrypted(&self, text: &str, gcm: bool) -> Option<String> {
        let document = roxmltree::Document::parse(text).ok()?;
        let assertion = document
            .root_element()
            .children()
            .find(|node| node.tag_name().name() == "Assertion")?;
        let plain = text.get(assertion.range())?.as_bytes();
        let (method, cipher) = if gcm {
            let mut tag = [0; 16];
            let data = encrypt_aead(
                Cipher::aes_256_gcm(),
                &KEY,
                Some(&[1; 12]),
                &[],
                plain,
                &mut tag,
            )
            .ok()?;
            (
                "http://www.w3.org/2009/xmlenc11#aes256-gcm",
                [&[1; 12], data.as_slice(), &tag].concat(),
            )
        } else {
            let data = encrypt(Cipher::aes_256_cbc(), &KEY, Some(&[1; 16]), plain).ok()?;
            (
                "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
                [&[1; 16], data.as_slice()].concat(),
            )
        };
        let sealed = format!(
            "<a:EncryptedAssertion xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"><x:EncryptedData xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\">\
             <x:EncryptionMethod Algorithm=\"{method}\"/><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><x:EncryptedKey><x:EncryptionMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/><x:CipherData><x:CipherValue>{}</x:CipherValue></x:CipherData>\
             </x:EncryptedKey></KeyInfo><x:CipherData><x:CipherValue>{}</x:CipherValue></x:CipherData></x:EncryptedData></a:EncryptedAssertion>",
            self.wrapped,
            STANDARD.encode(cipher)
        );
        let mut out = text.to_owned();
        out.replace_range(assertion.range(), &sealed);
        Some(out)
    }
}

/// A key that signs, and its certificate.
fn idp() -> (Vec<u8>, Certificate) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "ours").expect("a name");
    let name = name.build();
    let mut made = X509::builder().expect("a certificate");
    made.set_version(2).expect("a version");
    let serial = BigNum::from_u32(1)
        .and_then(|one| one.to_asn1_integer())
        .expect("a number");
    made.set_serial_number(&serial).expect("a number");
    made.set_subject_name(&name).expect("a name");
    made.set_issuer_name(&name).expect("a name");
    made.set_not_before(&Asn1Time::from_unix(0).expect("a time"))
        .expect("a time");
    made.set_not_after(&Asn1Time::from_unix(4_000_000_000).expect("a time"))
        .expect("a time");
    made.set_pubkey(&key).expect("a key");
    made.sign(&key, MessageDigest::sha256())
        .expect("a signature");
    let der = made.build().to_der().expect("DER");
    (
        key.private_key_to_der().expect("DER"),
        Certificate::from_der(&der).expect("a certificate"),
    )
}

fn wrapped(certificate: &str) -> Vec<u8> {
    let certificate = X509::from_pem(certificate.as_bytes()).expect("a certificate");
    let key = certificate.public_key().expect("a key");
    let mut encrypter = Encrypter::new(&key).expect("RSA");
    encrypter
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("OAEP");
    let mut out = vec![0; encrypter.encrypt_len(&KEY).expect("a length")];
    let length = encrypter.encrypt(&KEY, &mut out).expect("a ciphertext");
    out.truncate(length);
    out
}
