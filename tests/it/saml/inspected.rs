//! A captured message, explained: `sidegate saml inspect`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::data::{Case, Verdict, World, load};
use crate::support::{new_folder, run};

/// Whose request they answer is the running server's to know.
const UNKNOWN: [&str; 3] = [
    "inresponseto_other_request",
    "enc_inside_unknown_request",
    "polluted_response_attributes",
];

/// Settings for the idp of the data file, and a folder for messages.
fn configured(world: &World) -> (PathBuf, PathBuf) {
    let folder = new_folder();
    let mut keys = String::new();
    for certificate in world.certificates() {
        write!(
            keys,
            "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
             <X509Certificate>{}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>",
            STANDARD.encode(certificate.der())
        )
        .unwrap();
    }
    let metadata = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}<SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.example.com/sso\"/>\
         </IDPSSODescriptor></EntityDescriptor>",
        world.idp
    );
    std::fs::write(folder.join("idp.xml"), metadata).unwrap();
    world.write_keys(&folder);
    let at = folder.display();
    let config = folder.join("sidegate.toml");
    let settings = format!(
        "public_url = \"https://app.example.com\"\n[server]\nlisten = \"127.0.0.1:2\"\n[upstream]\n\
         url = \"http://127.0.0.1:1\"\n[storage]\nurl = \"redb://{at}/x.redb\"\n[[idp]]\nname = \"entra\"\n\
         kind = \"saml\"\nmetadata_file = \"{at}/idp.xml\"\nkey_file = \"{at}/sp.key\"\n\
         certificate_file = \"{at}/sp.crt\"\n\
         previous_key_file = \"{at}/spold.key\"\n"
    );
    std::fs::write(&config, settings).unwrap();
    (folder, config)
}

