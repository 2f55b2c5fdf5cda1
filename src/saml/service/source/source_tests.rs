//! Metadata in time: what ends is refused or told, and the last good one is kept.

use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use tracing::subscriber::DefaultGuard;

use super::*;
use crate::clock::ManualClock;
use crate::crypto::random_token;

const DAY: u64 = 24 * 60 * 60;
const NOON: u64 = 1_795_348_800;

/// What is logged, as lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything of this thread goes here as long as the guard lives.
    fn listen(&self) -> DefaultGuard {
        let log = self.clone();
        let to_log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || log.clone());
        tracing::subscriber::set_default(to_log.finish())
    }

    /// What came since this was asked last.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

struct World {
    folder: PathBuf,
    clock: Arc<ManualClock>,
    source: Source,
    log: Log,
    _listens: DefaultGuard,
}

impl World {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("sidegate-{}", random_token()));
        std::fs::create_dir(&folder).unwrap();
        let log = Log::default();
        let listens = log.listen();
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(NOON)));
        let shared: Arc<dyn Clock> = clock.clone();
        Self {
            source: Source {
                name: IdpName::try_from("corp").unwrap(),
                from: MetadataSource::File(folder.join("idp.xml")),
                refresh: Duration::from_hours(6),
                entity_id: None,
                signed_by: Vec::new(),
                outbound: Outbound::new(None, Duration::from_secs(1)).unwrap(),
                cache: Cache::new(&folder, "corp.saml"),
                clock: shared,
                metrics: Arc::new(Metrics::new()),
                known: ArcSwapOption::empty(),
                flight: tokio::sync::Mutex::default(),
                notes: Mutex::default(),
            },
            folder,
            clock,
            log,
            _listens: listens,
        }
    }

    /// What the file holds from now on: certificates as days from noon, and when it ends.
    fn publish(&self, certificates: &[(i64, i64)], valid_until: Option<u64>, more: &str) {
        let keys = certificates.iter().map(|(from, to)| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
                 <X509Certificate>{}</X509Certificate></X509Data></KeyInfo></md:KeyDescriptor>",
                certificate(*from, *to)
            )
        });
        let until = valid_until.map(|at| {
            let at = Timestamp::from_secs(at).to_rfc3339();
            format!(" validUntil=\"{at}\"")
        });
        let xml = format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"urn:idp\"{}>{more}\
             <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{}\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"https://idp.example.com/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
            until.unwrap_or_default(),
            keys.collect::<String>()
        );
        std::fs::write(self.folder.join("idp.xml"), xml).unwrap();
    }

    async fn after(&self, seconds: u64) -> String {
        self.clock.advance(Duration::from_secs(seconds));
        self.source.refresh().await;
        self.log.take()
    }

    fn gauge(&self) -> i64 {
        let labels = crate::metrics::Idp {
            idp: "corp".to_owned(),
        };
        let family = &self.source.metrics.idp_certificate_expiry;
        family.get_or_create_owned(&labels).get()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn certificate(from: i64, to: i64) -> String {
    let at = |days: i64| {
        let noon = i64::try_from(NOON).unwrap();
        Asn1Time::from_unix(noon.saturating_add(days.saturating_mul(86_400))).unwrap()
    };
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let name = X509NameBuilder::new().unwrap().build();
    let mut made = X509::builder().unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(&name).unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&at(from)).unwrap();
    made.set_not_after(&at(to)).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    STANDARD.encode(made.build().to_der().unwrap())
}

#[tokio::test]
async fn r49_what_is_over_is_refused_and_the_last_good_one_kept() {
    let world = World::new();
    world.publish(&[(-1, 400)], Some(NOON + DAY), "");
    world.source.refresh().await;
    let good = world.source.known().unwrap();
    // A document that is over already: told, and nothing changes.
    world.publish(&[(-1, 400)], Some(NOON - 1), "");
    let log = world.after(60).await;
    assert!(log.contains("idp metadata cannot be renewed"), "{log}");
    assert!(log.contains("validUntil 2026-11-22T11:59:59Z"), "{log}");
    assert!(log.contains("last_good=\"2026-11-22T12:00:00Z\""), "{log}");
    assert!(Arc::ptr_eq(&world.source.known().unwrap(), &good));
    // It must not be used when its own time is over.
    let log = world.after(DAY).await;
    assert!(
        log.contains("validUntil") && !log.contains("last_good="),
        "{log}"
    );
    assert!(world.source.known().is_none());
    assert!(world.source.trouble().unwrap().contains("validUntil"));
    assert!(world.source.current().await.is_err());
    // Nor after a restart, from the disk.
    world.source.recall();
    assert!(world.source.known().is_none());
    // A newer one heals it.
    world.publish(&[(-1, 400)], Some(NOON + 30 * DAY), "");
    assert_eq!(world.after(60).await, "");
    assert!(world.source.current().await.is_ok());
}

