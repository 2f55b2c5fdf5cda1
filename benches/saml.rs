//! Verifies SAML responses for `benches/run saml`, and writes them: what idps send, and the worst that the limits let in.
//!
//! `saml write FOLDER` writes each response as XML with its trust; `saml once FOLDER NAME` verifies one in this process,
//! `saml rate FOLDER NAME THREADS MILLISECONDS` many; `saml library …` and `saml bare …` do as much of one as the library
//! and OpenSSL do.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "measures by hand; a failure is a panic"
)]

#[path = "saml/documents.rs"]
mod documents;

use std::fs::{read, read_to_string};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use documents::World;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::{Signer, Verifier};
use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _, ReduceMode};
use sidegate::saml::{Certificate, Expected, PrivateKey, Trust, UsedAssertions, verify};
use sidegate::secret::Secret;

fn main() {
    // `cargo test --all-targets` starts this too.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["write", folder, ..] => documents::write(Path::new(folder)),
        ["once", folder, name, ..] => once(&Site::open(Path::new(folder)), name),
        [
            what @ ("rate" | "library" | "bare"),
            folder,
            name,
            threads,
            millis,
            ..,
        ] => {
            let length = Duration::from_millis(millis.parse().unwrap());
            let site = Site::open(Path::new(folder));
            let (field, threads) = (site.field(name), threads.parse().unwrap());
            match *what {
                "library" => rate(threads, length, &|| site.library(&field)),
                "bare" => rate(threads, length, &bare(&STANDARD.decode(&field).unwrap())),
                _ => rate(threads, length, &|| drop(site.verify(&field))),
            }
        }
        _ => {}
    }
}

/// CPU that is long beside a tick.
const ENOUGH: Duration = Duration::from_millis(400);

/// Who verifies, and what came.
struct Site<'a> {
    folder: &'a Path,
    world: World,
    certificates: Vec<Certificate>,
    keys: Vec<PrivateKey>,
}

impl<'a> Site<'a> {
    fn open(folder: &'a Path) -> Self {
        let world = World::load();
        let pem = read_to_string(folder.join("idp.pem")).unwrap();
        // As many as are looked at; that of the made ones is the last.
        let mut certificates = vec![world.certificate("idp1"), world.certificate("idp2")];
        certificates.extend((0..3).map(|_| world.certificate("idp2")));
        certificates.push(Certificate::from_pem(&pem).unwrap());
        let keys = ["sp", "spold"]
            .map(|name| PrivateKey::from_pem(&Secret::new(world.key(name))).unwrap());
        Self {
            folder,
            world,
            certificates,
            keys: keys.into(),
        }
    }

    fn field(&self, name: &str) -> String {
        STANDARD.encode(read(self.folder.join(name).with_extension("xml")).unwrap())
    }

    /// Parsed, canonicalised and verified with the right certificate, and nothing else looked at.
    fn library(&self, field: &str) {
        let text = String::from_utf8(STANDARD.decode(field).unwrap()).unwrap();
        let certificate = CertificateDer::from(self.certificates[0].der().to_vec());
        let mode = ReduceMode::PreDigest;
        let reduced =
            Crypto::reduce_xml_to_signed_with_allowed_algorithms(&text, &[certificate], mode, None);
        assert!(!reduced.unwrap().is_empty());
    }

    /// What became of it: the length of what an accepted one says, or the check that refused.
    fn verify(&self, field: &str) -> String {
        let trust = Trust {
            entity_id: &self.world.idp,
            certificates: &self.certificates,
            decryption_keys: &self.keys,
        };
        let expected = Expected {
            entity_id: &self.world.entity_id,
            acs: &self.world.acs,
            requests: &[&self.world.request],
            idp_initiated: false,
            signed_response: false,
            used: &UsedAssertions::default(),
            authn_context: &[],
            now: self.world.now(),
        };
        match verify(field, &trust, &expected) {
            Ok(verified) => format!("accepted:{}", verified.attributes().len()),
            Err(refusal) => format!("refused:{}", refusal.check()),
        }
    }
}

/// One in a process that has verified a small one before: CPU in µs, growth of the memory in KiB, what became of it, and bytes
/// of the field. The kernel counts CPU in ticks, so the CPU is that of many, done after the memory was looked at.
fn once(site: &Site<'_>, name: &str) {
    let (small, field) = (site.field("entra"), site.field(name));
    assert!(site.verify(&small).starts_with("accepted"));
    let before = memory("VmRSS");
    // proc(5): the peak begins anew.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let became = site.verify(&field);
    let grown = memory("VmHWM").saturating_sub(before);
    let (mut count, began) = (0, cpu());
    while count < 10 || cpu().saturating_sub(began) < ENOUGH {
        site.verify(&field);
        count += 1;
    }
    let took = cpu().saturating_sub(began).as_micros() / count;
    println!("{took} {grown} {became} {}", field.len());
}

/// As many as come in the time: how many, and the CPU in ns.
fn rate(threads: usize, length: Duration, once: &(dyn Fn() + Sync)) {
    let until = Instant::now() + length;
    let work = || {
        let (mut count, began) = (0_u64, cpu());
        while Instant::now() < until {
            once();
            count += 1;
        }
        (count, cpu().saturating_sub(began).as_nanos())
    };
    let done = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = all.into_iter().map(|one| one.join().unwrap());
        joined.collect::<Vec<_>>()
    });
    let sum = |sum: (u64, u128), one: &(u64, u128)| (sum.0 + one.0, sum.1 + one.1);
    let (count, cpu) = done.iter().fold((0, 0), sum);
    println!("{count} {cpu}");
}

/// The least that checks a signature of RSA: one digest over the document, and one operation with the public key.
fn bare(document: &[u8]) -> impl Fn() + Sync + use<> {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(document).unwrap();
    let document = document.to_owned();
    move || {
        let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
        assert!(verifier.verify_oneshot(&signature, &document).unwrap());
    }
}

/// Of this thread.
fn cpu() -> Duration {
    let text = read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// A line of `/proc/self/status`, KiB.
fn memory(name: &str) -> u64 {
    let text = read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