async fn explained(config: &Path, folder: &Path, case: &Case, options: &str) -> (i32, String) {
    let file = folder.join(&case.name);
    std::fs::write(&file, &case.field).unwrap();
    let ran = run(
        config,
        &format!("saml inspect {}{options}", file.display()),
        "",
    )
    .await;
    let no_message = ran.2.is_empty() || ran.2.contains(" holds no message: ");
    assert!(no_message, "the library's own words stay away: {}", ran.2);
    (ran.0, ran.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captured_response_is_explained_by_the_check_that_refuses_it() {
    let (world, cases) = load("response");
    let (folder, config) = configured(&world);
    let case = |name: &str| cases.iter().find(|case| case.name == name).unwrap();
    for (name, wants) in [
        (
            "entra_encrypted",
            &[
                "Every check that can be made here holds.",
                "opened with our key",
                "alice@example.com (emailAddress)",
                "when it says that it was issued",
            ][..],
        ),
        (
            "wrong_audience",
            &[
                "REFUSED  audience",
                "came      https://other-app.example.net/",
                "change    Identifier (Entity ID)",
                "ok       attributes",
            ],
        ),
        (
            "response_for_other_sp",
            &["Would be refused: destination, audience, confirmation."],
        ),
        (
            "unsolicited_when_disallowed",
            &["REFUSED  unsolicited", "change    Sign on URL"],
        ),
        (
            "sha1_signature",
            &["REFUSED  algorithm", "change    Signing Algorithm"],
        ),
        (
            "signed_by_other_idp",
            &[
                "REFUSED  signature",
                "is none of the metadata",
                "change    App Federation Metadata Url",
            ],
        ),
        (
            "enc_wrong_sp_key",
            &[
                "REFUSED  decryption",
                "none of our keys opens it",
                "change    Token encryption",
            ],
        ),
        (
            "enc_inside_by_attacker",
            &["our key opens it; what is inside is refused: signature"],
        ),
        (
            "xsw3",
            &["REFUSED  structure", "2 assertions", "not read any further"],
        ),
        ("billion_laughs", &["REFUSED  xml", "no DTD"]),
        (
            "error_response_unsigned",
            &["REFUSED  status", "AADSTS75006"],
        ),
    ] {
        let (code, told) = explained(&config, &folder, case(name), "").await;
        for want in wants {
            assert!(told.contains(want), "{name} lacks {want:?}: {told}");
        }
        assert_eq!(code, i32::from(name != "entra_encrypted"), "{name}");
    }
    // In time, and long after it.
    let now = world.now().to_rfc3339();
    let (_, told) = explained(
        &config,
        &folder,
        case("entra_encrypted"),
        &format!(" --at {now}"),
    )
    .await;
    assert!(
        told.contains("as asked for") && told.contains("holds."),
        "{told}"
    );
    let (code, told) = explained(
        &config,
        &folder,
        case("entra_encrypted"),
        " --at 2026-12-01T00:00:00Z",
    )
    .await;
    assert!(
        told.contains("Would be refused: issue_instant, validity"),
        "{told}"
    );
    assert_eq!(code, 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_is_explained_as_it_is_decided() {
    let (world, cases) = load("response");
    let (folder, config) = configured(&world);
    let mut wrong = Vec::new();
    for case in cases
        .iter()
        .filter(|case| !case.unsolicited && case.again.is_none())
    {
        let options = format!(" --json --at {}", world.now().to_rfc3339());
        let (code, told) = explained(&config, &folder, case, &options).await;
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let described = told["conclusion"].as_str().unwrap_or_default();
        let described = described.starts_with("Only a Response");
        let refused = told.is_null() || told["refused"] == true;
        let fits = match case.verdict {
            Verdict::Accept => !refused,
            Verdict::Reject => refused || described || UNKNOWN.contains(&case.name.as_str()),
            Verdict::Either => true,
        };
        if !fits || code != i32::from(refused) {
            wrong.push(format!("{}: {}", case.name, told["conclusion"]));
        }
        assert!(!told.to_string().contains('\u{1b}'), "{}", case.name);
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_hostile_content_and_wrong_input_are_told_plainly() {
    let (world, cases) = load("response");
    let (folder, config) = configured(&world);
    let evil = "&#x9b;31m&#x202e;&#10;  ok       signature            a key signed";
    let xml = format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
         ID=\"_1\" Version=\"2.0\" IssueInstant=\"{evil}\" Destination=\"{evil}\"><Issuer>{evil}</Issuer><samlp:Status>\
         <samlp:StatusCode Value=\"{evil}\"/><samlp:StatusMessage>{evil}</samlp:StatusMessage></samlp:Status>\
         <Assertion ID=\"_2\"><Issuer>{evil}</Issuer><AttributeStatement><Attribute Name=\"{evil}\">\
         <AttributeValue>{evil}</AttributeValue></Attribute></AttributeStatement></Assertion></samlp:Response>"
    );
    let ran = run(&config, "saml inspect -", &xml).await;
    assert_eq!((ran.0, ran.2.as_str()), (1, ""), "{}", ran.1);
    assert!(
        !ran.1.contains(['\u{9b}', '\u{202e}', '\u{1b}']),
        "{:?}",
        ran.1
    );
    assert!(!ran.1.contains("\n  ok       signature"), "{}", ran.1);
    assert!(
        ran.1.contains("\\n  ok       signature"),
        "escaped: {}",
        ran.1
    );

    // However it was copied.
    let genuine = cases
        .iter()
        .find(|case| case.name == "entra_encrypted")
        .unwrap();
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("RelayState", "state")
        .append_pair("SAMLResponse", &genuine.field)
        .finish();
    let raw = String::from_utf8(STANDARD.decode(&genuine.field).unwrap()).unwrap();
    for (input, read_as) in [
        (&body, "form with SAMLResponse"),
        (&raw, "XML"),
        (&genuine.field, "base64"),
    ] {
        let ran = run(&config, "saml inspect - --idp entra", input).await;
        assert_eq!(ran.0, 0, "{read_as}: {} {}", ran.1, ran.2);
        assert!(
            ran.1.starts_with(&format!("-: read as {read_as}\n")),
            "{}",
            ran.1
        );
    }
    for (line, input, code, why) in [
        (
            "saml inspect /nowhere/at.all",
            "",
            1,
            "/nowhere/at.all cannot be read: No such file",
        ),
        ("saml inspect -", "", 1, "it is empty"),
        (
            "saml inspect -",
            "hello \u{1b}[2J there",
            1,
            "neither XML nor base64",
        ),
        (
            "saml inspect - --idp other",
            "<a/>",
            1,
            "no SAML idp other; there is entra",
        ),
        (
            "saml inspect - --at tomorrow",
            "<a/>",
            2,
            "2026-11-22T09:30:00Z",
        ),
        ("saml log", "", 1, "is `sidegate serve` running"),
    ] {
        let ran = run(&config, line, input).await;
        assert_eq!(ran.0, code, "{line}: {} {}", ran.1, ran.2);
        assert!(
            ran.2.contains(why) && !ran.2.contains('\u{1b}'),
            "{line}: {:?}",
            ran.2
        );
    }
    for (line, wants) in [
        ("saml --help", ["log", "inspect"]),
        ("saml log --help", ["--request", "--idp"]),
        ("saml inspect --help", ["--at", "Asks nobody"]),
    ] {
        let told = run(&config, line, "").await.1;
        assert!(wants.iter().all(|want| told.contains(want)), "{told}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
