//! The responses: those of idps from the tests' data, and made ones that fill a limit each, signed by a key of our own.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use samael::crypto::{Crypto, CryptoProvider as _};
use serde_json::Value;
use sidegate::clock::Timestamp;
use sidegate::saml::Certificate;

/// What fits into 256 KiB of base64.
const FULL: usize = 196_000;
/// Tags that are let through beside those of the response itself.
const TAGS: usize = 9_900;
const INSTANT: &str = "2026-11-22T12:00:00Z";
const NAMESPACES: &str = "xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"";

/// The first line of the tests' data, and the cases.
pub(crate) struct World {
    pub(crate) idp: String,
    pub(crate) entity_id: String,
    pub(crate) acs: String,
    pub(crate) request: String,
    first: Value,
    cases: Vec<Value>,
}

impl World {
    pub(crate) fn load() -> Self {
        let bytes = std::fs::read("tests/saml/cases.jsonl.gz").unwrap();
        let mut text = String::new();
        GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        let mut lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let first = lines.next().unwrap();
        let own = |name: &str| first[name].as_str().unwrap().to_owned();
        Self {
            idp: own("idp"),
            entity_id: own("entity_id"),
            acs: own("acs"),
            request: own("request"),
            cases: lines.collect(),
            first,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.first["now"].as_u64().unwrap())
    }

    pub(crate) fn certificate(&self, name: &str) -> Certificate {
        Certificate::from_pem(self.first["certificates"][name].as_str().unwrap()).unwrap()
    }

    pub(crate) fn key(&self, name: &str) -> &str {
        self.first["keys"][name].as_str().unwrap()
    }

    fn case(&self, name: &str) -> Vec<u8> {
        let case = self.cases.iter().find(|case| case["name"] == name).unwrap();
        STANDARD.decode(case["field"].as_str().unwrap()).unwrap()
    }

    /// A response with this beside its attributes, and this attribute to begin its root with.
    fn response(&self, key: &KeyPair, more: &str, root: &str) -> String {
        let (idp, acs, request, ours) = (&self.idp, &self.acs, &self.request, &self.entity_id);
        let assertion = format!(
            "<a:Assertion {NAMESPACES} {root} ID=\"_a\" Version=\"2.0\" IssueInstant=\"{INSTANT}\"><a:Issuer>{idp}</a:Issuer>{}<a:Subject>\
             <a:NameID>alice@example.com</a:NameID><a:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <a:SubjectConfirmationData InResponseTo=\"{request}\" NotOnOrAfter=\"2026-11-22T12:05:00Z\" Recipient=\"{acs}\"/>\
             </a:SubjectConfirmation></a:Subject><a:Conditions><a:AudienceRestriction><a:Audience>{ours}</a:Audience>\
             </a:AudienceRestriction></a:Conditions><a:AuthnStatement AuthnInstant=\"{INSTANT}\"/><a:AttributeStatement>{more}\
             </a:AttributeStatement></a:Assertion>",
            template("_a")
        );
        let response = format!(
            "<p:Response {NAMESPACES} {root} ID=\"_r\" Version=\"2.0\" IssueInstant=\"{INSTANT}\" Destination=\"{acs}\" \
             InResponseTo=\"{request}\"><a:Issuer>{idp}</a:Issuer>{}<p:Status>\
             <p:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></p:Status>{}</p:Response>",
            template("_r"),
            signed(&assertion, key)
        );
        signed(&response, key)
    }
}