#[tokio::test]
async fn the_end_of_the_last_certificate_is_told_in_time() {
    let world = World::new();
    // One that ended before the last one does, and one that has not begun: they are no help.
    world.publish(&[(-100, 20), (-100, 60), (80, 400)], None, "");
    let mut day = 0;
    for (on, told) in [
        (0, ""),
        (29, ""),
        (30, ""),
        (31, "WARN days=29"),
        (32, ""),
        (45, ""),
        (47, "WARN days=13"),
        (56, ""),
        (58, "WARN days=2"),
        (59, ""),
        (61, "ERROR has ended"),
        (62, ""),
        // The next one has begun: nobody need be told.
        (81, ""),
    ] {
        let log = world.after((on - day) * DAY).await;
        day = on;
        let left = if on < 80 { 60 } else { 400 } - i64::try_from(on).unwrap();
        assert_eq!(world.gauge(), left * 86_400, "day {on}");
        assert_eq!(
            log.lines().count(),
            usize::from(!told.is_empty()),
            "day {on}: {log}"
        );
        for word in told.split(' ') {
            assert!(log.contains(word), "day {on}: {log}");
        }
        assert!(told.is_empty() || log.contains("idp=\"corp\""), "{log}");
    }
    let metrics = world.source.metrics.to_text();
    let line = format!(
        "sidegate_idp_certificate_expiry_seconds{{idp=\"corp\"}} {}",
        319 * DAY
    );
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test]
async fn who_waits_and_who_was_not_asked_have_an_allowance_each() {
    let world = World::new();
    world.publish(&[(-1, 400)], None, "");
    world.source.refresh().await;
    let first = world.source.known().unwrap();
    let asked = async |asker, seen| world.source.newer(seen, asker).await.is_some();
    // Nothing new yet, and each has asked.
    assert!(!asked(Asker::Unasked, &first).await);
    world.publish(&[(-1, 401)], None, "");
    assert!(!asked(Asker::Unasked, &first).await, "used up");
    assert!(asked(Asker::Awaited, &first).await, "its own");
    let second = world.source.known().unwrap();
    world.publish(&[(-1, 402)], None, "");
    assert!(!asked(Asker::Awaited, &second).await, "used up");
    world.clock.advance(Duration::from_secs(10));
    assert!(!asked(Asker::Unasked, &second).await);
    assert!(asked(Asker::Awaited, &second).await);
}

#[tokio::test]
async fn r49_what_was_kept_of_another_address_is_another_idps() {
    let mut world = World::new();
    world.publish(&[(-1, 400)], None, "");
    world.source.refresh().await;
    // The operator names another idp: nobody of the old one gets in until the new one has been asked, or ever.
    world.source.known.store(None);
    world.source.from = MetadataSource::Url("https://new.example.com/metadata".parse().unwrap());
    world.source.recall();
    assert!(world.source.known().is_none());
    world.source.from = MetadataSource::File(world.folder.join("idp.xml"));
    world.source.recall();
    assert!(world.source.known().is_some());
}

#[tokio::test]
async fn another_idp_in_the_file_is_the_operators_word() {
    let world = World::new();
    world.publish(&[(-1, 400)], None, "");
    world.source.refresh().await;
    let file = world.folder.join("idp.xml");
    let other = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, other.replace("urn:idp", "urn:other")).unwrap();
    assert_eq!(world.after(60).await, "");
    assert_eq!(world.source.known().unwrap().entity_id, "urn:other");
}

#[tokio::test]
async fn r49_the_idps_own_keys_do_not_lead_people_elsewhere_at_once() {
    let mut world = World::new();
    world.publish(&[(-1, 400)], None, "");
    world.source.refresh().await;
    let genuine = std::fs::read_to_string(world.folder.join("idp.xml")).unwrap();
    world.source.from = MetadataSource::Url("https://idp.example.com/metadata".parse().unwrap());
    let at =
        |host: &str, path: &str| genuine.replace("idp.example.com/sso", &format!("{host}/{path}"));
    let leads_to = || {
        let known = world.source.known().unwrap();
        known
            .sign_in
            .redirect
            .as_ref()
            .unwrap()
            .location
            .to_string()
    };
    // Another path of the idp's own host is the idp's business.
    world
        .source
        .take(at("idp.example.com", "new").as_bytes())
        .await
        .unwrap();
    assert_eq!(leads_to(), "https://idp.example.com/new");
    let elsewhere = at("idp.evil.test", "sso");
    for (minutes, taken) in [(0, false), (59, false), (1, true)] {
        world.clock.advance(Duration::from_secs(minutes * 60));
        let outcome = world.source.take(elsewhere.as_bytes()).await;
        assert_eq!(outcome.is_ok(), taken, "{minutes}");
        assert_eq!(leads_to() == "https://idp.evil.test/sso", taken);
    }
}
