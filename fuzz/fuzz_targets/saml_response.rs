//! Whatever is posted to the assertion consumer service: it is refused with a reason, or it says what the idp signed. Metadata,
//! queries and sign-out come along.
//!
//! An input is a document, or, when it begins with a byte over 127, a way to change genuine ones ([`Way`]): the numbers of
//! two of the tests' documents, then the changes.
#![no_main]

#[path = "saml/moves.rs"]
mod moves;
#[path = "saml/world.rs"]
mod world;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use libfuzzer_sys::fuzz_target;
use moves::{moved, unsigned, with_template};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sidegate::saml::{
    Certificate, Expected, Expecting, IdpMetadata, Origin, Received, RedirectQuery, Role, Trust,
    UsedAssertions, verify,
};
use world::{WORLD, World};

/// With this in the environment each verification tells how it ended: `FUZZ_TELL=1 … | sort | uniq -c` shows the reach.
const TELL: &str = "FUZZ_TELL";
/// Nobody else was ever signed in by a key of the idp.
const GENUINE: [&str; 5] = [
    "alice@example.com",
    "admin@example.com.attacker.example",
    "S40rgb3XjhFTv6EQTETkEzcgVmToHKRkZUIsJlmLdVc",
    "_3f7b3dcf1674ecb3a0e5c5a5d6f5c8f9",
    "AAdzZWNyZXQxabcdef",
];
const SLO: &str = "https://app.example.com/saml2/slo/entra";

fuzz_target!(|input: &[u8]| {
    let world = &*WORLD;
    let [way @ 128..=255, one, other, rest @ ..] = input else {
        genuine(world, &STANDARD.encode(input));
        metadata(world, input);
        return;
    };
    let pick = |all: &'static [String], number: u8| all[usize::from(number) % all.len()].as_str();
    let (text, donor) = (pick(&world.responses, *one), pick(&world.responses, *other));
    match way % 10 {
        // Bytes of a document, or of the field that it is posted in.
        0 => genuine(world, &STANDARD.encode(spliced(text.as_bytes(), rest))),
        1 => genuine(
            world,
            &String::from_utf8_lossy(&spliced(STANDARD.encode(text).as_bytes(), rest)),
        ),
        // Elements moved about, below the signatures that stay as they are.
        2 | 3 => genuine(world, &STANDARD.encode(moved(text, donor, rest).0)),
        // The same with the ciphertext an attacker's: our certificate is known to all.
        4 => {
            let (text, more) = moved(pick(&world.assertions, *one), donor, rest);
            if let Some(sealed) = world.encrypted(&text, way & 0x40 == 0) {
                genuine(world, &STANDARD.encode(moved(&sealed, donor, more).0));
            }
        }
        // Signed as it is by an idp that may be trusted and is careless: what comes behind the signature.
        5 | 6 => careless(world, pick(&world.assertions, *one), donor, rest, None),
        7 => careless(
            world,
            pick(&world.assertions, *one),
            donor,
            rest,
            Some(way & 0x40 == 0),
        ),
        8 => redirected(world, &deflated(&moved(text, donor, rest).0), *other),
        _ => {
            let query = spliced(pick(&world.queries, *one).as_bytes(), rest);
            sign_out(world, &String::from_utf8_lossy(&query));
            metadata(
                world,
                moved(
                    pick(&world.metadata, *one),
                    pick(&world.metadata, *other),
                    rest,
                )
                .0
                .as_bytes(),
            );
        }
    }
});

/// With the keys of the idp that nobody here has: who gets in is who got in before.
fn genuine(world: &World, field: &str) {
    for name in accepted(world, field, &world.certificates) {
        assert!(GENUINE.contains(&name.as_str()), "{name}");
    }
    for role in [Role::Request, Role::Response] {
        sign_out_by(world, &Received::Post(role, field), role);
    }
}

fn careless(world: &World, text: &str, donor: &str, rest: &[u8], gcm: Option<bool>) {
    let of_root = rest.first().is_some_and(|byte| byte & 1 == 0);
    let (text, more) = moved(&unsigned(text).expect("a document"), donor, rest);
    let Some(signed) =
        with_template(&text, of_root && gcm.is_none()).and_then(|text| world.signed(&text))
    else {
        return;
    };
    let posted = match gcm {
        Some(gcm) => world.encrypted(&signed, gcm).unwrap_or(signed),
        None => signed,
    };
    accepted(
        world,
        &STANDARD.encode(moved(&posted, donor, more).0),
        &world.ours,
    );
}

