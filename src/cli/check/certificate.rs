//! Our certificate and key: do they belong together, how long do they last, do they name our host.

use rustls::CertificateError;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::mistakes::chain;
use crate::clock::Timestamp;
use crate::config::{Mistake, Settings, Tls};
use crate::server::server_config;

/// Certificates that end sooner are a warning.
const SOON: std::time::Duration = std::time::Duration::from_hours(24 * 21);

/// Mistakes and warnings of `[server.tls]`.
pub(super) fn look(settings: &Settings, now: Timestamp) -> (Vec<Mistake>, Vec<String>) {
    let Some(tls) = &settings.server.tls else {
        return (Vec::new(), Vec::new());
    };
    let mistake = |why: String| Mistake {
        key: "server.tls".to_owned(),
        why,
    };
    if let Err(error) = server_config(tls) {
        return (vec![mistake(chain(&error))], Vec::new());
    }
    match leaf(tls) {
        Ok(leaf) => judge(&leaf, settings.public_url.host(), now).map_or_else(
            |why| (vec![mistake(why)], Vec::new()),
            |warnings| (Vec::new(), warnings),
        ),
        Err(why) => (vec![mistake(why)], Vec::new()),
    }
}

fn leaf(tls: &Tls) -> Result<CertificateDer<'static>, String> {
    let file = tls.certificate_file.display();
    let mut all = CertificateDer::pem_file_iter(&tls.certificate_file)
        .map_err(|error| format!("{file}: {error}"))?;
    let first = all
        .next()
        .ok_or_else(|| format!("{file}: holds no certificate"))?;
    first.map_err(|error| format!("{file}: {error}"))
}

fn judge(leaf: &CertificateDer<'_>, host: &str, now: Timestamp) -> Result<Vec<String>, String> {
    let parsed =
        ParsedCertificate::try_from(leaf).map_err(|error| format!("certificate: {error}"))?;
    let (begins, ends) = validity(&parsed);
    let mut warnings = Vec::new();
    if let Some(ends) = ends {
        if now > ends {
            return Err(format!("certificate ended at {}", ends.to_rfc3339()));
        }
        if now.plus(SOON) > ends {
            warnings.push(format!(
                "server.tls: certificate ends at {}",
                ends.to_rfc3339()
            ));
        }
    }
    if let Some(begins) = begins.filter(|begins| now < *begins) {
        return Err(format!("certificate begins at {}", begins.to_rfc3339()));
    }
    let name = ServerName::try_from(host.to_owned());
    let named = name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok());
    if !named {
        warnings.push(format!(
            "server.tls: certificate does not name {host}, the host of public_url; fine only behind a load balancer"
        ));
    }
    Ok(warnings)
}

/// Both ends of a certificate's time. Asked of the verifier, which names the end that a time lies
/// beyond before it looks at anything else.
fn validity(leaf: &ParsedCertificate<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
    let ask = |secs: u64| {
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs));
        let algorithms =
            rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let nobody = rustls::RootCertStore::empty();
        verify_server_cert_signed_by_trust_anchor(leaf, &nobody, &[], time, algorithms.all).err()
    };
    let begins = match ask(0) {
        Some(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before,
            ..
        })) => Some(Timestamp::from_secs(not_before.as_secs())),
        _ => None,
    };
    let ends = match ask(u64::MAX) {
        Some(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => Some(Timestamp::from_secs(not_after.as_secs())),
        _ => None,
    };
    (begins, ends)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    /// 2026-11-22.
    const NOW: u64 = 1_795_305_600;

    fn certificate(until: (i32, u8, u8)) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["app.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    #[test]
    fn the_time_and_the_name_of_a_certificate_are_told() {
        let now = Timestamp::from_secs(NOW);
        let before = now.minus(Duration::from_hours(24 * 400));
        for (name, until, host, now, want) in [
            ("fine", (2027, 6, 1), "app.test", now, Ok(0)),
            ("soon", (2026, 12, 1), "app.test", now, Ok(1)),
            ("other host", (2027, 6, 1), "other.test", now, Ok(1)),
            (
                "over",
                (2026, 11, 1),
                "app.test",
                now,
                Err("certificate ended at 2026-11-01T00:00:00Z"),
            ),
            (
                "not yet",
                (2027, 6, 1),
                "app.test",
                before,
                Err("certificate begins at 2026-01-02T00:00:00Z"),
            ),
        ] {
            let got = judge(&certificate(until), host, now).map(|warnings| warnings.len());
            assert_eq!(got, want.map_err(str::to_owned), "{name}");
        }
    }
}