/// Writes them all, with the certificate of who signed.
pub(crate) fn write(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let world = World::load();
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(vec!["idp.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(folder.join("idp.pem"), certificate.pem()).unwrap();
    let idp = world.first["certificates"]["idp1"].as_str().unwrap();
    std::fs::write(folder.join("idp1.pem"), idp).unwrap();
    std::fs::write(folder.join("sp.key"), world.key("sp")).unwrap();
    let put = |name: &str, document: &[u8]| {
        std::fs::write(folder.join(name).with_extension("xml"), document).unwrap();
    };
    for (name, case) in [
        ("entra", "entra_assertion_signed"),
        ("encrypted", "entra_encrypted"),
        ("both", "keycloak_both_signed"),
    ] {
        put(name, &world.case(case));
    }
    for (name, more, root) in full() {
        let document = world.response(&key, &more, &root);
        put(&format!("worst-{name}"), document.as_bytes());
        put(&format!("forged-{name}"), forged(&document).as_bytes());
    }
    for (name, document) in hostile(&world) {
        put(&format!("hostile-{name}"), document.as_bytes());
    }
}

/// What fills a limit and is still right: attributes, and what the root declares.
fn full() -> Vec<(&'static str, String, String)> {
    let all =
        |length: usize, make: &dyn Fn(usize) -> String| (0..length).map(make).collect::<String>();
    let attribute = |inside: &str| format!("<a:Attribute Name=\"n\">{inside}</a:Attribute>");
    let wide = |n: usize| format!(" a{n:02}=\"\"");
    let value = |inside: &str| attribute(&format!("<a:AttributeValue>{inside}</a:AttributeValue>"));
    let with = |name: &'static str, more: String| (name, more, String::new());
    vec![
        with(
            "values",
            attribute(
                &format!("<a:AttributeValue>{}</a:AttributeValue>", "x".repeat(3)).repeat(4700),
            ),
        ),
        with(
            "attributes",
            all(4500, &|n| {
                format!("<a:Attribute Name=\"n-{n:05}\"></a:Attribute>")
            }),
        ),
        with("text", value(&"x".repeat(FULL - 8000))),
        with(
            "quotes",
            attribute(&format!("<a:AttributeValue x='{}'/>", "\"".repeat(30_000))),
        ),
        with("elements", value(&"<x></x>".repeat(TAGS / 2 - 50))),
        with(
            "wide",
            all(165, &|_| {
                format!("<a:Attribute Name=\"n\"{}/>", all(59, &wide))
            }),
        ),
        with(
            "deep",
            attribute(&format!("{}{}", "<x>".repeat(59), "</x>".repeat(59)).repeat(TAGS / 118 - 1)),
        ),
        (
            "namespaces",
            value(&"<q:x/>".repeat(1700)),
            format!("xmlns:q=\"urn:{}\"", "q".repeat(130)),
        ),
    ]
}

/// What nobody signed, or nobody could have.
fn hostile(world: &World) -> Vec<(&'static str, String)> {
    let entra = String::from_utf8(world.case("entra_assertion_signed")).unwrap();
    let inside = |more: &str, root: &str| {
        let document = entra.replacen(
            "<samlp:Status>",
            &format!("<samlp:Extensions>{more}</samlp:Extensions><samlp:Status>"),
            1,
        );
        document.replacen(" ID=", &format!(" {root} ID="), 1)
    };
    let sealed = String::from_utf8(world.case("entra_encrypted")).unwrap();
    let numbered = |n: usize| format!("<x ID=\"_{n}\"/>");
    let (key, ends) = ("<xenc:EncryptedKey>", "</xenc:EncryptedKey>");
    let (before, rest) = sealed.split_once(key).unwrap();
    let (inner, after) = rest.split_once(ends).unwrap();
    let keys = format!("{key}{inner}{ends}").repeat(4);
    let value = "<xenc:CipherValue>";
    let bomb = inside(
        &"<q:x/>".repeat(9000),
        &format!("xmlns:q=\"urn:{}\"", "q".repeat(90_000)),
    );
    vec![
        (
            "comments",
            inside(&format!("<x/>{}", "<!---->".repeat(18_000)), ""),
        ),
        (
            "text-and-comments",
            inside(&format!("<x/>{}", " <!---->".repeat(9_000)), ""),
        ),
        (
            "ids",
            inside(&(0..TAGS - 100).map(numbered).collect::<String>(), ""),
        ),
        ("tags", inside(&"<x/>".repeat(TAGS - 100), "")),
        ("cut", inside(&"<x>".repeat(60_000), "")),
        ("space", " ".repeat(FULL)),
        ("no-xml", "<".repeat(FULL)),
        ("namespaces", bomb),
        ("keys", format!("{before}{keys}{after}")),
        (
            "ciphertext",
            format!(
                "{before}{keys}{}",
                after.replacen(value, &format!("{value}{}", "A".repeat(170_000)), 1)
            ),
        ),
    ]
}

/// The same with another value of every signature: all that is digested is digested, for each certificate.
fn forged(document: &str) -> String {
    let mut parts = document.split("<ds:SignatureValue>");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let other = if part.starts_with('A') { "B" } else { "A" };
        for piece in ["<ds:SignatureValue>", other, part.get(1..).unwrap()] {
            text.push_str(piece);
        }
    }
    text
}

fn template(id: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform \
         Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><ds:Transform \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
         </ds:Signature>"
    )
}

/// By xmlsec, as idps do it; without the line breaks that it puts into base64, and without declaration.
fn signed(text: &str, key: &KeyPair) -> String {
    let signed = Crypto::sign_xml(text, key.serialized_der()).unwrap();
    let root = signed
        .find("?>")
        .map_or(signed.as_str(), |end| signed.get(end + 2..).unwrap());
    root.trim().to_owned()
}