/// The names that are let in, asked for and not.
fn accepted(world: &World, field: &str, certificates: &[Certificate]) -> Vec<String> {
    let trust = Trust {
        entity_id: world.name("idp"),
        certificates,
        decryption_keys: &world.keys,
    };
    let mut names = Vec::new();
    for idp_initiated in [false, true] {
        let expected = Expected {
            entity_id: world.name("entity_id"),
            acs: world.name("acs"),
            requests: &[world.name("request")],
            idp_initiated,
            signed_response: false,
            authn_context: &[],
            used: &UsedAssertions::default(),
            now: world.now,
        };
        let ended = verify(field, &trust, &expected);
        if std::env::var_os(TELL).is_some() {
            let refused = ended.as_ref().err().map(sidegate::saml::Refusal::check);
            eprintln!("ended: {refused:?}, {} certificates", certificates.len());
        }
        let Ok(verified) = ended else {
            continue;
        };
        let name = &verified.name_id().value;
        assert!(
            !name.is_empty() && !name.chars().any(char::is_control),
            "{name:?}"
        );
        assert_eq!(verified.issuer(), world.name("idp"));
        assert!(
            verified
                .session_ends()
                .is_none_or(|ends| ends > world.now.minus(std::time::Duration::from_mins(5)))
        );
        if let Ok(principal) = world.mapping.principal(&verified, world.now) {
            assert!(!principal.user_name.is_empty() && !principal.link_subject.is_empty());
            assert!(principal.authenticated_at <= world.now);
        }
        names.push(name.clone());
    }
    names
}

fn metadata(world: &World, document: &[u8]) {
    let anybody = Origin {
        entity_id: None,
        signed_by: &[],
    };
    let pinned = Origin {
        entity_id: Some(world.name("idp")),
        signed_by: &world.certificates,
    };
    for origin in [anybody, pinned] {
        if let Ok(metadata) = IdpMetadata::read(document, &origin, world.now) {
            assert!(
                metadata
                    .certificates
                    .iter()
                    .any(|its| its.is_valid(world.now))
            );
        }
    }
}

fn redirected(world: &World, message: &[u8], number: u8) {
    let encoded = utf8_percent_encode(&STANDARD.encode(message), NON_ALPHANUMERIC).to_string();
    let name = if number & 1 == 0 {
        "SAMLRequest"
    } else {
        "SAMLResponse"
    };
    let more = [
        "",
        "&RelayState=%41+%ff",
        "&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256&Signature=AAAA",
    ];
    sign_out(
        world,
        &format!(
            "{name}={encoded}{}",
            more[usize::from(number / 2) % more.len()]
        ),
    );
}

fn sign_out(world: &World, query: &str) {
    if let Ok(query) = RedirectQuery::read(query) {
        let role = query.role();
        sign_out_by(world, &Received::Redirect(query), role);
    }
}

fn sign_out_by(world: &World, received: &Received<'_>, role: Role) {
    let trust = Trust {
        entity_id: world.name("idp"),
        certificates: &world.certificates,
        decryption_keys: &world.keys,
    };
    let expecting = Expecting {
        slo: SLO,
        requests: &["_lr1"],
        used: &UsedAssertions::default(),
        now: world.now,
    };
    match role {
        Role::Request => drop(received.request(&trust, &expecting)),
        Role::Response => drop(received.answer(&trust, &expecting)),
    }
}

/// Pieces of place, length to leave out, length to put in, and what.
fn spliced(bytes: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut rest = changes;
    while let [high, low, out, into, more @ ..] = rest {
        let from = usize::from(u16::from_be_bytes([*high, *low])).min(bytes.len());
        let to = from.saturating_add(usize::from(*out)).min(bytes.len());
        let (new, more) = more.split_at(usize::from(*into).min(more.len()));
        bytes.splice(from..to, new.iter().copied());
        rest = more;
    }
    bytes
}

fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}
